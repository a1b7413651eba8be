/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/route.h"
#include "store/store.h"

/* dial_limits.h: what may leave through a trunk at all, whatever the routes say: destinations that cost extra, an
 * account's allowed prefixes, its calls a day. Against toll fraud with a stolen password. */

/** Normal form of a dialled number: separators gone, "00" and "011" in front of at least 8 digits written as '+'.
 * @return its length, 0 when it does not fit */
size_t dial_normal(char *out, size_t size_bytes, struct span number);

/** Does this number, as it leaves, cost extra, and the route does not say `premium: true`? A trunk's numbers_out can
 * make one of another.
 *  @return 0; -EACCES */
int dial_costs_extra(const struct conf *conf, const struct conf_route *route, const char *number);

/** May this caller dial what was picked? Counts the call when it may. Only for calls to trunks.
 *  @return NULL, or why not (a sentence in static memory of this thread: 403) */
const char *dial_limits_enter(struct store *store, const struct conf *conf, const struct route_caller *caller,
                              const struct route_pick *pick);
