/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <string.h>

#include "media/latch.h"

static struct latch latch;
static uint64_t now_us;

static struct addr at(const char *host, uint16_t port)
{
    struct addr addr;

    assert_int_equal(addr_parse(&addr, span_of(host), port), 0);
    return addr;
}

static enum latch_verdict judge(const char *host, uint16_t port, uint32_t ssrc)
{
    struct addr from = at(host, port);

    if (!latch_may_take(&latch, &from, now_us))
        return LATCH_REFUSED;
    return latch_judge(&latch, &from, ssrc, now_us);
}

static void signal_to(const char *host, uint16_t port)
{
    struct addr addr = at(host, port);

    latch_signal(&latch, &addr, false);
}

static int fresh(void **state)
{
    memset(&latch, 0, sizeof(latch));
    latch.window_ms = 3000;
    now_us = 1000000;
    return 0;
}

static void test_nothing_is_taken_before_there_is_a_signalled_address(void **state)
{
    assert_int_equal(judge("192.0.2.20", 40000, 1), LATCH_REFUSED);
}

static void test_signalled_source_is_taken(void **state)
{
    signal_to("192.0.2.20", 40000);
    assert_int_equal(judge("192.0.2.20", 40000, 1), LATCH_MOVED);
    assert_int_equal(judge("192.0.2.20", 40000, 1), LATCH_ACCEPTED);
    assert_int_equal(judge("192.0.2.20", 40002, 1), LATCH_REFUSED);
}

static void test_other_port_of_the_signalled_host_is_learned_once(void **state)
{
    signal_to("192.0.2.20", 40000);
    assert_int_equal(judge("192.0.2.20", 51000, 1), LATCH_MOVED);
    assert_int_equal(judge("192.0.2.20", 51002, 1), LATCH_REFUSED);
    now_us += 10000000;
    assert_int_equal(judge("192.0.2.20", 51002, 1), LATCH_REFUSED);
    assert_int_equal(judge("192.0.2.20", 51000, 1), LATCH_ACCEPTED);
}

static void test_other_host_is_taken_at_once_where_the_signalled_address_is_private(void **state)
{
    signal_to("10.1.2.3", 40000);
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_MOVED);
}

static void test_other_host_is_taken_only_after_the_public_signalled_one_was_silent(void **state)
{
    signal_to("192.0.2.20", 40000);
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_REFUSED);
    now_us += 499000;
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_REFUSED);
    now_us += 2000;
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_MOVED);
}

static void test_stranger_who_is_first_loses_to_the_signalled_source(void **state)
{
    signal_to("10.1.2.3", 40000);
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_MOVED);
    now_us += 1000000;
    assert_int_equal(judge("10.1.2.3", 40000, 2), LATCH_MOVED);
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_REFUSED);
}

static void test_nothing_is_learned_after_the_window(void **state)
{
    signal_to("192.0.2.20", 40000);
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_REFUSED); /* opens the window */
    now_us += 3001000;
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_REFUSED);
    assert_int_equal(judge("192.0.2.20", 51000, 1), LATCH_REFUSED);
    assert_int_equal(judge("192.0.2.20", 40000, 1), LATCH_MOVED);
}

static void test_learned_source_keeps_its_ssrc_until_that_is_silent(void **state)
{
    signal_to("10.1.2.3", 40000);
    assert_int_equal(judge("198.51.100.7", 40000, 1), LATCH_MOVED);
    now_us += 20000;
    assert_int_equal(judge("198.51.100.7", 40000, 2), LATCH_REFUSED);
    now_us += 200000;
    assert_int_equal(judge("198.51.100.7", 40000, 2), LATCH_ACCEPTED);
}

static void test_new_signalled_address_opens_it_again(void **state)
{
    signal_to("192.0.2.20", 40000);
    judge("192.0.2.20", 40000, 1);
    signal_to("192.0.2.20", 40000);
    assert_int_equal(judge("192.0.2.20", 41000, 1), LATCH_REFUSED); /* the same address again opens nothing */
    signal_to("192.0.2.21", 42000);
    assert_int_equal(judge("192.0.2.20", 40000, 1), LATCH_REFUSED);
    assert_int_equal(judge("192.0.2.21", 42000, 5), LATCH_MOVED);
}

static void test_hold_with_port_zero_keeps_what_was_taken(void **state)
{
    signal_to("192.0.2.20", 40000);
    judge("192.0.2.20", 41000, 1);
    signal_to("0.0.0.0", 40000);
    signal_to("192.0.2.20", 0);
    assert_int_equal(judge("192.0.2.20", 41000, 1), LATCH_ACCEPTED);
}

static void test_locked_by_configuration_learns_nothing(void **state)
{
    struct addr addr = at("10.1.2.3", 40000);

    latch_signal(&latch, &addr, true);
    assert_int_equal(judge("10.1.2.3", 41000, 1), LATCH_REFUSED);
    assert_int_equal(judge("10.1.2.3", 40000, 1), LATCH_MOVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_taken_before_there_is_a_signalled_address, fresh),
        cmocka_unit_test_setup(test_signalled_source_is_taken, fresh),
        cmocka_unit_test_setup(test_other_port_of_the_signalled_host_is_learned_once, fresh),
        cmocka_unit_test_setup(test_other_host_is_taken_at_once_where_the_signalled_address_is_private, fresh),
        cmocka_unit_test_setup(test_other_host_is_taken_only_after_the_public_signalled_one_was_silent, fresh),
        cmocka_unit_test_setup(test_stranger_who_is_first_loses_to_the_signalled_source, fresh),
        cmocka_unit_test_setup(test_nothing_is_learned_after_the_window, fresh),
        cmocka_unit_test_setup(test_learned_source_keeps_its_ssrc_until_that_is_silent, fresh),
        cmocka_unit_test_setup(test_new_signalled_address_opens_it_again, fresh),
        cmocka_unit_test_setup(test_hold_with_port_zero_keeps_what_was_taken, fresh),
        cmocka_unit_test_setup(test_locked_by_configuration_learns_nothing, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
