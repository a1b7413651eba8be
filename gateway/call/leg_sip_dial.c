/* SPDX-License-Identifier: Apache-2.0 */
/* leg_sip_dial.c: how an outgoing SIP leg begins: its offer, the flow, the INVITE. What stands in it is written by
 * leg_sip_names.c. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "call/call.h"
#include "call/dial_limits.h"
#include "call/leg_sip_private.h"
#include "call/number_rules.h"
#include "call/pbx_call.h"

static void on_fail_timer(void *arg)
{
    struct leg_sip *sip = arg;

    if (!sip->leg.is_over)
        call_event(&(struct leg_news){
            .leg = &sip->leg, .event = LEG_REFUSED, .status = sip->fail_status, .why = sip->fail_why});
}

void leg_sip_fail_later(struct leg_sip *sip, unsigned status, enum leg_trouble trouble, const char *why)
{
    sip->leg.trouble = trouble;
    sip->fail_status = status;
    sip->fail_why = why;
    timer_start(sip->leg.call->calls->stack->wheel, &sip->fail_timer, 0, on_fail_timer, sip);
}

/* ---- names ---- */

struct invite_texts {
    struct text uri, from, to, headers;
};

static void write_texts(struct invite_texts *texts, const struct leg_sip *sip)
{
    text_init(&texts->uri, 1024);
    text_init(&texts->from, 1024);
    text_init(&texts->to, 1024);
    text_init(&texts->headers, 32768);
    if (sip->leg.call->pbx) {
        pbx_call_write(sip->leg.call, &texts->uri, &texts->from, &texts->to, &texts->headers);
        return;
    }
    if (sip->leg.trunk) {
        leg_sip_write_uri(&texts->uri, sip, true);
        text_add_char(&texts->to, '<');
        leg_sip_write_uri(&texts->to, sip, false);
        text_add_char(&texts->to, '>');
    } else {
        text_add_str(&texts->uri, sip->binding.contact);
        text_addf(&texts->to, "<sip:%s@%s>", sip->leg.account, sip->leg.call->conf->domain);
    }
    identity_write_from(&texts->from, &sip->caller, sip->leg.trunk ? sip->leg.trunk->conf : NULL,
                        sip->leg.call->conf->domain);
    leg_sip_write_headers(&texts->headers, sip);
}

static void free_texts(struct invite_texts *texts)
{
    text_free(&texts->uri);
    text_free(&texts->from);
    text_free(&texts->to);
    text_free(&texts->headers);
}

static int texts_err(const struct invite_texts *texts)
{
    int errs[] = {text_err(&texts->uri), text_err(&texts->from), text_err(&texts->to), text_err(&texts->headers)};

    for (unsigned i = 0; i < sizeof(errs) / sizeof(*errs); i++)
        if (errs[i])
            return errs[i];
    return 0;
}

/* ---- the INVITE ---- */

static int make_offer(struct leg_sip *sip, const struct sip_flow *flow, struct text *sdp, const char **why)
{
    int err = leg_sip_open_media(sip, &flow->remote, sip_transport_is_web((enum sip_transport)flow->transport));

    return err ? err : leg_media_make_offer(sip->leg.media, sip->leg.call->in->media, sdp, why);
}

static int send_invite(struct leg_sip *sip, const struct sip_flow *flow, struct span sdp)
{
    const struct pbx_call *pbx = sip->leg.call->pbx; /* its challenges are for the user */
    const struct conf_trunk *trunk = sip->leg.trunk && !pbx ? sip->leg.trunk->conf : NULL;
    struct span contact_user = pbx && sip->leg.trunk ? span_of(pbx->name) : SPAN_NULL;
    struct invite_texts texts;
    int err;

    write_texts(&texts, sip);
    err = texts_err(&texts);
    if (!err)
        err = invite_out_new(&sip->invite, &(struct invite_out_options){.stack = sip->leg.call->calls->stack,
                                                                        .user = &leg_sip_invite_user,
                                                                        .arg = sip,
                                                                        .flow = *flow,
                                                                        .request_uri = text_span(&texts.uri),
                                                                        .from = text_span(&texts.from),
                                                                        .to = text_span(&texts.to),
                                                                        .contact_user = contact_user,
                                                                        .max_forwards = sip->leg.call->max_forwards,
                                                                        .headers = text_span(&texts.headers),
                                                                        .content_type = SPAN("application/sdp"),
                                                                        .body = sdp,
                                                                        .username = trunk ? trunk->username : NULL,
                                                                        .password = trunk ? trunk->password : NULL});
    free_texts(&texts);
    return err;
}

