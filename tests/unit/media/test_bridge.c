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
    assert_int_equal(endpoint_new_webrtc(&call.webrtc, rig.house,
                                         &(struct webrtc_options){.user = &seen_user, .arg = &call.seen}),
                     0);
    assert_int_equal(endpoint_new_rtp(&call.rtp, rig.house, &(struct rtp_options){.user = &seen_user, .arg = &call.seen}), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audio_flows_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
