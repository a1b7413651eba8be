/* SPDX-License-Identifier: Apache-2.0 */
/* A peer connection: what has to be proved before anything is taken, and what happens when it is not. */
#include "media_rig.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>

static struct peer browser, other;
static struct endpoint *endpoint;
static struct media_stream *stream;
static struct seen seen;

static const struct stream_config audio = {
    .formats = {{.codec = 1, .pt_in = 0, .pt_out = 0, .clock_hz = 8000}},
    .format_count = 1,
    .receives = true,
    .sends = true,
};

static int start(void **state)
{
    memset(&seen, 0, sizeof(seen));
    rig_start("");
    peer_start(&browser);
    peer_start(&other);
    assert_int_equal(
        endpoint_new_webrtc(&endpoint, rig.house, &(struct webrtc_options){.user = &seen_user, .arg = &seen}), 0);
    assert_int_equal(media_stream_new(&stream, endpoint), 0);
    assert_int_equal(media_stream_set(stream, &audio), 0);
    peer_read_local(&browser, endpoint);
    peer_read_local(&other, endpoint);
    return 0;
}

static int stop(void **state)
{
    stream = mem_unref(stream);
    endpoint = mem_unref(endpoint);
    peer_stop(&browser);
    peer_stop(&other);
    rig_stop();
    return 0;
}

static void describe(bool is_gateway_client)
{
    struct webrtc_remote remote = peer_description(&browser, is_gateway_client);

    assert_int_equal(endpoint_webrtc_remote(endpoint, &remote), 0);
}

static void send_audio(struct peer *peer, uint16_t seq)
{
    peer_send_rtp(peer, &(struct rtp){.seq = seq, .timestamp = 160u * seq, .ssrc = 0x1234}, 160);
}

static uint64_t packets_in(void)
{
    struct stream_stats stats;

    media_stream_stats(stream, &stats);
    return stats.packets_in;
}

/* ---- what is told about it ---- */

static void test_description_has_what_sdp_needs(void **state)
{
    struct webrtc_local local;

    endpoint_webrtc_local(endpoint, &local);
    assert_true(local.is_ice_lite);
    assert_true(strlen(local.ufrag) >= 4 && strlen(local.pwd) >= 22);
    assert_int_equal(strlen(local.fingerprint), 95);
    assert_int_equal(local.candidate_count, 1);
    assert_true(addr_port(&local.candidates[0]) > 0);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_NEW);
    assert_int_equal(strlen(endpoint_cname(endpoint)), 16);
}

/* ---- ICE ---- */

static void test_valid_check_is_answered_and_nominates(void **state)
{
    struct addr peer;

    peer_check(&browser, true);
    rig_until(browser.stun_count == 1 && seen.state_count == 1);
    assert_false(browser.stun_error);
    assert_int_equal(seen.states[0], ENDPOINT_CHECKED);
    endpoint_peer(endpoint, &peer);
    assert_true(addr_eq(&peer, udp_local(browser.udp)));
    assert_non_null(strstr(seen.events, "nominated"));
}

static void test_check_without_nomination_proves_but_does_not_conclude(void **state)
{
    peer_check(&browser, false);
    rig_until(browser.stun_count == 1);
    rig_settle();
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_NEW);
    peer_check(&browser, true);
    rig_until(endpoint_state(endpoint) == ENDPOINT_CHECKED);
}

static void test_wrong_password_gets_no_answer(void **state)
{
    uint64_t refused = rig_stat(STAT_STUN_REFUSED);

    browser.pwd[0] ^= 1;
    peer_check(&browser, true);
    rig_until(rig_stat(STAT_STUN_REFUSED) == refused + 1);
    rig_settle();
    assert_int_equal(browser.stun_count, 0);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_NEW);
}

static void test_unknown_user_gets_no_answer(void **state)
{
    browser.ufrag[0] ^= 1;
    peer_check(&browser, true);
    rig_until(rig_stat(STAT_STUN_REFUSED) == 1);
    rig_settle();
    assert_int_equal(browser.stun_count, 0);
}

