/* SPDX-License-Identifier: Apache-2.0 */
/* check_call.c: one test call: is it taken, what does the answer agree on, and how does the media go. RFC 3261 13,
 * RFC 3264. It is hung up, or cancelled, whatever comes. What is measured: media_test.c; what that means:
 * judge_media.c.
 *
 *   CALLING --2xx--> MEASURING --time, BYE--> over        */
#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"
#include "media/srtp_ctx.h"
#include "probe/ask.h"
#include "probe/call_sdp.h"
#include "probe/judge_media.h"
#include "probe/words.h"
#include "sip/invite.h"

#define MEASURE_MS       4000
#define MEASURE_LEAST_MS 1000
#define UNWIND_MS        900 /* of the check's time: the last packets, the BYE */

struct call_state {
    struct probe *probe;
    struct invite *invite;
    struct media_test *media;
    struct call_sdp own;
    struct call_sdp_answer answer;
    struct sip_flow flow;
    struct timer ring_limit;
    uint64_t sent_us;
    double ringing_ms; /* 0: no ringing yet */
    bool is_answered, is_over;
};

static void call_state_destroy(void *self)
{
    struct call_state *state = self;

    timer_stop(&state->ring_limit);
    mem_unref(state->media);
    if (state->invite && !state->is_over)
        invite_end(state->invite, &(struct invite_end){.why = "the readiness check is over"});
    mem_unref(state->invite);
    mem_unref(state->answer.srtp);
    mem_wipe(&state->own.key, sizeof(state->own.key));
    mem_wipe(&state->own.key_text, sizeof(state->own.key_text));
}

static void fail(struct probe *probe, const char *how, const char *advice)
{
    report_add(probe->report, FINDING_FAIL, check_call.name, "%s", how);
    report_advise(probe->report, "%s", advice);
    probe_next(probe);
}

/* ---- what was agreed ---- */

static void report_dtmf(struct probe *probe, const struct call_sdp_answer *answer, const struct sip_msg *response)
{
    struct report *report = probe->report;
    bool lists_methods = sip_msg_header(response, SIP_H_ALLOW) != NULL;

    if (probe->trunk->dtmf == CONF_DTMF_RFC4733) {
        if (answer->events[0]) {
            report_add(report, FINDING_OK, "DTMF", "agreed as %s", answer->events);
            return;
        }
        report_add(report, FINDING_WARN, "DTMF", "the answer has no telephone-event: pressed digits will not arrive");
        report_advise(report, "ask the carrier how it takes digits, and set `dtmf: info` or `dtmf: inband`");
    } else if (probe->trunk->dtmf == CONF_DTMF_INFO) {
        if (!lists_methods || sip_msg_has_token(response, SIP_H_ALLOW, SPAN("INFO"))) {
            report_add(report, FINDING_OK, "DTMF", "by INFO, which the trunk %s",
                       lists_methods ? "allows" : "does not exclude");
            return;
        }
        report_add(report, FINDING_WARN, "DTMF", "`dtmf: info`, but the trunk's Allow has no INFO");
        report_advise(report, answer->events[0] ? "it takes telephone-event: set `dtmf: rfc4733`"
                                                : "ask the carrier how it takes digits");
    } else {
        report_add(report, FINDING_OK, "DTMF", "inband: as tones in the sound");
    }
}

static void report_address(struct probe *probe, const struct call_state *state)
{
    const struct addr *peer = &state->flow.remote;
    char told[ADDR_TEXT_MAX], there[ADDR_TEXT_MAX];

    if (!probe_is_strange(&state->answer.rtp, peer))
        return;
    report_add(probe->report, FINDING_WARN, "NAT", "the trunk's SDP names the private address %s, but it is at %s",
               addr_text(&state->answer.rtp, told), addr_host_text(peer, there));
    report_advise(probe->report,
                  "our sound will not arrive unless its own comes first: ask the carrier to write its public address");
}

