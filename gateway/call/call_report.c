/* SPDX-License-Identifier: Apache-2.0 */
/* call_report.c: what is told about a call: JSON for GET /calls, and its record (CDR). Reads, changes nothing. */
#include "base/clock.h"
#include "base/mem.h"
#include "call/call_private.h"
#include "call/cause_facts.h"
#include "call/leg_sip.h"
#include "media/mos.h"
#include "store/record.h"

static void field(struct text *out, const char *name, struct span value)
{
    text_addf(out, ", \"%s\": ", name);
    text_add_json(out, value);
}

static const char *direction(const struct call *call)
{
    if (call->in && call->in->trunk)
        return "in";
    return call->pick.trunks ? "out" : "internal";
}

static const char *route_name(const struct call *call)
{
    return call->pick.route && call->pick.route->name ? call->pick.route->name : "";
}

static void write_leg(struct text *out, const char *name, const struct leg *leg)
{
    struct stream_stats stats;
    char peer[ADDR_TEXT_MAX];
    struct addr addr = {0};

    if (!leg || !leg->media)
        return;
    leg_media_stats(leg->media, &stats);
    if (leg_media_endpoint(leg->media))
        endpoint_peer(leg_media_endpoint(leg->media), &addr);
    text_addf(out, ", \"%s\": {\"peer\": ", name);
    text_add_json(out, span_of(leg->peer));
    field(out, "account", span_of(leg->account));
    field(out, "trunk", span_of(leg->trunk ? leg->trunk->conf->name : ""));
    field(out, "codec", leg_media_codec(leg->media));
    field(out, "media", leg_media_is_webrtc(leg->media) ? SPAN("webrtc") : SPAN("rtp"));
    field(out, "suite", span_of(leg_media_endpoint(leg->media) ? endpoint_suite(leg_media_endpoint(leg->media)) : ""));
    field(out, "remote", span_of(addr_is_set(&addr) ? addr_text(&addr, peer) : ""));
    text_addf(
        out,
        ", \"status\": %u, \"received\": %llu, \"sent\": %llu, \"lost\": %llu, \"jitter_us\": %u, \"rtt_us\": %u, "
        "\"events\": %llu, \"unknown_payload\": %llu}",
        leg->status, (unsigned long long)stats.packets_in, (unsigned long long)stats.packets_out,
        (unsigned long long)stats.lost_in, stats.jitter_in_us, stats.rtt_us, (unsigned long long)stats.events_in,
        (unsigned long long)stats.dropped_pt);
}

static void write_cause(const struct call *call, struct text *out)
{
    const char *id = call->cause_id;
    struct text sentence;

    text_init(&sentence, 1024);
    if (call->cause_text)
        text_add_str(&sentence, call->cause_text);
    else if (call->state != CALL_OVER)
        id = call_find_cause(call, &sentence);
    field(out, "cause", span_of(id));
    field(out, "explanation", text_span(&sentence));
    text_free(&sentence);
}

static void write_head(const struct call *call, struct text *out)
{
    uint64_t now_us = call->ended_us ? call->ended_us : clock_now_us();

    text_add_str(out, "{\"id\": ");
    text_add_json(out, span_of(call->id));
    field(out, "state", span_of(call_state_name(call->state)));
    field(out, "caller", span_of(call->caller));
    field(out, "dialled", span_of(call->dialled));
    field(out, "route", span_of(call->route_text ? call->route_text : route_name(call)));
    text_addf(out, ", \"began\": %.3f, \"seconds\": %.3f, \"talk_seconds\": %.3f, \"status\": %u",
              (double)call->began_wall_us / 1e6, (double)(now_us - call->began_us) / 1e6,
              call->answered_us ? (double)(now_us - call->answered_us) / 1e6 : 0.0, call->end_status);
    field(out, "ended_by", span_of(call->ended_by));
    field(out, "why", span_of(call->why));
    write_cause(call, out);
}

static void write_legs(const struct call *call, struct text *out)
{
    write_leg(out, "in", call->in);
    write_leg(out, "out", call->out);
}

void call_keep_texts(struct call *call)
{
    const char *name = route_name(call);
    struct text out;

    text_init(&out, 8192);
    write_legs(call, &out);
    call->legs_text = text_take(&out);
    text_free(&out);
    call->route_text = mem_text(name, strlen(name));
}

