/* SPDX-License-Identifier: Apache-2.0 */
/* leg_sip.c: a SIP peer as a leg of a call: what it says becomes call_event(), what the call wants becomes SIP.
 * Knows one peer; decides nothing about the call. How an outgoing leg begins is in leg_sip_dial.c. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "call/call.h"
#include "call/leg_sip_private.h"
#include "call/pbx_call.h"
#include "call/redirect.h"
#include "sip/params.h"
#include "sip/refer.h"

#define SDP_TYPE       SPAN("application/sdp")
#define INFO_MAX_BYTES 4096

static struct leg_sip *sip_of(struct leg *leg)
{
    return container_of(leg, struct leg_sip, leg);
}

/* How many legs of the whole process wait for their peer to come back: usually none, and then a REGISTER need not look.
 */
static int lost_count;

bool leg_sip_any_lost(void)
{
    return __atomic_load_n(&lost_count, __ATOMIC_RELAXED) > 0;
}

void leg_sip_set_lost(struct leg *leg, bool is_lost)
{
    struct leg_sip *sip = sip_of(leg);

    if (sip->is_lost == is_lost)
        return;
    sip->is_lost = is_lost;
    __atomic_add_fetch(&lost_count, is_lost ? 1 : -1, __ATOMIC_RELAXED);
    call_note(leg->call, "%s: %s", leg->peer,
              is_lost ? "its connection closed, waiting for it to come back" : "is back");
}

static struct span sdp_of(const struct sip_msg *msg)
{
    struct span type = msg ? sip_msg_value(msg, SIP_H_CONTENT_TYPE) : SPAN_NULL;

    return msg && msg->body.n && span_istarts(type, SDP_TYPE) ? msg->body : SPAN_NULL;
}

static void tell(struct leg_sip *sip, enum leg_event event, unsigned status, const char *why, struct span sdp)
{
    if (sip->leg.is_over)
        return;
    call_event(&(struct leg_news){.leg = &sip->leg, .event = event, .status = status, .why = why, .sdp = sdp});
}

/* ---- what the peer says ---- */

/* A forked INVITE has several peers, each with a description of its own; the one that was told last counts. While the
 * call deals with it, headers of the response may pass to the caller. */
static void tell_answer(struct leg_sip *sip, enum leg_event event, const struct sip_msg *response, struct span sdp)
{
    struct call *call = sip->leg.call;
    size_t by = map_hash(response->to_tag) | 1;
    bool is_other_fork = sdp.n && sip->described_by && sip->described_by != by;

    if (sip->leg.is_over)
        return;
    if (sip->is_changed_early && !is_other_fork)
        sdp = SPAN_NULL; /* what it has said in its UPDATE counts, this is an old answer repeated (RFC 6337 3.1) */
    if (sdp.n)
        sip->described_by = by;
    call->said_by = &sip->leg;
    call->said = response;
    call_event(&(struct leg_news){.leg = &sip->leg,
                                  .event = event,
                                  .status = response->status,
                                  .why = "",
                                  .sdp = sdp,
                                  .is_other_fork = is_other_fork});
    call->said_by = NULL;
    call->said = NULL;
}

static void on_progress(struct invite *invite, const struct sip_msg *response, void *arg)
{
    struct leg_sip *sip = arg;

    sip->leg.status = response->status;
    sip->leg.has_rung = true;
    tell_answer(sip, LEG_PROGRESS, response, sdp_of(response));
}

static void on_answered(struct invite *invite, const struct sip_msg *response, void *arg)
{
    struct leg_sip *sip = arg;
    struct span sdp = sdp_of(response);

    if (!sdp.n && sip->described_by != (map_hash(response->to_tag) | 1))
        sdp = invite_early_sdp(invite); /* it gave its answer before, and another one was heard meanwhile */
    sip->leg.status = response->status;
    sip->leg.is_answered = true;
    tell_answer(sip, LEG_ANSWERED, response, sdp);
}

/* What a refusal by this kind of peer means to the caller: table of DESIGN's "every failure mapped to the right code".
 */