static void on_silent_timer(void *arg);

static void begin(struct leg_sip *sip, const struct sip_flow *flow)
{
    const char *why = "the INVITE could not be sent";
    char text[SIP_FLOW_TEXT_MAX];
    struct text sdp;
    int err;

    text_init(&sdp, 65536);
    err = make_offer(sip, flow, &sdp, &why);
    if (!err)
        err = send_invite(sip, flow, text_span(&sdp));
    text_free(&sdp);
    if (err) {
        leg_sip_fail_later(sip, err == -ENOENT ? 488 : 503, err == -ENOENT ? LEG_NO_CODEC : LEG_FINE, why);
        return;
    }
    call_note(sip->leg.call, "%s: INVITE sent to %s", sip->leg.peer, sip_flow_text(flow, text));
    if (sip->tries && locate_tries_has_more(sip->tries))
        timer_start(sip->leg.call->calls->stack->wheel, &sip->silent_timer, LOCATE_SILENT_MS, on_silent_timer, sip);
}

/* ---- where to: the trunk's targets, one after the other ---- */

/* The former target is done with. Where it has not answered yet it gets a CANCEL at its first word, or ACK and BYE for
 * an answer that comes late. Its ports go as well: the next target may be of another family. */
static void drop_try(struct leg_sip *sip)
{
    timer_stop(&sip->silent_timer);
    if (sip->invite)
        invite_end(sip->invite, &(struct invite_end){.cause = 408, .why = "another server of the trunk is tried"});
    sip->invite = mem_unref(sip->invite);
    if (sip->leg.media)
        leg_media_stop(sip->leg.media);
    sip->leg.media = mem_unref(sip->leg.media);
}

static bool begin_next(struct leg_sip *sip)
{
    struct sip_flow flow;

    if (!locate_tries_open(sip->tries, &flow, sip->leg.call->calls->stack, &sip->leg.trunk->peer))
        return false;
    drop_try(sip);
    begin(sip, &flow);
    return true;
}

/* From now on it may take its time if it has answered, if only 100. */
static void on_silent_timer(void *arg)
{
    struct leg_sip *sip = arg;

    if (invite_dialog(sip->invite)->is_heard)
        return;
    locate_note(sip->leg.call->calls->stack, invite_flow(sip->invite), true);
    call_note(sip->leg.call, "%s: no answer within %u ms, another target is tried", sip->leg.peer, LOCATE_SILENT_MS);
    begin_next(sip);
}

bool leg_sip_try_next(struct leg_sip *sip, unsigned status, bool has_response)
{
    bool is_dead = status == 503 || (status == 408 && !has_response);
    bool has_rung = sip->leg.status > 100;

    if (sip->tries)
        locate_note(sip->leg.call->calls->stack, invite_flow(sip->invite), is_dead && !has_response);
    if (!sip->tries || !is_dead || has_rung || sip->leg.is_over || !locate_tries_has_more(sip->tries))
        return false;
    call_note(sip->leg.call, "%s: %u, another target is tried", sip->leg.peer, status);
    return begin_next(sip);
}

