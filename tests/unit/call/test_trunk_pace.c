/* SPDX-License-Identifier: Apache-2.0 */
/* The line in front of a trunk with max_cps: spaced, in order, bounded, the same for all workers. */
#include "../unit.h"

#include <errno.h>

#include "../oom.h"
#include "base/clock.h"
#include "call/trunk_pace.h"

#define BEGIN_US (1700000000ull * 1000000)

static struct store *store;
static struct timer_wheel *wheel;
static struct trunk_pace *pace, *other_worker;
static char name[] = "carrier", other_name[] = "backup";
static uint64_t now_us;
static int turns[64]; /* whose turn it was, in order */
static unsigned turn_count;
static int last_err;
static size_t live_count;

static void advance(unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        now_us += 1000;
        clock_set_test(now_us);
        timer_wheel_run(wheel, clock_now_ms());
    }
}

static int setup(void **state)
{
    live_count = mem_live_count();
    now_us = BEGIN_US;
    clock_set_test(now_us);
    turn_count = 0;
    assert_int_equal(store_local_new(&store, 1000), 0);
    assert_int_equal(timer_wheel_new(&wheel, clock_now_ms()), 0);
    assert_int_equal(trunk_pace_new(&pace, store, wheel), 0);
    return trunk_pace_new(&other_worker, store, wheel);
}

static int teardown(void **state)
{
    pace = mem_unref(pace);
    other_worker = mem_unref(other_worker);
    wheel = mem_unref(wheel);
    store = mem_unref(store);
    clock_set_test(0);
    assert_int_equal(mem_live_count(), live_count);
    return 0;
}

static int ids[64];

static void on_turn(int err, void *arg)
{
    last_err = err;
    turns[turn_count++] = *(int *)arg;
}

static int enter(struct pace_wait **waitp, struct trunk_pace *worker, const struct conf_trunk *trunk, int id)
{
    ids[id] = id;
    return trunk_pace_enter(waitp, worker, trunk, on_turn, &ids[id]);
}

static void test_without_a_rate_or_without_patience_nobody_waits(void **state)
{
    struct conf_trunk free_trunk = {.name = name, .cps_wait_ms = 2000}, counted = {.name = name, .max_cps = 1};
    struct pace_wait *wait;

    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(enter(&wait, pace, &free_trunk, 0), 0);
        assert_null(wait);
        assert_int_equal(enter(&wait, pace, &counted, 0), 0);
    }
}

static void test_calls_leave_evenly_spaced_and_in_order(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 10, .cps_wait_ms = 2000}, other = trunk;
    struct pace_wait *waits[5];

    other.name = other_name;
    assert_int_equal(enter(&waits[0], pace, &trunk, 0), 0);
    for (int i = 1; i < 5; i++)
        assert_int_equal(enter(&waits[i], pace, &trunk, i), -EINPROGRESS);
    assert_int_equal(enter(&waits[0], pace, &other, 0), 0); /* a line of its own */
    advance(99);
    assert_int_equal(turn_count, 0);
    for (int i = 1; i < 5; i++) {
        advance(i == 1 ? 1 : 100);
        assert_int_equal(turn_count, i);
        assert_int_equal(turns[i - 1], i);
        assert_int_equal(last_err, 0);
        trunk_pace_leave(waits[i]);
    }
    advance(100);
    assert_int_equal(enter(&waits[0], pace, &trunk, 0), 0);
}

static void test_who_would_wait_too_long_is_refused_and_takes_no_turn(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 10, .cps_wait_ms = 200};
    struct pace_wait *waits[2], *refused;

    assert_int_equal(enter(&refused, pace, &trunk, 0), 0);
    assert_int_equal(enter(&waits[0], pace, &trunk, 1), -EINPROGRESS);
    assert_int_equal(enter(&waits[1], pace, &trunk, 2), -EINPROGRESS);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(enter(&refused, pace, &trunk, 3), -EBUSY);
        assert_null(refused);
    }
    advance(200);
    assert_int_equal(turn_count, 2);
    advance(100);
    trunk_pace_leave(waits[0]);
    trunk_pace_leave(waits[1]);
    assert_int_equal(enter(&refused, pace, &trunk, 3), 0);
}

static void test_who_hangs_up_frees_the_turn_for_those_behind(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 10, .cps_wait_ms = 2000};
    struct pace_wait *waits[4];

    assert_int_equal(enter(&waits[0], pace, &trunk, 0), 0);
    for (int i = 1; i < 4; i++)
        assert_int_equal(enter(&waits[i], pace, &trunk, i), -EINPROGRESS);
    advance(50);
    trunk_pace_leave(waits[1]);
    advance(50);
    assert_int_equal(turn_count, 1);
    assert_int_equal(turns[0], 2);
    advance(100);
    assert_int_equal(turn_count, 2);
    assert_int_equal(turns[1], 3);
    trunk_pace_leave(waits[2]);
    trunk_pace_leave(waits[3]);
    advance(100); /* the turn that was left over is to be had again: not only in 200 ms */
    assert_int_equal(enter(&waits[0], pace, &trunk, 0), 0);
    advance(1000);
    assert_int_equal(turn_count, 2);
}

static void test_workers_share_the_turns(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 10, .cps_wait_ms = 2000};
    struct pace_wait *waits[4];

    assert_int_equal(enter(&waits[0], pace, &trunk, 0), 0);
    for (int i = 1; i < 4; i++)
        assert_int_equal(enter(&waits[i], i % 2 ? other_worker : pace, &trunk, i), -EINPROGRESS);
    for (unsigned i = 1; i < 4; i++) {
        advance(100);
        assert_int_equal(turn_count, i);
        assert_int_equal(turns[i - 1], i);
        trunk_pace_leave(waits[i]);
    }
}

static void test_a_clock_that_was_set_back_stops_no_call(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 10, .cps_wait_ms = 2000};
    struct pace_wait *wait;

    assert_int_equal(enter(&wait, pace, &trunk, 0), 0);
    now_us -= 3600 * 1000000ull;
    clock_set_test(now_us);
    assert_int_equal(enter(&wait, pace, &trunk, 0), 0);
    assert_int_equal(enter(&wait, pace, &trunk, 1), -EINPROGRESS);
    trunk_pace_leave(wait);
}

/* The first ones are served whatever it costs: a line that has no memory stops no call but its own. */
static int two_in_line(void *arg)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 10, .cps_wait_ms = 2000};
    struct pace_wait *first, *second = NULL;
    int err = enter(&first, pace, &trunk, 0);

    if (!err)
        err = enter(&second, pace, &trunk, 1);
    trunk_pace_leave(second);
    return err == -EINPROGRESS ? 0 : err == -EBUSY ? -EIO : err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    mem_fail_after(0);
    assert_int_equal(two_in_line(NULL), -ENOMEM);
    mem_fail_after(-1);
    assert_int_equal(two_in_line(NULL), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_without_a_rate_or_without_patience_nobody_waits),
        T(test_calls_leave_evenly_spaced_and_in_order),
        T(test_who_would_wait_too_long_is_refused_and_takes_no_turn),
        T(test_who_hangs_up_frees_the_turn_for_those_behind),
        T(test_workers_share_the_turns),
        T(test_a_clock_that_was_set_back_stops_no_call),
        T(test_no_memory_is_an_error_that_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
