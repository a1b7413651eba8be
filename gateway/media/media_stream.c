/* SPDX-License-Identifier: Apache-2.0 */
/* media_stream.c: one m-line of a leg: its formats, its counts, and the bridge between two of them. Knows no packets'
 * way: path.c does. */
#include "media/media_stream.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "media/feedback.h"
#include "media/rtcp_report.h"
#include "media/stream_inside.h"

#define WARM_FORMATS 2 /* what is talked with stands first, or behind what was preferred to it */

/* ---- the bridge ---- */

static void rebuild(struct media_stream *stream)
{
    path_build(&stream->path, stream, stream->bridged);
    if (stream->endpoint && !stream->endpoint->is_stopped)
        endpoint_plan_warm(stream->endpoint);
}

void stream_rebuild(struct media_stream *stream)
{
    rebuild(stream);
    if (stream->bridged && stream->bridged != stream)
        rebuild(stream->bridged);
}

static void unbridge(struct media_stream *stream)
{
    struct media_stream *other = stream->bridged;

    if (!other)
        return;
    stream->bridged = other->bridged = NULL;
    stream_rebuild(stream);
    stream_rebuild(other);
}

static void tell_bridged(struct media_stream *stream)
{
    struct endpoint *endpoint = stream->endpoint;

    if (endpoint && !endpoint->is_stopped && endpoint->kind->on_bridged)
        endpoint->kind->on_bridged(endpoint);
}

void media_bridge(struct media_stream *left, struct media_stream *right)
{
    if (left && right) {
        tell_bridged(left);
        tell_bridged(right);
    }
    if (left && right && left->bridged == right)
        return;
    if (left)
        unbridge(left);
    if (right)
        unbridge(right);
    if (!left || !right)
        return;
    left->bridged = right;
    right->bridged = left;
    stream_rebuild(left);
    feedback_ask_keyframe(left);
    if (left != right)
        feedback_ask_keyframe(right);
}

void stream_warm(const struct media_stream *stream, struct warm *warm)
{
    const struct media_stream *to = stream->path.step_count ? stream->path.to : NULL;

    warm_add(warm, stream, offsetof(struct media_stream, format_of_pt));
    for (unsigned i = 0; i < stream->config.format_count && i < WARM_FORMATS; i++) {
        warm_add(warm, &stream->config.formats[i], sizeof(stream->config.formats[i]));
        warm_add(warm, &stream->format_of_pt[stream->config.formats[i].pt_in], 1);
    }
    if (!to)
        return;
    warm_add(warm, &to->out, offsetof(struct media_stream, packets_reported) - offsetof(struct media_stream, out));
    warm_add(warm, to->endpoint, offsetof(struct endpoint, last_rtp_us));
    if (to->endpoint->srtp)
        srtp_ctx_warm(to->endpoint->srtp, true, warm);
    to->endpoint->kind->warm_out(to->endpoint, warm);
}

/* ---- packets ---- */

void stream_count_in(struct media_stream *stream, const struct rtp *rtp, uint64_t arrived_us)
{
    const struct stream_format *format = &stream->config.formats[stream->format_of_pt[rtp->pt]];
    bool is_new_source = !stream->quality.is_started || stream->quality.ssrc != rtp->ssrc;

    quality_add(&stream->quality, rtp->ssrc, rtp->seq, rtp->timestamp, arrived_us, format->clock_hz);
    stream->packets_in++;
    stream->bytes_in += rtp->payload_bytes;
    stream->last_in_us = arrived_us;
    if (!stream->first_in_us)
        stream->first_in_us = arrived_us;
    if (!format->is_event) {
        stream->pt_in = rtp->pt;
    } else if (!stream->events_in || stream->event_timestamp != rtp->timestamp) {
        stream->event_timestamp = rtp->timestamp;
        stream->events_in++;
    }
    if (is_new_source) {
        stream->sr_ntp = 0;
        stream->keyframe_asked_us = 0; /* that was another source */
        feedback_ask_keyframe(stream);
    }
}

void stream_run(struct endpoint *endpoint, struct media_stream *stream, struct pkt **pkts, unsigned n)
{
    if (stream && stream->path.step_count) {
        path_run(&stream->path, pkts, n);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        pkt_put(endpoint->house->pool, pkts[i]);
}

void stream_cut(struct media_stream *stream)
{
    if (stream->path.step_count)
        rewrite_cut(&stream->path.to->out);
}

/* ---- birth, change, end ---- */

static void stream_destroy(void *self)
{
    struct media_stream *stream = self;

    keys_stop(stream);
    player_stop(stream);
    unbridge(stream);
    if (!stream->endpoint)
        return;
    if (!stream->endpoint->is_stopped)
        rtcp_report_say_bye_of(stream);
    endpoint_remove_stream(stream->endpoint, stream);
}

int media_stream_new(struct media_stream **streamp, struct endpoint *endpoint)
{
    struct media_stream *stream = mem_new(sizeof(*stream), stream_destroy);
    int err;

    if (!stream)
        return -ENOMEM;
    memset(stream->format_of_pt, FORMAT_NONE, sizeof(stream->format_of_pt));
    rewrite_init(&stream->out);
    err = endpoint_add_stream(endpoint, stream);
    if (err) {
        mem_unref(stream);
        return err;
    }
    stream->endpoint = endpoint;
    *streamp = stream;
    return 0;
}

int media_stream_set(struct media_stream *stream, const struct stream_config *config)
{
    if (config->format_count > STREAM_FORMAT_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < config->format_count; i++)
        if (config->formats[i].pt_in > 127 || config->formats[i].pt_out > 127 || !config->formats[i].clock_hz)
            return -EINVAL;
    stream->config = *config;
    memset(stream->format_of_pt, FORMAT_NONE, sizeof(stream->format_of_pt));
    for (unsigned i = config->format_count; i-- > 0;) /* the first wins where two have one number */
        stream->format_of_pt[config->formats[i].pt_in] = (uint8_t)i;
    stream_rebuild(stream);
    return 0;
}

uint32_t media_stream_ssrc(const struct media_stream *stream)
{
    return stream->out.ssrc_out;
}

void media_stream_stats(const struct media_stream *stream, struct stream_stats *out)
{
    uint32_t clock_hz = stream->out.clock_hz;

    *out = (struct stream_stats){
        .packets_in = stream->packets_in,
        .bytes_in = stream->bytes_in,
        .packets_out = stream->packets_out,
        .bytes_out = stream->bytes_out,
        .lost_in = quality_lost(&stream->quality),
        .jitter_in_us = quality_jitter_us(&stream->quality),
        .lost_out = stream->lost_out,
        .jitter_out_us = clock_hz ? (uint32_t)((uint64_t)stream->jitter_out * 1000000 / clock_hz) : 0,
        .rtt_us = stream->rtt_us,
        .dropped_pt = stream->dropped_pt,
        .events_in = stream->events_in,
        .first_in_us = stream->first_in_us,
        .last_in_us = stream->last_in_us,
        .ssrc_in = stream->quality.ssrc,
        .ssrc_out = stream->out.ssrc_out,
        .pt_in = stream->pt_in,
    };
}
