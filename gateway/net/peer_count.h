/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

/* peer_count.h: how many connections each address holds (of IPv6 its /64), for the limit per address. One table per
 * worker. */

struct peer_counts;
struct peer_slot; /* one connection's place */

int peer_counts_new(struct peer_counts **countsp);

/** Take a place for a connection of this address. @return 0; -EBUSY when it has `max` already; -ENOMEM */
int peer_counts_enter(struct peer_slot **slotp, struct peer_counts *counts, const struct addr *remote, unsigned max);
/** Give it back; NULL is welcome. The table may be unref'ed before. @return always NULL */
struct peer_slot *peer_slot_leave(struct peer_slot *slot);
