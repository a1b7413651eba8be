/* SPDX-License-Identifier: Apache-2.0 */
/* A peer connection and an RTP session, bridged: what one side sends, the other one gets. */
#include "media_rig.h"

#include <string.h>

enum { CODEC_PCMU = 1, CODEC_OPUS, CODEC_EVENT8, CODEC_VP8 };

struct call {
    struct peer browser, phone;
    struct endpoint *webrtc, *rtp;
    struct media_stream *browser_stream, *phone_stream;
    struct seen seen;
};
static struct call call;

static const struct stream_config browser_audio = {
    .formats = {{.codec = CODEC_PCMU, .pt_in = 0, .pt_out = 0, .clock_hz = 8000},
                {.codec = CODEC_EVENT8, .pt_in = 126, .pt_out = 126, .clock_hz = 8000, .is_event = true}},
    .format_count = 2,
    .receives = true,
    .sends = true,
};
static const struct stream_config phone_audio = {
    .formats = {{.codec = CODEC_PCMU, .pt_in = 0, .pt_out = 0, .clock_hz = 8000},
                {.codec = CODEC_EVENT8, .pt_in = 101, .pt_out = 101, .clock_hz = 8000, .is_event = true}},
    .format_count = 2,
    .receives = true,
    .sends = true,
};

static void call_start(const struct stream_config *browser, const struct stream_config *phone)
{
    struct rtp_remote remote = {0};
    struct rtp_local local;

    memset(&call, 0, sizeof(call));
    rig_start("");
    peer_start(&call.browser);
    peer_start(&call.phone);
    assert_int_equal(
        endpoint_new_webrtc(&call.webrtc, rig.house, &(struct webrtc_options){.user = &seen_user, .arg = &call.seen}),
        0);
    assert_int_equal(
        endpoint_new_rtp(&call.rtp, rig.house, &(struct rtp_options){.user = &seen_user, .arg = &call.seen}), 0);
    assert_int_equal(media_stream_new(&call.browser_stream, call.webrtc), 0);
    assert_int_equal(media_stream_new(&call.phone_stream, call.rtp), 0);
    assert_int_equal(media_stream_set(call.browser_stream, browser), 0);
    assert_int_equal(media_stream_set(call.phone_stream, phone), 0);
    endpoint_rtp_local(call.rtp, &local);
    call.phone.gateway = local.rtp;
    remote.rtp = *udp_local(call.phone.udp);
    remote.has_rtcp_mux = true;
    assert_int_equal(endpoint_rtp_remote(call.rtp, &remote), 0);
    media_bridge(call.browser_stream, call.phone_stream);
    peer_connect(&call.browser, call.webrtc, false);
}

static void call_stop(void)
{
    mem_unref(call.browser_stream);
    mem_unref(call.phone_stream);
    mem_unref(call.webrtc);
    mem_unref(call.rtp);
    peer_stop(&call.browser);
    peer_stop(&call.phone);
    rig_stop();
}

static void test_audio_flows_both_ways(void **state)
{
    struct rtp rtp = {.pt = 0, .seq = 65534, .timestamp = 1000, .ssrc = 0x11111111};

    call_start(&browser_audio, &phone_audio);
    for (unsigned i = 0; i < 5; i++, rtp.seq++, rtp.timestamp += 160) {
        peer_send_rtp(&call.browser, &rtp, 160);
        rig_until(call.phone.rtp_count == i + 1);
    }
    assert_int_equal(call.phone.rtp.payload_bytes, 160);
    assert_int_equal(call.phone.payload[0], 2);
    assert_int_equal(call.phone.rtp.ssrc, media_stream_ssrc(call.phone_stream));
    for (unsigned i = 0; i < 5; i++, rtp.seq++, rtp.timestamp += 160) {
        peer_send_rtp(&call.phone, &rtp, 160);
        rig_until(call.browser.rtp_count == i + 1);
    }
    assert_int_equal(call.browser.rtp.ssrc, media_stream_ssrc(call.browser_stream));
    assert_int_equal((uint16_t)(call.browser.log[4].seq - call.browser.log[0].seq), 4);
    assert_int_equal(call.browser.log[4].timestamp - call.browser.log[0].timestamp, 640);
    assert_int_equal(call.browser.unreadable_count, 0);
    call_stop();
}

