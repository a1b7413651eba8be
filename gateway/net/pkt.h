/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "net/addr.h"

/* pkt.h: packet buffers with room at both ends, from a pool per worker. The packet path lends them down and up; who
 * keeps one past its callback takes it out of the batch. Never allocates after the pool has grown to its limit. */

#define PKT_HEAD_ROOM 64
#define PKT_TAIL_ROOM 192  /* SRTP trailer: 144 + 4, and a spare */
#define PKT_DATA_MAX  1744 /* longest datagram taken; longer ones are cut off by the kernel and dropped */
#define PKT_SIZE      (PKT_HEAD_ROOM + PKT_DATA_MAX + PKT_TAIL_ROOM)

struct pkt {
    struct list link;
    uint8_t *data; /* into buf */
    uint16_t len;
    uint8_t dscp; /* DSCP code point to send with; 0: best effort */
    uint8_t flags;
    struct addr addr;    /* received: source; to be sent: destination */
    uint64_t arrived_us; /* clock_now_us() of its round */
    uint8_t buf[PKT_SIZE] __attribute__((aligned(16)));
};

struct pkt_pool;

/** @param limit most packets alive at once */
int pkt_pool_new(struct pkt_pool **poolp, unsigned limit);

/** A packet with data at PKT_HEAD_ROOM and len 0; NULL when the limit is reached (STAT_PKT_POOL_EMPTY counts). */
struct pkt *pkt_get(struct pkt_pool *pool);
void pkt_put(struct pkt_pool *pool, struct pkt *pkt);

static inline unsigned pkt_tail_room(const struct pkt *pkt)
{
    return (unsigned)(pkt->buf + PKT_SIZE - (pkt->data + pkt->len));
}
