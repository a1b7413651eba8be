/* SPDX-License-Identifier: Apache-2.0 */
/* cause_facts.c: collects the facts that cause.c judges: of the call, of its two legs, of their media. Reads, changes
 * nothing. Called when a call ends and when somebody asks; texts are written only where a rule can want them. */
#include "call/cause_facts.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "call/cause.h"
#include "call/leg_sip.h"

#define TEXT_BYTES 256

/* Where the texts of one leg's facts live while they are judged. */
struct leg_texts {
    char target[SIP_FLOW_TEXT_MAX];
    char contact_host[ADDR_TEXT_MAX], media_host[ADDR_TEXT_MAX], told[ADDR_TEXT_MAX];
    char our_contact[TEXT_BYTES], codecs[TEXT_BYTES];
};

static struct text fixed(char *buf)
{
    struct text text;

    text_init_fixed(&text, buf, TEXT_BYTES);
    return text;
}

/* Private, although the peer itself is seen at a public address. */
static bool is_private_behind(const struct addr *said, const struct addr *seen)
{
    return addr_is_set(said) && addr_is_private(said) && !addr_same_host(said, seen);
}

/* ---- one leg ---- */

static void add_dialog(struct cause_leg *facts, struct leg_texts *texts, const struct leg *leg)
{
    const struct dialog *dialog = invite_dialog(leg_sip_invite(leg));
    struct text contact = fixed(texts->our_contact);
    struct addr said;
    struct uri uri;

    sip_write_contact(&contact, dialog->stack, &dialog->flow, span_of(dialog->contact_user));
    if (!text_err(&contact)) {
        struct span line = span_trim(text_span(&contact));

        memmove(texts->our_contact, line.p, line.n);
        texts->our_contact[line.n] = '\0';
        facts->our_contact = texts->our_contact + strcspn(texts->our_contact, "<"); /* without "Contact: " */
    }
    if (uri_parse(&uri, span_of(dialog->target)) || addr_parse(&said, uri.host, 0))
        return;
    facts->contact_host = addr_host_text(&said, texts->contact_host);
    facts->is_contact_private = is_private_behind(&said, &dialog->flow.remote);
}

static void add_sip(struct cause_leg *facts, struct leg_texts *texts, const struct leg *leg)
{
    const struct sip_flow *flow = leg_sip_flow(leg);

    facts->trouble = leg_sip_is_lost(leg) ? LEG_LOST : leg->trouble;
    facts->status = leg->status;
    facts->reason = leg->reason;
    facts->has_rung = leg->has_rung;
    if (flow && (facts->trouble || !leg->is_answered))
        facts->target = sip_flow_text(flow, texts->target);
    if ((facts->trouble == LEG_NO_ACK || facts->trouble == LEG_NO_PRACK) && leg_sip_invite(leg))
        add_dialog(facts, texts, leg);
}

static void add_addresses(struct cause_leg *facts, struct leg_texts *texts, const struct leg *leg)
{
    const struct sip_flow *flow = leg_sip_flow(leg);
    struct addr addr;

    if (!leg_media_told_address(leg->media, &addr))
        facts->media_told = addr_text(&addr, texts->told);
    if (leg_media_peer_address(leg->media, &addr))
        return;
    facts->media_host = addr_host_text(&addr, texts->media_host);
    facts->is_media_private = flow && is_private_behind(&addr, &flow->remote);
}

static uint32_t silence_s(const struct call *call, const struct leg *leg, uint64_t now_us)
{
    uint64_t last_us = leg_media_last_rtp_us(leg->media);

    if (last_us < call->answered_us)
        last_us = call->answered_us;
    return last_us && now_us > last_us ? (uint32_t)((now_us - last_us) / 1000000) : 0;
}