static void test_peer_in_the_wrong_role_is_told_to_switch(void **state)
{
    browser.is_controlled = true;
    peer_check(&browser, false);
    rig_until(browser.stun_count == 1);
    assert_true(browser.stun_error); /* 487 */
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_NEW);
}

static void test_source_of_another_peer_cannot_be_taken_away(void **state)
{
    struct endpoint *thief;
    struct webrtc_local local;

    peer_connect(&browser, endpoint, false);
    assert_int_equal(endpoint_new_webrtc(&thief, rig.house, &(struct webrtc_options){0}), 0);
    endpoint_webrtc_local(thief, &local);
    memcpy(browser.ufrag, local.ufrag, sizeof(browser.ufrag));
    memcpy(browser.pwd, local.pwd, sizeof(browser.pwd));
    peer_check(&browser, true); /* as if its source was forged */
    rig_until(rig_stat(STAT_STUN_REFUSED) == 1);
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
    rig_leap(11000); /* nobody uses it any more */
    peer_check(&browser, true);
    rig_until(endpoint_state(thief) == ENDPOINT_CHECKED);
    mem_unref(thief);
}

static void test_nomination_moves_the_pair(void **state)
{
    struct addr peer;

    peer_check(&browser, true);
    rig_until(endpoint_state(endpoint) == ENDPOINT_CHECKED);
    peer_check(&other, true);
    rig_until(other.stun_count == 1);
    endpoint_peer(endpoint, &peer);
    assert_true(addr_eq(&peer, udp_local(other.udp)));
}

static void test_more_sources_than_allowed_push_out_the_oldest(void **state)
{
    struct peer many[12];

    peer_check(&browser, true);
    rig_until(browser.stun_count == 1);
    for (unsigned i = 0; i < 12; i++) {
        peer_start(&many[i]);
        peer_read_local(&many[i], endpoint);
        peer_check(&many[i], false);
        rig_until(many[i].stun_count == 1);
    }
    describe(false);
    peer_begin_dtls(&browser, true); /* the nominated one was not pushed out */
    rig_until(endpoint_state(endpoint) == ENDPOINT_READY);
    for (unsigned i = 0; i < 12; i++)
        peer_stop(&many[i]);
}

static void test_while_it_rings_a_missing_check_is_told_and_ends_nothing(void **state)
{
    describe(false);
    media_bridge(stream, stream); /* early media */
    for (unsigned i = 0; i < 300; i++)
        rig_leap(1000);
    rig_until(strstr(seen.events, "no ICE check arrived on UDP port"));
    assert_int_equal(seen.state_count, 0);
    endpoint_answered(endpoint);
    for (unsigned i = 0; i < 115; i++)
        rig_leap(1000);
    rig_turn();
    assert_int_equal(seen.state_count, 0);
    for (unsigned i = 0; i < 10; i++)
        rig_leap(1000);
    rig_until(seen.state_count == 1);
    assert_int_equal(seen.states[0], ENDPOINT_FAILED);
}

static void test_while_it_rings_silence_after_the_first_check_ends_nothing(void **state)
{
    describe(false);
    media_bridge(stream, stream);
    peer_check(&browser, true);
    rig_until(endpoint_state(endpoint) == ENDPOINT_CHECKED);
    for (unsigned i = 0; i < 120; i++)
        rig_leap(1000);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_CHECKED);
    endpoint_answered(endpoint);
    for (unsigned i = 0; i < 40; i++)
        rig_leap(1000);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_FAILED);
}

static void test_no_check_is_told_after_10_s_and_fails_after_120(void **state)
{
    describe(false);
    for (unsigned i = 0; i < 60; i++) /* ringing: nobody has told the browser yet */
        rig_leap(1000);
    rig_turn();
    assert_string_equal(seen.events, "");
    media_bridge(stream, stream);
    endpoint_answered(endpoint);
    for (unsigned i = 0; i < 11; i++)
        rig_leap(1000);
    rig_until(strstr(seen.events, "no ICE check arrived on UDP port"));
    for (unsigned i = 0; i < 120; i++)
        rig_leap(1000);
    rig_until(seen.state_count == 1);
    assert_int_equal(seen.states[0], ENDPOINT_FAILED);
    assert_non_null(strstr(seen.why, "no valid ICE check"));
}