static unsigned map_refusal(const struct leg_sip *sip, unsigned status, bool has_response, const char **why)
{
    bool is_trunk = sip->leg.trunk != NULL;

    if (!has_response && status == 408) {
        *why = is_trunk ? "the trunk did not answer in time" : "the device did not answer in time";
        return is_trunk ? 504 : 480;
    }
    if (!has_response && status == 503) {
        *why = is_trunk ? "the trunk cannot be reached" : "the connection to the device is gone";
        return is_trunk ? 503 : 480;
    }
    if (is_trunk && pbx_call_is_challenge(sip->leg.call, status))
        return status;
    if (status == 401 || status == 407) {
        *why = is_trunk ? "the trunk refused our credentials" : "the device asks for credentials";
        return 503;
    }
    if (status >= 300 && status < 400 && !redirect_passes(&sip->leg, status)) {
        *why = "the other side redirects the call, which is not followed";
        return 502;
    }
    return status;
}

static void on_rejected(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                        void *arg)
{
    struct leg_sip *sip = arg;
    char text[120];

    if (leg_sip_try_next(sip, status, response != NULL))
        return;
    sip->leg.status = status;
    sip->leg.trouble = response ? LEG_REFUSES : status == 408 ? LEG_NO_RESPONSE : LEG_NO_CONNECTION;
    if (response)
        snprintf(sip->leg.reason, sizeof(sip->leg.reason), "%.*s", SPAN_ARG(response->reason));
    if (response && !*why) {
        snprintf(text, sizeof(text), "%s answered %u %.*s", sip->leg.trunk ? "the trunk" : "the other side", status,
                 (int)(response->reason.n < 60 ? response->reason.n : 60),
                 response->reason.p ? response->reason.p : "");
        why = text;
    }
    if (response && sip->leg.call->pbx)
        pbx_call_take_refusal(sip->leg.call->pbx, response);
    if (response && status >= 300 && status < 400)
        redirect_take(&sip->leg, response);
    status = map_refusal(sip, status, response != NULL, &why);
    tell(sip, LEG_REFUSED, status, why, SPAN_NULL);
}

static void on_confirmed(struct invite *invite, const struct sip_msg *ack, void *arg)
{
    struct leg_sip *sip = arg;

    call_note(sip->leg.call, "%s: ACK received", sip->leg.peer);
    tell(sip, LEG_CONFIRMED, 200, "", sdp_of(ack));
}

static void on_cancelled(struct invite *invite, const struct sip_msg *cancel, void *arg)
{
    tell(arg, LEG_HUNG_UP, 487, "the caller gave up before the answer", SPAN_NULL);
}

static void on_modify(struct invite *invite, const struct sip_msg *request, void *arg)
{
    struct leg_sip *sip = arg;

    if (request->method == SIP_UPDATE && !request->body.n) { /* a refresh, nothing else */
        invite_modify_reply(invite, &(struct sip_reply){.status = 200});
        return;
    }
    if (request->body.n && !sdp_of(request).n) {
        invite_modify_reply(invite, &(struct sip_reply){.status = 415,
                                                        .headers = SPAN("Accept: application/sdp\r\n"),
                                                        .why = "the body has to be application/sdp"});
        return;
    }
    if (!sip->leg.is_answered && request->body.n) /* another fork's, maybe: it is what is heard now */
        sip->described_by = map_hash(request->from_tag) | 1;
    tell(sip, LEG_MODIFY, 0, "", sdp_of(request));
}

static void on_modify_cancelled(struct invite *invite, void *arg)
{
    tell(arg, LEG_MODIFY_CANCELLED, 487, "", SPAN_NULL);
}

static void on_modify_confirmed(struct invite *invite, const struct sip_msg *ack, void *arg)
{
    tell(arg, LEG_CONFIRMED, 200, "", sdp_of(ack));
}

static void on_modified_late(struct invite *invite, void *arg)
{
    tell(arg, LEG_MODIFIED_LATE, 200, "", SPAN_NULL);
}

static void on_modified(struct invite *invite, unsigned status, const struct sip_msg *response, void *arg)
{
    struct leg_sip *sip = arg;

    sip->is_changed_early |= status < 300 && !sip->leg.is_answered;
    tell(sip, LEG_MODIFIED, status, "", sdp_of(response));
}

