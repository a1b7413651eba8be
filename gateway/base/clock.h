/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* clock.h: the only source of time. Tests inject their own. */

/** Monotonic time, microseconds. Any thread. */
uint64_t clock_now_us(void);

static inline uint64_t clock_now_ms(void)
{
    return clock_now_us() / 1000;
}

/** Wall clock, microseconds since 1970 (UTC). Any thread. */
uint64_t clock_wall_us(void);

/** CPU time of this thread, microseconds. */
uint64_t clock_cpu_us(void);

/** Test hook for the calling thread: both clocks stand at this time until set again; 0 gives the real ones back. */
void clock_set_test(uint64_t now_us);