/* ---- formats ---- */

static void test_each_side_gets_the_numbers_that_it_asked_for(void **state)
{
    /* The trunk answered with 96 and 101 changed round: cases/19. */
    struct stream_config browser = {
        .formats = {{.codec = CODEC_OPUS, .pt_in = 111, .pt_out = 111, .clock_hz = 48000},
                    {.codec = CODEC_EVENT8, .pt_in = 126, .pt_out = 126, .clock_hz = 8000, .is_event = true}},
        .format_count = 2,
        .receives = true,
        .sends = true,
    };
    struct stream_config phone = {
        .formats = {{.codec = CODEC_OPUS, .pt_in = 96, .pt_out = 101, .clock_hz = 48000},
                    {.codec = CODEC_EVENT8, .pt_in = 101, .pt_out = 96, .clock_hz = 8000, .is_event = true}},
        .format_count = 2,
        .receives = true,
        .sends = true,
    };
    struct rtp rtp = {.pt = 111, .seq = 1, .ssrc = 5};

    call_start(&browser, &phone);
    peer_send_rtp(&call.browser, &rtp, 40);
    rtp.seq++;
    rtp.pt = 126;
    peer_send_rtp(&call.browser, &rtp, 4);
    rig_until(call.phone.rtp_count == 2);
    assert_int_equal(call.phone.log[0].pt, 101);
    assert_int_equal(call.phone.log[1].pt, 96);
    rtp.pt = 96;
    peer_send_rtp(&call.phone, &rtp, 40);
    rtp.seq++;
    rtp.pt = 101;
    peer_send_rtp(&call.phone, &rtp, 4);
    rig_until(call.browser.rtp_count == 2);
    assert_int_equal(call.browser.log[0].pt, 111);
    assert_int_equal(call.browser.log[1].pt, 126);
    call_stop();
}

static void test_format_of_one_side_alone_ends_at_the_bridge(void **state)
{
    struct stream_config phone = phone_audio;

    phone.format_count = 1; /* no telephone-event */
    call_start(&browser_audio, &phone);
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 126, .seq = 1, .ssrc = 5}, 4);
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 0, .seq = 2, .ssrc = 5}, 160);
    rig_until(call.phone.rtp_count == 1);
    assert_int_equal(call.phone.rtp.pt, 0);
    call_stop();
}

static void test_key_press_arrives_as_one_event(void **state)
{
    struct rtp rtp = {.seq = 1, .timestamp = 1000, .ssrc = 5};
    struct stream_stats stats;

    call_start(&browser_audio, &phone_audio);
    peer_send_rtp(&call.browser, &rtp, 160);
    rtp.pt = 126;
    rtp.timestamp += 160;
    rtp.marker = true;
    for (unsigned i = 0; i < 5; i++) {
        rtp.seq++;
        peer_send_rtp(&call.browser, &rtp, 4);
        rtp.marker = false;
    }
    rig_until(call.phone.rtp_count == 6);
    for (unsigned i = 1; i < 6; i++) {
        assert_int_equal(call.phone.log[i].pt, 101);
        assert_int_equal(call.phone.log[i].timestamp - call.phone.log[0].timestamp, 160);
        assert_int_equal(call.phone.log[i].marker, i == 1);
        assert_int_equal((uint16_t)(call.phone.log[i].seq - call.phone.log[0].seq), i);
    }
    media_stream_stats(call.browser_stream, &stats);
    assert_int_equal(stats.events_in, 1);
    assert_int_equal(stats.pt_in, 0);
    call_stop();
}

/* ---- changes ---- */

