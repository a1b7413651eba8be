/* SPDX-License-Identifier: Apache-2.0 */
/* pkt.c: the pool of packet buffers of one worker. Grows by slabs up to its limit and never shrinks; the buffer used
 * last is given out first, as it is still in the cache. Knows nothing of sockets. */
#include "net/pkt.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "base/stats.h"

#define SLAB_PACKETS 64

struct slab {
    struct slab *next;
    struct pkt pkts[SLAB_PACKETS];
};

struct pkt_pool {
    struct slab *slabs;
    unsigned made, limit, free_count;
    struct pkt *free[]; /* limit of them: a list through the packets would wait for the memory of each */
};

static void pool_destroy(void *self)
{
    struct pkt_pool *pool = self;

    while (pool->slabs) {
        struct slab *slab = pool->slabs;

        pool->slabs = slab->next;
        mem_unref(slab);
    }
}

int pkt_pool_new(struct pkt_pool **poolp, unsigned limit)
{
    struct pkt_pool *pool = mem_new(sizeof(*pool) + limit * sizeof(pool->free[0]), pool_destroy);

    if (!pool)
        return -ENOMEM;
    pool->limit = limit;
    *poolp = pool;
    return 0;
}

static void grow(struct pkt_pool *pool)
{
    struct slab *slab;

    if (pool->made >= pool->limit)
        return;
    slab = mem_new(sizeof(*slab), NULL);
    if (!slab)
        return;
    slab->next = pool->slabs;
    pool->slabs = slab;
    for (unsigned i = 0; i < SLAB_PACKETS && pool->made < pool->limit; i++, pool->made++)
        pkt_put(pool, &slab->pkts[i]);
}

struct pkt *pkt_get(struct pkt_pool *pool)
{
    struct pkt *pkt;

    if (!pool->free_count)
        grow(pool);
    if (!pool->free_count) {
        stats_count(STAT_PKT_POOL_EMPTY);
        return NULL;
    }
    pkt = pool->free[--pool->free_count];
    pkt->link = (struct list){NULL, NULL};
    pkt->data = pkt->buf + PKT_HEAD_ROOM;
    pkt->len = 0;
    pkt->dscp = 0;
    pkt->flags = 0;
    return pkt;
}

void pkt_put(struct pkt_pool *pool, struct pkt *pkt)
{
    if (!pkt)
        return;
    assert(pool->free_count < pool->limit);
    pool->free[pool->free_count++] = pkt;
}
