/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: the only source of time, with a hand that tests can set. */
#include "base/clock.h"

#include <time.h>

static _Thread_local uint64_t test_us;

static uint64_t read_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_now_us(void)
{
    return test_us ? test_us : read_us(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return test_us ? test_us : read_us(CLOCK_REALTIME);
}

uint64_t clock_cpu_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

void clock_set_test(uint64_t now_us)
{
    test_us = now_us;
}