static void test_change_of_the_source_is_seamless(void **state)
{
    call_start(&browser_audio, &phone_audio);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 10, .timestamp = 100, .ssrc = 5}, 160);
    rig_until(call.browser.rtp_count == 1);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 40000, .timestamp = 0x90000000, .ssrc = 6}, 160);
    rig_until(call.browser.rtp_count == 2);
    assert_int_equal(call.browser.rtp.ssrc, media_stream_ssrc(call.browser_stream));
    assert_int_equal((uint16_t)(call.browser.log[1].seq - call.browser.log[0].seq), 1);
    assert_in_range(call.browser.log[1].timestamp - call.browser.log[0].timestamp, 1, 8000);
    call_stop();
}

static void test_hold_stops_packets_but_not_the_counting(void **state)
{
    struct stream_config held = phone_audio;
    struct stream_stats stats;
    struct rtp rtp = {.seq = 1, .ssrc = 5};

    call_start(&browser_audio, &phone_audio);
    peer_send_rtp(&call.browser, &rtp, 160);
    rig_until(call.phone.rtp_count == 1);
    held.sends = false;
    assert_int_equal(media_stream_set(call.phone_stream, &held), 0);
    for (unsigned i = 0; i < 10; i++) {
        rtp.seq++;
        peer_send_rtp(&call.browser, &rtp, 160);
    }
    rig_settle();
    assert_int_equal(call.phone.rtp_count, 1);
    media_stream_stats(call.browser_stream, &stats);
    assert_int_equal(stats.packets_in, 11);
    media_stream_set(call.phone_stream, &phone_audio);
    rtp.seq++;
    peer_send_rtp(&call.browser, &rtp, 160);
    rig_until(call.phone.rtp_count == 2);
    assert_int_equal((uint16_t)(call.phone.log[1].seq - call.phone.log[0].seq), 1);
    call_stop();
}

static void test_without_a_bridge_nothing_flows(void **state)
{
    call_start(&browser_audio, &phone_audio);
    media_bridge(call.browser_stream, NULL);
    peer_send_rtp(&call.browser, &(struct rtp){.seq = 1, .ssrc = 5}, 160);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 1, .ssrc = 5}, 160);
    rig_settle();
    assert_int_equal(call.phone.rtp_count + call.browser.rtp_count, 0);
    media_bridge(call.phone_stream, call.browser_stream);
    media_bridge(call.browser_stream, call.phone_stream);
    peer_send_rtp(&call.browser, &(struct rtp){.seq = 2, .ssrc = 5}, 160);
    rig_until(call.phone.rtp_count == 1);
    call_stop();
}

static void test_stream_bridged_with_itself_is_an_echo(void **state)
{
    call_start(&browser_audio, &phone_audio);
    media_bridge(call.browser_stream, call.browser_stream);
    peer_send_rtp(&call.browser, &(struct rtp){.seq = 1, .ssrc = 5}, 160);
    rig_until(call.browser.rtp_count == 1);
    assert_int_equal(call.browser.rtp.payload_bytes, 160);
    call_stop();
}

static void test_header_extensions_end_at_the_bridge(void **state)
{
    uint8_t bytes[] = {0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0xbe, 0xde, 0, 1, 0x12, 'a', 'b', 'c', 'x', 'y'};

    call_start(&browser_audio, &phone_audio);
    peer_send(&call.phone, bytes, sizeof(bytes));
    rig_until(call.browser.rtp_count == 1);
    assert_int_equal(call.browser.rtp.header_bytes, 12);
    assert_int_equal(call.browser.rtp.payload_bytes, 2);
    assert_memory_equal(call.browser.payload, "xy", 2);
    call_stop();
}

/* ---- RTCP ---- */

static struct rtcp_packet first_part(const struct peer *peer)
{
    struct span rest = span_make(peer->rtcp, peer->rtcp_bytes);
    struct rtcp_packet packet;

    assert_true(rtcp_next(&rest, &packet));
    return packet;
}

