/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp_test.h"

#define ICE  "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
#define DTLS "a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n"

static int pick(const char *media, bool is_webrtc, enum conf_srtp srtp)
{
    char text[4096];
    struct sdp_policy policy = {is_webrtc, srtp};

    snprintf(text, sizeof(text), HEAD "%s", media);
    assert_int_equal(parse(text), 0);
    why = "";
    return sdp_pick_line(&parsed, SDP_AUDIO, &policy, &why);
}

static void test_a_browser_needs_dtls_ice_and_mux(void **state)
{
    assert_int_equal(pick("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE DTLS "a=rtcp-mux\r\n", true, CONF_SRTP_OFF), 0);
    assert_int_equal(pick("m=audio 9 RTP/SAVPF 0\r\n" ICE DTLS "a=rtcp-mux\r\n", true, CONF_SRTP_OFF), 0);
    assert_int_equal(pick("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE DTLS, true, CONF_SRTP_OFF), -ENOENT);
    assert_non_null(strstr(why, "rtcp-mux"));
    assert_int_equal(pick("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE "a=rtcp-mux\r\n", true, CONF_SRTP_OFF), -ENOENT);
    assert_non_null(strstr(why, "fingerprint"));
    assert_int_equal(pick("m=audio 9 RTP/SAVPF 0\r\n" ICE "a=rtcp-mux\r\n", true, CONF_SRTP_OFF), -ENOENT);
    assert_int_equal(pick("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n" ICE DTLS "a=rtcp-mux\r\n", true, CONF_SRTP_OFF), -ENOENT);
    assert_non_null(strstr(why, "port 0"));
}

static void test_a_bundle_only_line_is_not_refused(void **state)
{
    assert_int_equal(
        pick("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=bundle-only\r\n" ICE DTLS "a=rtcp-mux\r\n", true, CONF_SRTP_OFF), 0);
}

static void test_the_reason_is_of_the_line_that_came_furthest(void **state)
{
    assert_int_equal(pick("m=audio 4000 RTP/AVP 18\r\nm=audio 0 RTP/AVP 0\r\n", false, CONF_SRTP_OFF), -ENOENT);
    assert_non_null(strstr(why, "codec"));
    assert_int_equal(pick("m=video 4000 RTP/AVP 34\r\n", false, CONF_SRTP_OFF), -ENOENT);
    assert_non_null(strstr(why, "no line of this medium"));
    assert_int_equal(pick("m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", false, CONF_SRTP_OFF),
                     -ENOENT);
    assert_non_null(strstr(why, "codec"));
    assert_int_equal(pick("m=audio 4000 RTP/AVP 0\r\nc=IN IP4\r\n", false, CONF_SRTP_OFF), -ENOENT);
    assert_non_null(strstr(why, "c= line"));
    assert_int_equal(pick("m=audio 4000 RTP/AVP 0\r\n", false, CONF_SRTP_REQUIRE), -ENOENT);
    assert_non_null(strstr(why, "srtp"));
}

static void test_srtp_offer_falls_back_when_no_key_can_be_used(void **state)
{
    assert_int_equal(pick("m=audio 4000 RTP/SAVP 0\r\na=crypto:1 X inline:abcd\r\nm=audio 4000 RTP/AVP 0\r\n", false,
                          CONF_SRTP_OFFER),
                     1);
    assert_int_equal(pick("m=audio 4000 RTP/SAVP 0\r\na=crypto:1 X inline:abcd\r\n", false, CONF_SRTP_OFFER), -ENOENT);
    assert_non_null(strstr(why, "crypto"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_browser_needs_dtls_ice_and_mux),
        cmocka_unit_test(test_a_bundle_only_line_is_not_refused),
        cmocka_unit_test(test_the_reason_is_of_the_line_that_came_furthest),
        cmocka_unit_test(test_srtp_offer_falls_back_when_no_key_can_be_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
