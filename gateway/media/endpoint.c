/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c: what both kinds of endpoint share: state and notices to the user, the list of streams, and the way of a
 * proved packet to its stream. Knows neither ICE nor DTLS nor sockets: endpoint_webrtc.c and endpoint_rtp.c do. */
#include "media/endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/rand.h"
#include "base/stats.h"
#include "base/worker.h"
#include "media/endpoint_inside.h"
#include "media/rtcp_report.h"
#include "media/stream_inside.h"

/* ---- notices ---- */

static void on_notices(void *arg)
{
    struct endpoint *endpoint = mem_ref(arg);
    struct notice notices[NOTICE_MAX];
    unsigned n = endpoint->notice_count;

    memcpy(notices, endpoint->notices, n * sizeof(notices[0]));
    endpoint->notice_count = 0;
    for (unsigned i = 0; i < n && !endpoint->is_stopped; i++) {
        if (notices[i].is_key && endpoint->user->on_key)
            endpoint->user->on_key(endpoint, notices[i].key, notices[i].duration_ms, endpoint->arg);
        else if (notices[i].is_event && !notices[i].is_key && endpoint->user->on_event)
            endpoint->user->on_event(endpoint, notices[i].text, endpoint->arg);
        else if (!notices[i].is_event && endpoint->user->on_state)
            endpoint->user->on_state(endpoint, notices[i].state, notices[i].text, endpoint->arg);
    }
    mem_unref(endpoint);
}

/* A slot for a notice; NULL when there is none left. States always find one: there are at most four in a turn. */
static struct notice *add_notice(struct endpoint *endpoint, bool is_event)
{
    struct notice *notice;

    if (!endpoint->user || endpoint->is_stopped || endpoint->notice_count >= NOTICE_MAX - (is_event ? 4u : 0u))
        return NULL;
    notice = &endpoint->notices[endpoint->notice_count++];
    notice->is_event = is_event;
    notice->is_key = false;
    notice->text[0] = '\0';
    if (!timer_is_running(&endpoint->notice_timer))
        worker_timer(&endpoint->notice_timer, 0, on_notices, endpoint);
    return notice;
}

void endpoint_tell_key(struct endpoint *endpoint, unsigned event, unsigned duration_ms)
{
    struct notice *notice = add_notice(endpoint, true);

    if (!notice)
        return;
    notice->is_key = true;
    notice->key = (uint8_t)event;
    notice->duration_ms = duration_ms;
}

void endpoint_tell(struct endpoint *endpoint, const char *format, ...)
{
    struct notice *notice;
    va_list args;

    if (endpoint->event_count >= EVENT_MAX)
        return;
    notice = add_notice(endpoint, true);
    if (!notice)
        return;
    endpoint->event_count++;
    va_start(args, format);
    print_args_into(notice->text, sizeof(notice->text), format, args);
    va_end(args);
}

void endpoint_set_state(struct endpoint *endpoint, enum endpoint_state state, const char *why)
{
    struct notice *notice;

    if (endpoint->state == state || endpoint->state == ENDPOINT_FAILED)
        return;
    endpoint->state = state;
    if (state == ENDPOINT_CHECKED && !endpoint->times.checked_us)
        endpoint->times.checked_us = clock_now_us();
    if (state == ENDPOINT_READY && !endpoint->times.ready_us)
        endpoint->times.ready_us = clock_now_us();
    notice = add_notice(endpoint, false);
    if (!notice)
        return;
    notice->state = state;
    print_into(notice->text, sizeof(notice->text), "%s", why);
}

/* ---- streams ---- */

static void rebuild_paths(struct endpoint *endpoint)
{
    for (unsigned i = 0; i < endpoint->stream_count; i++)
        stream_rebuild(endpoint->streams[i]);
}

void endpoint_set_sending(struct endpoint *endpoint, bool can_send)
{
    endpoint->can_send = can_send;
    rebuild_paths(endpoint);
}

int endpoint_add_stream(struct endpoint *endpoint, struct media_stream *stream)
{
    if (endpoint->stream_count >= endpoint->kind->stream_max)
        return -EBUSY;
    endpoint->streams[endpoint->stream_count++] = stream;
    return 0;
}

