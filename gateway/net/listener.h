/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/stats.h"
#include "net/addr.h"

/* listener.h: one worker's listening TCP socket (SO_REUSEPORT: every worker binds the same address), with a limit per
 * source address and a pause when descriptors run out. Used by stream.c and ws_house.c. */

struct listener; /* leave with mem_unref(): stops at once */
struct peer_counts;
struct peer_slot;

/** A new connection: fd (taken, non-blocking, TCP_NODELAY) and its place in the counts (taken). */
typedef void listener_accept_fn(int fd_taken, const struct addr *remote, struct peer_slot *slot_taken, void *arg);

struct listener_options {
    struct addr local;          /* port 0: any */
    struct peer_counts *counts; /* a reference is kept */
    unsigned max_per_address;   /* 0: no limit */
    enum stat_id refused_stat;  /* counts what the limit refused */
    listener_accept_fn *on_accept;
    void *arg;
};

/** On this thread's worker. @return 0, -errno */
int listener_new(struct listener **listenerp, const struct listener_options *options);
const struct addr *listener_local(const struct listener *listener);
