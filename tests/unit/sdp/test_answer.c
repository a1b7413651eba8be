/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp_test.h"

static struct sdp made;
static const struct sdp_session session = {.id = SPAN("7"), .version = 1, .address = SPAN("203.0.113.10")};

static struct sdp_transport transport = {.address = SPAN("203.0.113.10"),
                                         .port = 10000,
                                         .ufrag = SPAN("gw"),
                                         .pwd = SPAN("gwgwgwgwgwgwgwgwgwgwgw"),
                                         .fingerprint = SPAN("AA:BB"),
                                         .is_ice_lite = true};

static struct sdp_line wish(enum sdp_profile profile)
{
    struct sdp_line line = {.kind = SDP_AUDIO,
                            .dir = SDP_SENDRECV,
                            .transport = &transport,
                            .profile = profile,
                            .setup = SDP_SETUP_PASSIVE,
                            .mid = SPAN("ours"),
                            .has_rtcp_mux = true,
                            .ssrc = 1,
                            .cname = SPAN("c"),
                            .wants_feedback = true};

    codecs_all(&line.codecs, SDP_AUDIO, NULL);
    return line;
}

static const struct sdp_media *answer(const char *offer, const struct sdp_line *line)
{
    assert_int_equal(parse(offer), 0);
    sdp_make_answer(&made, &session, &parsed, line, 1);
    assert_int_equal(made.media_count, parsed.media_count);
    return &made.media[0];
}

static void test_nothing_is_answered_that_was_not_offered(void **state)
{
    struct sdp_line line = wish(SDP_PROFILE_PLAIN);
    const struct sdp_media *media = answer(HEAD "m=audio 4000 RTP/AVP 0 8\r\na=sendonly\r\n", &line);

    assert_int_equal(media->codecs.count, 2);
    assert_false(media->has_rtcp_mux);
    assert_int_equal(media->dir, SDP_RECVONLY);
    assert_int_equal(media->mid.n, 0);
    assert_int_equal(media->extmap_count + media->feedback_count + media->crypto_count, 0);
    assert_false(made.has_bundle);
}

static void test_a_number_that_means_another_codec_there_is_left_out(void **state)
{
    struct sdp_line line = wish(SDP_PROFILE_PLAIN); /* opus is 96 in it */
    const struct sdp_media *media = answer(HEAD "m=audio 4000 RTP/AVP 96 0\r\na=rtpmap:96 iLBC/8000\r\n", &line);

    assert_int_equal(media->codecs.count, 1);
    assert_int_equal(media->codecs.items[0].pt, 0);
}

static void test_a_line_left_without_codecs_is_refused(void **state)
{
    struct sdp_line line = wish(SDP_PROFILE_WEBRTC);
    const struct sdp_media *media =
        answer(HEAD "a=group:BUNDLE x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 18\r\na=mid:x\r\n", &line);

    assert_int_equal(media->port, 0);
    assert_span(media->mid, "x");
    assert_false(made.has_bundle);
}

static void test_a_line_refused_by_the_offerer_stays_refused(void **state)
{
    struct sdp_line line = wish(SDP_PROFILE_PLAIN);

    assert_int_equal(answer(HEAD "m=audio 0 RTP/AVP 0\r\n", &line)->port, 0);
}

