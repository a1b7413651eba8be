/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <string.h>

#include "media/quality.h"

#define CLOCK_HZ 8000
#define FRAME_US 20000

static struct quality quality;
static uint64_t now_us;

static void add(uint16_t seq)
{
    now_us += FRAME_US;
    quality_add(&quality, 7, seq, (uint32_t)(now_us / FRAME_US) * 160, now_us, CLOCK_HZ);
}

static int fresh(void **state)
{
    memset(&quality, 0, sizeof(quality));
    now_us = 1000000;
    return 0;
}

static void test_no_loss_across_a_wrap(void **state)
{
    struct rtcp_report report = {0};

    for (unsigned i = 0; i < 100; i++)
        add((uint16_t)(65500 + i));
    assert_int_equal(quality_lost(&quality), 0);
    quality_report(&quality, &report);
    assert_int_equal(report.highest_seq, 65536 + 63);
    assert_int_equal(report.ssrc, 7);
}

static void test_loss_is_counted_and_told_as_fraction_of_the_interval(void **state)
{
    struct rtcp_report report = {0};

    for (uint16_t i = 0; i < 100; i++)
        if (i % 4 != 3)
            add(i);
    add(100);
    assert_int_equal(quality_lost(&quality), 25);
    quality_report(&quality, &report);
    assert_int_equal(report.lost, 25);
    assert_int_equal(report.fraction_lost, 25 * 256 / 101);
    for (uint16_t i = 101; i < 150; i++)
        add(i);
    quality_report(&quality, &report);
    assert_int_equal(report.fraction_lost, 0);
    assert_int_equal(report.lost, 25);
}

static void test_reordered_packets_are_not_lost(void **state)
{
    add(10);
    add(12);
    add(11);
    add(13);
    assert_int_equal(quality_lost(&quality), 0);
}

static void test_one_far_packet_is_ignored_two_restart(void **state)
{
    add(10);
    add(11);
    add(40000);
    add(12);
    assert_int_equal(quality_lost(&quality), 0);
    add(50000);
    add(50001);
    add(50002);
    assert_int_equal(quality_lost(&quality), 0);
    assert_int_equal(quality.max_seq, 50002);
}

static void test_loss_of_an_earlier_source_is_kept(void **state)
{
    add(1);
    add(5);
    quality_add(&quality, 8, 1000, 0, now_us, CLOCK_HZ);
    assert_int_equal(quality_lost(&quality), 3);
}

static void test_jitter_follows_rfc3550(void **state)
{
    double wanted = 0;

    for (uint16_t i = 0; i < 200; i++) {
        add(i);
        now_us += i % 2 ? 10000 : -10000; /* each distance is 10 ms off */
        if (i)
            wanted += (10000.0 - wanted) / 16;
    }
    assert_in_range(quality_jitter_us(&quality), (uint64_t)wanted - 500, (uint64_t)wanted + 500);
}

static void test_timestamp_jump_is_no_jitter(void **state)
{
    add(1);
    add(2);
    quality_add(&quality, 7, 3, 0x70000000, now_us, CLOCK_HZ);
    assert_int_equal(quality_jitter_us(&quality), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_no_loss_across_a_wrap, fresh),
        cmocka_unit_test_setup(test_loss_is_counted_and_told_as_fraction_of_the_interval, fresh),
        cmocka_unit_test_setup(test_reordered_packets_are_not_lost, fresh),
        cmocka_unit_test_setup(test_one_far_packet_is_ignored_two_restart, fresh),
        cmocka_unit_test_setup(test_loss_of_an_earlier_source_is_kept, fresh),
        cmocka_unit_test_setup(test_jitter_follows_rfc3550, fresh),
        cmocka_unit_test_setup(test_timestamp_jump_is_no_jitter, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
