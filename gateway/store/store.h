/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/span.h"

/* store.h: the state that workers (and later nodes) share: bindings of accounts, counters with limits, replay counters of nonces.
 * Small values under text keys, each with an expiry. Every answer comes by call-back on the calling worker's thread; the
 * in-process driver answers before the call returns, a driver for a cluster engine answers later. An interface, so that the
 * latter can stand behind the same calls. Keys are "kind:name", values at most STORE_VALUE_MAX bytes. */

#define STORE_VALUE_MAX 32768

struct store;

/** @param err 0; -ENOENT no such key; -EAGAIN version differs (cas); -EBUSY limit reached (count); -EALREADY not above (raise);
 *             -ENOMEM, -EIO
 *  @param value borrowed for the call; empty where there is none
 *  @param version of the value (cas), or the number (count, raise) */
typedef void store_fn(int err, struct span value, uint64_t version, void *arg);

struct store_ops {
    void (*get)(struct store *store, struct span key, store_fn *fn, void *arg);
    /** Set whatever was there. ttl_ms 0: for ever. */
    void (*put)(struct store *store, struct span key, struct span value, uint64_t ttl_ms, store_fn *fn, void *arg);
    /** Set only if the version is still `version`; 0: only if the key is not there. An empty value deletes. */
    void (*cas)(struct store *store, struct span key, uint64_t version, struct span value, uint64_t ttl_ms, store_fn *fn,
                void *arg);
    void (*drop)(struct store *store, struct span key, store_fn *fn, void *arg);
    /** Add delta to a number, unless it would pass limit (0: none). The ttl starts with the first count and is not renewed. Never below 0. */
    void (*count)(struct store *store, struct span key, int64_t delta, uint64_t limit, uint64_t ttl_ms, store_fn *fn,
                  void *arg);
    /** Raise a number to `to`; refused (-EALREADY) unless it is above what is there. */
    void (*raise)(struct store *store, struct span key, uint64_t to, uint64_t ttl_ms, store_fn *fn, void *arg);
};

/** First member of every driver's struct. */
struct store {
    const struct store_ops *ops;
};

static inline void store_get(struct store *store, struct span key, store_fn *fn, void *arg)
{
    store->ops->get(store, key, fn, arg);
}

static inline void store_put(struct store *store, struct span key, struct span value, uint64_t ttl_ms, store_fn *fn,
                             void *arg)
{
    store->ops->put(store, key, value, ttl_ms, fn, arg);
}

static inline void store_cas(struct store *store, struct span key, uint64_t version, struct span value, uint64_t ttl_ms,
                             store_fn *fn, void *arg)
{
    store->ops->cas(store, key, version, value, ttl_ms, fn, arg);
}

static inline void store_drop(struct store *store, struct span key, store_fn *fn, void *arg)
{
    store->ops->drop(store, key, fn, arg);
}

static inline void store_count(struct store *store, struct span key, int64_t delta, uint64_t limit, uint64_t ttl_ms,
                               store_fn *fn, void *arg)
{
    store->ops->count(store, key, delta, limit, ttl_ms, fn, arg);
}

static inline void store_raise(struct store *store, struct span key, uint64_t to, uint64_t ttl_ms, store_fn *fn, void *arg)
{
    store->ops->raise(store, key, to, ttl_ms, fn, arg);
}

/** The in-process driver: one table for all workers of this process, sharded, each shard under a mutex held for the look-up only.
 *  Made and freed (mem_unref) on the main thread. At most limit keys: more are refused with -ENOMEM. */
int store_local_new(struct store **storep, size_t limit);
