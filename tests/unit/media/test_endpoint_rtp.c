/* SPDX-License-Identifier: Apache-2.0 */
/* An RTP session: who is listened to, who is sent to, SRTP with signalled keys, ports. */
#include "media_rig.h"

#include <errno.h>
#include <string.h>

#include "../oom.h"
#include "media/media_house.h"
#include "media/stream_inside.h"

static struct peer phone, stranger;
static struct endpoint *endpoint;
static struct media_stream *stream;
static struct seen seen;
static char keys[2][SRTP_KEY_MAX];

static const struct stream_config audio = {
    .formats = {{.codec = 1, .pt_in = 0, .pt_out = 0, .clock_hz = 8000}},
    .format_count = 1,
    .receives = true,
    .sends = true,
};

static int start(void **state)
{
    struct rtp_local local;

    memset(&seen, 0, sizeof(seen));
    memset(keys[0], 1, sizeof(keys[0]));
    memset(keys[1], 2, sizeof(keys[1]));
    rig_start("");
    peer_start(&phone);
    peer_start(&stranger);
    assert_int_equal(endpoint_new_rtp(&endpoint, rig.house, &(struct rtp_options){.user = &seen_user, .arg = &seen}),
                     0);
    assert_int_equal(media_stream_new(&stream, endpoint), 0);
    assert_int_equal(media_stream_set(stream, &audio), 0);
    media_bridge(stream, stream); /* an echo: what is accepted comes back */
    endpoint_rtp_local(endpoint, &local);
    assert_int_equal(addr_port(&local.rtp) % 2, 0);
    assert_int_equal(addr_port(&local.rtcp), addr_port(&local.rtp) + 1);
    phone.gateway = stranger.gateway = local.rtp;
    return 0;
}

static int stop(void **state)
{
    stream = mem_unref(stream);
    endpoint = mem_unref(endpoint);
    peer_stop(&phone);
    peer_stop(&stranger);
    rig_stop();
    return 0;
}

static void signal_to(const struct addr *addr, bool is_locked)
{
    struct rtp_remote remote = {.rtp = *addr, .has_rtcp_mux = true, .is_locked = is_locked};

    assert_int_equal(endpoint_rtp_remote(endpoint, &remote), 0);
}

static void send_audio(struct peer *peer, uint16_t seq)
{
    peer_send_rtp(peer, &(struct rtp){.seq = seq, .timestamp = 160u * seq, .ssrc = 9}, 160);
}

static void test_it_is_ready_from_the_start(void **state)
{
    struct media_stream *second;

    assert_int_equal(endpoint_state(endpoint), ENDPOINT_READY);
    assert_int_equal(media_stream_new(&second, endpoint), -EBUSY); /* one m-line per session */
}

static void test_nothing_is_taken_before_the_peer_is_signalled(void **state)
{
    send_audio(&phone, 1);
    rig_until(rig_stat(STAT_RTP_STRAY) == 1);
    signal_to(udp_local(phone.udp), false);
    send_audio(&phone, 2);
    rig_until(phone.rtp_count == 1);
    rig_settle();
    assert_non_null(strstr(seen.events, "(signalled)"));
}

static void test_nated_source_is_learned_and_answered(void **state)
{
    struct addr signalled;

    addr_parse(&signalled, SPAN("10.9.9.9"), 40000);
    signal_to(&signalled, false);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
    rig_settle();
    assert_non_null(strstr(seen.events, "(learned)"));
    send_audio(&stranger, 1);
    rig_until(rig_stat(STAT_RTP_STRAY) == 1);
    assert_int_equal(stranger.rtp_count, 0);
    send_audio(&phone, 2);
    rig_until(phone.rtp_count == 2);
}

static void test_unknown_payload_type_cannot_move_the_source(void **state)
{
    struct addr signalled;

    addr_parse(&signalled, SPAN("10.9.9.9"), 40000);
    signal_to(&signalled, false);
    peer_send_rtp(&stranger, &(struct rtp){.pt = 77, .seq = 1, .ssrc = 3}, 100);
    rig_until(rig_stat(STAT_RTP_UNKNOWN_PT) == 1);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
}

static void test_locked_session_takes_only_the_signalled_address(void **state)
{
    signal_to(udp_local(phone.udp), true);
    send_audio(&stranger, 1);
    rig_until(rig_stat(STAT_RTP_STRAY) == 1);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
}

static void test_new_signalled_address_is_followed(void **state)
{
    signal_to(udp_local(phone.udp), false);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
    signal_to(udp_local(stranger.udp), false);
    send_audio(&stranger, 1);
    rig_until(stranger.rtp_count == 1);
    send_audio(&phone, 2);
    rig_until(rig_stat(STAT_RTP_STRAY) == 1);
}

