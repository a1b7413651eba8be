/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_limit.c: limits of trunks and accounts, counted in the store for all workers. Knows names and numbers only. */
#include "call/trunk_limit.h"
#include "base/print.h"

#include <errno.h>

#define KEY_MAX 192 /* kind, a name of 128 and a day */

static void on_counted(int err, struct span value, uint64_t version, void *arg)
{
    *(int *)arg = err;
}

int limit_count(struct store *store, const char *kind, const char *name, int64_t delta, unsigned limit, uint64_t ttl_ms)
{
    char key[KEY_MAX];
    int err = 0; /* a store that answered later would need a place of its own for this */

    print_into(key, sizeof(key), "%s:%s", kind, name);
    store_count(store, span_of(key), delta, limit, ttl_ms, on_counted, &err);
    return err == -EBUSY ? err : 0;
}

const char *trunk_limit_enter(struct store *store, const struct conf_trunk *trunk)
{
    if (trunk->max_cps && !trunk->cps_wait_ms &&
        limit_count(store, "cps", trunk->name, 1, trunk->max_cps, 1000) == -EBUSY)
        return "the trunk's limit of new calls a second is reached";
    if (trunk->max_calls && limit_count(store, "calls-trunk", trunk->name, 1, trunk->max_calls, 0) == -EBUSY)
        return "all channels of the trunk are in use";
    return NULL;
}

void trunk_limit_leave(struct store *store, const struct conf_trunk *trunk)
{
    if (trunk->max_calls)
        limit_count(store, "calls-trunk", trunk->name, -1, 0, 0);
}

const char *account_limit_enter(struct store *store, const struct conf_account *account)
{
    if (account->max_calls && limit_count(store, "calls-account", account->name, 1, account->max_calls, 0) == -EBUSY)
        return "the account's limit of calls is reached";
    return NULL;
}

void account_limit_leave(struct store *store, const char *name)
{
    if (name[0])
        limit_count(store, "calls-account", name, -1, 0, 0);
}