static void report_agreement(struct probe *probe, const struct call_state *state, const struct sip_msg *response)
{
    const struct call_sdp_answer *answer = &state->answer;
    double took_ms = probe_ms_since(state->sent_us);

    report_add(probe->report, FINDING_OK, check_call.name, "%s answered after %.0f ms", probe->house->number, took_ms);
    report_value(probe->report, "answered_ms", took_ms);
    if (state->ringing_ms > 0)
        report_value(probe->report, "ringing_ms", state->ringing_ms);
    report_add(probe->report, answer->codecs[0] ? FINDING_OK : FINDING_FAIL, "codecs", "the answer takes %s%s",
               answer->codecs[0] ? answer->codecs : "none of ours", answer->srtp ? ", encrypted (SRTP)" : "");
    if (!answer->srtp && probe->trunk->srtp == CONF_SRTP_OFFER) {
        report_add(probe->report, FINDING_WARN, "SRTP", "offered, but the answer is without it: calls go unencrypted");
        report_advise(probe->report, "with `srtp: require` such calls are not made; ask the carrier for SDES");
    }
    report_dtmf(probe, answer, response);
    report_address(probe, state);
}

/* ---- the media ---- */

static void hang_up(struct call_state *state)
{
    struct media_result result;
    struct probe *probe = state->probe;

    if (state->media) {
        media_test_result(state->media, &result);
        if (result.sent)
            judge_media(probe->report, &result,
                        &(struct judge_media){
                            .conf = probe->house->conf, .told = state->answer.rtp, .signalled = state->flow.remote});
    }
    probe_next(probe);
}

static void on_measured(struct media_test *media, void *arg)
{
    hang_up(arg);
}

static void measure(struct call_state *state)
{
    struct probe *probe = state->probe;
    struct call_sdp_answer *answer = &state->answer;
    uint64_t left_ms = timer_left_ms(&probe->limit);
    unsigned run_ms = left_ms > MEASURE_MS + UNWIND_MS         ? MEASURE_MS
                      : left_ms > MEASURE_LEAST_MS + UNWIND_MS ? (unsigned)(left_ms - UNWIND_MS)
                                                               : MEASURE_LEAST_MS;

    if (!answer->has_tone_codec) {
        report_add(probe->report, FINDING_WARN, "media", "not measured: the test tone needs PCMU or PCMA");
        report_advise(probe->report, "a carrier that takes neither is rare: compare `codecs` with what it offers");
        probe_next(probe);
        return;
    }
    media_test_start(state->media, &(struct media_test_options){.rtp = answer->rtp,
                                                                .rtcp = answer->rtcp,
                                                                .pt = answer->pt,
                                                                .is_alaw = answer->is_alaw,
                                                                .srtp_taken = mem_ref(answer->srtp),
                                                                .run_ms = run_ms,
                                                                .on_done = on_measured,
                                                                .arg = state});
}

/* ---- the INVITE's call-backs ---- */

static void on_progress(struct invite *invite, const struct sip_msg *response, void *arg)
{
    struct call_state *state = arg;

    probe_note_answer(state->probe, response);
    if (response->status != 100 && !state->ringing_ms)
        state->ringing_ms = probe_ms_since(state->sent_us);
}

static void on_answered(struct invite *invite, const struct sip_msg *response, void *arg)
{
    struct call_state *state = arg;
    struct probe *probe = state->probe;
    const char *why;

    if (probe->is_moving || state->is_answered)
        return;
    state->is_answered = true;
    timer_stop(&state->ring_limit);
    probe_note_answer(probe, response);
    if (call_sdp_take(&state->answer, &state->own, probe->trunk, response->body, &why)) {
        fail(probe, why, "the call is answered but nothing can be heard: show this to the carrier");
        return;
    }
    report_agreement(probe, state, response);
    measure(state);
}

