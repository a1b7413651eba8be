/* SPDX-License-Identifier: Apache-2.0 */
/* One of two legs that join calls of two workers, when the other worker cannot be told. */
#include "../unit.h"

#include <errno.h>

#include "call/leg.h"

static void heard(const struct leg_news *news);
#define call_event heard
#include "call/leg_far.c"

static struct calls calls;
static struct leg_far far;
static unsigned told_status;
static enum leg_event told_event;

static void heard(const struct leg_news *news)
{
    assert_ptr_equal(news->leg, &far.leg);
    told_event = news->event;
    told_status = news->status;
}

static int setup(void **state)
{
    far = (struct leg_far){.leg = {.ops = &ops, .is_answered = true}, .calls = &calls, .worker = 7}; /* there is none */
    told_status = 0;
    return 0;
}

static int teardown(void **state)
{
    far.change = mem_unref(far.change);
    return 0;
}

static void test_a_change_that_could_not_be_said_is_not_under_way(void **state)
{
    assert_int_equal(modify(&far.leg, SPAN("v=0")), -ENOENT);
    assert_int_equal(modify(&far.leg, SPAN("v=0")), -ENOENT); /* and not -EBUSY for ever */
    assert_int_equal(told_status, 0);
}

static void test_a_change_that_could_not_be_said_again_has_failed(void **state)
{
    far.change = mem_text("v=0", 3);
    far.is_changing = true;
    on_retry_timer(&far);
    assert_int_equal(told_event, LEG_MODIFIED);
    assert_int_equal(told_status, 503);
    assert_false(far.is_changing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_change_that_could_not_be_said_is_not_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_change_that_could_not_be_said_again_has_failed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