static void add_media(struct cause_leg *facts, struct leg_texts *texts, const struct call *call, const struct leg *leg,
                      uint64_t now_us)
{
    struct endpoint *endpoint = leg_media_endpoint(leg->media);
    struct text codecs = fixed(texts->codecs);
    struct endpoint_times times = {0};
    struct stream_stats stats;

    leg_media_stats(leg->media, &stats);
    if (endpoint)
        endpoint_times(endpoint, &times);
    facts->is_checked = !leg_media_is_webrtc(leg->media) || times.checked_us;
    facts->is_ready = times.ready_us != 0;
    facts->expects_rtp = leg_media_expects_rtp(leg->media);
    facts->packets_in = stats.packets_in;
    facts->lost_in = stats.lost_in;
    facts->unknown_payload = stats.dropped_pt;
    facts->silent_s = silence_s(call, leg, now_us);
    if (!call->answered_us || stats.dropped_pt) {
        leg_media_write_codecs(leg->media, &codecs);
        facts->codecs = texts->codecs;
    }
    if (!stats.packets_in)
        add_addresses(facts, texts, leg);
}

static enum cause_peer peer_of(const struct leg *leg)
{
    if (leg->trunk)
        return CAUSE_TRUNK;
    return leg->media && leg_media_is_webrtc(leg->media) ? CAUSE_BROWSER : CAUSE_PHONE;
}

static void add_leg(struct cause_leg *facts, struct leg_texts *texts, const struct call *call, const struct leg *leg,
                    uint64_t now_us)
{
    texts->codecs[0] = texts->our_contact[0] = '\0';
    *facts = (struct cause_leg){.name = "",
                                .reason = "",
                                .target = "",
                                .contact_host = "",
                                .media_host = "",
                                .our_contact = "",
                                .username = "",
                                .codecs = "",
                                .media_why = "",
                                .media_told = ""};
    if (!leg)
        return;
    facts->is_there = true;
    facts->peer = peer_of(leg);
    facts->name = leg->trunk ? leg->trunk->conf->name : leg->account;
    facts->username = leg->trunk && leg->trunk->conf->username ? leg->trunk->conf->username : "";
    facts->media_why = leg->media_why;
    add_sip(facts, texts, leg);
    if (leg->media)
        add_media(facts, texts, call, leg, now_us);
}

/* ---- the call ---- */

/* The one that answered; of those that did not the one that has most to say: with trouble, else the last. */
static const struct leg *called_leg(const struct call *call)
{
    const struct leg *found = call->out;
    struct list *link, *tmp;

    if (found)
        return found;
    list_each (link, tmp, &((struct call *)call)->out_legs) {
        const struct leg *leg = container_of(link, struct leg, link);

        if (!found || !found->trouble || leg->trouble)
            found = leg;
    }
    return found;
}

static enum cause_end end_of(const struct call *call)
{
    if (call->state != CALL_OVER && !call->ended_us)
        return CAUSE_ALIVE;
    return !strcmp(call->ended_by, "caller")   ? CAUSE_BY_CALLER
           : !strcmp(call->ended_by, "callee") ? CAUSE_BY_CALLEE
                                               : CAUSE_BY_GATEWAY;
}

static uint32_t seconds(uint64_t from_us, uint64_t to_us)
{
    return from_us && to_us > from_us ? (uint32_t)((to_us - from_us) / 1000000) : 0;
}

const char *call_find_cause(const struct call *call, struct text *out)
{
    uint64_t now_us = call->ended_us ? call->ended_us : clock_now_us();
    const struct route_pick *pick = &call->pick;
    struct leg_texts in_texts, out_texts;
    struct cause_facts facts = {
        .stage = call->answered_us ? CAUSE_TALKING
                 : call->out_count ? CAUSE_RINGING
                                   : CAUSE_ROUTING,
        .end = end_of(call),
        .status = call->end_status,
        .why = call->why,
        .dialled = call->dialled,
        .number = pick->number,
        .callee = pick->account ? pick->account->name : "",
        .has_route = pick->account || pick->trunks,
        .devices = call->out_count,
        .ring_s = seconds(call->began_us, call->answered_us ? call->answered_us : now_us),
        .talk_s = seconds(call->answered_us, now_us),
        .reconnect_s = call->conf->sip.reconnect_s,
        .timeout_s = call->conf->media.timeout_s,
        .max_duration_s = call->max_duration_s,
    };

    add_leg(&facts.in, &in_texts, call, call->in, now_us);
    add_leg(&facts.out, &out_texts, call, called_leg(call), now_us);
    return cause_find(&facts, out);
}
