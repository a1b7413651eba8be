/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "net/addr.h"
#include "net/pkt.h"

/* udp.h: UDP sockets of one worker, received and sent in rounds: recvmmsg() until dry (bounded), callbacks, then one
 * sendmmsg() per socket for all that the callbacks queued. All sockets of a worker hang in one epoll set, which the
 * loop sees as one descriptor. Alone, a packet is handled at once; under load (the last round had more than a few
 * packets) the set is left alone for `gather` and then handled in one round: wake-ups cost more than packets. */

struct udp_house; /* one per worker */
struct udp;       /* one socket */

/** One round's packets of one socket, in order. The callee may change, queue (udp_queue) or leave them; left ones go
 * back to the pool. A slot taken over is set to NULL. */
typedef void udp_batch_fn(struct udp *udp, struct pkt **pkts, unsigned n, void *arg);

/** One datagram above PKT_DATA_MAX, whole; bytes are writable until return. */
typedef void udp_large_fn(struct udp *udp, const struct addr *from, char *bytes, size_t n, void *arg);

/** @param gather_us longest wait for more packets under load; 0: never wait */
int udp_house_new(struct udp_house **housep, unsigned gather_us);
struct pkt_pool *udp_house_pool(struct udp_house *house);

struct udp_options {
    struct addr local; /* port 0: any */
    bool is_shared;    /* SO_REUSEPORT: every worker binds the same address (SIP) */
    bool is_sparse;    /* one packet a round is the rule (a call's audio): taken one by one, which then is cheaper */
    uint8_t dscp;      /* default code point of what is sent; a packet's own wins when not 0 */
    int receive_bytes; /* SO_RCVBUF; 0: the kernel's */
    udp_batch_fn *on_batch;
    udp_large_fn *on_large; /* NULL: datagrams above PKT_DATA_MAX are dropped (media); SIP wants them */
    void *arg;
};
/** @return 0; -EADDRINUSE, -EACCES, ... ; leave with mem_unref(): closes at once, queued packets are sent first */
int udp_new(struct udp **udpp, struct udp_house *house, const struct udp_options *options);
const struct addr *udp_local(const struct udp *udp);

/** Queue pkt (taken) to pkt->addr; goes out at the end of this round, or of this turn of the loop when outside of a
 * round. */
void udp_queue(struct udp *udp, struct pkt *pkt_taken);

/** Copy bytes into a packet and queue it. @return 0; -EMSGSIZE; -ENOBUFS when the pool is empty. For datagrams above
 *  PKT_DATA_MAX (large SIP), sends at once by sendto(). */
int udp_send(struct udp *udp, const struct addr *to, const void *bytes, size_t n);

/** This peer alone sends to us from now on, and most packets go to it: connect(), so that the kernel need not look its
 * route up for each of them. Not done when packets that come to `seen_as` (our address as the peer knows it) would be
 * lost by that. peer NULL: anybody again. Packets to other addresses can be queued all the same. */
void udp_connect(struct udp *udp, const struct addr *peer, const struct addr *seen_as);

/** Nobody's for a while, but open: what is queued is sent, what comes is dropped. */
void udp_rest(struct udp *udp);
/** Somebody's again, with nothing left of before. @return 0; -EINVAL: it was opened with other options */
int udp_wake(struct udp *udp, const struct udp_options *options);

/** Change who is called back; forgets udp_set_warm(). */
void udp_set_user(struct udp *udp, udp_batch_fn *on_batch, void *arg);

/** What on_batch will touch; borrowed, and may change, until the next udp_set_user(), udp_rest() or end. */
struct warm;
void udp_set_warm(struct udp *udp, const struct warm *warm);
/** The part of a socket that udp_queue() touches. */
void udp_warm(const struct udp *udp, struct warm *warm);