void call_write_brief(const struct call *call, struct text *out)
{
    write_head(call, out);
    text_add_char(out, '}');
}

void call_write_full(const struct call *call, struct text *out)
{
    write_head(call, out);
    if (call->legs_text)
        text_add_str(out, call->legs_text);
    else
        write_legs(call, out);
    text_add_str(out, ", \"timeline\": ");
    timeline_write(call->timeline, out);
    text_add_char(out, '}');
}

/* ---- the record ---- */

#define SET(row, name, span) cdr_set((row).name, sizeof((row).name), span)

static uint64_t wall_ms(const struct call *call, uint64_t at_us)
{
    return at_us ? (call->began_wall_us + (at_us - call->began_us)) / 1000 : 0;
}

static const char *kind_name(const struct leg *leg)
{
    if (leg->trunk)
        return "trunk";
    return leg->media && leg_media_is_webrtc(leg->media) ? "browser" : "phone";
}

static unsigned score(const struct leg *leg, const struct stream_stats *stats)
{
    return mos_x100(&(struct mos_input){.codec = leg_media_codec(leg->media),
                                        .packet_count = stats->packets_in,
                                        .lost_count = stats->lost_in,
                                        .jitter_us = stats->jitter_in_us,
                                        .rtt_us = stats->rtt_us});
}

static void fill_media(struct cdr_leg *row, const struct leg *leg)
{
    struct stream_stats stats;

    leg_media_stats(leg->media, &stats);
    SET(*row, codec, leg_media_codec(leg->media));
    row->packet_count = stats.packets_in;
    row->lost_count = stats.lost_in;
    row->jitter_us = stats.jitter_in_us;
    row->sent_count = stats.packets_out;
    row->sent_lost_count = stats.lost_out;
    row->rtt_us = stats.rtt_us;
    row->mos_x100 = score(leg, &stats);
}

static void fill_leg(struct cdr_leg *row, const struct leg *leg)
{
    const struct sip_flow *flow = leg ? leg_sip_flow(leg) : NULL;
    char text[SIP_FLOW_TEXT_MAX];

    if (!leg)
        return;
    SET(*row, kind, span_of(kind_name(leg)));
    SET(*row, name, span_of(leg->trunk ? leg->trunk->conf->name : leg->account));
    SET(*row, peer, span_of(leg->peer));
    SET(*row, remote, span_of(flow ? sip_flow_text(flow, text) : ""));
    row->status = leg->status;
    if (leg->media)
        fill_media(row, leg);
}

/* Of a call that nobody answered: who was tried last. */
static const struct leg *last_leg(const struct call *call)
{
    return list_is_empty(&call->out_legs) ? NULL : container_of(call->out_legs.prev, struct leg, link);
}

void call_write_cdr(struct call *call)
{
    const struct conf_trunk *trunk = call->in && call->in->trunk ? call->in->trunk->conf : NULL;
    struct cdr_row row = {.status = call->end_status};

    if (!call->calls->record)
        return;
    if (call->pick.trunks && call->trunk_try.tried)
        trunk = conf_find_trunk(call->conf, span_of(call->pick.trunks->items[call->trunk_try.at]));
    row.started_ms = call->began_wall_us / 1000;
    row.answered_ms = wall_ms(call, call->answered_us);
    row.ended_ms = wall_ms(call, call->ended_us);
    SET(row, id, span_of(call->id));
    SET(row, caller, span_of(call->caller));
    SET(row, callee, span_of(call->dialled));
    SET(row, account,
        span_of(call->in && call->in->account[0] ? call->in->account
                : call->pick.account             ? call->pick.account->name
                                                 : ""));
    SET(row, trunk, span_of(trunk ? trunk->name : ""));
    SET(row, route, span_of(route_name(call)));
    SET(row, direction, span_of(direction(call)));
    SET(row, cause, span_of(call->cause_id[0] ? call->cause_text : call->why));
    SET(row, cause_id, span_of(call->cause_id));
    SET(row, ended_by, span_of(call->ended_by));
    fill_leg(&row.in, call->in);
    fill_leg(&row.out, call->out ? call->out : last_leg(call));
    record_cdr(call->calls->record, &row);
}
