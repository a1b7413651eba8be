/* SPDX-License-Identifier: Apache-2.0 */
/* invite.c: an INVITE usage as a whole: requests within it, BYE in and out, its end. RFC 3261 12.2.2, 15.
 * How it begins is in invite_out.c and invite_in.c, changes are in modify.c. */
#include <errno.h>

#include "base/mem.h"
#include "sip/invite_private.h"

static void invite_destroy(void *self)
{
    struct invite *invite = self;

    timer_stop(&invite->answer_timer);
    modify_stop(invite);
    refresh_stop(invite);
    request_detach(invite->request);
    mem_unref(invite->request);
    if (invite->tx)
        server_tx_set_user(invite->tx, NULL, NULL);
    mem_unref(invite->tx);
    mem_unref(invite->answer_tx);
    if (invite->dialog)
        map_remove(
            &invite->dialog->node); /* requests that still run hold the dialog, but no request finds us any more */
    mem_unref(invite->dialog);
    fork_stop(invite);
    reliable_stop(invite);
    mem_unref(invite->ack);
    mem_unref(invite->username);
    if (invite->password)
        mem_wipe(invite->password, strlen(invite->password));
    mem_unref(invite->password);
    mem_unref(invite->end_why);
    mem_unref(invite->end.allows_arg);
    mem_unref(invite->modify_type);
    mem_unref(invite->modify_body);
}

struct invite *invite_alloc(struct sip_stack *stack, const struct invite_user *user, void *arg)
{
    struct invite *invite = mem_new(sizeof(*invite), invite_destroy);

    if (!invite)
        return NULL;
    invite->stack = stack;
    invite->user = user;
    invite->arg = arg;
    invite->is_self_held = true; /* a second reference, dropped by invite_finish() */
    return mem_ref(invite);
}

void invite_finish(struct invite *invite)
{
    invite->state = INVITE_OVER;
    invite->user = NULL;
    timer_stop(&invite->answer_timer);
    modify_stop(invite);
    refresh_stop(invite);
    reliable_stop(invite);
    if (!invite->is_self_held)
        return;
    invite->is_self_held = false;
    mem_unref(invite);
}

void invite_tell_end(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why)
{
    const struct invite_user *user = invite->user;
    void *arg = invite->arg;

    mem_ref(invite);
    invite_finish(invite);
    if (user)
        user->on_ended(invite, cause, bye, why, arg);
    mem_unref(invite);
}

void invite_choose_flow_of(struct invite *invite, struct dialog *dialog)
{
    if (invite->user && invite->user->choose_flow)
        invite->user->choose_flow(invite, dialog_next_hop(dialog), &dialog->flow, invite->arg);
}

void invite_choose_flow(struct invite *invite)
{
    invite_choose_flow_of(invite, invite->dialog);
}

void invite_send_bye(struct invite *invite)
{
    struct text headers;

    text_init(&headers, 1024);
    if (invite->end.cause)
        sip_write_reason(&headers, invite->end.cause, invite->end_why ? invite->end_why : "");
    request_send(NULL, &(struct request_options){.dialog = invite->dialog,
                                                 .method = SIP_BYE,
                                                 .headers = text_span(&headers),
                                                 .username = invite->username,
                                                 .password = invite->password});
    text_free(&headers);
}

static void answer(struct server_tx *tx, unsigned status, const char *why)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why});
}

static void receive_bye(struct invite *invite, struct server_tx *tx, const struct sip_msg *msg)
{
    answer(tx, 200, NULL);
    if (invite->tx && server_tx_status(invite->tx) < 200)
        answer(invite->tx, 487, "BYE came before the answer");
    if (invite->modify_tx)
        answer(invite->modify_tx, 487, "the call has ended");
    invite_tell_end(invite, INVITE_END_BYE, msg, "the other side hung up");
}

static void receive_info(struct invite *invite, struct server_tx *tx, const struct sip_msg *msg)
{
    if (invite->user && invite->user->on_info)
        invite->user->on_info(invite, tx, msg, invite->arg);
    else
        answer(tx, 200, NULL);
}

static void receive_refer(struct invite *invite, struct server_tx *tx)
{
    if (!invite->user || !invite->user->on_refer)
        answer(tx, 481, "the call has ended");
    else if (invite->state != INVITE_CONFIRMED)
        answer(tx, 491, "the call is not ready to be transferred");
    else
        invite->user->on_refer(invite, tx, invite->arg);
}

/* A fork that does not count may say what it wants of itself; the session is another's. @return true: it was answered
 */
static bool answer_other_fork(struct invite *invite, const struct dialog *dialog, struct server_tx *tx,
                              const struct sip_msg *msg)
{
    bool is_early = invite->state <= INVITE_EARLY;

    if (dialog == invite->dialog || (is_early && msg->method != SIP_BYE))
        return false;
    if (msg->method == SIP_BYE)
        answer(tx, 200, NULL);
    else if (msg->method != SIP_ACK)
        answer(tx, 481, "another branch has answered the call");
    return true;
}

