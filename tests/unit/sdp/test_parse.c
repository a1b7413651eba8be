/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp_test.h"

static const char whole[] =
    "v=0\r\no=alice 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 v1\r\na=ice-lite\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:c15u\r\n"
    "a=ice-pwd:c15passwordc15passwordc15\r\na=fingerprint:sha-256 00:11:22\r\na=setup:actpass\r\na=mid:0\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:126 telephone-event/8000\r\na=ptime:20\r\na=maxptime:60\r\n"
    "a=candidate:1 1 udp 2122260223 198.51.100.99 61002 typ host generation 0\r\na=end-of-candidates\r\n"
    "a=ssrc:77 cname:abc\r\na=ssrc:77 msid:x y\r\na=msid:stream track\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP6 ::\r\na=mid:v1\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n"
    "a=rtcp-fb:* ccm fir\r\na=bundle-only\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abcd FEC_KEY=x\r\n";

static void test_every_field_of_a_browser_offer_is_read(void **state)
{
    const struct sdp_media *audio = parse_one(whole), *video = &parsed.media[1];

    assert_int_equal(parsed.media_count, 2);
    assert_span(parsed.origin_user, "alice");
    assert_span(parsed.origin_id, "4611");
    assert_int_equal(parsed.origin_version, 2);
    assert_true(parsed.has_bundle);
    assert_int_equal(audio->kind, SDP_AUDIO);
    assert_int_equal(audio->port, 9);
    assert_span(audio->proto, "UDP/TLS/RTP/SAVPF");
    assert_span(audio->address, "0.0.0.0");
    assert_int_equal(audio->dir, SDP_SENDRECV);
    assert_int_equal(audio->rtcp_port, 9);
    assert_span(audio->ufrag, "c15u");
    assert_span(audio->pwd, "c15passwordc15passwordc15");
    assert_span(audio->fingerprint_hash, "sha-256");
    assert_span(audio->fingerprint, "00:11:22");
    assert_int_equal(audio->setup, SDP_SETUP_ACTPASS);
    assert_span(audio->mid, "0");
    assert_true(audio->is_bundled && audio->has_rtcp_mux && audio->is_ice_lite && audio->has_end_of_candidates);
    assert_int_equal(audio->extmap_count, 1);
    assert_int_equal(audio->extmap[0].id, 4);
    assert_int_equal(audio->codecs.count, 4);
    assert_span(audio->codecs.items[0].name, "opus");
    assert_int_equal(audio->codecs.items[0].channels, 2);
    assert_span(audio->codecs.items[0].fmtp, "minptime=10;useinbandfec=1");
    assert_span(audio->codecs.items[2].name, "PCMA");
    assert_int_equal(audio->ptime_ms, 20);
    assert_int_equal(audio->maxptime_ms, 60);
    assert_int_equal(audio->candidate_count, 1);
    assert_span(audio->candidates[0].address, "198.51.100.99");
    assert_int_equal(audio->candidates[0].port, 61002);
    assert_int_equal(audio->ssrc, 77);
    assert_span(audio->cname, "abc");
    assert_span(audio->msid, "stream track");
    assert_true(video->is_bundled && video->is_bundle_only && video->is_address_v6);
    assert_int_equal(video->feedback_count, 2);
    assert_int_equal(video->feedback[0].pt, 96);
    assert_span(video->feedback[0].text, "nack pli");
    assert_int_equal(video->feedback[1].pt, -1);
    assert_int_equal(video->crypto_count, 1);
    assert_span(video->crypto[0].session_params, "FEC_KEY=x");
}

/* Each prefix in a block of its own size, so that the sanitizers see a byte too far; then with a NUL at each place. */
static void test_every_prefix_parses_or_fails_without_reading_on(void **state)
{
    for (size_t n = 0; n < sizeof(whole); n++) {
        char *copy = malloc(n ? n : 1);

        assert_non_null(copy);
        memcpy(copy, whole, n);
        sdp_parse(&parsed, span_make(copy, n), &why);
        if (n) {
            copy[n - 1] = '\0';
            assert_int_equal(sdp_parse(&parsed, span_make(copy, n), &why), -EBADMSG);
        }
        free(copy);
    }
}

