/* SPDX-License-Identifier: Apache-2.0 */
/* location.c: the registered contacts of an account, as one value in the store. Knows no REGISTER and no call.
 * Values are the struct itself: all readers are workers of this process. (A store shared by nodes will need a written
 * form.) */
#include "call/location.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"

#define RETRY_MAX 8
#define KEY_MAX   (SIP_ACCOUNT_MAX + 16)

_Static_assert(sizeof(struct bindings) <= STORE_VALUE_MAX, "bindings fit into a value of the store");

struct change {
    struct store *store;
    char key[KEY_MAX];
    size_t key_bytes;
    struct location_change user;
    struct bindings bindings;
    unsigned before_count;
    unsigned tries;
};

static size_t write_key(char key[static KEY_MAX], struct span account)
{
    int n = snprintf(key, KEY_MAX, "loc:%.*s", SPAN_ARG(account));

    return n < KEY_MAX ? (size_t)n : KEY_MAX - 1;
}

static void read_value(struct bindings *bindings, struct span value)
{
    uint64_t now_ms = clock_wall_us() / 1000;
    struct bindings stored = {0};
    unsigned kept = 0;

    if (value.n >= sizeof(stored.count) && value.n <= sizeof(stored))
        memcpy(&stored, value.p, value.n);
    if (stored.count > BINDING_MAX)
        stored.count = 0;
    for (unsigned i = 0; i < stored.count; i++)
        if (stored.items[i].expires_wall_ms > now_ms)
            bindings->items[kept++] = stored.items[i];
    bindings->count = kept;
}

static uint64_t longest_ttl_ms(const struct bindings *bindings)
{
    uint64_t now_ms = clock_wall_us() / 1000, last = now_ms;

    for (unsigned i = 0; i < bindings->count; i++)
        if (bindings->items[i].expires_wall_ms > last)
            last = bindings->items[i].expires_wall_ms;
    return last - now_ms + 1;
}

static void start(struct change *change);

static void finish(struct change *change, int err)
{
    if (!err)
        stats_add(STAT_BINDINGS, (int64_t)change->bindings.count - (int64_t)change->before_count);
    if (change->user.done)
        change->user.done(err, &change->bindings, change->user.arg);
    mem_unref(change);
}

static void on_stored(int err, struct span value, uint64_t version, void *arg)
{
    struct change *change = arg;

    if (err == -EAGAIN && ++change->tries < RETRY_MAX)
        start(change); /* another worker was faster: look again */
    else
        finish(change, err);
}

static void on_got(int err, struct span value, uint64_t version, void *arg)
{
    struct change *change = arg;
    struct span stored;

    if (err && err != -ENOENT) {
        finish(change, err);
        return;
    }
    read_value(&change->bindings, err ? SPAN_NULL : value);
    change->before_count = change->bindings.count;
    if (err == -ENOENT)
        version = 0;
    err = change->user.edit(&change->bindings, change->user.arg);
    if (err) {
        change->before_count = change->bindings.count;
        finish(change, err);
        return;
    }
    stored = change->bindings.count ? span_make(&change->bindings, offsetof(struct bindings, items) +
                                                                       change->bindings.count * sizeof(struct binding))
                                    : SPAN_NULL;
    if (!stored.n && !version)
        finish(change, 0); /* nothing there, nothing to store */
    else
        store_cas(change->store, span_make(change->key, change->key_bytes), version, stored,
                  longest_ttl_ms(&change->bindings), on_stored, change);
}

static void start(struct change *change)
{
    store_get(change->store, span_make(change->key, change->key_bytes), on_got, change);
}

void location_change(const struct location_change *user)
{
    struct change *change = mem_new(sizeof(*change), NULL);

    if (!change) {
        user->done(-ENOMEM, &(struct bindings){0}, user->arg);
        return;
    }
    change->store = user->store;
    change->user = *user;
    change->key_bytes = write_key(change->key, user->account);
    start(change);
}

struct find {
    void (*done)(int err, const struct bindings *bindings, void *arg);
    void *arg;
};

static int by_q(const void *left, const void *right)
{
    return ((const struct binding *)right)->q_milli - ((const struct binding *)left)->q_milli;
}

/* A device may keep several flows; one of them is enough to ring it, the one it used last (RFC 5626 7). */
static void keep_one_per_device(struct bindings *bindings)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < bindings->count; i++) {
        struct binding *binding = &bindings->items[i];
        unsigned at = 0;

        while (at < kept && (!binding->instance[0] || strcmp(bindings->items[at].instance, binding->instance) != 0))
            at++;
        if (at == kept)
            bindings->items[kept++] = *binding;
        else if (bindings->items[at].registered_wall_ms <= binding->registered_wall_ms)
            bindings->items[at] = *binding;
    }
    bindings->count = kept;
}

static void on_found(int err, struct span value, uint64_t version, void *arg)
{
    struct find *find = arg;
    struct bindings bindings = {0};

    if (!err)
        read_value(&bindings, value);
    keep_one_per_device(&bindings);
    qsort(bindings.items, bindings.count, sizeof(bindings.items[0]), by_q);
    find->done(err == -ENOENT ? 0 : err, &bindings, find->arg);
    mem_unref(find);
}

void location_find(struct store *store, struct span account,
                   void (*done)(int err, const struct bindings *bindings, void *arg), void *arg)
{
    struct find *find = mem_new(sizeof(*find), NULL);
    char key[KEY_MAX];

    if (!find) {
        done(-ENOMEM, &(struct bindings){0}, arg);
        return;
    }
    find->done = done;
    find->arg = arg;
    store_get(store, span_make(key, write_key(key, account)), on_found, find);
}

static int edit_drop_flow(struct bindings *bindings, void *arg)
{
    const struct sip_flow *flow = arg;
    unsigned kept = 0;

    for (unsigned i = 0; i < bindings->count; i++)
        if (!sip_flow_same(&bindings->items[i].flow, flow))
            bindings->items[kept++] = bindings->items[i];
    if (kept == bindings->count)
        return -ENOENT;
    bindings->count = kept;
    return 0;
}

static void on_dropped(int err, const struct bindings *bindings, void *arg)
{
    mem_unref(arg);
}

void location_drop_flow(struct store *store, struct span account, const struct sip_flow *flow)
{
    struct sip_flow *copy = mem_new(sizeof(*copy), NULL);

    if (!copy)
        return;
    *copy = *flow;
    location_change(&(struct location_change){
        .store = store, .account = account, .edit = edit_drop_flow, .done = on_dropped, .arg = copy});
}
