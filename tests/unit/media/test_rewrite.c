/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <string.h>

#include "media/rewrite.h"

#define CLOCK_HZ 8000
#define FRAME_US 20000

static struct rewrite line;
static uint64_t now_us;
static struct rtp out; /* the last packet as it was written */

static int fresh(void **state)
{
    rewrite_init(&line);
    now_us = 5000000;
    return 0;
}

static bool pass(uint32_t ssrc, uint16_t seq, uint32_t timestamp)
{
    uint8_t bytes[RTP_HEADER_BYTES + 4] = {0};
    unsigned cut_bytes = 99;

    rtp_write(bytes, &(struct rtp){.pt = 8, .seq = seq, .timestamp = timestamp, .ssrc = ssrc});
    if (!rewrite_packet(&line, bytes, 0, CLOCK_HZ, now_us, &cut_bytes))
        return false;
    assert_int_equal(cut_bytes, 0);
    assert_int_equal(rtp_parse(&out, bytes, sizeof(bytes)), 0);
    assert_int_equal(out.ssrc, line.ssrc_out);
    assert_int_equal(out.pt, 0);
    return true;
}

static void test_distances_within_a_source_are_kept(void **state)
{
    uint16_t first_seq;
    uint32_t first_timestamp;

    assert_true(pass(1, 65530, 0xffffff00));
    first_seq = out.seq;
    first_timestamp = out.timestamp;
    for (uint16_t i = 1; i < 20; i++) {
        now_us += FRAME_US;
        if (i == 7)
            continue; /* lost before us: the hole stays a hole */
        assert_true(pass(1, (uint16_t)(65530 + i), 0xffffff00 + 160u * i));
        assert_int_equal(out.seq, (uint16_t)(first_seq + i));
        assert_int_equal(out.timestamp, first_timestamp + 160u * i);
    }
}

static void test_reordered_packets_keep_their_places(void **state)
{
    uint16_t first;

    pass(1, 100, 0);
    first = out.seq;
    pass(1, 103, 480);
    assert_true(pass(1, 101, 160));
    assert_int_equal(out.seq, (uint16_t)(first + 1));
    assert_true(pass(1, 102, 320));
    assert_int_equal(out.seq, (uint16_t)(first + 2));
}

static void test_no_number_is_given_out_twice(void **state)
{
    pass(1, 100, 0);
    assert_false(pass(1, 100, 0));
    pass(1, 102, 320);
    assert_true(pass(1, 101, 160));
    assert_false(pass(1, 101, 160));
    assert_false(pass(1, 102, 320));
}

static void test_new_source_goes_on_without_a_gap(void **state)
{
    uint16_t seq;
    uint32_t timestamp;

    pass(1, 100, 1000);
    seq = out.seq;
    timestamp = out.timestamp;
    now_us += 60000;
    assert_true(pass(2, 40000, 0x80000000));
    assert_int_equal(out.seq, (uint16_t)(seq + 1));
    assert_int_equal(out.timestamp, timestamp + 480); /* 60 ms at 8 kHz */
}

static void test_late_packet_from_before_the_change_is_dropped(void **state)
{
    pass(1, 100, 1000);
    pass(2, 500, 0);
    assert_false(pass(2, 499, 0)); /* its number was given to packet 100 of source 1 */
    now_us += FRAME_US;
    assert_true(pass(2, 501, 160));
}

static void test_hold_and_resume_of_one_source_is_seamless(void **state)
{
    uint16_t seq;
    uint32_t timestamp;

    pass(1, 100, 1000);
    seq = out.seq;
    timestamp = out.timestamp;
    rewrite_cut(&line);
    now_us += 30000000; /* half a minute of hold, the source went on counting */
    assert_true(pass(1, 1600, 1000 + 160 * 1500));
    assert_int_equal(out.seq, (uint16_t)(seq + 1));
    assert_int_equal(out.timestamp, timestamp + 30 * CLOCK_HZ);
}

