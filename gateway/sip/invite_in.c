/* SPDX-License-Identifier: Apache-2.0 */
/* invite_in.c: an INVITE as callee: provisional answers, the 2xx repeated until its ACK, CANCEL. RFC 3261 13.3, 9.2. */
#include <errno.h>

#include "base/mem.h"
#include "sip/invite_private.h"

static void on_cancel(struct server_tx *tx, const struct sip_msg *cancel, void *arg)
{
    struct invite *invite = arg;
    const struct invite_user *user = invite->user;
    void *user_arg = invite->arg;

    if (invite->state > INVITE_EARLY)
        return;
    mem_ref(invite);
    server_tx_reply(tx, &(struct sip_reply){.status = 487});
    invite_finish(invite);
    if (user)
        user->on_cancelled(invite, cancel, user_arg);
    mem_unref(invite);
}

/* A BYE that still waits for the ACK does not outlive the stack. */
static void on_tx_end(struct server_tx *tx, void *arg)
{
    struct invite *invite = arg;

    if (invite->stack->is_ending && invite->state == INVITE_ENDING)
        invite_finish(invite);
}

static const struct server_tx_user tx_user = {.on_cancel = on_cancel, .on_end = on_tx_end};

int invite_in_new(struct invite **invitep, struct server_tx *tx, const struct invite_user *user, void *arg,
                  struct span contact_user)
{
    const struct sip_msg *request = server_tx_request(tx);
    struct sip_stack *stack = server_tx_stack(tx);
    struct invite *invite = invite_alloc(stack, user, arg);
    int err;

    if (!invite)
        return -ENOMEM;
    err = dialog_new_uas(&invite->dialog,
                         &(struct dialog_options){
                             .stack = stack, .user = &invite_dialog_user, .arg = invite, .contact_user = contact_user},
                         request, server_tx_flow(tx), server_tx_tag(tx));
    if (err) {
        invite_finish(invite);
        mem_unref(invite);
        return err;
    }
    invite->tx = mem_ref(tx);
    if (sip_msg_has_token(request, SIP_H_REQUIRE, SPAN("100rel")) && invite_in_use_100rel(invite)) {
        invite_finish(invite);
        mem_unref(invite);
        return -ENOMEM;
    }
    refresh_note_peer(invite, request);
    server_tx_set_user(tx, &tx_user, invite);
    *invitep = invite;
    return 0;
}

const struct sip_msg *invite_in_request(const struct invite *invite)
{
    return invite->tx ? server_tx_request(invite->tx) : NULL;
}

int invite_in_progress(struct invite *invite, const struct sip_reply *reply)
{
    if (invite->state > INVITE_EARLY || invite->is_out)
        return -EPROTO;
    invite->state = INVITE_EARLY;
    return invite->reliable ? reliable_progress(invite, reply) : server_tx_reply(invite->tx, reply);
}

/* ---- the 2xx until its ACK: RFC 3261 13.3.1.4, also over reliable transports ---- */

static void stop_waiting(struct invite *invite)
{
    timer_stop(&invite->answer_timer);
    invite->answer_tx = mem_unref(invite->answer_tx);
}

static void give_up_waiting(struct invite *invite)
{
    static const char why[] = "the answer was never acknowledged: no ACK came for our 200";

    stop_waiting(invite);
    if (!invite->end.cause) {
        invite->end.cause = 408;
        invite->end_why = mem_text(why, sizeof(why) - 1);
    }
    invite_send_bye(invite);
    invite_tell_end(invite, INVITE_END_NO_ACK, NULL, why);
}

static void on_answer_timer(void *arg)
{
    struct invite *invite = arg;
    const struct sip_timers *timers = &invite->stack->timers;

    invite->answered_ms += invite->answer_ms;
    if (invite->answered_ms >= 64 * timers->t1_ms) {
        give_up_waiting(invite);
        return;
    }
    server_tx_resend(invite->answer_tx);
    invite->answer_ms = invite->answer_ms * 2 < timers->t2_ms ? invite->answer_ms * 2 : timers->t2_ms;
    if (invite->answered_ms + invite->answer_ms > 64 * timers->t1_ms)
        invite->answer_ms = 64 * timers->t1_ms - invite->answered_ms;
    timer_start(invite->stack->wheel, &invite->answer_timer, invite->answer_ms, on_answer_timer, invite);
}

void invite_in_await_ack(struct invite *invite, struct server_tx *tx)
{
    mem_unref(invite->answer_tx);
    invite->answer_tx = mem_ref(tx);
    invite->answered_ms = 0;
    invite->answer_ms = invite->stack->timers.t1_ms;
    timer_start(invite->stack->wheel, &invite->answer_timer, invite->answer_ms, on_answer_timer, invite);
}

void invite_in_receive_ack(struct invite *invite, const struct sip_msg *ack)
{
    if (!invite->answer_tx || server_tx_request(invite->answer_tx)->cseq != ack->cseq)
        return;
    stop_waiting(invite);
    if (invite->state == INVITE_ENDING) {
        invite_send_bye(invite);
        invite_finish(invite);
    } else if (invite->state == INVITE_ANSWERED) {
        invite->state = INVITE_CONFIRMED;
        if (invite->user)
            invite->user->on_confirmed(invite, ack, invite->arg);
    } else if (invite->user && invite->user->on_modify_confirmed) {
        invite->user->on_modify_confirmed(invite, ack, invite->arg);
    }
}

int invite_in_answer(struct invite *invite, struct span headers, struct span content_type, struct span body)
{
    if (invite->state > INVITE_EARLY || invite->is_out)
        return -EPROTO;
    if (reliable_holds_answer(invite))
        return reliable_keep_answer(invite, headers, content_type, body);
    return invite_in_answer_now(invite, headers, content_type, body);
}

int invite_in_answer_now(struct invite *invite, struct span headers, struct span content_type, struct span body)
{
    struct text all;
    int err;

    text_init(&all, SIP_MSG_MAX);
    text_add(&all, headers);
    refresh_accept(invite, server_tx_request(invite->tx), invite->stack->conf->sip.session_expires_s, &all);
    err = server_tx_reply(invite->tx, &(struct sip_reply){.status = 200,
                                                          .has_contact = true,
                                                          .headers = text_span(&all),
                                                          .content_type = content_type,
                                                          .body = body});
    text_free(&all);
    if (err)
        return err;
    invite->state = INVITE_ANSWERED;
    reliable_stop(invite);
    invite_choose_flow(invite);
    invite_in_await_ack(invite, invite->tx);
    return 0;
}
