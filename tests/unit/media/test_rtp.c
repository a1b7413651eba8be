/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>

#include "media/demux.h"
#include "media/rtp.h"

static void test_first_bytes_tell_the_protocol(void **state)
{
    static const struct {
        uint8_t first, second;
        enum demux_kind kind;
    } rows[] = {
        {0, 1, DEMUX_STUN},     {3, 0, DEMUX_STUN},     {4, 0, DEMUX_NONE},     {19, 0, DEMUX_NONE},
        {20, 0xfe, DEMUX_DTLS}, {63, 0xfe, DEMUX_DTLS}, {64, 0, DEMUX_NONE},    {127, 0, DEMUX_NONE},
        {128, 0, DEMUX_RTP},    {128, 191, DEMUX_RTP},  {128, 192, DEMUX_RTCP}, {128, 200, DEMUX_RTCP},
        {191, 223, DEMUX_RTCP}, {128, 224, DEMUX_RTP},  {144, 96, DEMUX_RTP},   {192, 0, DEMUX_NONE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[12] = {rows[i].first, rows[i].second};

        assert_int_equal(demux_kind_of(bytes, sizeof(bytes)), rows[i].kind);
        assert_int_equal(demux_kind_of(bytes, 7), DEMUX_NONE);
    }
}

static void test_written_header_is_read_back(void **state)
{
    struct rtp out = {.marker = true, .pt = 101, .seq = 0xfffe, .timestamp = 0x80000001, .ssrc = 0xdeadbeef}, in;
    uint8_t bytes[RTP_HEADER_BYTES + 3] = {0};

    rtp_write(bytes, &out);
    assert_int_equal(rtp_parse(&in, bytes, sizeof(bytes)), 0);
    assert_true(in.marker);
    assert_int_equal(in.pt, 101);
    assert_int_equal(in.seq, 0xfffe);
    assert_int_equal(in.timestamp, 0x80000001);
    assert_int_equal(in.ssrc, 0xdeadbeef);
    assert_int_equal(in.header_bytes, 12);
    assert_int_equal(in.payload_bytes, 3);
}

static void test_lengths_that_do_not_fit_are_refused(void **state)
{
    uint8_t bytes[64] = {0x80};
    struct rtp rtp;

    assert_int_equal(rtp_parse(&rtp, bytes, 11), -EBADMSG);
    bytes[0] = 0x40; /* version 1 */
    assert_int_equal(rtp_parse(&rtp, bytes, 12), -EBADMSG);
    bytes[0] = 0x82; /* two CSRCs */
    assert_int_equal(rtp_parse(&rtp, bytes, 19), -EBADMSG);
    assert_int_equal(rtp_parse(&rtp, bytes, 20), 0);
    bytes[0] = 0x90; /* extension of three words */
    bytes[15] = 3;
    assert_int_equal(rtp_parse(&rtp, bytes, 15), -EBADMSG);
    assert_int_equal(rtp_parse(&rtp, bytes, 27), -EBADMSG);
    assert_int_equal(rtp_parse(&rtp, bytes, 28), 0);
    assert_int_equal(rtp.header_bytes, 28);
}

static void test_padding_is_not_payload(void **state)
{
    uint8_t bytes[20] = {0xa0};
    struct rtp rtp;

    bytes[19] = 4;
    assert_int_equal(rtp_parse(&rtp, bytes, 20), 0);
    assert_int_equal(rtp.payload_bytes, 4);
    bytes[19] = 0;
    assert_int_equal(rtp_parse(&rtp, bytes, 20), -EBADMSG);
    bytes[19] = 9;
    assert_int_equal(rtp_parse(&rtp, bytes, 20), -EBADMSG);
}

static void test_extension_elements_are_found(void **state)
{
    static const uint8_t one_byte[] = {0x90, 0,    0, 0, 0, 0, 0,    0,   0,   0,   0,    0,
                                       0xbe, 0xde, 0, 2, 0, 0, 0x12, 'a', 'b', 'c', 0x30, 'x'};
    static const uint8_t two_byte[] = {0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 5, 1, 'y', 0};
    struct rtp rtp;

    assert_int_equal(rtp_parse(&rtp, one_byte, sizeof(one_byte)), 0);
    assert_span_equal(rtp_find_extension(&rtp, 1), "abc");
    assert_span_equal(rtp_find_extension(&rtp, 3), "x");
    assert_int_equal(rtp_find_extension(&rtp, 2).n, 0);
    assert_int_equal(rtp_parse(&rtp, two_byte, sizeof(two_byte)), 0);
    assert_span_equal(rtp_find_extension(&rtp, 5), "y");
}

static void test_element_that_runs_over_the_end_is_not_found(void **state)
{
    static const uint8_t bytes[] = {0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1, 0x1f, 'a', 'b', 'c'};
    struct rtp rtp;

    assert_int_equal(rtp_parse(&rtp, bytes, sizeof(bytes)), 0);
    assert_int_equal(rtp_find_extension(&rtp, 1).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_bytes_tell_the_protocol),
        cmocka_unit_test(test_written_header_is_read_back),
        cmocka_unit_test(test_lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(test_padding_is_not_payload),
        cmocka_unit_test(test_extension_elements_are_found),
        cmocka_unit_test(test_element_that_runs_over_the_end_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