static void test_reports_go_out_on_both_sides(void **state)
{
    struct rtcp_sender_info info;
    struct rtcp_packet packet;
    struct rtcp_report report;

    call_start(&browser_audio, &phone_audio);
    clock_set_test(clock_now_us());
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 1, .timestamp = 0, .ssrc = 5}, 160);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 3, .timestamp = 320, .ssrc = 5}, 160);
    rig_until(call.browser.rtp_count == 2);
    assert_int_equal(call.browser.rtcp_count, 0);
    rig_leap(2600);
    rig_until(call.browser.rtcp_count == 1 && call.phone.rtcp_count == 1);
    packet = first_part(&call.browser);
    assert_int_equal(packet.type, RTCP_SR);
    rtcp_read_sender_info(&info, &packet);
    assert_int_equal(info.ssrc, media_stream_ssrc(call.browser_stream));
    assert_int_equal(info.packets, 2);
    assert_int_equal(info.bytes, 320);
    assert_in_range(info.timestamp - call.browser.rtp.timestamp, 8 * 2500, 8 * 2700); /* on the packets' line */
    packet = first_part(&call.phone);
    assert_int_equal(packet.type, RTCP_RR);
    assert_int_equal(packet.count, 1);
    rtcp_read_report(&report, &packet, 0);
    assert_int_equal(report.ssrc, 5);
    assert_int_equal(report.lost, 1);
    assert_int_equal(report.highest_seq, 3);
    call_stop();
}

static void test_reports_of_the_peer_give_loss_jitter_and_round_trip(void **state)
{
    uint8_t bytes[200];
    struct rtcp_writer writer;
    struct stream_stats stats;
    struct rtcp_packet packet;
    struct rtcp_sender_info info;

    call_start(&browser_audio, &phone_audio);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 1, .timestamp = 0, .ssrc = 5}, 160);
    rig_until(call.browser.rtp_count == 1);
    rig_leap(2600);
    rig_until(call.browser.rtcp_count == 1);
    packet = first_part(&call.browser);
    rtcp_read_sender_info(&info, &packet);
    rtcp_writer_init(&writer, bytes, sizeof(bytes));
    rtcp_write_rr(&writer, 5,
                  &(struct rtcp_report){.ssrc = info.ssrc,
                                        .lost = 3,
                                        .jitter = 80,
                                        .lsr = (uint32_t)(info.ntp >> 16) - 65536 / 10, /* 100 ms before */
                                        .dlsr = 0});
    peer_send_rtcp(&call.browser, bytes, writer.len);
    rig_settle();
    media_stream_stats(call.browser_stream, &stats);
    assert_int_equal(stats.lost_out, 3);
    assert_int_equal(stats.jitter_out_us, 10000);
    assert_in_range(stats.rtt_us, 99000, 5000000);
    call_stop();
}

static void test_bye_is_sent_at_the_end(void **state)
{
    call_start(&browser_audio, &phone_audio);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 1, .ssrc = 5}, 160);
    peer_send_rtp(&call.browser, &(struct rtp){.seq = 1, .ssrc = 5}, 160);
    rig_until(call.browser.rtp_count == 1 && call.phone.rtp_count == 1);
    endpoint_stop(call.webrtc);
    endpoint_stop(call.rtp);
    rig_until(call.browser.saw_bye && call.phone.saw_bye);
    call_stop();
}

/* ---- video ---- */

static const struct stream_config video = {
    .formats = {{.codec = CODEC_VP8, .pt_in = 96, .pt_out = 96, .clock_hz = 90000}},
    .format_count = 1,
    .receives = true,
    .sends = true,
    .is_video = true,
    .has_pli = true,
};

static void ask_keyframe(struct peer *peer, uint32_t media_ssrc, bool is_fir)
{
    uint8_t bytes[100];
    struct rtcp_writer writer;

    rtcp_writer_init(&writer, bytes, sizeof(bytes));
    rtcp_write_rr(&writer, 5, NULL);
    if (is_fir)
        rtcp_write_fir(&writer, 5, media_ssrc, 1);
    else
        rtcp_write_pli(&writer, 5, media_ssrc);
    peer_send_rtcp(peer, bytes, writer.len);
}

