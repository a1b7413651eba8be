/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "store/store.h"

/* trunk_limit.h: how many calls at once and how many new ones a second a trunk or account takes, over all workers. */

/** Count under "kind:name". @param delta below 0: places that are given back. @param limit 0: none. @param ttl_ms 0:
 * for ever. @return 0, also where the store fails; -EBUSY: the limit is reached, nothing was counted */
int limit_count(struct store *store, const char *kind, const char *name, int64_t delta, unsigned limit,
                uint64_t ttl_ms);
/** Take a place. New calls a second are counted only where nobody waits for his turn (trunk_pace.h). @return NULL, or a
 * sentence: which limit is reached */
const char *trunk_limit_enter(struct store *store, const struct conf_trunk *trunk);
void trunk_limit_leave(struct store *store, const struct conf_trunk *trunk);
const char *account_limit_enter(struct store *store, const struct conf_account *account);
/** @param name of an account with a max_calls when the place was taken: since then it may have changed; "": nothing */
void account_limit_leave(struct store *store, const char *name);