static void on_info(struct invite *invite, struct server_tx *tx, const struct sip_msg *info, void *arg)
{
    struct leg_sip *sip = arg;
    bool is_long = info->body.n > INFO_MAX_BYTES;

    server_tx_reply(tx, &(struct sip_reply){.status = is_long ? 413 : 200,
                                            .why = is_long ? "the body of an INFO may have 4096 bytes" : NULL});
    if (!sip->leg.is_over && !is_long)
        call_event(&(struct leg_news){.leg = &sip->leg,
                                      .event = LEG_INFO,
                                      .why = "",
                                      .sdp = info->body,
                                      .content_type = sip_msg_value(info, SIP_H_CONTENT_TYPE)});
}

/* Reason: SIP;cause=486;text="..." of a BYE, for the record. */
static void describe_bye(char *text, size_t size_bytes, const struct sip_msg *bye, const char *why)
{
    struct span reason = bye ? sip_msg_value(bye, SIP_H_REASON) : SPAN_NULL;

    if (reason.n)
        snprintf(text, size_bytes, "%s (%.*s)", why, (int)(reason.n < 100 ? reason.n : 100), reason.p);
    else
        snprintf(text, size_bytes, "%s", why);
}

static void on_ended(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why,
                     void *arg)
{
    struct leg_sip *sip = arg;
    char text[200];

    static const enum leg_trouble troubles[] = {
        [INVITE_END_NO_ACK] = LEG_NO_ACK, [INVITE_END_NO_PRACK] = LEG_NO_PRACK, [INVITE_END_FAILED] = LEG_FORGOT_CALL};

    if (cause != INVITE_END_BYE)
        sip->leg.trouble = troubles[cause];
    describe_bye(text, sizeof(text), bye, why);
    tell(sip, LEG_HUNG_UP, cause == INVITE_END_BYE ? 0 : cause == INVITE_END_NO_PRACK ? 504 : 408, text, SPAN_NULL);
}

/* The trunk's connection had closed, and it has opened another one: what we have to say goes there as well. */
static bool allows_trunk(struct leg_sip *sip, struct invite *invite, const struct sip_flow *flow)
{
    char text[SIP_FLOW_TEXT_MAX];

    if (!trunk_accepts(sip->leg.trunk, &flow->remote))
        return false;
    if (sip_flow_is_gone(invite_flow(invite))) {
        invite_set_flow(invite, flow);
        call_note(sip->leg.call, "%s: is back, %s", sip->leg.peer, sip_flow_text(flow, text));
    }
    return true;
}

static bool allows(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg)
{
    struct leg_sip *sip = arg;

    if (sip_flow_same(flow, invite_flow(invite)))
        return true;
    if (sip->leg.trunk)
        return allows_trunk(sip, invite, flow);
    if (account.n && span_eq(account, span_of(sip->leg.account))) {
        invite_set_flow(invite, flow); /* the account is back on another connection */
        leg_sip_set_lost(&sip->leg, false);
        return true;
    }
    return false;
}

static void choose_flow(struct invite *invite, struct span next_hop, struct sip_flow *flow, void *arg)
{
    struct leg_sip *sip = arg;
    enum sip_transport transport = SIP_UDP;
    struct sip_flow chosen;
    struct addr addr;

    if (!sip->leg.trunk || flow->transport != SIP_UDP || !trunk_find_hop(sip->leg.trunk, next_hop, &transport, &addr) ||
        transport != SIP_UDP)
        return;
    if (!transport_flow_to(&chosen, sip->leg.call->calls->stack->transports, SIP_UDP, &addr, NULL))
        *flow = chosen;
}

/* Where a trunk listens, if not at the dialog's next hop: where its uri leads, or where we called it. */
static void find_trunk(const struct trunk *trunk, enum sip_transport *transport, struct addr *addr)
{
    if (!addr_parse(addr, span_of(trunk->host), trunk->port)) {
        *transport = trunk->transport;
    } else if (trunk->resolved_count) {
        *transport = trunk->transport;
        *addr = trunk->resolved[0];
    }
}

