/* SPDX-License-Identifier: Apache-2.0 */
/* test_bandwidth.c: what a call takes of the line, against numbers worked out by hand. */
#include "probe/bandwidth.h"

#include "../unit.h"
#include "sdp/codec.h"

static void test_g711_over_ipv4_is_80_kbit(void **state)
{
    /* 160 bytes of sound, 12 RTP, 8 UDP, 20 IP: 200 bytes, 50 times a second */
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("PCMU")), false, false), 80000);
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("pcma")), false, false), 80000);
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("G722")), false, false), 80000);
}

static void test_ipv6_and_srtp_cost_their_bytes(void **state)
{
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("PCMU")), true, false), 88000);
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("PCMU")), false, true), 84000);
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("PCMU")), true, true), 92000);
}

static void test_opus_is_reckoned_with_32_kbit(void **state)
{
    assert_int_equal(bandwidth_of_call(bandwidth_find(SPAN("opus")), false, false), 48000);
}

static void test_every_audio_codec_that_can_be_relayed_has_a_row(void **state)
{
    for (unsigned id = 0; id < CODEC_NONE; id++) {
        if (codec_kind((enum codec_id)id) == SDP_AUDIO && !codec_is_event((enum codec_id)id))
            assert_non_null(bandwidth_find(span_of(codec_name((enum codec_id)id))));
    }
    assert_null(bandwidth_find(SPAN("G729")));
    assert_null(bandwidth_at(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_g711_over_ipv4_is_80_kbit),
        cmocka_unit_test(test_ipv6_and_srtp_cost_their_bytes),
        cmocka_unit_test(test_opus_is_reckoned_with_32_kbit),
        cmocka_unit_test(test_every_audio_codec_that_can_be_relayed_has_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
