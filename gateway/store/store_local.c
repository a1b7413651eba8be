/* SPDX-License-Identifier: Apache-2.0 */
/* store_local.c: the store of one process: hash shards, each with its lock, its table and its timer wheel for expiry.
 * A lock is held for one look-up and one copy, never while a callback runs. Who watches is store_watch.c's. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/timer.h"
#include "store/store.h"
#include "store/watch.h"

#define SHARD_COUNT 8

struct shard {
    pthread_mutex_t lock;
    struct map entries;
    struct timer_wheel *wheel;
    struct local *local;
    struct list gone; /* expired in this turn, to be told of when the lock is free */
};

struct local {
    struct store store; /* first: it is what callers hold */
    struct shard shards[SHARD_COUNT];
    struct watchers watchers;
    size_t max_entries;
    size_t entry_count; /* atomic */
    uint64_t version;   /* atomic: the last one given */
};

struct entry {
    struct map_node node;
    struct timer timer;
    struct list link; /* in `gone` */
    struct shard *shard;
    uint64_t version;
    uint64_t number;
    bool is_number;
    char *value;
    size_t value_bytes;
    size_t key_bytes;
    char key[]; /* last */
};

static struct local *local_of(struct store *store)
{
    return container_of(store, struct local, store);
}

static void entry_destroy(void *self)
{
    struct entry *entry = self;

    timer_stop(&entry->timer);
    list_remove(&entry->link);
    mem_unref(entry->value);
}

static struct span key_of(const struct entry *entry)
{
    return span_make(entry->key, entry->key_bytes);
}

/* ---- under the shard's lock ---- */

static struct entry *find(struct shard *shard, struct span key)
{
    struct map_node *node = map_find(&shard->entries, key);

    return node ? container_of(node, struct entry, node) : NULL;
}

/* Out of the table; the caller frees it, or it waits in `gone`. */
static void take_out(struct entry *entry)
{
    timer_stop(&entry->timer);
    map_remove(&entry->node);
    __atomic_fetch_sub(&entry->shard->local->entry_count, 1, __ATOMIC_RELAXED);
}

static void on_expired(void *arg)
{
    struct entry *entry = arg;

    take_out(entry);
    list_append(&entry->shard->gone, &entry->link);
}

static void set_ttl(struct entry *entry, uint64_t ttl_ms)
{
    if (ttl_ms == 0)
        timer_stop(&entry->timer);
    else
        timer_start(entry->shard->wheel, &entry->timer, ttl_ms, on_expired, entry);
}

/* @return 0; -ENOMEM, also when the store is full */
static int add_entry(struct shard *shard, struct span key, struct entry **entryp)
{
    struct local *local = shard->local;
    struct entry *entry;
    int err;

    if (__atomic_load_n(&local->entry_count, __ATOMIC_RELAXED) >= local->max_entries)
        return -ENOMEM;
    entry = mem_new(sizeof(*entry) + key.n, entry_destroy);
    if (!entry)
        return -ENOMEM;
    entry->shard = shard;
    entry->key_bytes = key.n;
    if (key.n)
        memcpy(entry->key, key.p, key.n);
    err = map_put(&shard->entries, &entry->node, key_of(entry));
    if (err) {
        mem_unref(entry);
        return err;
    }
    __atomic_fetch_add(&local->entry_count, 1, __ATOMIC_RELAXED);
    *entryp = entry;
    return 0;
}

static uint64_t next_version(struct local *local)
{
    return __atomic_add_fetch(&local->version, 1, __ATOMIC_RELAXED);
}

/* Put a value in place, in a new entry where there is none. */
static int set_value(struct shard *shard, struct entry *entry, struct span key, struct span value, uint64_t ttl_ms)
{
    char *copy = mem_text(value.p, value.n);
    int err = copy ? 0 : -ENOMEM;

    if (!err && !entry)
        err = add_entry(shard, key, &entry);
    if (err) {
        mem_unref(copy);
        return err;
    }
    mem_unref(entry->value);
    entry->value = copy;
    entry->value_bytes = value.n;
    entry->is_number = false;
    entry->version = next_version(shard->local);
    set_ttl(entry, ttl_ms);
    return 0;
}

static void drop_entry(struct entry *entry)
{
    take_out(entry);
    list_append(&entry->shard->gone, &entry->link);
}

/* ---- entering and leaving a shard ---- */

static struct shard *enter(struct store *store, struct span key)
{
    struct local *local = local_of(store);
    struct shard *shard = &local->shards[(map_hash(key) >> 16) % SHARD_COUNT]; /* the low bits choose the bucket */

