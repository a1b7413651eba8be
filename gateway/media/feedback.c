/* SPDX-License-Identifier: Apache-2.0 */
/* feedback.c: requests for whole pictures across a bridge: each side is asked in the words that it understands, about
 * its own SSRC. RFC 4585 section 6.3.1, RFC 5104 section 4.3.1. */
#include "media/feedback.h"

#include "base/clock.h"
#include "media/rtcp_report.h"

#define THROTTLE_US  200000
#define COMPOUND_MAX 256

void feedback_ask_keyframe(struct media_stream *stream)
{
    uint32_t media_ssrc = stream->quality.is_started ? stream->quality.ssrc : stream->config.peer_ssrc;
    uint64_t now_us = clock_now_us();
    uint8_t bytes[COMPOUND_MAX];
    struct rtcp_writer writer;

    if (!stream->config.is_video || !media_ssrc || !stream->endpoint || !stream->endpoint->can_send)
        return;
    if (!stream->config.has_pli && !stream->config.has_fir)
        return;
    if (stream->keyframe_asked_us && now_us - stream->keyframe_asked_us < THROTTLE_US)
        return;
    stream->keyframe_asked_us = now_us;
    rtcp_writer_init(&writer, bytes, sizeof(bytes));
    rtcp_report_write(stream, &writer, now_us);
    if (stream->config.has_pli)
        rtcp_write_pli(&writer, stream->out.ssrc_out, media_ssrc);
    else
        rtcp_write_fir(&writer, stream->out.ssrc_out, media_ssrc, stream->fir_command++);
    if (!writer.is_full)
        endpoint_send_rtcp(stream->endpoint, bytes, writer.len);
}

void feedback_receive(struct endpoint *endpoint, const struct rtcp_packet *packet)
{
    for (unsigned i = 0; i < endpoint->stream_count; i++) {
        struct media_stream *stream = endpoint->streams[i];

        if (stream->bridged && rtcp_asks_keyframe(packet, stream->out.ssrc_out))
            feedback_ask_keyframe(stream->bridged);
    }
}
