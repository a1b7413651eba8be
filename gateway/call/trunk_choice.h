/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"

/* trunk_choice.h: which trunk of a route comes next. Pure but for chance. */

typedef bool trunk_is_down_fn(struct span trunk, void *arg);

/** Lowest priority first, within it by chance in proportion to weight (RFC 2782); those that are down only when no
 * other is left. @param tried a bit per trunk. @return index; -1: all were tried */
int trunk_choose(const struct conf_route *route, uint64_t tried, trunk_is_down_fn *is_down, void *arg);

/** Is this answer of a trunk one after which the next is tried? A 2xx and a 6xx never are. */
bool trunk_fails_over(const struct conf_trunk *trunk, unsigned status);