    pthread_mutex_lock(&shard->lock);
    timer_wheel_run(shard->wheel, clock_now_ms());
    return shard;
}

static void leave(struct shard *shard)
{
    struct list gone, *link;

    list_init(&gone);
    list_splice(&gone, &shard->gone);
    pthread_mutex_unlock(&shard->lock);
    while ((link = list_first(&gone))) {
        struct entry *entry = container_of(link, struct entry, link);

        if (!entry->is_number)
            watchers_tell(&shard->local->watchers, key_of(entry), SPAN_NULL, true);
        mem_unref(entry);
    }
}

/* What a verb has found, to be told when the lock is free. */
struct found {
    int err;
    char *value; /* a copy */
    size_t value_bytes;
    uint64_t version;
};

static void tell(struct found *found, store_fn *fn, void *arg)
{
    if (fn)
        fn(found->err, span_make(found->value, found->value_bytes), found->version, arg);
    mem_unref(found->value);
}

static void copy_out(struct found *found, const struct entry *entry)
{
    if (entry->is_number) {
        found->version = entry->number;
        return;
    }
    found->value = mem_text(entry->value, entry->value_bytes);
    if (!found->value) {
        found->err = -ENOMEM;
        return;
    }
    found->value_bytes = entry->value_bytes;
    found->version = entry->version;
}

static int check_sizes(struct span key, struct span value)
{
    return key.n > STORE_KEY_MAX || value.n > STORE_VALUE_MAX ? -EMSGSIZE : 0;
}

static void tell_watchers(struct store *store, struct span key, struct span value)
{
    watchers_tell(&local_of(store)->watchers, key, value, false);
}

/* ---- the verbs ---- */

static void local_get(struct store *store, struct span key, store_fn *fn, void *arg)
{
    struct shard *shard = enter(store, key);
    struct entry *entry = find(shard, key);
    struct found found = {.err = entry ? 0 : -ENOENT};

    if (entry)
        copy_out(&found, entry);
    leave(shard);
    tell(&found, fn, arg);
}

static void local_put(struct store *store, struct span key, struct span value, uint64_t ttl_ms, store_fn *fn, void *arg)
{
    struct found found = {.err = check_sizes(key, value)};

    if (!found.err) {
        struct shard *shard = enter(store, key);

        found.err = set_value(shard, find(shard, key), key, value, ttl_ms);
        if (!found.err)
            found.version = find(shard, key)->version;
        leave(shard);
    }
    if (!found.err)
        tell_watchers(store, key, value);
    tell(&found, fn, arg);
}

static void compare_and_set(struct shard *shard, struct span key, uint64_t version, struct span value, uint64_t ttl_ms,
                            struct found *found)
{
    struct entry *entry = find(shard, key);

    if (entry && entry->is_number) {
        found->err = -EPROTO;
    } else if ((entry ? entry->version : 0) != version) {
        found->err = -EAGAIN;
        if (entry)
            copy_out(found, entry);
    } else if (value.n) {
        found->err = set_value(shard, entry, key, value, ttl_ms);
        if (!found->err)
            found->version = find(shard, key)->version;
    } else if (entry) {
        drop_entry(entry);
    }
}

static void local_cas(struct store *store, struct span key, uint64_t version, struct span value, uint64_t ttl_ms,
                      store_fn *fn, void *arg)
{
    struct found found = {.err = check_sizes(key, value)};

    if (!found.err) {
        struct shard *shard = enter(store, key);

        compare_and_set(shard, key, version, value, ttl_ms, &found);
        leave(shard);
    }
    if (!found.err && value.n)
        tell_watchers(store, key, value);
    tell(&found, fn, arg);
}

static void local_drop(struct store *store, struct span key, store_fn *fn, void *arg)
{
    struct shard *shard = enter(store, key);
    struct entry *entry = find(shard, key);
    struct found found = {.err = entry ? 0 : -ENOENT};

    if (entry)
        drop_entry(entry);
    leave(shard);
    tell(&found, fn, arg);
}

static void local_expire(struct store *store, struct span key, uint64_t ttl_ms, store_fn *fn, void *arg)
{
    struct shard *shard = enter(store, key);
    struct entry *entry = find(shard, key);
    struct found found = {.err = entry ? 0 : -ENOENT};

    if (entry) {
        set_ttl(entry, ttl_ms);
        found.version = entry->is_number ? entry->number : entry->version;
    }
    leave(shard);
    tell(&found, fn, arg);
}

/* Let `change` turn the number under a key into another one; 0 is no entry at all. */
typedef int change_fn(uint64_t *number, int64_t operand, uint64_t limit);

