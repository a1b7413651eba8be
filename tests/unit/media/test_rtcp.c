/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "media/rtcp.h"

static uint8_t bytes[512];
static struct rtcp_writer writer;

static void begin(void)
{
    memset(bytes, 0xaa, sizeof(bytes));
    rtcp_writer_init(&writer, bytes, sizeof(bytes));
}

static struct rtcp_packet part(unsigned wanted)
{
    struct span rest = span_make(bytes, writer.len);
    struct rtcp_packet packet;

    for (unsigned i = 0; i <= wanted; i++)
        assert_true(rtcp_next(&rest, &packet));
    return packet;
}

static void test_reports_are_read_back(void **state)
{
    struct rtcp_sender_info info = {.ssrc = 1, .ntp = 0x1122334455667788, .timestamp = 4, .packets = 5, .bytes = 6},
                            seen;
    struct rtcp_report report = {
        .ssrc = 7, .fraction_lost = 200, .lost = -3, .highest_seq = 0x10005, .jitter = 9, .lsr = 10, .dlsr = 11};
    struct rtcp_report back;
    struct rtcp_packet packet;

    begin();
    rtcp_write_sr(&writer, &info, &report);
    rtcp_write_cname(&writer, 1, SPAN("somebody"));
    assert_int_equal(rtcp_check(bytes, writer.len), 0);
    packet = part(0);
    assert_int_equal(packet.type, RTCP_SR);
    assert_int_equal(packet.count, 1);
    rtcp_read_sender_info(&seen, &packet);
    assert_int_equal(seen.ssrc, 1);
    assert_int_equal(seen.ntp, 0x1122334455667788);
    assert_int_equal(seen.timestamp, 4);
    assert_int_equal(seen.packets, 5);
    assert_int_equal(seen.bytes, 6);
    rtcp_read_report(&back, &packet, 0);
    assert_int_equal(back.ssrc, 7);
    assert_int_equal(back.fraction_lost, 200);
    assert_int_equal(back.lost, -3);
    assert_int_equal(back.highest_seq, 0x10005);
    assert_int_equal(back.jitter, 9);
    assert_int_equal(back.lsr, 10);
    assert_int_equal(back.dlsr, 11);
    assert_int_equal(part(1).type, RTCP_SDES);
}

static void test_every_cname_length_gives_a_good_packet(void **state)
{
    char cname[256];

    memset(cname, 'c', sizeof(cname));
    for (size_t n = 0; n <= 255; n++) {
        begin();
        rtcp_write_rr(&writer, 1, NULL);
        rtcp_write_cname(&writer, 1, span_make(cname, n));
        assert_int_equal(writer.len % 4, 0);
        assert_int_equal(rtcp_check(bytes, writer.len), 0);
    }
}

static void test_keyframe_requests_name_their_source(void **state)
{
    struct rtcp_packet packet;

    begin();
    rtcp_write_rr(&writer, 1, NULL);
    rtcp_write_pli(&writer, 1, 77);
    rtcp_write_fir(&writer, 1, 88, 3);
    assert_int_equal(rtcp_check(bytes, writer.len), 0);
    packet = part(1);
    assert_true(rtcp_asks_keyframe(&packet, 77));
    assert_false(rtcp_asks_keyframe(&packet, 78));
    packet = part(2);
    assert_true(rtcp_asks_keyframe(&packet, 88));
    assert_false(rtcp_asks_keyframe(&packet, 77));
}

static void test_feedback_alone_is_a_good_packet(void **state)
{
    begin();
    rtcp_write_pli(&writer, 1, 77);
    assert_int_equal(rtcp_check(bytes, writer.len), 0);
}

static void test_malformed_compounds_are_refused(void **state)
{
    size_t n;

    begin();
    rtcp_write_rr(&writer, 1, &(struct rtcp_report){.ssrc = 2});
    rtcp_write_cname(&writer, 1, SPAN("x"));
    rtcp_write_bye(&writer, 1);
    n = writer.len;
    assert_int_equal(rtcp_check(bytes, n), 0);
    for (size_t cut = 1; cut < n; cut++) /* every cut, except between two parts, breaks it */
        if (cut != 32 && cut != 44)
            assert_int_equal(rtcp_check(bytes, cut), -EBADMSG);
    bytes[0] |= 2; /* says three reports, has one */
    assert_int_equal(rtcp_check(bytes, n), -EBADMSG);
    bytes[0] = 0x41;
    assert_int_equal(rtcp_check(bytes, n), -EBADMSG);
    begin();
    rtcp_write_cname(&writer, 1, SPAN("x")); /* SDES must not come first */
    assert_int_equal(rtcp_check(bytes, writer.len), -EBADMSG);
}

static void test_only_the_last_part_may_be_padded(void **state)
{
    begin();
    rtcp_write_rr(&writer, 1, NULL);
    rtcp_write_pli(&writer, 1, 2);
    bytes[0] |= 0x20;
    bytes[7] = 4;
    assert_int_equal(rtcp_check(bytes, writer.len), -EBADMSG);
    begin();
    rtcp_write_rr(&writer, 1, NULL);
    rtcp_write_fir(&writer, 1, 2, 0);
    rtcp_write_rr(&writer, 1, NULL);
    bytes[28] |= 0x20;
    bytes[35] = 4;
    bytes[32] = 0;
    assert_int_equal(rtcp_check(bytes, writer.len), -EBADMSG); /* nothing would be left of the RR */
}

static void test_sdes_item_over_the_end_is_refused(void **state)
{
    begin();
    rtcp_write_rr(&writer, 1, NULL);
    rtcp_write_cname(&writer, 1, SPAN("abc"));
    bytes[8 + 9] = 200;
    assert_int_equal(rtcp_check(bytes, writer.len), -EBADMSG);
}

static void test_full_writer_adds_nothing_more(void **state)
{
    uint8_t small[10];

    rtcp_writer_init(&writer, small, sizeof(small));
    rtcp_write_rr(&writer, 1, NULL);
    rtcp_write_bye(&writer, 1);
    assert_true(writer.is_full);
    assert_int_equal(writer.len, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports_are_read_back),
        cmocka_unit_test(test_every_cname_length_gives_a_good_packet),
        cmocka_unit_test(test_keyframe_requests_name_their_source),
        cmocka_unit_test(test_feedback_alone_is_a_good_packet),
        cmocka_unit_test(test_malformed_compounds_are_refused),
        cmocka_unit_test(test_only_the_last_part_may_be_padded),
        cmocka_unit_test(test_sdes_item_over_the_end_is_refused),
        cmocka_unit_test(test_full_writer_adds_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