static void test_lost_consent_fails(void **state)
{
    peer_connect(&browser, endpoint, false);
    endpoint_answered(endpoint);
    for (unsigned i = 0; i < 25; i++)
        rig_leap(1000);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
    peer_check(&browser, true); /* consent goes on */
    rig_until(browser.stun_count == 2);
    for (unsigned i = 0; i < 25; i++)
        rig_leap(1000);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
    for (unsigned i = 0; i < 15; i++)
        rig_leap(1000);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_FAILED);
}

static void test_restart_goes_on_with_the_old_path_until_the_new_one_is_nominated(void **state)
{
    struct webrtc_local before, after;
    uint64_t handshakes;

    peer_connect(&browser, endpoint, false);
    handshakes = rig_stat(STAT_DTLS_HANDSHAKES);
    endpoint_webrtc_local(endpoint, &before);
    assert_int_equal(endpoint_webrtc_restart(endpoint), 0);
    endpoint_webrtc_local(endpoint, &after);
    assert_string_not_equal(before.ufrag, after.ufrag);
    assert_string_not_equal(before.pwd, after.pwd);
    peer_check(&browser, true); /* old credentials are answered */
    rig_until(browser.stun_count == 2);
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
    peer_read_local(&other, endpoint); /* the browser on its new address */
    peer_check(&other, true);
    rig_until(other.stun_count == 1);
    other.srtp = mem_ref(browser.srtp); /* DTLS and SRTP go on */
    send_audio(&other, 2);
    rig_until(packets_in() == 2);
    assert_int_equal(rig_stat(STAT_DTLS_HANDSHAKES), handshakes);
    peer_check(&browser, true); /* the old credentials are gone now */
    rig_settle();
    assert_int_equal(browser.stun_count, 2);
}

/* ---- DTLS ---- */

static void test_dtls_from_an_unproved_source_is_dropped(void **state)
{
    describe(false);
    peer_begin_dtls(&browser, true);
    rig_until(rig_stat(STAT_DTLS_UNPROVED) > 0);
    rig_settle();
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_NEW);
    assert_false(browser.is_dtls_done);
}

static void test_dtls_runs_as_server(void **state)
{
    peer_connect(&browser, endpoint, false);
    assert_string_equal(endpoint_suite(endpoint), "AEAD_AES_256_GCM");
    rig_until(seen.state_count == 2);
    assert_int_equal(seen.states[0], ENDPOINT_CHECKED);
    assert_int_equal(seen.states[1], ENDPOINT_READY);
    assert_non_null(strstr(seen.events, "DTLS done (AEAD_AES_256_GCM)"));
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
}

static void test_dtls_runs_as_client(void **state)
{
    peer_connect(&browser, endpoint, true);
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
}

static void test_every_profile_carries_media(void **state)
{
    static const struct {
        const char *dtls, *suite;
    } rows[] = {{"SRTP_AEAD_AES_256_GCM", "AEAD_AES_256_GCM"},
                {"SRTP_AEAD_AES_128_GCM", "AEAD_AES_128_GCM"},
                {"SRTP_AES128_CM_SHA1_80", "AES_CM_128_HMAC_SHA1_80"}};

    for (unsigned i = 0; i < 3; i++) {
        struct peer peer;

        peer_start(&peer); /* another certificate each time: a new association on the same endpoint */
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(dtls_identity_context(peer.identity), rows[i].dtls), 0);
        peer_connect(&peer, endpoint, i == 1);
        assert_string_equal(endpoint_suite(endpoint), rows[i].suite);
        send_audio(&peer, 1);
        rig_until(packets_in() == i + 1);
        peer_stop(&peer);
    }
}

