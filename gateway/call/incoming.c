/* SPDX-License-Identifier: Apache-2.0 */
/* incoming.c: the first steps of a new request: which method, who calls whom. RFC 3261 8.2, RFC 3325 (identity of
 * trunks). The guard has let it in; where the call goes is call_route()'s. */
#include "call/incoming.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/call.h"
#include "call/identity.h"
#include "call/leg_sip.h"
#include "call/leg_sip_private.h"
#include "call/messages.h"
#include "call/mwi.h"
#include "call/number_rules.h"
#include "call/pbx.h"
#include "call/pbx_call.h"
#include "call/pickup.h"
#include "call/presence.h"
#include "call/registrar.h"
#include "call/trunk_limit.h"
#include "sip/refresh.h"

static void reply(struct server_tx *tx, unsigned status, const char *why, const char *headers)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why, .headers = span_of(headers)});
}

/* ---- who calls ---- */

static void take_caller(struct call *call, const struct route_caller *caller, const struct sip_msg *msg)
{
    struct identity identity;

    if (caller->account) {
        identity_of_account(&identity, caller->account);
        identity_take_privacy(&identity, msg);
    } else {
        identity_of_trunk(&identity, msg);
    }
    if (caller->trunk)
        identity_arrive(&identity, caller->trunk->conf);
    memcpy(call->caller, identity.number, sizeof(call->caller));
    memcpy(call->caller_display, identity.display, sizeof(call->caller_display));
    call->is_anonymous = identity.is_anonymous;
}

/* @return 0; -EBADMSG: no number; -ENOENT: the trunk's rules leave none */
static int take_dialled(struct call *call, const struct route_caller *caller, const struct sip_msg *msg)
{
    int err = caller->pbx ? pbx_call_join(call, caller->pbx, msg) : identity_take_dialled(call->dialled, &msg->uri);

    if (caller->pbx)
        return err;
    return err || !caller->trunk ? err : number_rules_apply(&caller->trunk->conf->numbers_in, call->dialled);
}

/* ---- INVITE ---- */

static const char *check_body(const struct sip_msg *msg, unsigned *status)
{
    struct span type = sip_msg_value(msg, SIP_H_CONTENT_TYPE);

    *status = 415;
    if (msg->body.n && !span_istarts(type, SPAN("application/sdp")))
        return "the body has to be application/sdp";
    return NULL;
}

int incoming_new_call(struct call **callp, struct calls *calls, struct server_tx *tx, const struct route_caller *caller)
{
    const struct sip_msg *msg = server_tx_request(tx);
    struct call *call;
    int err = call_new(&call, calls);

    if (err) {
        reply(tx, 503, "no memory is left", "Retry-After: 10\r\n");
        return err;
    }
    call->max_forwards = msg->max_forwards - 1;
    take_caller(call, caller, msg);
    err = leg_sip_new_in(&call->in, call, tx);
    if (!err) {
        call->in->trunk = caller->trunk;
        snprintf(call->in->peer, sizeof(call->in->peer), "%s", call->caller);
        if (caller->account)
            span_copy(span_of(caller->account->name), call->in->account, sizeof(call->in->account));
        err = leg_sip_open_media(container_of(call->in, struct leg_sip, leg), &server_tx_flow(tx)->remote,
                                 sip_transport_is_web((enum sip_transport)server_tx_flow(tx)->transport));
    }
    if (!err && caller->trunk && caller->trunk->conf->prack == CONF_PRACK_REQUIRE &&
        sip_msg_has_token(msg, SIP_H_SUPPORTED, SPAN("100rel")))
        err = invite_in_use_100rel(leg_sip_invite(call->in));
    if (!err && take_dialled(call, caller, msg))
        err = -ENOENT;
    if (err) {
        bool is_ours = err == -EBUSY || err == -ENOMEM; /* no port, no memory */

        reply(tx,
              is_ours          ? 503
              : err == -ENOENT ? 404
                               : 400,
              is_ours ? "no media port or memory is left" : "the INVITE lacks a usable Contact or number",
              is_ours ? "Retry-After: 10\r\n" : "");
        stats_add(STAT_CALLS, -1);
        mem_unref(call);
        return err;
    }
    *callp = call;
    return 0;
}

