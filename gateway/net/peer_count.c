/* SPDX-License-Identifier: Apache-2.0 */
/* peer_count.c: connections per source address. Knows nothing of what the connections are. */
#include "net/peer_count.h"

#include <errno.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define V6_KEY_BYTES 11 /* family, port 0, and the /64: one customer has at least so many addresses */

struct peer_counts {
    struct map map;
};

struct peer_slot {
    struct map_node node;
    struct peer_counts *counts; /* a reference: the table outlives its slots */
    unsigned count;
    char key[ADDR_KEY_MAX];
};

static void counts_destroy(void *self)
{
    struct peer_counts *counts = self;

    map_free(&counts->map);
}

int peer_counts_new(struct peer_counts **countsp)
{
    struct peer_counts *counts = mem_new(sizeof(*counts), counts_destroy);

    if (!counts)
        return -ENOMEM;
    map_init(&counts->map);
    *countsp = counts;
    return 0;
}

static void slot_destroy(void *self)
{
    struct peer_slot *slot = self;

    map_remove(&slot->node);
    mem_unref(slot->counts);
}

static struct span make_key(const struct addr *remote, char buf[static ADDR_KEY_MAX])
{
    struct addr host = *remote;
    struct span key;

    addr_set_port(&host, 0);
    key = addr_key(&host, buf);
    return addr_is_v6(&host) ? span_sub(key, 0, V6_KEY_BYTES) : key;
}

static int slot_new(struct peer_slot **slotp, struct peer_counts *counts, const struct addr *remote)
{
    struct peer_slot *slot = mem_new(sizeof(*slot), slot_destroy);
    int err;

    if (!slot)
        return -ENOMEM;
    slot->counts = mem_ref(counts);
    err = map_put(&counts->map, &slot->node, make_key(remote, slot->key));
    if (err) {
        mem_unref(slot);
        return err;
    }
    *slotp = slot;
    return 0;
}

int peer_counts_enter(struct peer_slot **slotp, struct peer_counts *counts, const struct addr *remote, unsigned max)
{
    char buf[ADDR_KEY_MAX];
    struct map_node *node = map_find(&counts->map, make_key(remote, buf));
    struct peer_slot *slot;
    int err;

    if (node) {
        slot = container_of(node, struct peer_slot, node);
    } else {
        err = slot_new(&slot, counts, remote);
        if (err)
            return err;
    }
    if (max && slot->count >= max)
        return -EBUSY;
    slot->count++;
    *slotp = slot;
    return 0;
}

struct peer_slot *peer_slot_leave(struct peer_slot *slot)
{
    if (slot && --slot->count == 0)
        mem_unref(slot);
    return NULL;
}