static void test_what_is_no_description_is_refused_with_a_reason(void **state)
{
    static const char *const bad[] = {
        "",
        "v=1\r\n",
        "o=- 1 1 IN IP4 192.0.2.1\r\n",
        HEAD "m=audio\r\n",
        HEAD "m=audio 70000 RTP/AVP 0\r\n",
        HEAD "m=audio -1 RTP/AVP 0\r\n",
        HEAD "m=audio 4000\r\n",
        HEAD "m=audio 4000 RTP/AVP\x01 0\r\n",
        HEAD "m=audio 4000 RTP/AVP 0\r\nnonsense\r\n",
        HEAD "m=audio 4000 RTP/AVP 0\r\na=x\ry\r\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i]), -EBADMSG);
        assert_true(strlen(why) > 10);
    }
}

static void test_limits_of_lines_and_length_hold(void **state)
{
    struct text text;

    text_init(&text, 2 * SDP_TEXT_MAX);
    text_add_str(&text, HEAD);
    for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
        text_add_str(&text, "m=audio 4000 RTP/AVP 0\r\n");
    assert_int_equal(sdp_parse(&parsed, text_span(&text), &why), 0);
    assert_int_equal(parsed.media_count, SDP_MEDIA_MAX);
    text_add_str(&text, "m=audio 4000 RTP/AVP 0\r\n");
    assert_int_equal(sdp_parse(&parsed, text_span(&text), &why), -E2BIG);
    text_reset(&text);
    text_add_str(&text, HEAD);
    while (text.len <= SDP_TEXT_MAX)
        text_add_str(&text, "a=padding\r\n");
    assert_int_equal(sdp_parse(&parsed, text_span(&text), &why), -E2BIG);
    text_free(&text);
}

static void test_items_past_a_lists_maximum_are_passed_over(void **state)
{
    const struct sdp_media *media;
    struct text text;

    text_init(&text, SDP_TEXT_MAX);
    text_add_str(&text, HEAD "m=audio 4000 RTP/AVP");
    for (unsigned pt = 30; pt < 128; pt++)
        text_addf(&text, " %u", pt);
    text_add_str(&text, "\r\n");
    for (unsigned i = 1; i < 50; i++)
        text_addf(&text,
                  "a=candidate:%u 1 udp 1 192.0.2.1 4000 typ host\r\na=crypto:%u S inline:x\r\na=rtcp-fb:* x%u\r\n"
                  "a=extmap:%u urn:x\r\na=rtpmap:%u X/8000\r\n",
                  i, i, i, i, 60 + i);
    assert_int_equal(sdp_parse(&parsed, text_span(&text), &why), 0);
    media = &parsed.media[0];
    assert_int_equal(media->codecs.count, SDP_CODEC_MAX);
    assert_int_equal(media->candidate_count, SDP_CANDIDATE_MAX);
    assert_int_equal(media->crypto_count, SDP_CRYPTO_MAX);
    assert_int_equal(media->feedback_count, SDP_FB_MAX);
    assert_int_equal(media->extmap_count, SDP_EXTMAP_MAX);
    text_free(&text);
}

static void test_malformed_attributes_are_as_if_not_there(void **state)
{
    const struct sdp_media *media = parse_one(
        HEAD "m=audio 4000 RTP/AVP 97 98 8 300 x 8\r\na=rtpmap:97 /8000\r\na=rtpmap:98 X/0\r\n"
             "a=rtpmap:8 PCMA/abc\r\na=rtpmap:99 Y/8000\r\na=rtpmap\r\na=fmtp:\r\na=ptime:99999\r\n"
             "a=candidate:1 1 udp x 192.0.2.1 4000 typ host\r\na=candidate:1\r\na=crypto:1 S\r\n"
             "a=fingerprint:sha-256 0:1\r\na=fingerprint:sha-256 00:1g\r\na=extmap:0 urn:x\r\na=mid:\r\n"
             "a=extmap:3/sendonly urn:x\r\na=setup:soon\r\na=rtcp:x\r\na=ssrc:-1 cname:x\r\na=mid:\xff\r\na=\r\n");

    assert_int_equal(media->codecs.count, 3);
    assert_int_equal(media->codecs.items[0].name.n, 0);
    assert_int_equal(media->codecs.items[1].name.n, 0);
    assert_span(media->codecs.items[2].name, "PCMA");
    assert_int_equal(media->codecs.items[2].clock_hz, 8000);
    assert_int_equal(media->ptime_ms + media->candidate_count + media->crypto_count + media->extmap_count, 0);
    assert_int_equal(media->fingerprint.n + media->mid.n + media->setup + media->rtcp_port + media->ssrc, 0);
}

