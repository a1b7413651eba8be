/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"

/* net_test.h: a worker whose loop is turned by the test itself, until a condition holds (or 10 s have gone: then the
 * test fails). */

struct net_test {
    struct worker *worker;
    uv_timer_t *pulse; /* lets a turn end when nothing happens */
    size_t live_before;
};

static inline void net_pulse(uv_timer_t *timer)
{
}

static inline void net_quiet(enum log_level level, const char *line)
{
}

static inline int net_setup(void **state)
{
    struct net_test *test = test_calloc(1, sizeof(*test));

    log_set_sink(net_quiet);
    test->live_before = mem_live_count();
    assert_int_equal(worker_new(&test->worker, 0, 1), 0);
    worker_set_current(test->worker);
    stats_bind(&test->worker->stats);
    test->pulse = test_malloc(sizeof(*test->pulse));
    uv_timer_init(&test->worker->loop, test->pulse);
    uv_timer_start(test->pulse, net_pulse, 2, 2);
    *state = test;
    return 0;
}

static inline void net_count_open(uv_handle_t *handle, void *arg)
{
    *(unsigned *)arg += !uv_is_closing(handle);
}

#define NET_OWN_HANDLES 5 /* the worker's and its mailbox's */

/* Everything built on the worker is gone, or this fails. */
static inline int net_teardown(void **state)
{
    struct net_test *test = *state;
    unsigned open_count = 0;

    uv_close((uv_handle_t *)test->pulse, NULL);
    stats_bind(NULL);
    worker_set_current(NULL);
    uv_walk(&test->worker->loop, net_count_open, &open_count);
    assert_int_equal(open_count, NET_OWN_HANDLES); /* else a test failed half-way: the worker would abort */
    mem_unref(test->worker);
    test_free(test->pulse);
    assert_int_equal(mem_live_count(), test->live_before);
    test_free(test);
    return 0;
}

static inline double net_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#define net_turn(test) uv_run(&(test)->worker->loop, UV_RUN_ONCE)

/* Turn the loop until the condition holds. */
#define net_wait(test, condition)                                                                                      \
    do {                                                                                                               \
        double net_end = net_now() + 10;                                                                               \
        while (!(condition)) {                                                                                         \
            if (net_now() > net_end)                                                                                   \
                fail_msg("waited in vain for: %s", #condition);                                                        \
            net_turn(test);                                                                                            \
        }                                                                                                              \
    } while (0)

#define net_case(name) cmocka_unit_test_setup_teardown(name, net_setup, net_teardown)