static void test_hold_address_is_not_sent_to(void **state)
{
    struct addr nowhere;

    signal_to(udp_local(phone.udp), false);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
    addr_parse(&nowhere, SPAN("0.0.0.0"), 4000);
    signal_to(&nowhere, false);
    send_audio(&phone, 2);
    rig_settle();
    assert_int_equal(phone.rtp_count, 1);
    signal_to(udp_local(phone.udp), false);
    send_audio(&phone, 3);
    rig_until(phone.rtp_count == 2);
}

static void set_keys(const char *suite, size_t key_bytes)
{
    struct rtp_keys ours = {span_of(suite), span_make(keys[0], key_bytes), span_make(keys[1], key_bytes)};

    assert_int_equal(endpoint_rtp_keys(endpoint, &ours), 0);
}

static void give_phone_keys(const char *suite, size_t key_bytes)
{
    assert_int_equal(srtp_ctx_new(&phone.srtp, &(struct srtp_keys){suite, span_make(keys[1], key_bytes),
                                                                   span_make(keys[0], key_bytes)}),
                     0);
}

static void test_signalled_keys_protect_both_directions(void **state)
{
    static const struct {
        const char *suite;
        size_t key_bytes;
    } rows[] = {{"AES_CM_128_HMAC_SHA1_80", 30}, {"AEAD_AES_128_GCM", 28}, {"AEAD_AES_256_GCM", 44}};

    signal_to(udp_local(phone.udp), false);
    for (uint16_t i = 0; i < 3; i++) {
        keys[0][0]++; /* another key each time */
        set_keys(rows[i].suite, rows[i].key_bytes);
        give_phone_keys(rows[i].suite, rows[i].key_bytes);
        assert_string_equal(endpoint_suite(endpoint), rows[i].suite);
        send_audio(&phone, (uint16_t)(i + 1));
        rig_until(phone.rtp_count == i + 1u);
        assert_int_equal(phone.payload[0], i + 1);
        set_keys(rows[i].suite, rows[i].key_bytes); /* a re-INVITE with the same keys */
        peer_send(&phone, phone.last_sent, phone.last_sent_bytes);
        rig_until(rig_stat(STAT_SRTP_REPLAYED) == i + 1u); /* its replay window is the old one */
        phone.srtp = mem_unref(phone.srtp);
    }
    assert_int_equal(phone.unreadable_count, 0);
}

static bool is_fetched(const void *at)
{
    const struct warm *warm = &endpoint->warm;

    for (size_t i = 0; i < warm->count; i++)
        if ((uintptr_t)at / WARM_LINE - warm->entries[i] / WARM_LINE <= warm->entries[i] % WARM_LINE)
            return true;
    return false;
}

static void test_what_its_packets_touch_follows_their_path(void **state)
{
    signal_to(udp_local(phone.udp), false);
    assert_true(is_fetched(&endpoint->sources[0]));
    assert_true(is_fetched(&stream->quality));
    assert_true(is_fetched(&stream->out));
    assert_false(is_fetched(endpoint->notices));
    set_keys("AEAD_AES_128_GCM", 28);
    assert_true(is_fetched(endpoint->srtp));
    assert_in_range(endpoint->warm.count, 1, WARM_MAX - 1); /* nothing had to be left out */
    media_bridge(stream, NULL);
    assert_true(is_fetched(&stream->quality));
    assert_false(is_fetched(&stream->out));
}

static void test_source_without_the_key_is_not_learned(void **state)
{
    struct addr signalled;

    addr_parse(&signalled, SPAN("10.9.9.9"), 40000);
    signal_to(&signalled, false);
    set_keys("AEAD_AES_128_GCM", 28);
    send_audio(&stranger, 1); /* plain */
    rig_until(rig_stat(STAT_SRTP_FAILED) == 1);
    give_phone_keys("AEAD_AES_128_GCM", 28);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
}

static void test_keys_of_wrong_length_are_refused(void **state)
{
    struct rtp_keys ours = {SPAN("AES_CM_128_HMAC_SHA1_80"), span_make(keys[0], 29), span_make(keys[1], 29)};

    assert_int_equal(endpoint_rtp_keys(endpoint, &ours), -EINVAL);
    ours.suite = SPAN("AES_CM_999_UNKNOWN");
    assert_int_equal(endpoint_rtp_keys(endpoint, &ours), -EINVAL);
    ours.suite = SPAN("");
    assert_int_equal(endpoint_rtp_keys(endpoint, &ours), 0);
}