static int add_within(uint64_t *number, int64_t delta, uint64_t limit)
{
    uint64_t by = delta < 0 ? 0 - (uint64_t)delta : (uint64_t)delta;

    if (delta < 0) {
        *number = *number > by ? *number - by : 0;
        return 0;
    }
    if (by > UINT64_MAX - *number || (limit && *number + by > limit))
        return -EBUSY;
    *number += by;
    return 0;
}

static int raise_to(uint64_t *number, int64_t unused, uint64_t to)
{
    if (to <= *number)
        return -EALREADY;
    *number = to;
    return 0;
}

static int store_number(struct shard *shard, struct entry *entry, struct span key, uint64_t number, uint64_t ttl_ms)
{
    int err;

    if (!entry && number) {
        err = add_entry(shard, key, &entry);
        if (err)
            return err;
        entry->is_number = true;
        set_ttl(entry, ttl_ms);
    }
    if (entry)
        entry->number = number;
    if (entry && !number)
        drop_entry(entry);
    return 0;
}

static void change_number(struct store *store, struct span key, change_fn *change, int64_t operand, uint64_t limit,
                          uint64_t ttl_ms, struct found *found)
{
    struct shard *shard = enter(store, key);
    struct entry *entry = find(shard, key);

    found->version = entry ? entry->number : 0;
    if (entry && !entry->is_number)
        found->err = -EPROTO;
    else
        found->err = change(&found->version, operand, limit);
    if (!found->err)
        found->err = store_number(shard, entry, key, found->version, ttl_ms);
    leave(shard);
}

static void local_count(struct store *store, struct span key, int64_t delta, uint64_t limit, uint64_t ttl_ms,
                        store_fn *fn, void *arg)
{
    struct found found = {.err = check_sizes(key, SPAN_NULL)};

    if (!found.err)
        change_number(store, key, add_within, delta, limit, ttl_ms, &found);
    tell(&found, fn, arg);
}

static void local_raise(struct store *store, struct span key, uint64_t to, uint64_t ttl_ms, store_fn *fn, void *arg)
{
    struct found found = {.err = check_sizes(key, SPAN_NULL)};

    if (!found.err)
        change_number(store, key, raise_to, 0, to, ttl_ms, &found);
    tell(&found, fn, arg);
}

static int local_watch(struct store *store, struct store_watch **watchp, struct span prefix, store_change_fn *fn,
                       void *arg)
{
    return watchers_add(&local_of(store)->watchers, watchp, prefix, fn, arg);
}

static void local_unwatch(struct store *store, struct store_watch *watch)
{
    watchers_remove(&local_of(store)->watchers, watch);
}

static void local_run(struct store *store)
{
    struct local *local = local_of(store);

    for (unsigned i = 0; i < SHARD_COUNT; i++) {
        pthread_mutex_lock(&local->shards[i].lock);
        timer_wheel_run(local->shards[i].wheel, clock_now_ms());
        leave(&local->shards[i]);
    }
}

static const struct store_ops local_ops = {
    .get = local_get,
    .put = local_put,
    .cas = local_cas,
    .drop = local_drop,
    .expire = local_expire,
    .count = local_count,
    .raise = local_raise,
    .watch = local_watch,
    .unwatch = local_unwatch,
    .run = local_run,
};

static void shard_close(struct shard *shard)
{
    struct map_node *node;

    while ((node = map_next(&shard->entries, NULL))) {
        struct entry *entry = container_of(node, struct entry, node);

        take_out(entry);
        mem_unref(entry);
    }
    map_free(&shard->entries);
    mem_unref(shard->wheel);
    if (shard->local)
        pthread_mutex_destroy(&shard->lock);
}

static int shard_open(struct shard *shard, struct local *local)
{
    int err = pthread_mutex_init(&shard->lock, NULL);

    if (err)
        return -err;
    shard->local = local;
    map_init(&shard->entries);
    list_init(&shard->gone);
    return timer_wheel_new(&shard->wheel, clock_now_ms());
}

static void local_destroy(void *self)
{
    struct local *local = self;

    for (unsigned i = 0; i < SHARD_COUNT; i++)
        shard_close(&local->shards[i]);
    watchers_close(&local->watchers);
}

int store_local_new(struct store **storep, size_t limit)
{
    struct local *local = mem_new(sizeof(*local), local_destroy);
    int err;

    if (!local)
        return -ENOMEM;
    local->store.ops = &local_ops;
    local->max_entries = limit;
    err = watchers_open(&local->watchers);
    for (unsigned i = 0; i < SHARD_COUNT && !err; i++)
        err = shard_open(&local->shards[i], local);
    if (err) {
        mem_unref(local);
        return err;
    }
    *storep = &local->store;
    return 0;
}