static void on_dialog_request(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg, void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    if (answer_other_fork(invite, dialog, tx, msg)) {
        mem_unref(invite);
        return;
    }
    switch (msg->method) {
    case SIP_ACK:
        invite_in_receive_ack(invite, msg);
        break;
    case SIP_BYE:
        receive_bye(invite, tx, msg);
        break;
    case SIP_INVITE:
    case SIP_UPDATE:
        modify_receive(invite, dialog, tx, msg);
        break;
    case SIP_PRACK:
        reliable_receive_prack(invite, tx, msg);
        break;
    case SIP_INFO:
        receive_info(invite, tx, msg);
        break;
    case SIP_REFER:
        receive_refer(invite, tx);
        break;
    case SIP_OPTIONS:
        answer(tx, 200, NULL);
        break;
    default:
        server_tx_reply(tx, &(struct sip_reply){.status = 405,
                                                .headers = SPAN("Allow: " SIP_ALLOW "\r\n"),
                                                .why = "this method is not supported within a call"});
    }
    mem_unref(invite);
}

static bool on_dialog_allows(struct dialog *dialog, const struct sip_flow *flow, struct span account, void *arg)
{
    struct invite *invite = arg;

    if (invite->user && invite->user->allows)
        return invite->user->allows(invite, flow, account, invite->arg);
    if (sip_flow_same(flow, &dialog->flow))
        return true;
    return invite->end.allows && invite->end.allows(invite, flow, account, invite->end.allows_arg);
}

const struct dialog_user invite_dialog_user = {.on_request = on_dialog_request, .allows = on_dialog_allows};

/* ---- our side ends it ---- */

static void keep_end(struct invite *invite, const struct invite_end *end)
{
    mem_unref(invite->end.allows_arg);
    invite->end = *end;
    invite->end.allows_arg = mem_ref(end->allows_arg);
    invite->end.headers = SPAN_NULL;
    mem_unref(invite->end_why);
    invite->end_why = end->why ? mem_text(end->why, strlen(end->why)) : NULL;
    invite->end.why = invite->end_why;
}

static void end_in_unanswered(struct invite *invite, const struct invite_end *end)
{
    server_tx_reply(
        invite->tx,
        &(struct sip_reply){.status = end->status ? end->status : 480, .why = end->why, .headers = end->headers});
    invite_finish(invite);
}

void invite_end(struct invite *invite, const struct invite_end *end)
{
    enum invite_state state = invite->state;

    if (state >= INVITE_ENDING)
        return;
    keep_end(invite, end);
    if (invite->modify_tx)
        answer(invite->modify_tx, 487, "the call has ended");
    invite->user = NULL;
    modify_stop(invite);
    refresh_stop(invite);
    if (state <= INVITE_EARLY && invite->is_out) {
        invite->state = INVITE_ENDING;
        invite_out_end(invite);
    } else if (state <= INVITE_EARLY) {
        end_in_unanswered(invite, end);
    } else if (state == INVITE_ANSWERED) {
        invite->state = INVITE_ENDING; /* the BYE waits for the ACK or for 64*T1: RFC 3261 15 */
    } else {
        invite_send_bye(invite);
        invite_finish(invite);
    }
}

int invite_send(struct invite *invite, enum sip_method method, struct span headers, struct span content_type,
                struct span body)
{
    if (invite->state != INVITE_CONFIRMED)
        return -EPROTO;
    return request_send(NULL, &(struct request_options){.dialog = invite->dialog,
                                                        .method = method,
                                                        .headers = headers,
                                                        .content_type = content_type,
                                                        .body = body,
                                                        .username = invite->username,
                                                        .password = invite->password});
}

struct span invite_early_sdp(const struct invite *invite)
{
    return span_of(invite->dialog->early_sdp);
}

void invite_set_flow(struct invite *invite, const struct sip_flow *flow)
{
    invite->dialog->flow = *flow;
}

const struct sip_flow *invite_flow(const struct invite *invite)
{
    return &invite->dialog->flow;
}

struct span invite_call_id(const struct invite *invite)
{
    return span_of(invite->dialog->call_id);
}

bool invite_is_confirmed(const struct invite *invite)
{
    return invite->state == INVITE_CONFIRMED;
}

void *invite_user_arg(const struct dialog *dialog, const struct invite_user *user)
{
    const struct invite *invite = dialog->user == &invite_dialog_user ? dialog->arg : NULL;

    return invite && invite->user == user ? invite->arg : NULL;
}

struct dialog *invite_dialog(const struct invite *invite)
{
    return invite->dialog;
}
