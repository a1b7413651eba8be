/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp_report.c: sender and receiver reports of our own on a timer, loss, jitter and round trip time from the peer's.
 * RFC 3550 section 6.2 to 6.4. Feedback messages are feedback.c's job. */
#include "media/rtcp_report.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/worker.h"
#include "media/feedback.h"

#define INTERVAL_MS  5000
#define COMPOUND_MAX 256
#define NTP_OFFSET_S 2208988800u /* 1900 to 1970 */

static uint64_t ntp_now(void)
{
    uint64_t wall_us = clock_wall_us();
    uint64_t seconds = wall_us / 1000000 + NTP_OFFSET_S;

    return seconds << 32 | (wall_us % 1000000 << 32) / 1000000;
}

/* ---- out ---- */

static bool write_block(struct media_stream *stream, struct rtcp_report *report, uint64_t now_us)
{
    if (!stream->quality.is_started)
        return false;
    *report = (struct rtcp_report){0};
    quality_report(&stream->quality, report);
    if (stream->sr_ntp) {
        report->lsr = stream->sr_ntp;
        report->dlsr = (uint32_t)((now_us - stream->sr_us) * 65536 / 1000000);
    }
    return true;
}

void rtcp_report_write(struct media_stream *stream, struct rtcp_writer *writer, uint64_t now_us)
{
    struct rtcp_report report;
    bool has_block = write_block(stream, &report, now_us);
    struct rtcp_sender_info info = {
        .ssrc = stream->out.ssrc_out,
        .ntp = ntp_now(),
        .timestamp = rewrite_timestamp_at(&stream->out, now_us),
        .packets = (uint32_t)stream->packets_out,
        .bytes = (uint32_t)stream->bytes_out,
    };

    if (stream->packets_out != stream->packets_reported)
        rtcp_write_sr(writer, &info, has_block ? &report : NULL);
    else
        rtcp_write_rr(writer, stream->out.ssrc_out, has_block ? &report : NULL);
    rtcp_write_cname(writer, stream->out.ssrc_out, span_of(stream->endpoint->cname));
}

static void send_report(struct media_stream *stream)
{
    uint8_t bytes[COMPOUND_MAX];
    struct rtcp_writer writer;

    rtcp_writer_init(&writer, bytes, sizeof(bytes));
    rtcp_report_write(stream, &writer, clock_now_us());
    stream->packets_reported = stream->packets_out;
    if (!writer.is_full)
        endpoint_send_rtcp(stream->endpoint, bytes, writer.len);
}

static void on_timer(void *arg)
{
    struct endpoint *endpoint = arg;

    for (unsigned i = 0; endpoint->can_send && i < endpoint->stream_count; i++)
        send_report(endpoint->streams[i]);
    worker_timer(&endpoint->rtcp_timer, INTERVAL_MS / 2 + rand_u32() % INTERVAL_MS, on_timer, endpoint);
}

void rtcp_report_start(struct endpoint *endpoint)
{
    worker_timer(&endpoint->rtcp_timer, INTERVAL_MS / 2, on_timer, endpoint);
}

void rtcp_report_say_bye_of(struct media_stream *stream)
{
    uint8_t bytes[COMPOUND_MAX];
    struct rtcp_writer writer;

    if (!stream->packets_out || !stream->endpoint->can_send)
        return; /* nobody has heard of us: RFC 3550 6.3.7 */
    rtcp_writer_init(&writer, bytes, sizeof(bytes));
    rtcp_report_write(stream, &writer, clock_now_us());
    rtcp_write_bye(&writer, stream->out.ssrc_out);
    if (!writer.is_full)
        endpoint_send_rtcp(stream->endpoint, bytes, writer.len);
}

void rtcp_report_say_bye(struct endpoint *endpoint)
{
    for (unsigned i = 0; i < endpoint->stream_count; i++)
        rtcp_report_say_bye_of(endpoint->streams[i]);
}

/* ---- in ---- */

static void take_sender_info(struct endpoint *endpoint, const struct rtcp_packet *sr, uint64_t now_us)
{
    struct rtcp_sender_info info;

    rtcp_read_sender_info(&info, sr);
    for (unsigned i = 0; i < endpoint->stream_count; i++) {
        struct media_stream *stream = endpoint->streams[i];

        if (!stream->quality.is_started || stream->quality.ssrc != info.ssrc)
            continue;
        stream->sr_ntp = (uint32_t)(info.ntp >> 16);
        stream->sr_us = now_us;
    }
}

static void take_block(struct media_stream *stream, const struct rtcp_report *report)
{
    uint32_t rtt;

    stream->lost_out = report->lost > 0 ? (uint32_t)report->lost : 0;
    stream->jitter_out = report->jitter;
    if (!report->lsr)
        return;
    rtt = (uint32_t)(ntp_now() >> 16) - report->lsr - report->dlsr;
    if (rtt < 60u * 65536) /* more, or below zero, is a clock that was set */
        stream->rtt_us = (uint32_t)((uint64_t)rtt * 1000000 / 65536);
}

static void take_blocks(struct endpoint *endpoint, const struct rtcp_packet *packet)
{
    struct rtcp_report report;

    for (unsigned i = 0; i < packet->count; i++) {
        rtcp_read_report(&report, packet, i);
        for (unsigned j = 0; j < endpoint->stream_count; j++)
            if (endpoint->streams[j]->out.ssrc_out == report.ssrc)
                take_block(endpoint->streams[j], &report);
    }
}

void rtcp_report_receive(struct endpoint *endpoint, struct span compound, uint64_t now_us)
{
    struct rtcp_packet packet;

    while (rtcp_next(&compound, &packet)) {
        if (packet.type == RTCP_SR)
            take_sender_info(endpoint, &packet, now_us);
        if (packet.type == RTCP_SR || packet.type == RTCP_RR)
            take_blocks(endpoint, &packet);
        else if (packet.type == RTCP_PSFB)
            feedback_receive(endpoint, &packet);
    }
}