static void test_restarted_sequence_needs_two_packets(void **state)
{
    uint16_t seq;

    pass(1, 100, 1000);
    seq = out.seq;
    now_us += FRAME_US;
    assert_false(pass(1, 30000, 1160));
    now_us += FRAME_US;
    assert_true(pass(1, 30001, 1320));
    assert_int_equal(out.seq, (uint16_t)(seq + 1));
}

static void test_timestamp_jump_is_smoothed(void **state)
{
    uint32_t timestamp;

    pass(1, 100, 1000);
    timestamp = out.timestamp;
    now_us += FRAME_US;
    assert_true(pass(1, 101, 0x40000000));
    assert_int_equal(out.timestamp, timestamp + 160);
    now_us += FRAME_US;
    assert_true(pass(1, 102, 0x40000000 + 160));
    assert_int_equal(out.timestamp, timestamp + 320);
}

static void test_silence_suppression_is_no_jump(void **state)
{
    uint32_t timestamp;

    pass(1, 100, 1000);
    timestamp = out.timestamp;
    now_us += 20000000;
    assert_true(pass(1, 101, 1000 + 20 * CLOCK_HZ));
    assert_int_equal(out.timestamp, timestamp + 20 * CLOCK_HZ);
}

static void test_packets_of_a_long_event_share_their_timestamp(void **state)
{
    uint32_t timestamp;

    pass(1, 100, 1000);
    timestamp = out.timestamp;
    now_us += FRAME_US;
    for (uint16_t i = 0; i < 400; i++) { /* eight seconds of one key */
        assert_true(pass(1, (uint16_t)(101 + i), 1160));
        assert_int_equal(out.timestamp, timestamp + 160);
        now_us += FRAME_US;
    }
    assert_true(pass(1, 501, 1160 + 400 * 160));
    assert_int_equal(out.timestamp, timestamp + 160 + 400 * 160);
}

static void test_extension_and_csrcs_are_cut_off(void **state)
{
    uint8_t bytes[12 + 4 + 8 + 3] = {0xb1, 0x80 | 8, 0, 5, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10};
    unsigned cut_bytes;

    memcpy(bytes + 24, "abc", 3);
    assert_true(rewrite_packet(&line, bytes, 96, CLOCK_HZ, now_us, &cut_bytes));
    assert_int_equal(cut_bytes, 12);
    assert_int_equal(bytes[12], 0xa0); /* the padding flag stays */
    assert_int_equal(bytes[13], 0x80 | 96);
    assert_memory_equal(bytes + 24, "abc", 3);
}

static void test_report_time_lies_on_the_line_of_the_packets(void **state)
{
    pass(1, 100, 1000);
    now_us += 250000;
    assert_int_equal(rewrite_timestamp_at(&line, now_us), out.timestamp + 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_distances_within_a_source_are_kept, fresh),
        cmocka_unit_test_setup(test_reordered_packets_keep_their_places, fresh),
        cmocka_unit_test_setup(test_no_number_is_given_out_twice, fresh),
        cmocka_unit_test_setup(test_new_source_goes_on_without_a_gap, fresh),
        cmocka_unit_test_setup(test_late_packet_from_before_the_change_is_dropped, fresh),
        cmocka_unit_test_setup(test_hold_and_resume_of_one_source_is_seamless, fresh),
        cmocka_unit_test_setup(test_restarted_sequence_needs_two_packets, fresh),
        cmocka_unit_test_setup(test_timestamp_jump_is_smoothed, fresh),
        cmocka_unit_test_setup(test_silence_suppression_is_no_jump, fresh),
        cmocka_unit_test_setup(test_packets_of_a_long_event_share_their_timestamp, fresh),
        cmocka_unit_test_setup(test_extension_and_csrcs_are_cut_off, fresh),
        cmocka_unit_test_setup(test_report_time_lies_on_the_line_of_the_packets, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