static void test_lines_that_the_caller_does_not_know_are_refused(void **state)
{
    struct sdp_line line = wish(SDP_PROFILE_PLAIN);

    answer(HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\nm=x 1 y z\r\n", &line);
    assert_int_equal(made.media[0].port, 10000);
    assert_int_equal(made.media[1].port, 0);
    assert_int_equal(made.media[2].port, 0);
    assert_span(made.media[2].kind_text, "x");
}

static void test_our_key_stands_only_under_an_offered_tag_and_suite(void **state)
{
    static const char offer[] = HEAD "m=audio 4000 RTP/SAVP 0\r\na=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:x\r\n";
    struct sdp_line line = wish(SDP_PROFILE_SDES);

    transport.crypto = (struct sdp_crypto){8, SPAN("AES_CM_128_HMAC_SHA1_80"), SPAN("inline:ours"), SPAN_NULL};
    assert_span(answer(offer, &line)->crypto[0].keys, "inline:ours");
    transport.crypto.tag = 1;
    assert_int_equal(answer(offer, &line)->crypto_count, 0);
    transport.crypto.tag = 8;
    transport.crypto.suite = SPAN("AEAD_AES_128_GCM");
    assert_int_equal(answer(offer, &line)->crypto_count, 0);
    transport.crypto = (struct sdp_crypto){0};
}

static void test_the_dtls_role_is_kept_while_the_association_lives(void **state)
{
    assert_int_equal(sdp_answer_setup(SDP_SETUP_ACTPASS, SDP_SETUP_NONE), SDP_SETUP_PASSIVE);
    assert_int_equal(sdp_answer_setup(SDP_SETUP_ACTIVE, SDP_SETUP_NONE), SDP_SETUP_PASSIVE);
    assert_int_equal(sdp_answer_setup(SDP_SETUP_NONE, SDP_SETUP_NONE), SDP_SETUP_PASSIVE);
    assert_int_equal(sdp_answer_setup(SDP_SETUP_PASSIVE, SDP_SETUP_NONE), SDP_SETUP_ACTIVE);
    for (enum sdp_setup offered = SDP_SETUP_NONE; offered <= SDP_SETUP_HOLDCONN; offered++) {
        assert_int_equal(sdp_answer_setup(offered, SDP_SETUP_ACTIVE), SDP_SETUP_ACTIVE);
        assert_int_equal(sdp_answer_setup(offered, SDP_SETUP_PASSIVE), SDP_SETUP_PASSIVE);
    }
}

static void test_either_credential_changed_is_an_ice_restart(void **state)
{
    struct sdp_media media = {.ufrag = SPAN("u"), .pwd = SPAN("p")};

    assert_false(sdp_is_ice_restart(&media, SPAN("u"), SPAN("p")));
    assert_true(sdp_is_ice_restart(&media, SPAN("u2"), SPAN("p")));
    assert_true(sdp_is_ice_restart(&media, SPAN("u"), SPAN("p2")));
}

static void test_an_offer_of_many_lines_stops_at_the_maximum(void **state)
{
    static struct sdp_line lines[SDP_MEDIA_MAX + 3];

    for (unsigned i = 0; i < SDP_MEDIA_MAX + 3; i++)
        lines[i] = wish(SDP_PROFILE_WEBRTC);
    sdp_make_offer(&made, &session, lines, SDP_MEDIA_MAX + 3);
    assert_int_equal(made.media_count, SDP_MEDIA_MAX);
    assert_true(made.has_bundle && made.media[1].is_bundled);
}

static void test_a_refused_line_of_an_offer_keeps_its_place(void **state)
{
    struct sdp_line lines[2] = {wish(SDP_PROFILE_WEBRTC), wish(SDP_PROFILE_WEBRTC)};
    struct text out;

    lines[0].is_refused = true;
    lines[1].mid = SPAN("1");
    sdp_make_offer(&made, &session, lines, 2);
    text_init(&out, SDP_TEXT_MAX);
    assert_int_equal(sdp_write(&out, &made), 0);
    assert_non_null(strstr(out.data, "a=group:BUNDLE 1\r\n"));
    assert_non_null(strstr(out.data, "m=audio 0 UDP/TLS/RTP/SAVPF 96\r\n"));
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_answered_that_was_not_offered),
        cmocka_unit_test(test_a_number_that_means_another_codec_there_is_left_out),
        cmocka_unit_test(test_a_line_left_without_codecs_is_refused),
        cmocka_unit_test(test_a_line_refused_by_the_offerer_stays_refused),
        cmocka_unit_test(test_lines_that_the_caller_does_not_know_are_refused),
        cmocka_unit_test(test_our_key_stands_only_under_an_offered_tag_and_suite),
        cmocka_unit_test(test_the_dtls_role_is_kept_while_the_association_lives),
        cmocka_unit_test(test_either_credential_changed_is_an_ice_restart),
        cmocka_unit_test(test_an_offer_of_many_lines_stops_at_the_maximum),
        cmocka_unit_test(test_a_refused_line_of_an_offer_keeps_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
