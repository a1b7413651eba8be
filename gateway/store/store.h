/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* store.h: the state that workers (and later nodes) share: bindings of accounts, counters with limits, replay counters
 * of nonces. Small values under text keys, each with an expiry. Every answer comes by call-back on the calling worker's
 * thread; the in-process driver answers before the call returns, a driver for a cluster engine answers later. An
 * interface, so that the latter can stand behind the same calls. Keys are "kind:name", values at most STORE_VALUE_MAX
 * bytes. */

#define STORE_VALUE_MAX 32768
#define STORE_KEY_MAX   512

struct store;
struct store_watch;

/** @param err 0; -ENOENT no such key; -EAGAIN version differs (cas); -EBUSY limit reached (count); -EALREADY not above
 * (raise); -EPROTO a number where a value is wanted or the other way round; -EMSGSIZE; -ENOMEM, -EIO
 *  @param value borrowed for the call; empty where there is none. cas that found another version gives what is there
 *  @param version of the value (cas), or the number (count, raise) */
typedef void store_fn(int err, struct span value, uint64_t version, void *arg);

/** A value (not a number) has changed; is_gone: dropped or expired. On the worker that watches, never from within a
 * call of the store. key and value are borrowed for the call. */
typedef void store_change_fn(void *arg, struct span key, struct span value, bool is_gone);

struct store_ops {
    void (*get)(struct store *store, struct span key, store_fn *fn, void *arg);
    /** Set whatever was there. ttl_ms 0: for ever. */
    void (*put)(struct store *store, struct span key, struct span value, uint64_t ttl_ms, store_fn *fn, void *arg);
    /** Set only if the version is still `version`; 0: only if the key is not there. An empty value deletes. */
    void (*cas)(struct store *store, struct span key, uint64_t version, struct span value, uint64_t ttl_ms,
                store_fn *fn, void *arg);
    void (*drop)(struct store *store, struct span key, store_fn *fn, void *arg);
    /** Add delta to a number, unless it would pass limit (0: none). The ttl starts with the first count and is not
     * renewed. Never below 0. */
    void (*count)(struct store *store, struct span key, int64_t delta, uint64_t limit, uint64_t ttl_ms, store_fn *fn,
                  void *arg);
    /** Raise a number to `to`; refused (-EALREADY) unless it is above what is there. */
    void (*raise)(struct store *store, struct span key, uint64_t to, uint64_t ttl_ms, store_fn *fn, void *arg);
    /** Give what is there another time to live, from now; 0: for ever. */
    void (*expire)(struct store *store, struct span key, uint64_t ttl_ms, store_fn *fn, void *arg);
    int (*watch)(struct store *store, struct store_watch **watchp, struct span prefix, store_change_fn *fn, void *arg);
    void (*unwatch)(struct store *store, struct store_watch *watch);
    void (*run)(struct store *store);
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

static inline void store_raise(struct store *store, struct span key, uint64_t to, uint64_t ttl_ms, store_fn *fn,
                               void *arg)
{
    store->ops->raise(store, key, to, ttl_ms, fn, arg);
}

static inline void store_expire(struct store *store, struct span key, uint64_t ttl_ms, store_fn *fn, void *arg)
{
    store->ops->expire(store, key, ttl_ms, fn, arg);
}

/** Be told of changes of values whose key begins with the prefix. On a worker, whose mailbox brings the news; news that
 *  finds it full is lost, and news of two writers at once may come in either order: get() tells what stands. @return 0;
 * -ENOMEM */
static inline int store_watch(struct store *store, struct store_watch **watchp, struct span prefix, store_change_fn *fn,
                              void *arg)
{
    return store->ops->watch(store, watchp, prefix, fn, arg);
}

/** On the worker that watches; no call comes after this. NULL is welcome. */
static inline void store_unwatch(struct store *store, struct store_watch *watch)
{
    if (watch)
        store->ops->unwatch(store, watch);
}

/** Let go what has expired although nobody asks for it, and tell the watchers. About once a second from one worker. */
static inline void store_run(struct store *store)
{
    store->ops->run(store);
}

/** The in-process driver: one table for all workers of this process, sharded, each shard under a mutex held for the
 * look-up only. Made and freed (mem_unref) on the main thread. At most limit keys: more are refused with -ENOMEM. */
int store_local_new(struct store **storep, size_t limit);