static void forget_sources(struct endpoint *endpoint, const struct media_stream *stream)
{
    for (unsigned i = 0; i < ENDPOINT_SOURCE_MAX; i++)
        if (endpoint->sources[i].stream == stream)
            endpoint->sources[i].stream = NULL;
}

void endpoint_remove_stream(struct endpoint *endpoint, struct media_stream *stream)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < endpoint->stream_count; i++)
        if (endpoint->streams[i] != stream)
            endpoint->streams[kept++] = endpoint->streams[i];
    endpoint->stream_count = kept;
    forget_sources(endpoint, stream);
}

/* Only the first stream's: those of video come in bursts, and find warm what the first of a burst has touched. */
void endpoint_plan_warm(struct endpoint *endpoint)
{
    struct warm *warm = &endpoint->warm;

    warm->count = 0;
    warm_add(warm, endpoint, offsetof(struct endpoint, sources[ENDPOINT_SOURCE_MAX / 2]));
    endpoint->kind->warm_in(endpoint, warm);
    if (endpoint->srtp)
        srtp_ctx_warm(endpoint->srtp, false, warm);
    if (endpoint->stream_count)
        stream_warm(endpoint->streams[0], warm);
}

/* ---- packets ---- */

static struct media_stream *find_source(const struct endpoint *endpoint, uint32_t ssrc)
{
    for (unsigned i = 0; i < ENDPOINT_SOURCE_MAX; i++)
        if (endpoint->sources[i].stream && endpoint->sources[i].ssrc == ssrc)
            return endpoint->sources[i].stream;
    return NULL;
}

/* RFC 8843 9.2: MID first, then what was signalled, then the payload type. */
static struct media_stream *guess_stream(const struct endpoint *endpoint, const struct rtp *rtp)
{
    for (unsigned i = 0; i < endpoint->stream_count && rtp->extension.n; i++) {
        const struct stream_config *config = &endpoint->streams[i]->config;
        struct span mid = config->mid_ext ? rtp_find_extension(rtp, config->mid_ext) : SPAN_NULL;

        if (mid.n && span_eq(mid, span_of(config->mid)))
            return endpoint->streams[i];
    }
    for (unsigned i = 0; i < endpoint->stream_count; i++)
        if (endpoint->streams[i]->config.peer_ssrc == rtp->ssrc)
            return endpoint->streams[i];
    for (unsigned i = 0; i < endpoint->stream_count; i++)
        if (stream_has_pt(endpoint->streams[i], rtp->pt))
            return endpoint->streams[i];
    return endpoint->stream_count ? endpoint->streams[0] : NULL;
}

struct media_stream *endpoint_sort(struct endpoint *endpoint, const struct rtp *rtp)
{
    struct media_stream *stream = find_source(endpoint, rtp->ssrc);
    bool is_known = stream != NULL;

    if (!stream)
        stream = guess_stream(endpoint, rtp);
    if (!stream || !stream_has_pt(stream, rtp->pt)) {
        stats_count(STAT_RTP_UNKNOWN_PT);
        if (stream)
            stream->dropped_pt++;
        return NULL;
    }
    if (!is_known) {
        endpoint->sources[endpoint->source_at].ssrc = rtp->ssrc;
        endpoint->sources[endpoint->source_at].stream = stream;
        endpoint->source_at = (endpoint->source_at + 1) % ENDPOINT_SOURCE_MAX;
    }
    return stream;
}

static struct media_stream *take_one(struct endpoint *endpoint, const struct pkt *pkt)
{
    struct media_stream *stream;
    struct rtp rtp;

    if (rtp_parse(&rtp, pkt->data, pkt->len)) {
        stats_count(STAT_RTP_MALFORMED);
        return NULL;
    }
    stream = endpoint_sort(endpoint, &rtp);
    if (stream)
        stream_count_in(stream, &rtp, pkt->arrived_us);
    if (stream && stream->config.tells_keys)
        keys_take(stream, &rtp, pkt->data + rtp.header_bytes);
    return stream;
}