void leg_sip_lose_flow(struct leg *leg)
{
    struct leg_sip *sip = sip_of(leg);
    struct dialog *dialog = invite_dialog(sip->invite);
    enum sip_transport transport = (enum sip_transport)dialog->flow.transport;
    struct addr addr;

    if (!trunk_find_hop(leg->trunk, dialog_next_hop(dialog), &transport, &addr)) {
        transport = (enum sip_transport)dialog->flow.transport;
        addr = dialog->flow.remote;
        find_trunk(leg->trunk, &transport, &addr);
    }
    dialog_lose_flow(dialog, transport, &addr, &leg->trunk->peer);
    call_note(leg->call, "%s: its connection closed; the next request opens another one", leg->peer);
}

static void on_refer(struct invite *invite, struct server_tx *tx, void *arg)
{
    struct leg_sip *sip = arg;
    struct refer *refer;

    if (refer_new(&refer, invite, tx))
        return;
    call_event(&(struct leg_news){.leg = &sip->leg, .event = LEG_REFER, .why = "", .refer = refer});
    mem_unref(refer);
}

static void on_refresh(struct invite *invite, void *arg)
{
    struct leg_sip *sip = arg;

    invite_modify(invite, SDP_TYPE, leg_media_description(sip->leg.media));
}

const struct invite_user leg_sip_invite_user = {
    .on_progress = on_progress,
    .on_answered = on_answered,
    .on_rejected = on_rejected,
    .on_confirmed = on_confirmed,
    .on_cancelled = on_cancelled,
    .on_modify = on_modify,
    .on_modify_cancelled = on_modify_cancelled,
    .on_modify_confirmed = on_modify_confirmed,
    .on_modified = on_modified,
    .on_modified_late = on_modified_late,
    .on_info = on_info,
    .on_refer = on_refer,
    .on_refresh = on_refresh,
    .on_ended = on_ended,
    .allows = allows,
    .choose_flow = choose_flow,
};

/* ---- what the call wants ---- */

static void progress(struct leg *leg, unsigned status, struct span sdp)
{
    struct text headers;

    text_init(&headers, TRUNK_HEADERS_MAX);
    if (leg->call->said)
        leg_sip_pass_headers(&headers, leg, leg->call->said_by, leg->call->said);
    invite_in_progress(sip_of(leg)->invite, &(struct sip_reply){.status = status,
                                                                .has_contact = true,
                                                                .headers = text_span(&headers),
                                                                .content_type = sdp.n ? SDP_TYPE : SPAN_NULL,
                                                                .body = sdp});
    text_free(&headers);
}

static int answer(struct leg *leg, struct span sdp)
{
    struct text headers;
    int err;

    leg->is_answered = true;
    leg->status = 200;
    text_init(&headers, TRUNK_HEADERS_MAX + 256);
    text_add_str(&headers, "Allow: " SIP_ALLOW "\r\nSupported: " SIP_SUPPORTED "\r\n");
    if (leg->call->said)
        leg_sip_pass_headers(&headers, leg, leg->call->said_by, leg->call->said);
    err = text_err(&headers) ? text_err(&headers)
                             : invite_in_answer(sip_of(leg)->invite, text_span(&headers), SDP_TYPE, sdp);
    text_free(&headers);
    return err;
}

static void end(struct leg *leg, unsigned status, unsigned cause, const char *why)
{
    struct leg_sip *sip = sip_of(leg);
    struct text headers;
    void *rule;

    if (leg->is_over)
        return;
    leg->is_over = true;
    timer_stop(&sip->fail_timer);
    timer_stop(&sip->silent_timer);
    sip->locate = mem_unref(sip->locate);
    if (sip->is_lost)
        __atomic_add_fetch(&lost_count, -1, __ATOMIC_RELAXED);
    sip->is_lost = false;
    text_init(&headers, 16384);
    if (cause)
        sip_write_reason(&headers, cause, why);
    if (status == 503)
        text_add_str(&headers, "Retry-After: 10\r\n");
    if (leg->side == LEG_IN && status >= 300 && status < 400)
        redirect_write(&headers, leg->call);
    if (leg->side == LEG_IN && pbx_call_is_challenge(leg->call, status))
        text_add_str(&headers, leg->call->pbx->challenge);
    rule = sip->invite ? leg_sip_rule_new(leg) : NULL;
    if (sip->invite)
        invite_end(sip->invite, &(struct invite_end){.status = status,
                                                     .cause = cause,
                                                     .why = why,
                                                     .headers = text_span(&headers),
                                                     .allows = leg_sip_rule_allows,
                                                     .allows_arg = rule});
    mem_unref(rule);
    text_free(&headers);
    if (leg->media)
        leg_media_stop(leg->media);
}

