/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/epoll.h>

#include "net/udp.h"

/* udp_house.h: what udp.c (sockets, sending) and udp_house.c (rounds, receiving) share. Nobody else includes it. */

#define UDP_BATCH 64 /* packets per system call */

#define UDP_LARGE_BYTES 67584 /* the largest datagram, 65507, and a bit */

struct udp {
    struct udp_house *house; /* a reference */
    int fd;
    uint8_t dscp;
    bool is_sparse;
    uint64_t taken_us; /* sparse: the round that last took from it */
    udp_batch_fn *on_batch;
    udp_large_fn *on_large;
    void *arg;
    const struct warm *warm; /* the user's; NULL: none */
    struct list queue;       /* packets to be sent */
    struct list pending;     /* in house->pending while the queue is not empty */
    struct addr connected;   /* unset: not */
    struct addr local;       /* from here on: not for each packet */
};
#define UDP_HOT_BYTES offsetof(struct udp, local)

struct udp_watch;
struct worker;

struct udp_house {
    struct worker *worker;
    struct udp_watch *watch;
    struct pkt_pool *pool;
    int epoll_fd, timer_fd;

    /* the load, see udp_house.c */
    unsigned gather_us;
    bool is_gathering;
    uint64_t window_began_us;
    unsigned window_packets, window_ticks;

    /* the round that runs */
    struct udp *current;
    struct epoll_event events[UDP_BATCH];
    int event_at, event_count;

    /* packets ready to be received into: [rack_at, UDP_BATCH) */
    unsigned rack_at;
    struct pkt *rack[UDP_BATCH];
    struct iovec in_iov[UDP_BATCH][2]; /* the packet, and where the rest of a large datagram goes */
    struct mmsghdr in_msgs[UDP_BATCH];

    bool rack_is_large; /* both parts of in_iov are in use */
    char *large; /* UDP_BATCH times UDP_LARGE_BYTES, or NULL; a page is touched only when something large comes */

    struct list pending; /* sockets with queued packets */
};

/** Send all that one socket, or every socket, has queued. */
void udp_flush(struct udp *udp);
void udp_house_flush(struct udp_house *house);
/** Watch a new socket / forget it, also in the round that runs; the caller closes it at once, which takes it out of the
 * epoll set. */
int udp_house_add(struct udp_house *house, struct udp *udp);
void udp_house_remove(struct udp_house *house, struct udp *udp);
