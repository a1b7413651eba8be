/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c: the list of watchers, and the mail that tells them. Mail names its watch by number, and the receiving worker
 * looks the number up: a watch that ended meanwhile is simply not found. */
#include "store/watch.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"

struct store_watch {
    struct list link;
    uint64_t id;
    struct worker *worker;
    store_change_fn *fn;
    void *arg;
    char *prefix;
    size_t prefix_bytes;
};

struct change_mail {
    struct mail mail;
    struct watchers *watchers;
    uint64_t id;
    bool is_gone;
    size_t key_bytes;
    size_t value_bytes;
    char bytes[]; /* key, value */
};

static void watch_destroy(void *self)
{
    struct store_watch *watch = self;

    list_remove(&watch->link);
    mem_unref(watch->prefix);
}

int watchers_open(struct watchers *watchers)
{
    int err = pthread_mutex_init(&watchers->lock, NULL);

    if (err)
        return -err;
    list_init(&watchers->list);
    watchers->is_open = true;
    return 0;
}

void watchers_close(struct watchers *watchers)
{
    struct list *link;

    if (!watchers->is_open)
        return;
    while ((link = list_first(&watchers->list)))
        mem_unref(container_of(link, struct store_watch, link));
    pthread_mutex_destroy(&watchers->lock);
}

int watchers_add(struct watchers *watchers, struct store_watch **watchp, struct span prefix, store_change_fn *fn,
                 void *arg)
{
    struct store_watch *watch = mem_new(sizeof(*watch), watch_destroy);

    assert(worker_current());
    if (!watch)
        return -ENOMEM;
    watch->prefix = mem_text(prefix.p, prefix.n);
    if (!watch->prefix) {
        mem_unref(watch);
        return -ENOMEM;
    }
    watch->prefix_bytes = prefix.n;
    watch->worker = worker_current();
    watch->fn = fn;
    watch->arg = arg;
    pthread_mutex_lock(&watchers->lock);
    watch->id = ++watchers->last_id;
    list_append(&watchers->list, &watch->link);
    pthread_mutex_unlock(&watchers->lock);
    __atomic_fetch_add(&watchers->count, 1, __ATOMIC_RELEASE);
    *watchp = watch;
    return 0;
}

void watchers_remove(struct watchers *watchers, struct store_watch *watch)
{
    pthread_mutex_lock(&watchers->lock);
    list_remove(&watch->link);
    pthread_mutex_unlock(&watchers->lock);
    __atomic_fetch_sub(&watchers->count, 1, __ATOMIC_RELEASE);
    mem_unref(watch);
}

static struct store_watch *find_by_id(struct watchers *watchers, uint64_t id)
{
    struct list *link, *tmp;

    list_each (link, tmp, &watchers->list) {
        struct store_watch *watch = container_of(link, struct store_watch, link);

        if (watch->id == id)
            return watch;
    }
    return NULL;
}

static void receive_change(struct worker *worker, struct mail *mail)
{
    struct change_mail *change = container_of(mail, struct change_mail, mail);
    struct store_watch *watch;

    pthread_mutex_lock(&change->watchers->lock);
    watch = find_by_id(change->watchers, change->id);
    pthread_mutex_unlock(&change->watchers->lock);
    if (watch) /* only this thread may end it, so it stays */
        watch->fn(watch->arg, span_make(change->bytes, change->key_bytes),
                  span_make(change->bytes + change->key_bytes, change->value_bytes), change->is_gone);
    mem_unref(change);
}

static void post_change(struct watchers *watchers, const struct store_watch *watch, struct span key, struct span value,
                        bool is_gone)
{
    struct change_mail *change = mem_new(sizeof(*change) + key.n + value.n, NULL);

    if (!change)
        return;
    change->mail.receive = receive_change;
    change->watchers = watchers;
    change->id = watch->id;
    change->is_gone = is_gone;
    change->key_bytes = key.n;
    change->value_bytes = value.n;
    memcpy(change->bytes, key.p, key.n);
    if (value.n)
        memcpy(change->bytes + key.n, value.p, value.n);
    mailbox_post(watch->worker, &change->mail);
}

void watchers_tell(struct watchers *watchers, struct span key, struct span value, bool is_gone)
{
    struct list *link, *tmp;

    if (!__atomic_load_n(&watchers->count, __ATOMIC_ACQUIRE))
        return;
    pthread_mutex_lock(&watchers->lock);
    list_each (link, tmp, &watchers->list) {
        struct store_watch *watch = container_of(link, struct store_watch, link);

        if (span_starts(key, span_make(watch->prefix, watch->prefix_bytes)))
            post_change(watchers, watch, key, value, is_gone);
    }
    pthread_mutex_unlock(&watchers->lock);
}
