/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/timer.h"

#define START_MS 1000003u

static struct timer_wheel *wheel;
static uint64_t now_ms;

struct probe {
    struct timer timer;
    struct timer *victim; /* stopped when this one runs */
    uint64_t ran_at_ms;   /* wheel time is not public: the test's own clock of the run */
    uint64_t again_ms;
    int ran_count;
    int is_again;
};

static struct probe *ran[64];
static int ran_count;

static void on_probe(void *arg)
{
    struct probe *probe = arg;

    probe->ran_count++;
    probe->ran_at_ms = now_ms;
    if (ran_count < 64)
        ran[ran_count++] = probe;
    if (probe->victim)
        timer_stop(probe->victim);
    if (probe->is_again)
        timer_start(wheel, &probe->timer, probe->again_ms, on_probe, probe);
}

static void start(struct probe *probe, uint64_t delay_ms)
{
    timer_start(wheel, &probe->timer, delay_ms, on_probe, probe);
}

/* Time goes on to at_ms at once, as after a long sleep. */
static void leap(uint64_t at_ms)
{
    now_ms = at_ms;
    clock_set_test(now_ms * 1000);
    timer_wheel_run(wheel, now_ms);
}

/* As a worker does: sleeps until the wheel says so, never longer. */
static void walk(uint64_t until_ms)
{
    while (now_ms < until_ms) {
        int64_t next = timer_wheel_next_ms(wheel, now_ms);

        if (next < 0 || now_ms + (uint64_t)next > until_ms)
            next = (int64_t)(until_ms - now_ms);
        leap(now_ms + (uint64_t)next);
    }
}

static int setup(void **state)
{
    now_ms = START_MS;
    clock_set_test(now_ms * 1000);
    ran_count = 0;
    return timer_wheel_new(&wheel, now_ms);
}

static int teardown(void **state)
{
    wheel = mem_unref(wheel);
    clock_set_test(0);
    return 0;
}

static void test_every_delay_runs_at_its_millisecond(void **state)
{
    static const uint64_t delays[] = {0,        1,        2,        255,        256,        257,
                                      511,      512,      65535,    65536,      65537,      1000000,
                                      16777215, 16777216, 16777217, 4294967295, 4294967296, 9999999999};

    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        struct probe probe = {0};
        uint64_t due_ms = now_ms + delays[i];

        start(&probe, delays[i]);
        assert_true(timer_left_ms(&probe.timer) == delays[i]);
        if (delays[i] > 0) {
            walk(due_ms - 1);
            assert_int_equal(probe.ran_count, 0);
            assert_int_equal(timer_wheel_next_ms(wheel, now_ms), 1);
        } else {
            assert_int_equal(timer_wheel_next_ms(wheel, now_ms), 0);
        }
        leap(due_ms);
        assert_int_equal(probe.ran_count, 1);
        assert_false(timer_is_running(&probe.timer));
        assert_int_equal(timer_wheel_next_ms(wheel, now_ms), -1);
    }
}

static void test_a_leap_runs_all_in_the_order_of_their_ticks(void **state)
{
    struct probe late = {0}, early = {0}, middle = {0}, future = {0};

    start(&late, 70000);
    start(&early, 3);
    start(&middle, 300);
    start(&future, 80000);
    leap(now_ms + 75000);
    assert_int_equal(ran_count, 3);
    assert_ptr_equal(ran[0], &early);
    assert_ptr_equal(ran[1], &middle);
    assert_ptr_equal(ran[2], &late);
    assert_true(timer_is_running(&future.timer));
    assert_true(timer_left_ms(&future.timer) == 5000);
    timer_stop(&future.timer);
}

static void test_stop_is_immediate_even_within_the_same_tick(void **state)
{
    struct probe second = {0}, first = {.victim = &second.timer};

    start(&first, 10);
    start(&second, 10);
    leap(now_ms + 10);
    assert_int_equal(first.ran_count, 1);
    assert_int_equal(second.ran_count, 0);
    timer_stop(&second.timer);
    timer_stop(&(struct timer){0});
}

static void test_a_stopped_timer_wakes_nobody(void **state)
{
    struct probe probe = {0};

    start(&probe, 20);
    timer_stop(&probe.timer);
    assert_int_equal(timer_wheel_next_ms(wheel, now_ms), -1);
    start(&probe, 100000);
    timer_stop(&probe.timer);
    assert_int_equal(timer_wheel_next_ms(wheel, now_ms), -1);
    assert_true(timer_left_ms(&probe.timer) == 0);
}