static void on_rejected(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                        void *arg)
{
    struct call_state *state = arg;
    struct probe *probe = state->probe;
    struct span reason = response ? span_sub(response->reason, 0, 80) : SPAN_NULL;

    state->is_over = true;
    if (probe->is_moving)
        return;
    if (!response) {
        fail(probe, status == 408 ? "the INVITE is not answered" : "the INVITE could not be sent",
             "a large INVITE that gets lost although OPTIONS is answered: try `;transport=tcp`");
        return;
    }
    probe_note_answer(probe, response);
    report_add(probe->report, FINDING_FAIL, check_call.name, "%s was refused: %u %.*s", probe->house->number, status,
               SPAN_ARG(reason));
    report_advise(probe->report, "%s", words_for_status(SIP_INVITE, status, probe->trunk->password != NULL));
    report_value(probe->report, "status", status);
    probe_next(probe);
}

static void on_ended(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why,
                     void *arg)
{
    struct call_state *state = arg;
    struct probe *probe = state->probe;

    state->is_over = true;
    if (probe->is_moving)
        return;
    report_add(probe->report, FINDING_WARN, check_call.name, "the far end hung up before the measurement was over");
    report_advise(probe->report, "call a number that stays for some seconds, best one that echoes");
    hang_up(state);
}

static void on_modify(struct invite *invite, const struct sip_msg *request, void *arg)
{
    invite_modify_reply(invite, &(struct sip_reply){.status = 488});
}

static void on_modified(struct invite *invite, unsigned status, const struct sip_msg *response, void *arg)
{
}

static bool allows(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg)
{
    const struct call_state *state = arg;
    const struct probe *probe = state->probe;

    for (unsigned i = 0; i < probe->target_count; i++)
        if (addr_same_host(&probe->targets[i].addr, &flow->remote))
            return true;
    return false;
}

static const struct invite_user user = {.on_progress = on_progress,
                                        .on_answered = on_answered,
                                        .on_rejected = on_rejected,
                                        .on_ended = on_ended,
                                        .on_modify = on_modify,
                                        .on_modified = on_modified,
                                        .allows = allows};

/* ---- the INVITE ---- */

/* As the gateway would call for its first account with a number: carriers look at who calls. */
static const char *caller_of(const struct probe *probe)
{
    const struct conf *conf = probe->house->conf;

    if (probe->trunk->is_register && probe->trunk->username)
        return probe->trunk->username;
    for (size_t i = 0; i < conf->account_count; i++)
        if (conf->accounts[i].numbers.count)
            return conf->accounts[i].numbers.items[0];
    return ask_user_name(probe);
}

struct call_texts {
    struct text uri, from, to, headers;
};

static void write_target(struct text *out, const struct probe *probe, bool is_whole)
{
    text_add_str(out, "sip:");
    uri_write_user(out, span_of(probe->house->number));
    text_add_char(out, '@');
    uri_write_host(out, span_of(probe->host));
    if (is_whole && probe->port != (probe->uri_transport == SIP_TLS ? 5061 : 5060))
        text_addf(out, ":%u", probe->port);
    if (is_whole && probe->uri_transport != SIP_UDP)
        text_addf(out, ";transport=%s", sip_transport_param(probe->uri_transport));
}

static int write_texts(struct call_texts *texts, const struct probe *probe)
{
    text_init(&texts->uri, 1024);
    text_init(&texts->from, 1024);
    text_init(&texts->to, 1024);
    text_init(&texts->headers, 16384);
    write_target(&texts->uri, probe, true);
    text_add_char(&texts->to, '<');
    write_target(&texts->to, probe, false);
    text_add_char(&texts->to, '>');
    text_add_str(&texts->from, "<sip:");
    uri_write_user(&texts->from, span_of(caller_of(probe)));
    text_addf(&texts->from, "@%s>", probe->house->conf->domain);
    if (probe->trunk->identity & CONF_PAI)
        text_addf(&texts->headers, "P-Asserted-Identity: %s\r\n", texts->from.data ? texts->from.data : "");
    text_add_str(&texts->headers, "Allow: " SIP_ALLOW "\r\nUser-Agent: " SIP_AGENT "\r\n");
    for (size_t i = 0; i < probe->trunk->headers_add.count; i++)
        text_addf(&texts->headers, "%s\r\n", probe->trunk->headers_add.items[i]);
    return text_err(&texts->uri)    ? text_err(&texts->uri)
           : text_err(&texts->from) ? text_err(&texts->from)
           : text_err(&texts->to)   ? text_err(&texts->to)
                                    : text_err(&texts->headers);
}