static void test_peer_without_a_profile_of_ours_fails(void **state)
{
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(dtls_identity_context(browser.identity), "SRTP_AES128_CM_SHA1_32"), 0);
    describe(false);
    peer_check(&browser, true);
    rig_until(browser.stun_count == 1);
    peer_begin_dtls(&browser, true);
    rig_until(seen.state_count == 2);
    assert_int_equal(seen.states[1], ENDPOINT_FAILED);
    assert_non_null(strstr(seen.why, "SRTP profiles"));
}

static void test_handshake_before_the_description_waits_for_the_fingerprint(void **state)
{
    peer_check(&browser, true);
    rig_until(browser.stun_count == 1);
    peer_begin_dtls(&browser, true);
    rig_until(browser.is_dtls_done);
    send_audio(&browser, 1);
    rig_settle();
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_CHECKED);
    assert_int_equal(packets_in(), 0);
    describe(false);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
}

static void test_hello_before_the_nomination_is_answered(void **state)
{
    describe(false);
    peer_check(&browser, false);
    rig_until(browser.stun_count == 1);
    peer_begin_dtls(&browser, true);
    rig_until(endpoint_state(endpoint) == ENDPOINT_READY);
}

static void test_wrong_fingerprint_fails_and_no_media_flows(void **state)
{
    struct webrtc_remote remote = peer_description(&other, false);

    assert_int_equal(endpoint_webrtc_remote(endpoint, &remote), 0);
    peer_check(&browser, true);
    rig_until(browser.stun_count == 1);
    peer_begin_dtls(&browser, true);
    rig_until(seen.state_count == 2);
    assert_int_equal(seen.states[1], ENDPOINT_FAILED);
    assert_non_null(strstr(seen.why, "fingerprint"));
    rig_settle();
    if (browser.srtp)
        send_audio(&browser, 1);
    rig_settle();
    assert_int_equal(packets_in(), 0);
    assert_string_equal(endpoint_suite(endpoint), "");
}

static void test_bad_descriptions_are_refused(void **state)
{
    struct webrtc_remote remote = peer_description(&browser, false);

    remote.fingerprint_hash = SPAN("sha-1");
    assert_int_equal(endpoint_webrtc_remote(endpoint, &remote), -EPROTO);
    remote.fingerprint_hash = SPAN("sha-256");
    remote.fingerprint = SPAN("00:11");
    assert_int_equal(endpoint_webrtc_remote(endpoint, &remote), -EBADMSG);
}

static void test_same_description_again_changes_nothing(void **state)
{
    uint64_t handshakes;

    peer_connect(&browser, endpoint, false);
    handshakes = rig_stat(STAT_DTLS_HANDSHAKES);
    describe(false);
    describe(true); /* actpass answered otherwise: the association keeps its roles */
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
    assert_int_equal(rig_stat(STAT_DTLS_HANDSHAKES), handshakes);
}

static void test_new_fingerprint_means_a_new_association(void **state)
{
    struct webrtc_remote remote = peer_description(&other, false);

    peer_connect(&browser, endpoint, false);
    assert_int_equal(endpoint_webrtc_remote(endpoint, &remote), 0);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_CHECKED);
    send_audio(&browser, 1);
    rig_settle();
    assert_int_equal(packets_in(), 0);
    peer_check(&other, true);
    rig_until(other.stun_count == 1);
    peer_begin_dtls(&other, true);
    rig_until(endpoint_state(endpoint) == ENDPOINT_READY && other.is_dtls_done);
    send_audio(&other, 1);
    rig_until(packets_in() == 1);
}

/* ---- packets ---- */

static void test_replayed_and_forged_packets_are_counted_and_dropped(void **state)
{
    peer_connect(&browser, endpoint, false);
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
    peer_send(&browser, browser.last_sent, browser.last_sent_bytes);
    rig_until(rig_stat(STAT_SRTP_REPLAYED) == 1);
    browser.last_sent[3]++;
    peer_send(&browser, browser.last_sent, browser.last_sent_bytes);
    rig_until(rig_stat(STAT_SRTP_FAILED) == 1);
    assert_int_equal(packets_in(), 1);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
}

