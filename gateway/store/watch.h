/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "base/list.h"
#include "store/store.h"

/* watch.h: who wants to be told of changes, and telling them through their workers' mailboxes. For drivers of the
 * store. */

struct watchers {
    pthread_mutex_t lock;
    struct list list;
    unsigned count; /* atomic: lets the usual case, nobody, pass without the lock */
    uint64_t last_id;
    bool is_open;
};

int watchers_open(struct watchers *watchers);
void watchers_close(struct watchers *watchers);

/** As store_watch() and store_unwatch(). */
int watchers_add(struct watchers *watchers, struct store_watch **watchp, struct span prefix, store_change_fn *fn,
                 void *arg);
void watchers_remove(struct watchers *watchers, struct store_watch *watch);

/** Post the change to every worker that watches a prefix of the key. Any thread, no lock of the driver held. */
void watchers_tell(struct watchers *watchers, struct span key, struct span value, bool is_gone);
