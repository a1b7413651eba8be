/* SPDX-License-Identifier: Apache-2.0 */
/* pickup.c: an INVITE that wants another's place in a call that is there already. RFC 3891. It makes a leg and no call.
 * Who may have whose place is said in replace.c. */
#include "call/pickup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/call_private.h"
#include "call/identity.h"
#include "call/incoming.h"
#include "call/leg_far.h"
#include "call/leg_sip_private.h"
#include "call/replace.h"

static void refuse(struct server_tx *tx, unsigned status, const char *why)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why});
}

/* @return 0, or a status */
static unsigned read_wish(struct replace_wish *wish, const struct sip_msg *msg, const struct route_caller *caller,
                          const char **why_out)
{
    unsigned index = 0;
    const struct sip_header *header = sip_msg_next(msg, SIP_H_REPLACES, &index);

    *wish = (struct replace_wish){.is_pickup = true};
    *why_out = "Replaces cannot be read";
    if (sip_msg_next(msg, SIP_H_REPLACES, &index) || replaces_parse(&wish->named, header->value))
        return 400;
    *why_out = "an INVITE with Replaces needs an offer";
    if (!msg->body.n)
        return 488;
    *why_out = "this trunk may not take over calls (key refer)";
    if (caller->trunk && !caller->trunk->conf->may_refer)
        return 603;
    if (caller->account)
        span_copy(span_of(caller->account->name), wish->account, sizeof(wish->account));
    else
        snprintf(wish->trunk, sizeof(wish->trunk), "%s", caller->trunk->conf->name);
    return 0;
}

static void name_leg(struct leg *leg, struct calls *calls, const struct route_caller *caller, const struct sip_msg *msg)
{
    struct identity identity;

    if (caller->account) {
        identity_of_account(&identity, caller->account);
        span_copy(span_of(caller->account->name), leg->account, sizeof(leg->account));
    } else {
        identity_of_trunk(&identity, msg);
    }
    leg->trunk = caller->trunk;
    leg->directory = mem_ref(calls->directory); /* the call may have begun with another one */
    memcpy(leg->peer, identity.number, sizeof(leg->peer));
}

static int take_offer(struct leg *leg, struct server_tx *tx, const char **why_out)
{
    const struct sip_flow *flow = server_tx_flow(tx);
    int err = leg_sip_open_media(container_of(leg, struct leg_sip, leg), &flow->remote,
                                 sip_transport_is_web((enum sip_transport)flow->transport));

    return err ? err : leg_media_take_offer(leg->media, server_tx_request(tx)->body, why_out);
}

static void drop(struct leg *leg, unsigned status, const char *why)
{
    call_note(leg->call, "%s: cannot take part: %s", leg->peer, why);
    leg->ops->end(leg, status, 0, why);
    call_release_leg(leg);
    leg->ops->destroy(leg);
}

static void take_place(struct calls *calls, struct leg *named, struct server_tx *tx, const struct route_caller *caller)
{
    const char *why = "no memory is left";
    struct call *call = named->call;
    struct leg *leg;
    int err = leg_sip_new_in(&leg, call, tx);

    if (err) {
        refuse(tx, err == -EBADMSG ? 400 : 503, err == -EBADMSG ? "the INVITE lacks a usable Contact" : why);
        return;
    }
    name_leg(leg, calls, caller, server_tx_request(tx));
    call_note(call, "%s wants the place of %s", leg->peer, named->peer);
    log_info("call %s: %s takes the place of %s", call->id, leg->peer, named->peer);
    err = take_offer(leg, tx, &why);
    if (!err)
        err = replace_by_offer(named, leg, &why);
    if (err)
        drop(leg, err == -EBADMSG ? 400 : err == -EBUSY ? 503 : 488, why);
    else
        stats_count(STAT_CALLS_TAKEN_OVER);
}

/* The call is on another worker: one is made here, and joined to it. */
static void take_far_place(struct calls *calls, unsigned worker, const struct replace_wish *wish, struct server_tx *tx,
                           const struct route_caller *caller)
{
    char counted[SIP_ACCOUNT_MAX];
    const char *why = incoming_enter_limits(calls, NULL, counted); /* no further call of the account's: part of one */
    struct call *call = NULL;
    struct leg *leg;
    int err;

    if (why) {
        stats_count(STAT_CALLS_REFUSED);
        refuse(tx, 503, why);
        return;
    }
    if (incoming_new_call(&call, calls, tx, caller))
        return;
    call->is_asking = true;
    if (caller->account)
        call_limit_duration(call, caller->account);
    why = "the other call cannot be reached";
    err = leg_media_take_offer(call->in->media, server_tx_request(tx)->body, &why);
    if (!err)
        err = leg_far_ask(&leg, call, worker, wish);
    if (err)
        call_end(call, err == -EBADMSG ? 400 : err == -EBUSY ? 503 : 488, "gateway", why);
    else
        call_await_answer(call);
}

void pickup_receive(struct calls *calls, struct server_tx *tx, const struct route_caller *caller)
{
    struct replace_wish wish;
    struct leg *named = NULL;
    const char *why;
    unsigned status = read_wish(&wish, server_tx_request(tx), caller, &why);
    int worker = status ? -1 : replaces_worker(&wish.named);

    if (worker >= 0 && (unsigned)worker != calls->worker && (unsigned)worker < worker_count()) {
        take_far_place(calls, (unsigned)worker, &wish, tx, caller);
        return;
    }
    if (!status)
        status = replace_find(&named, calls, &wish, &why);
    if (status)
        refuse(tx, status, why);
    else
        take_place(calls, named, tx, caller);
}