static void test_start_anew_forgets_the_old_time(void **state)
{
    struct probe probe = {0};

    start(&probe, 10);
    start(&probe, 500);
    leap(now_ms + 100);
    assert_int_equal(probe.ran_count, 0);
    leap(now_ms + 400);
    assert_int_equal(probe.ran_count, 1);
}

static void test_zero_delay_within_a_run_waits_for_the_next_run(void **state)
{
    struct probe probe = {.is_again = 1, .again_ms = 0};

    start(&probe, 5);
    leap(now_ms + 100);
    assert_int_equal(probe.ran_count, 1);
    assert_int_equal(timer_wheel_next_ms(wheel, now_ms), 0);
    leap(now_ms);
    assert_int_equal(probe.ran_count, 2);
    timer_stop(&probe.timer);
}

static void test_a_period_keeps_its_pace(void **state)
{
    struct probe probe = {.is_again = 1, .again_ms = 20};

    start(&probe, 20);
    walk(now_ms + 20 * 1000);
    assert_int_equal(probe.ran_count, 1000);
    timer_stop(&probe.timer);
}

static void test_delay_counts_from_the_clock_when_the_wheel_is_behind(void **state)
{
    struct probe probe = {0};

    clock_set_test((now_ms + 50) * 1000); /* 50 ms into a long turn */
    start(&probe, 10);
    now_ms += 59;
    timer_wheel_run(wheel, now_ms);
    assert_int_equal(probe.ran_count, 0);
    timer_wheel_run(wheel, ++now_ms);
    assert_int_equal(probe.ran_count, 1);
}

/* Thousands of random timers against the plain rule: runs in the first walk step at its due time, exactly once. */
static void test_random_timers_run_once_and_on_time(void **state)
{
    enum { COUNT = 5000 };
    struct probe *probes = calloc(COUNT, sizeof(*probes));
    uint64_t *due_ms = calloc(COUNT, sizeof(*due_ms));

    rand_set_test(42);
    for (int i = 0; i < COUNT; i++) {
        uint64_t delay_ms = rand_u32() % (i % 3 == 0 ? 300 : i % 3 == 1 ? 70000 : 20000000);

        start(&probes[i], delay_ms);
        due_ms[i] = now_ms + delay_ms;
        if (i % 7 == 0)
            timer_stop(&probes[i / 2].timer);
        if (i % 100 == 0)
            walk(now_ms + rand_u32() % 50);
    }
    for (int i = 0; i < COUNT; i += 11) {
        uint64_t delay_ms = rand_u32() % 100000;

        start(&probes[i], delay_ms);
        due_ms[i] = now_ms + delay_ms;
    }
    for (int i = 0; i < COUNT; i++)
        due_ms[i] = timer_is_running(&probes[i].timer) ? due_ms[i] : 0;
    for (int i = 0; i < COUNT; i++)
        probes[i].ran_count = 0;
    walk(now_ms + 20000001);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(probes[i].ran_count, due_ms[i] != 0);
        if (due_ms[i])
            assert_true(probes[i].ran_at_ms == due_ms[i]);
    }
    assert_int_equal(timer_wheel_next_ms(wheel, now_ms), -1);
    rand_set_test(0);
    free(due_ms);
    free(probes);
}

static void test_the_end_of_the_wheel_unlinks_running_timers(void **state)
{
    struct probe probe = {0};

    start(&probe, 10);
    wheel = mem_unref(wheel);
    assert_false(timer_is_running(&probe.timer));
    assert_int_equal(probe.ran_count, 0);
}

static int build(void *arg)
{
    struct timer_wheel *other;
    int err = timer_wheel_new(&other, 1);

    if (!err)
        mem_unref(other);
    return err;
}

static void test_no_memory_is_an_error(void **state)
{
    assert_int_equal(oom_run(build, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_delay_runs_at_its_millisecond, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_leap_runs_all_in_the_order_of_their_ticks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_is_immediate_even_within_the_same_tick, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stopped_timer_wakes_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_anew_forgets_the_old_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zero_delay_within_a_run_waits_for_the_next_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_period_keeps_its_pace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delay_counts_from_the_clock_when_the_wheel_is_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_timers_run_once_and_on_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_end_of_the_wheel_unlinks_running_timers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory_is_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