static void test_stranger_cannot_disturb_a_call(void **state)
{
    uint8_t bytes[300];

    peer_connect(&browser, endpoint, false);
    for (unsigned i = 0; i < 500; i++) {
        for (size_t at = 0; at < sizeof(bytes); at++)
            bytes[at] = (uint8_t)(i * 7 + at * i);
        peer_send(i % 2 ? &browser : &other, bytes, 8 + i % 290);
        if (i % 50 == 0)
            rig_settle();
    }
    rig_settle();
    assert_int_equal(packets_in(), 0);
    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
    send_audio(&browser, 1);
    rig_until(packets_in() == 1);
}

static void test_malformed_rtcp_is_counted(void **state)
{
    uint8_t bytes[] = {0x80, 201, 0, 9, 0, 0, 0, 1};

    peer_connect(&browser, endpoint, false);
    peer_send_rtcp(&browser, bytes, sizeof(bytes));
    rig_until(rig_stat(STAT_RTCP_MALFORMED) == 1);
}

static void test_unknown_payload_type_is_counted(void **state)
{
    struct stream_stats stats;

    peer_connect(&browser, endpoint, false);
    peer_send_rtp(&browser, &(struct rtp){.pt = 99, .seq = 1, .ssrc = 5}, 20);
    rig_until(rig_stat(STAT_RTP_UNKNOWN_PT) == 1);
    media_stream_stats(stream, &stats);
    assert_int_equal(stats.packets_in, 0);
    assert_int_equal(stats.dropped_pt, 1);
}

static void test_stop_says_close_notify_and_forgets_the_peer(void **state)
{
    peer_connect(&browser, endpoint, false);
    endpoint_stop(endpoint);
    endpoint_stop(endpoint);
    rig_until(browser.is_dtls_closed);
    peer_check(&browser, true);
    rig_until(rig_stat(STAT_STUN_REFUSED) == 1);
    assert_int_equal(rig_stat(STAT_PEERS), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_description_has_what_sdp_needs),
        EACH(test_valid_check_is_answered_and_nominates),
        EACH(test_check_without_nomination_proves_but_does_not_conclude),
        EACH(test_wrong_password_gets_no_answer),
        EACH(test_unknown_user_gets_no_answer),
        EACH(test_peer_in_the_wrong_role_is_told_to_switch),
        EACH(test_source_of_another_peer_cannot_be_taken_away),
        EACH(test_nomination_moves_the_pair),
        EACH(test_more_sources_than_allowed_push_out_the_oldest),
        EACH(test_no_check_is_told_after_10_s_and_fails_after_120),
        EACH(test_lost_consent_fails),
        EACH(test_while_it_rings_a_missing_check_is_told_and_ends_nothing),
        EACH(test_while_it_rings_silence_after_the_first_check_ends_nothing),
        EACH(test_restart_goes_on_with_the_old_path_until_the_new_one_is_nominated),
        EACH(test_dtls_from_an_unproved_source_is_dropped),
        EACH(test_dtls_runs_as_server),
        EACH(test_dtls_runs_as_client),
        EACH(test_every_profile_carries_media),
        EACH(test_peer_without_a_profile_of_ours_fails),
        EACH(test_handshake_before_the_description_waits_for_the_fingerprint),
        EACH(test_hello_before_the_nomination_is_answered),
        EACH(test_wrong_fingerprint_fails_and_no_media_flows),
        EACH(test_bad_descriptions_are_refused),
        EACH(test_same_description_again_changes_nothing),
        EACH(test_new_fingerprint_means_a_new_association),
        EACH(test_replayed_and_forged_packets_are_counted_and_dropped),
        EACH(test_stranger_cannot_disturb_a_call),
        EACH(test_malformed_rtcp_is_counted),
        EACH(test_unknown_payload_type_is_counted),
        EACH(test_stop_says_close_notify_and_forgets_the_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
