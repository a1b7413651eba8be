/* SPDX-License-Identifier: Apache-2.0 */
/* call_back.c: a call of the carrier's own: waits, INVITEs over the gateway, plays, is hung up. RFC 3261 13.2. */
#include "call_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/worker.h"

#define RING_MS 30000 /* a called-back person may take so long */

void call_on_progress(struct invite *invite, const struct sip_msg *response, void *arg)
{
}

void call_on_answered(struct invite *invite, const struct sip_msg *response, void *arg)
{
    struct call *call = arg;
    struct voice_terms terms = {0};
    const char *why = NULL;

    timer_stop(&call->step);
    if (terms_read_answer(&terms, response->body, &why)) {
        call_end(call, why);
        return;
    }
    voice_set_terms(call->voice, &terms);
    call_talk(call);
}

void call_on_rejected(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                      void *arg)
{
    char text[80];

    snprintf(text, sizeof(text), "refused by the gateway (status=%u)", status);
    call_finish(arg, text);
}

static void nobody_answers(void *arg)
{
    call_end(arg, "nobody answered");
}

static void write_target(struct text *out, const struct call *call)
{
    char gateway[ADDR_TEXT_MAX];

    text_add(out, SPAN("sip:"));
    uri_write_user(out, span_of(call->caller));
    text_addf(out, "@%s", addr_text(&call->carrier->options.gateway, gateway));
}

static int send_invite(struct call *call)
{
    struct carrier *carrier = call->carrier;
    struct terms_place place = call_place(call);
    char us[ADDR_TEXT_MAX];
    struct text target, from, to, headers;
    struct invite_out_options options = {.stack = carrier->stack,
                                         .user = &call_invite_user,
                                         .arg = call,
                                         .contact_user = SPAN("carrier"),
                                         .content_type = SDP_TYPE,
                                         .username = carrier->options.user,
                                         .password = carrier->options.password};
    int err;

    terms_offer(&call->body, &place);
    addr_text(&carrier->listen, us);
    text_init(&target, 512);
    text_init(&from, 512);
    text_init(&to, 512);
    text_init(&headers, 512);
    write_target(&target, call);
    text_addf(&from, "\"Call back\" <sip:%s@%s>", call->number->digits, us);
    text_addf(&to, "<%.*s>", SPAN_ARG(text_span(&target)));
    text_addf(&headers, "P-Asserted-Identity: <sip:%s@%s>\r\n", call->number->digits, us);
    options.request_uri = text_span(&target);
    options.from = text_span(&from);
    options.to = text_span(&to);
    options.headers = text_span(&headers);
    options.body = text_span(&call->body);
    err = transport_flow_to(&options.flow, carrier->stack->transports, SIP_UDP, &carrier->options.gateway, NULL);
    if (!err)
        err = invite_out_new(&call->invite, &options);
    text_free(&target);
    text_free(&from);
    text_free(&to);
    text_free(&headers);
    return err;
}

static void dial_now(void *arg)
{
    struct call *call = arg;
    const char *why = "the INVITE could not be sent";

    if (call_make_voice(call, &why) || send_invite(call))
        call_finish(call, why);
    else
        worker_timer(&call->step, RING_MS, nobody_answers, call);
}

void call_dial(struct carrier *carrier, struct span number, unsigned delay_ms)
{
    struct call *call = addr_is_set(&carrier->options.gateway) ? call_alloc(carrier, &number_back) : NULL;

    if (!call)
        return;
    call->is_back = true;
    span_copy(number, call->caller, sizeof(call->caller));
    call_admit(call);
    worker_timer(&call->step, delay_ms, dial_now, call);
}