static void free_texts(struct call_texts *texts)
{
    text_free(&texts->uri);
    text_free(&texts->from);
    text_free(&texts->to);
    text_free(&texts->headers);
}

static int send_invite(struct call_state *state, struct span sdp)
{
    const struct probe *probe = state->probe;
    struct call_texts texts;
    int err = write_texts(&texts, probe);

    state->sent_us = clock_now_us();
    if (!err)
        err = invite_out_new(&state->invite, &(struct invite_out_options){.stack = probe->house->stack,
                                                                          .user = &user,
                                                                          .arg = state,
                                                                          .flow = state->flow,
                                                                          .request_uri = text_span(&texts.uri),
                                                                          .from = text_span(&texts.from),
                                                                          .to = text_span(&texts.to),
                                                                          .contact_user = span_of(ask_user_name(probe)),
                                                                          .headers = text_span(&texts.headers),
                                                                          .content_type = SPAN("application/sdp"),
                                                                          .body = sdp,
                                                                          .username = probe->trunk->username,
                                                                          .password = probe->trunk->password});
    free_texts(&texts);
    return err;
}

static void on_ring_limit(void *arg)
{
    struct call_state *state = arg;
    struct probe *probe = state->probe;

    if (state->ringing_ms > 0)
        fail(probe, "it rings, but nobody answers in the time there is", "give a number that answers by itself");
    else if (probe->has_answered)
        fail(probe, "the INVITE is not answered in the time there is",
             "is the number right? Does the carrier know our address?");
    else
        fail(probe, "the INVITE is not answered", "nothing there answers anything: see above");
}

static const char *begin(struct call_state *state)
{
    struct probe *probe = state->probe;
    struct text sdp;
    int err;

    if (media_test_open(&state->media, probe->house->conf, probe->house->udp, &state->flow.remote))
        return "no pair of free UDP ports for the media: is media.rtp.address of this machine?";
    err = call_sdp_offer(&state->own, &sdp, probe->trunk, media_test_address(state->media),
                         media_test_rtcp_port(state->media));
    if (!err)
        err = send_invite(state, text_span(&sdp));
    text_free(&sdp);
    return err ? "the INVITE could not be sent" : NULL;
}

static void start(struct probe *probe)
{
    struct call_state *state = mem_new(sizeof(*state), call_state_destroy);
    uint64_t left_ms = timer_left_ms(&probe->limit);
    const char *why = "out of memory";

    probe->state = state;
    if (state) {
        state->probe = probe;
        why = probe_open(probe, &state->flow);
        if (!why)
            why = begin(state);
    }
    if (why) {
        fail(probe, why, "");
        return;
    }
    left_ms = left_ms > 2 * MEASURE_LEAST_MS + UNWIND_MS ? left_ms - MEASURE_LEAST_MS - UNWIND_MS : left_ms / 2;
    worker_timer(&state->ring_limit, left_ms, on_ring_limit, state);
}

static void late(struct probe *probe)
{
    struct call_state *state = probe->state;

    if (state && state->is_answered)
        hang_up(state);
    else
        fail(probe, "not answered in the time there is", "");
}

static bool applies(const struct probe *probe)
{
    return probe->house->number != NULL;
}

const struct probe_check check_call = {
    .name = "call", .limit_ms = 12000, .needs_address = true, .applies = applies, .start = start, .late = late};
