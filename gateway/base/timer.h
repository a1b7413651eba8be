/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* timer.h: hierarchical timer wheel, 1 ms ticks, start and stop in constant time. One wheel per worker; timers are
 * embedded in their objects and stop at once, so no callback can reach a dead object. */

struct timer_wheel;
struct timer;

typedef void timer_fn(void *arg);

struct timer {
    struct list link;
    struct timer_wheel *wheel;
    uint64_t due_ms;
    timer_fn *fn;
    void *arg;
};

/** A wheel that starts at now_ms; leave with mem_unref() (running timers are unlinked, not called). */
int timer_wheel_new(struct timer_wheel **wheelp, uint64_t now_ms);

/** Call every timer due at now_ms or before, in order of their ticks. Timers started within with 0 ms run next turn. */
void timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ms);

/** Milliseconds from now_ms until the next timer may be due (never too late); -1: none is running. */
int64_t timer_wheel_next_ms(const struct timer_wheel *wheel, uint64_t now_ms);

/** Start, or start anew. Relative to the wheel's last run time, or clock_now_ms() if later. Never fails, never
 * allocates. */
void timer_start(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms, timer_fn *fn, void *arg);

/** Idempotent; a zeroed timer counts as stopped. */
void timer_stop(struct timer *timer);

static inline bool timer_is_running(const struct timer *timer)
{
    return list_is_linked(&timer->link);
}

/** Milliseconds left, 0 if stopped or due. */
uint64_t timer_left_ms(const struct timer *timer);