static int modify(struct leg *leg, struct span sdp)
{
    return invite_modify(sip_of(leg)->invite, SDP_TYPE, sdp);
}

static void modify_cancel(struct leg *leg)
{
    invite_modify_cancel(sip_of(leg)->invite);
}

static void modify_reply(struct leg *leg, unsigned status, const char *why, struct span sdp)
{
    sip_of(leg)->is_changed_early |= status == 200 && !leg->is_answered;
    invite_modify_reply(sip_of(leg)->invite,
                        &(struct sip_reply){.status = status,
                                            .why = why,
                                            .headers = status == 500 ? SPAN("Retry-After: 2\r\n") : SPAN_NULL,
                                            .content_type = sdp.n ? SDP_TYPE : SPAN_NULL,
                                            .body = sdp});
}

static void info(struct leg *leg, struct span content_type, struct span body)
{
    invite_send(sip_of(leg)->invite, SIP_INFO, SPAN_NULL, content_type, body);
}

static void destroy(struct leg *leg)
{
    mem_unref(sip_of(leg));
}

const struct leg_ops leg_sip_ops = {.name = "sip",
                                    .progress = progress,
                                    .answer = answer,
                                    .end = end,
                                    .modify = modify,
                                    .modify_cancel = modify_cancel,
                                    .modify_reply = modify_reply,
                                    .info = info,
                                    .destroy = destroy};

/* ---- birth and end ---- */

static void leg_sip_destroy(void *self)
{
    struct leg_sip *sip = self;

    end(&sip->leg, 500, 0, "the call is gone");
    list_remove(&sip->leg.link);
    mem_unref(sip->leg.media);
    mem_unref(sip->invite);
    mem_unref(sip->tries);
}

int leg_sip_alloc(struct leg_sip **sipp, struct call *call, enum leg_side side)
{
    struct leg_sip *sip = mem_new(sizeof(*sip), leg_sip_destroy);

    if (!sip)
        return -ENOMEM;
    sip->leg.ops = &leg_sip_ops;
    sip->leg.call = call;
    sip->leg.side = side;
    *sipp = sip;
    return 0;
}

int leg_sip_new_in(struct leg **legp, struct call *call, struct server_tx *tx)
{
    struct leg_sip *sip;
    int err = leg_sip_alloc(&sip, call, LEG_IN);

    if (err)
        return err;
    err = invite_in_new(&sip->invite, tx, &leg_sip_invite_user, sip, SPAN_NULL);
    if (err) {
        mem_unref(sip);
        return err;
    }
    *legp = &sip->leg;
    return 0;
}

const struct sip_flow *leg_sip_flow(const struct leg *leg)
{
    struct invite *invite = leg_sip_invite(leg);

    return invite ? invite_flow(invite) : NULL;
}

struct invite *leg_sip_invite(const struct leg *leg)
{
    return leg->ops == &leg_sip_ops ? container_of(leg, struct leg_sip, leg)->invite : NULL;
}

struct leg *leg_sip_named(struct sip_stack *stack, const struct replaces *replaces)
{
    struct dialog *dialog = replaces_find(stack, replaces);
    struct leg_sip *sip = dialog ? invite_user_arg(dialog, &leg_sip_invite_user) : NULL;

    return sip && !sip->leg.is_over ? &sip->leg : NULL;
}

bool leg_sip_is_lost(const struct leg *leg)
{
    return leg->ops == &leg_sip_ops && container_of(leg, struct leg_sip, leg)->is_lost;
}

bool leg_sip_is_device(const struct leg *leg, const struct binding *binding)
{
    const struct leg_sip *sip = container_of(leg, struct leg_sip, leg);
    struct uri ours, theirs;

    if (!sip->invite)
        return false;
    if (sip->has_binding && sip->binding.instance[0] && !strcmp(sip->binding.instance, binding->instance))
        return true;
    return !uri_parse(&ours, span_of(invite_dialog(sip->invite)->target)) &&
           !uri_parse(&theirs, span_of(binding->contact)) && uri_same(&ours, &theirs);
}