static void test_picture_request_reaches_the_other_side_about_its_own_source(void **state)
{
    call_start(&video, &video);
    clock_set_test(clock_now_us());
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 96, .seq = 1, .ssrc = 0xb0b}, 500);
    rig_until(call.phone.rtp_count == 1 && call.browser.pli_count == 1); /* a new source is asked at once */
    assert_int_equal(call.browser.pli_ssrc, 0xb0b);
    ask_keyframe(&call.phone, media_stream_ssrc(call.phone_stream), false);
    rig_settle();
    assert_int_equal(call.browser.pli_count, 1); /* within 200 ms: the one before will do */
    rig_leap(250);
    ask_keyframe(&call.phone, 12345, false);
    rig_settle();
    assert_int_equal(call.browser.pli_count, 1); /* about somebody else's source */
    ask_keyframe(&call.phone, media_stream_ssrc(call.phone_stream), false);
    rig_until(call.browser.pli_count == 2);
    rig_leap(250);
    ask_keyframe(&call.phone, media_stream_ssrc(call.phone_stream), true);
    rig_until(call.browser.pli_count == 3); /* FIR in, PLI out */
    call_stop();
}

static void test_peer_without_pli_is_asked_by_fir(void **state)
{
    struct stream_config phone = video;

    phone.has_pli = false;
    phone.has_fir = true;
    call_start(&video, &phone);
    peer_send_rtp(&call.phone, &(struct rtp){.pt = 96, .seq = 1, .ssrc = 0xcafe}, 500);
    rig_until(call.phone.fir_count == 1);
    assert_int_equal(call.phone.pli_ssrc, 0xcafe);
    assert_int_equal(call.phone.pli_count, 0);
    call_stop();
}

static void test_bundled_streams_are_told_apart(void **state)
{
    struct stream_config audio = browser_audio, picture = video;
    struct media_stream *second;
    struct stream_stats stats;

    call_start(&audio, &phone_audio);
    assert_int_equal(media_stream_new(&second, call.webrtc), 0);
    picture.peer_ssrc = 77;
    assert_int_equal(media_stream_set(second, &picture), 0);
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 96, .seq = 1, .ssrc = 77}, 500);
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 0, .seq = 1, .ssrc = 78}, 160);
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 96, .seq = 1, .ssrc = 79}, 500); /* by its payload type */
    rig_until(call.phone.rtp_count == 1);
    media_stream_stats(second, &stats);
    assert_int_equal(stats.packets_in, 2);
    media_stream_stats(call.browser_stream, &stats);
    assert_int_equal(stats.packets_in, 1);
    mem_unref(second);
    peer_send_rtp(&call.browser, &(struct rtp){.pt = 96, .seq = 2, .ssrc = 77}, 500);
    rig_settle();
    call_stop();
}

static void test_stream_may_outlive_its_endpoint(void **state)
{
    struct stream_stats stats;

    call_start(&browser_audio, &phone_audio);
    call.webrtc = mem_unref(call.webrtc);
    peer_send_rtp(&call.phone, &(struct rtp){.seq = 1, .ssrc = 5}, 160);
    rig_settle();
    media_stream_stats(call.phone_stream, &stats);
    assert_int_equal(stats.packets_in, 1);
    call_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audio_flows_both_ways),
        cmocka_unit_test(test_each_side_gets_the_numbers_that_it_asked_for),
        cmocka_unit_test(test_format_of_one_side_alone_ends_at_the_bridge),
        cmocka_unit_test(test_key_press_arrives_as_one_event),
        cmocka_unit_test(test_change_of_the_source_is_seamless),
        cmocka_unit_test(test_hold_stops_packets_but_not_the_counting),
        cmocka_unit_test(test_without_a_bridge_nothing_flows),
        cmocka_unit_test(test_stream_bridged_with_itself_is_an_echo),
        cmocka_unit_test(test_header_extensions_end_at_the_bridge),
        cmocka_unit_test(test_reports_go_out_on_both_sides),
        cmocka_unit_test(test_reports_of_the_peer_give_loss_jitter_and_round_trip),
        cmocka_unit_test(test_bye_is_sent_at_the_end),
        cmocka_unit_test(test_picture_request_reaches_the_other_side_about_its_own_source),
        cmocka_unit_test(test_peer_without_pli_is_asked_by_fir),
        cmocka_unit_test(test_bundled_streams_are_told_apart),
        cmocka_unit_test(test_stream_may_outlive_its_endpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