static void test_a_bad_address_is_none_and_does_not_fall_back(void **state)
{
    static const char *const bad[] = {"IN IP4", "IN IP5 192.0.2.1", "XX IP4 192.0.2.1", "IN IP4 1;2", ""};
    char text[512];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/AVP 0\r\nc=%s\r\n", bad[i]);
        assert_int_equal(parse_one(text)->address.n, 0);
    }
}

static void test_the_sha_256_fingerprint_wins_over_others(void **state)
{
    assert_span(parse_one(HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-1 AA:BB\r\n"
                               "a=fingerprint:sha-256 CC:DD\r\na=fingerprint:sha-512 EE:FF\r\n")
                    ->fingerprint,
                "CC:DD");
    assert_span(parse_one(HEAD "a=fingerprint:sha-256 CC:DD\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
                               "a=fingerprint:sha-1 AA:BB\r\n")
                    ->fingerprint,
                "AA:BB");
}

static void test_old_hold_never_receives_but_ice_may_say_zero(void **state)
{
    assert_int_equal(parse_one(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n")->dir, SDP_SENDONLY);
    assert_int_equal(parse_one(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\n")->dir, SDP_INACTIVE);
    assert_int_equal(parse_one(HEAD "m=audio 9 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:x\r\n")->dir, SDP_SENDRECV);
}

static void test_only_lines_of_the_group_are_bundled(void **state)
{
    parse(HEAD
          "a=group:LS 9\r\na=group:BUNDLE a bb\r\na=group:BUNDLE c\r\nm=audio 9 X 0\r\na=mid:a\r\n"
          "m=audio 9 X 0\r\na=mid:b\r\nm=audio 9 X 0\r\na=mid:bb\r\nm=audio 9 X 0\r\nm=audio 9 X 0\r\na=mid:c\r\n");
    assert_true(parsed.media[0].is_bundled);
    assert_false(parsed.media[1].is_bundled);
    assert_true(parsed.media[2].is_bundled);
    assert_false(parsed.media[3].is_bundled);
    assert_false(parsed.media[4].is_bundled);
}

static void test_a_second_parse_leaves_nothing_of_the_first(void **state)
{
    const struct sdp_media *media;

    parse(whole);
    media = parse_one(HEAD "m=audio 4000 RTP/AVP 0\r\n");
    assert_int_equal(parsed.media_count, 1);
    assert_false(parsed.has_bundle || media->is_bundled || media->is_ice_lite || media->has_rtcp_mux);
    assert_int_equal(media->ufrag.n + media->fingerprint.n + media->candidate_count + media->ssrc, 0);
}

static void test_formats_of_other_protocols_are_no_codecs(void **state)
{
    const struct sdp_media *media = parse_one(HEAD "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");

    assert_int_equal(media->kind, SDP_APPLICATION);
    assert_int_equal(media->codecs.count, 0);
    assert_span(media->formats, "webrtc-datachannel");
}

static void test_a_video_codec_in_an_audio_line_has_no_name(void **state)
{
    const struct sdp_media *media =
        parse_one(HEAD "m=audio 4000 RTP/AVP 96 8\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 x\r\n"
                       "m=video 4002 RTP/AVP 0 97\r\na=rtpmap:97 H264/90000\r\n");

    assert_int_equal(media->codecs.items[0].name.n + media->codecs.items[0].fmtp.n, 0);
    assert_span(media->codecs.items[1].name, "PCMA");
    assert_int_equal(parsed.media[1].codecs.items[0].name.n, 0);
    assert_span(parsed.media[1].codecs.items[1].name, "H264");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_of_a_browser_offer_is_read),
        cmocka_unit_test(test_every_prefix_parses_or_fails_without_reading_on),
        cmocka_unit_test(test_what_is_no_description_is_refused_with_a_reason),
        cmocka_unit_test(test_limits_of_lines_and_length_hold),
        cmocka_unit_test(test_items_past_a_lists_maximum_are_passed_over),
        cmocka_unit_test(test_malformed_attributes_are_as_if_not_there),
        cmocka_unit_test(test_a_bad_address_is_none_and_does_not_fall_back),
        cmocka_unit_test(test_the_sha_256_fingerprint_wins_over_others),
        cmocka_unit_test(test_old_hold_never_receives_but_ice_may_say_zero),
        cmocka_unit_test(test_only_lines_of_the_group_are_bundled),
        cmocka_unit_test(test_a_second_parse_leaves_nothing_of_the_first),
        cmocka_unit_test(test_formats_of_other_protocols_are_no_codecs),
        cmocka_unit_test(test_a_video_codec_in_an_audio_line_has_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