/* Neighbours of one stream go along its path together. */
void endpoint_take_rtp(struct endpoint *endpoint, struct pkt **pkts, unsigned n)
{
    struct media_stream *run_of = NULL;
    unsigned run_at = 0, accepted = 0;

    for (unsigned i = 0; i < n; i++) {
        struct media_stream *stream = take_one(endpoint, pkts[i]);

        if (stream) {
            accepted++;
            endpoint->last_rtp_us = pkts[i]->arrived_us;
        }
        if (i && stream != run_of) {
            stream_run(endpoint, run_of, pkts + run_at, i - run_at);
            run_at = i;
        }
        run_of = stream;
    }
    if (n)
        stream_run(endpoint, run_of, pkts + run_at, n - run_at);
    if (accepted && !endpoint->times.first_rtp_us)
        endpoint->times.first_rtp_us = endpoint->last_rtp_us;
    stats_add(STAT_RTP_RECEIVED, accepted);
}

void endpoint_take_rtcp(struct endpoint *endpoint, const struct pkt *pkt)
{
    if (rtcp_check(pkt->data, pkt->len)) {
        stats_count(STAT_RTCP_MALFORMED);
        return;
    }
    rtcp_report_receive(endpoint, span_make(pkt->data, pkt->len), pkt->arrived_us);
}

void endpoint_send_rtcp(struct endpoint *endpoint, const void *bytes, size_t n)
{
    struct pkt *pkt;

    if (!endpoint->can_send || !n || n > PKT_DATA_MAX)
        return;
    pkt = pkt_get(endpoint->house->pool);
    if (!pkt)
        return;
    memcpy(pkt->data, bytes, n);
    pkt->len = (uint16_t)n;
    if (endpoint->srtp && srtp_ctx_protect_rtcp(endpoint->srtp, pkt))
        pkt_put(endpoint->house->pool, pkt);
    else
        endpoint->kind->send_rtcp(endpoint, pkt);
}

/* ---- birth and end ---- */

void endpoint_init(struct endpoint *endpoint, const struct endpoint_kind *kind, struct media_house *house,
                   const struct endpoint_user *user, void *arg)
{
    endpoint->kind = kind;
    endpoint->house = mem_ref(house);
    endpoint->user = user;
    endpoint->arg = arg;
    endpoint->times.made_us = clock_now_us();
    rand_text(endpoint->cname, CNAME_CHARS);
    rtcp_report_start(endpoint);
}

void endpoint_answered(struct endpoint *endpoint)
{
    if (!endpoint->is_stopped && endpoint->kind->on_answered)
        endpoint->kind->on_answered(endpoint);
}

void endpoint_stop(struct endpoint *endpoint)
{
    if (!endpoint || endpoint->is_stopped)
        return;
    rtcp_report_say_bye(endpoint);
    endpoint->is_stopped = true;
    endpoint_set_sending(endpoint, false);
    timer_stop(&endpoint->rtcp_timer);
    timer_stop(&endpoint->notice_timer);
    endpoint->kind->stop(endpoint);
}

void endpoint_free(struct endpoint *endpoint)
{
    if (endpoint->kind)
        endpoint_stop(endpoint);
    for (unsigned i = 0; i < endpoint->stream_count; i++)
        endpoint->streams[i]->endpoint = NULL;
    endpoint->stream_count = 0;
    mem_unref(endpoint->srtp);
    mem_unref(endpoint->house);
}

/* ---- looking at it ---- */

enum endpoint_state endpoint_state(const struct endpoint *endpoint)
{
    return endpoint->state;
}

uint64_t endpoint_last_rtp_us(const struct endpoint *endpoint)
{
    return endpoint->last_rtp_us;
}

void endpoint_times(const struct endpoint *endpoint, struct endpoint_times *out)
{
    *out = endpoint->times;
}

void endpoint_peer(const struct endpoint *endpoint, struct addr *out)
{
    *out = endpoint->peer;
}

const char *endpoint_suite(const struct endpoint *endpoint)
{
    return endpoint->srtp ? srtp_ctx_suite(endpoint->srtp) : "";
}

const char *endpoint_cname(const struct endpoint *endpoint)
{
    return endpoint->cname;
}