static const char no_way[] = "no connection to the trunk could be made: is there a sip.listen of that kind?";

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct leg_sip *sip = arg;

    if (err) {
        leg_sip_fail_later(sip, 503, err == -EAFNOSUPPORT ? LEG_NO_CONNECTION : LEG_NO_NAME,
                           err == -EAFNOSUPPORT ? no_way : "the trunk's name cannot be resolved");
        return;
    }
    sip->tries = mem_new(sizeof(*sip->tries), NULL);
    if (sip->tries)
        locate_tries_begin(sip->tries, sip->leg.call->calls->stack, targets, count);
    if (!sip->tries || !begin_next(sip))
        leg_sip_fail_later(sip, 503, LEG_NO_CONNECTION, no_way);
}

static int begin_trunk(struct leg_sip *sip)
{
    const struct trunk *trunk = sip->leg.trunk;
    struct calls *calls = sip->leg.call->calls;
    struct sip_flow flow;

    if (sip->leg.call->pbx) { /* as the user wrote it */
        snprintf(sip->leg.peer, sizeof(sip->leg.peer), "%s", sip->number);
        if (pbx_call_open_hop(sip->leg.call, trunk, &flow)) {
            begin(sip, &flow);
            return 0;
        }
        return locate_begin(&sip->locate, calls->stack, calls->dns, &trunk->wish, on_located, sip);
    }
    if (!sip->has_target && number_rules_apply(&trunk->conf->numbers_out, sip->number)) {
        leg_sip_fail_later(sip, 404, LEG_FINE, "the trunk's numbers_out leave no number to dial");
        return 0;
    }
    if (dial_costs_extra(sip->leg.call->conf, sip->leg.call->pick.route, sip->number)) {
        leg_sip_fail_later(
            sip, 403, LEG_FINE,
            "the number as the trunk's numbers_out write it costs extra: only a route with `premium: true` dials it");
        return 0;
    }
    identity_leave(&sip->caller, trunk->conf);
    snprintf(sip->leg.peer, sizeof(sip->leg.peer), "%s", sip->number);
    if (!sip->has_target || !addr_is_set(&sip->target.addr))
        return locate_begin(&sip->locate, calls->stack, calls->dns, &trunk->wish, on_located, sip);
    if (transport_flow_to(&flow, calls->stack->transports, sip->target.transport, &sip->target.addr, &trunk->peer))
        leg_sip_fail_later(sip, 503, LEG_NO_CONNECTION, no_way);
    else
        begin(sip, &flow);
    return 0;
}

static void begin_device(struct leg_sip *sip)
{
    snprintf(sip->leg.peer, sizeof(sip->leg.peer), "%s", sip->leg.account);
    if (!transport_is_up(sip->leg.call->calls->stack->transports, &sip->binding.flow))
        leg_sip_fail_later(sip, 480, LEG_NO_CONNECTION, "the device is not connected");
    else
        begin(sip, &sip->binding.flow);
}

int leg_sip_new_out(struct leg **legp, struct call *call, const struct leg_sip_dial *dial)
{
    struct leg_sip *sip;
    int err = leg_sip_alloc(&sip, call, LEG_OUT);

    if (err)
        return err;
    snprintf(sip->number, sizeof(sip->number), "%s", call->pick.number);
    memcpy(sip->caller.number, call->caller, sizeof(sip->caller.number));
    memcpy(sip->caller.display, call->caller_display, sizeof(sip->caller.display));
    sip->caller.is_anonymous = call->is_anonymous;
    *legp = &sip->leg;
    list_append(&call->out_legs, &sip->leg.link);
    if (dial->trunk) {
        sip->leg.trunk = dial->trunk;
        sip->has_target = dial->target != NULL;
        if (dial->target)
            sip->target = *dial->target;
        if (begin_trunk(sip))
            leg_sip_fail_later(sip, 503, LEG_NO_NAME, "the trunk's name cannot be resolved");
        return 0;
    }
    sip->binding = *dial->binding;
    sip->has_binding = true;
    span_copy(span_of(dial->account), sip->leg.account, sizeof(sip->leg.account));
    begin_device(sip);
    return 0;
}
