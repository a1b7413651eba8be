/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/timer.h"
#include "store/store.h"

/* trunk_pace.h: calls to a trunk with max_cps leave one after the other, 1/max_cps of a second apart, over all workers;
 * who comes too early waits for his turn, cps_wait at most. */

struct trunk_pace; /* who waits on this worker */
struct pace_wait;  /* one who waits; leave it with trunk_pace_leave() */

#define PACE_WAIT_MAX 10000 /* who may wait on one worker */

int trunk_pace_new(struct trunk_pace **pacep, struct store *store, struct timer_wheel *wheel);

/** @param err 0: it is your turn; -EBUSY: there is none in time */
typedef void pace_fn(int err, void *arg);

/** Get in line. @param fn never called from within
 *  @return 0: it is your turn (also where the trunk has no max_cps, or no cps_wait: trunk_limit.h counts then);
 *  -EINPROGRESS: *waitp waits, fn will be called; -EBUSY: all turns within cps_wait are taken; -ENOMEM */
int trunk_pace_enter(struct pace_wait **waitp, struct trunk_pace *pace, const struct conf_trunk *trunk, pace_fn *fn,
                     void *arg);

/** Get out of the line, before the turn (those behind move up) or after it; fn is not called any more. NULL is welcome.
 * @return NULL */
struct pace_wait *trunk_pace_leave(struct pace_wait *wait);