static void test_rtcp_goes_to_the_next_port_without_mux(void **state)
{
    struct rtp_remote remote = {.rtp = *udp_local(phone.udp), .rtcp = *udp_local(stranger.udp)};

    assert_int_equal(endpoint_rtp_remote(endpoint, &remote), 0);
    send_audio(&phone, 1);
    rig_until(phone.rtp_count == 1);
    rig_leap(2600);
    rig_until(stranger.rtcp_count == 1);
    assert_int_equal(phone.rtcp_count, 0);
}

static void test_stop_gives_the_ports_back(void **state)
{
    unsigned before = ports_free_count(rig.house->ports);

    endpoint_stop(endpoint);
    assert_int_equal(ports_free_count(rig.house->ports), before + 1);
    send_audio(&phone, 1);
    rig_settle();
    assert_int_equal(phone.rtp_count, 0);
}

static void test_no_port_left_is_busy(void **state)
{
    struct endpoint *many[100];
    unsigned count = 0;
    int err;

    while (count < 100) {
        err = endpoint_new_rtp(&many[count], rig.house, &(struct rtp_options){0});
        if (err)
            break;
        count++;
    }
    assert_int_equal(err, -EBUSY);
    while (count)
        mem_unref(many[--count]);
}

static int make_both(void *arg)
{
    struct endpoint *rtp = NULL, *webrtc = NULL;
    struct media_stream *one = NULL;
    int err = endpoint_new_rtp(&rtp, rig.house, &(struct rtp_options){.user = &seen_user, .arg = &seen});

    if (!err)
        err = endpoint_new_webrtc(&webrtc, rig.house, &(struct webrtc_options){.user = &seen_user, .arg = &seen});
    if (!err)
        err = media_stream_new(&one, webrtc);
    if (!err)
        set_keys("AEAD_AES_128_GCM", 28);
    mem_unref(one);
    mem_unref(webrtc);
    mem_unref(rtp);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    set_keys("AEAD_AES_128_GCM", 28);
    assert_int_equal(make_both(NULL), 0); /* what the house keeps: its tables */
    assert_true(oom_run(make_both, NULL) >= 4);
}

static void test_advertised_address_follows_the_destination(void **state)
{
    static char text_of[4][16] = {"10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "203.0.113.10"};
    struct conf_advertise rows[] = {{text_of[0], text_of[1]}, {text_of[2], text_of[3]}};
    struct conf *conf = rig.conf;
    struct addr out, local, towards;
    char text[ADDR_TEXT_MAX];
    struct conf_advertise *kept = conf->media.advertise;

    addr_parse(&local, SPAN("0.0.0.0"), 4000);
    addr_parse(&towards, SPAN("10.2.3.4"), 5060);
    conf->media.advertise = rows;
    conf->media.advertise_count = 2;
    media_advertised(&out, conf, &local, &towards);
    assert_string_equal(addr_text(&out, text), "10.0.0.1:4000");
    addr_parse(&towards, SPAN("198.51.100.1"), 5060);
    media_advertised(&out, conf, &local, &towards);
    assert_string_equal(addr_text(&out, text), "203.0.113.10:4000");
    conf->media.advertise = kept;
    conf->media.advertise_count = 0;
    addr_parse(&towards, SPAN("127.0.0.1"), 5060);
    media_advertised(&out, conf, &local, &towards);
    assert_string_equal(addr_text(&out, text), "127.0.0.1:4000");
    addr_parse(&local, SPAN("192.0.2.7"), 4000);
    media_advertised(&out, conf, &local, &towards);
    assert_string_equal(addr_text(&out, text), "192.0.2.7:4000");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_it_is_ready_from_the_start),
        EACH(test_nothing_is_taken_before_the_peer_is_signalled),
        EACH(test_nated_source_is_learned_and_answered),
        EACH(test_unknown_payload_type_cannot_move_the_source),
        EACH(test_locked_session_takes_only_the_signalled_address),
        EACH(test_new_signalled_address_is_followed),
        EACH(test_hold_address_is_not_sent_to),
        EACH(test_signalled_keys_protect_both_directions),
        EACH(test_what_its_packets_touch_follows_their_path),
        EACH(test_source_without_the_key_is_not_learned),
        EACH(test_keys_of_wrong_length_are_refused),
        EACH(test_rtcp_goes_to_the_next_port_without_mux),
        EACH(test_stop_gives_the_ports_back),
        EACH(test_no_port_left_is_busy),
        EACH(test_out_of_memory_leaves_nothing_behind),
        EACH(test_advertised_address_follows_the_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
