/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h: some hundreds of scripted browsers, connected and registered at a given pace. */
#pragma once
#include "load.h"

struct pool;

/** One browser and what its mode remembers of it. */
struct member {
    struct pool *pool;
    struct browser *browser;
    unsigned index;
    char name[16], address[20];
    bool is_registered, is_failed, is_busy, was_heard;
    uint64_t asked_ns; /* when the step under way began */
};

struct pool {
    struct peer_loop *loop;
    const struct options *options;
    struct browser_certificate certificate;
    struct browser_events events; /* a mode fills in what it wants; connected and registered are the pool's */
    struct peer_meter *meter;
    bool is_silent;
    struct member *members;
    unsigned count, registered_count, failed_count;
    struct peer_histogram register_us;
    unsigned status_counts[700];
    struct metronome pace;
    void (*on_ready)(struct pool *pool); /* all members have registered or failed */
};

/** Births the members; loop, options, events, meter, on_ready must be set. */
void pool_init(struct pool *pool, unsigned count);
/** Connect and register all, `rate` a second, then on_ready. */
void pool_register(struct pool *pool, unsigned rate);
/** REGISTER again on the open connections, then on_ready. */
void pool_refresh(struct pool *pool, unsigned rate);
void pool_free(struct pool *pool);
/** Members that may call. @return NULL: all are busy or failed. Round robin. */
struct member *pool_pick(struct pool *pool);
/** "status":{"200":5,"503":1} */
void pool_print_statuses(const struct pool *pool, char *out, size_t room);