static void begin_call(struct calls *calls, struct server_tx *tx, const struct route_caller *caller,
                       const char counted[static SIP_ACCOUNT_MAX])
{
    char flow[SIP_FLOW_TEXT_MAX];
    struct call *call = NULL;

    if (incoming_new_call(&call, calls, tx, caller)) {
        account_limit_leave(calls->store, counted);
        return;
    }
    memcpy(call->counted_account, counted, sizeof(call->counted_account));
    call_note(call, "INVITE from %s (%s) for %s", call->caller, sip_flow_text(server_tx_flow(tx), flow), call->dialled);
    call_route(call, caller);
}

/* Read from the other workers' counters: a moment old, which is near enough for a limit. */
static uint64_t calls_of_all_workers(void)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < worker_count(); i++)
        count += __atomic_load_n(&worker_get(i)->stats.value[STAT_CALLS], __ATOMIC_RELAXED);
    return count;
}

const char *incoming_enter_limits(struct calls *calls, const struct conf_account *account,
                                  char counted[static SIP_ACCOUNT_MAX])
{
    unsigned most = calls->conf->sip.max_calls;
    const char *why;

    counted[0] = '\0';
    if (calls->is_draining)
        return "the gateway is being stopped and takes no new calls";
    if (most && calls_of_all_workers() >= most)
        return "the gateway's limit of calls is reached";
    why = account ? account_limit_enter(calls->store, account) : NULL;
    if (!why && account && account->max_calls)
        span_copy(span_of(account->name), counted, SIP_ACCOUNT_MAX);
    return why;
}

void incoming_call(struct calls *calls, struct server_tx *tx, const struct route_caller *caller)
{
    const struct sip_msg *msg = server_tx_request(tx);
    char counted[SIP_ACCOUNT_MAX];
    unsigned status;
    const char *why;

    why = check_body(msg, &status);
    if (why) {
        reply(tx, status, why, status == 415 ? "Accept: application/sdp\r\n" : "");
        return;
    }
    if (caller->trunk && caller->trunk->conf->prack == CONF_PRACK_OFF &&
        sip_msg_has_token(msg, SIP_H_REQUIRE, SPAN("100rel"))) {
        reply(tx, 420, "prack is off for this trunk", "Unsupported: 100rel\r\n");
        return;
    }
    if (refresh_is_too_brief(msg)) {
        reply(tx, 422, "the session timer is too brief", "Min-SE: 90\r\n");
        return;
    }
    if (sip_msg_header(msg, SIP_H_REPLACES) && !caller->pbx) {
        pickup_receive(calls, tx, caller);
        return;
    }
    why = incoming_enter_limits(calls, caller->account, counted);
    if (why) {
        stats_count(STAT_CALLS_REFUSED);
        reply(tx, 503, why, "Retry-After: 10\r\n");
        return;
    }
    begin_call(calls, tx, caller, counted);
}

static void receive_invite(struct calls *calls, struct server_tx *tx, const char *account)
{
    struct route_caller caller = {0};

    if (account[0])
        caller.account = directory_account(calls->directory, span_of(account));
    else
        caller.trunk =
            directory_trunk_called(calls->directory, &server_tx_flow(tx)->remote, &server_tx_request(tx)->uri);
    if (caller.account || caller.trunk)
        incoming_call(calls, tx, &caller);
    else
        reply(tx, 403, "neither an account nor a trunk of this gateway", "");
}

void incoming_receive(struct calls *calls, struct server_tx *tx, const char *account)
{
    if (pbx_receive(calls->pbx, tx, account))
        return;
    switch (server_tx_request(tx)->method) {
    case SIP_INVITE:
        receive_invite(calls, tx, account);
        break;
    case SIP_REGISTER:
        registrar_receive(calls, tx, account);
        break;
    case SIP_MESSAGE:
        messages_receive(calls->messages, tx, account);
        break;
    case SIP_SUBSCRIBE:
        presence_subscribe(calls->presence, tx, account);
        break;
    case SIP_NOTIFY:
        mwi_receive(calls, tx, account);
        break;
    case SIP_PUBLISH:
        presence_publish(calls->presence, tx, account);
        break;
    case SIP_REFER:
        reply(tx, 403, "a REFER is only taken within a call", "");
        break;
    case SIP_OPTIONS:
        reply(tx, 200, NULL, "Allow: " SIP_ALLOW "\r\nAccept: application/sdp\r\n" PRESENCE_EVENTS);
        break;
    default:
        reply(tx, 405, "this method is not supported here", "Allow: " SIP_ALLOW "\r\n");
    }
}
