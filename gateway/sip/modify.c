/* SPDX-License-Identifier: Apache-2.0 */
/* modify.c: changes of a session: re-INVITE and UPDATE of the peer, re-INVITE of ours, and when both come at once.
 * RFC 3261 14 and 9.2 (CANCEL), RFC 3311 (also the offer in a PRACK: RFC 3262 5), glare by 491 and the wait of section
 * 14.1. Before the answer a change is an UPDATE, after it a re-INVITE.
 *
 *   ours: sent --491--> waits --> sent again --2xx--> modified
 *           |--100, then 64*T1 of nothing: CANCEL--> abandoned --2xx--> ACK, and the user says anew what counts */
#include <errno.h>

#include "base/mem.h"
#include "base/rand.h"
#include "sip/invite_private.h"

#define GLARE_MAX 4
#define UPDATE_T1S                                                                                                     \
    16 /* an UPDATE of the peer's waits so many T1 for its reply, which is half of what its own side waits */

static void forget(struct request **requestp)
{
    request_detach(*requestp);
    *requestp = mem_unref(*requestp);
}

static void forget_tx(struct invite *invite)
{
    if (invite->modify_tx)
        server_tx_set_user(invite->modify_tx, NULL, NULL);
    invite->modify_tx = mem_unref(invite->modify_tx);
    timer_stop(&invite->update_timer);
}

void modify_stop(struct invite *invite)
{
    timer_stop(&invite->glare_timer);
    timer_stop(&invite->modify_timer);
    forget(&invite->modify);
    forget(&invite->modified);
    forget(&invite->abandoned);
    forget_tx(invite);
}

bool invite_is_modifying(const struct invite *invite)
{
    return invite->modify || invite->modify_tx || timer_is_running(&invite->glare_timer) ||
           (invite->answer_tx && invite->state == INVITE_CONFIRMED);
}

/* ---- the peer's ---- */

static void on_cancel(struct server_tx *tx, const struct sip_msg *cancel, void *arg)
{
    struct invite *invite = arg;

    if (invite->modify_tx != tx)
        return;
    mem_ref(invite);
    server_tx_reply(tx, &(struct sip_reply){.status = 487, .why = "the change was taken back"});
    forget_tx(invite);
    if (invite->user && invite->user->on_modify_cancelled)
        invite->user->on_modify_cancelled(invite, invite->arg);
    mem_unref(invite);
}

static const struct server_tx_user tx_user = {.on_cancel = on_cancel};

/* RFC 3311 5.2: nothing is changed that is not settled yet. @return the refusal, 0: none */
static unsigned refuse_early(const struct invite *invite, const struct dialog *dialog, const struct sip_msg *msg)
{
    if (invite->state != INVITE_EARLY || !msg->body.n || dialog->is_agreed)
        return 0;
    return invite->is_out ? 491 : 500;
}

/* @return true: it cannot be taken now, and was answered */
static bool answer_crossing(struct invite *invite, struct dialog *dialog, struct server_tx *tx,
                            const struct sip_msg *msg)
{
    unsigned status = refuse_early(invite, dialog, msg);

    if (invite->modify)
        server_tx_reply(tx, &(struct sip_reply){.status = 491, .why = "we are changing the session ourselves"});
    else if (status == 491)
        server_tx_reply(tx, &(struct sip_reply){.status = 491, .why = "our offer has no answer yet"});
    else if (status || invite->modify_tx || (msg->method == SIP_INVITE && invite->state != INVITE_CONFIRMED))
        server_tx_reply(tx, &(struct sip_reply){.status = 500,
                                                .headers = SPAN("Retry-After: 2\r\n"),
                                                .why = "the change before this one is not finished"});
    else if (refresh_is_too_brief(msg))
        server_tx_reply(tx, &(struct sip_reply){.status = 422, .headers = SPAN("Min-SE: 90\r\n")});
    else
        return false;
    return true;
}

/* Who sent it does not wait for ever (RFC 3311 5.2), and its offer is off with our refusal. */
static void on_update_timer(void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    server_tx_reply(invite->modify_tx,
                    &(struct sip_reply){.status = 504, .why = "the other side did not answer the change in time"});
    forget_tx(invite);
    if (invite->user && invite->user->on_modify_cancelled)
        invite->user->on_modify_cancelled(invite, invite->arg);
    reliable_go_on(invite);
    mem_unref(invite);
}

void modify_receive(struct invite *invite, struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg)
{
    if (!invite->user || invite->state < INVITE_EARLY || invite->state > INVITE_CONFIRMED) {
        server_tx_reply(tx, &(struct sip_reply){.status = 481, .why = "the call has ended"});
        return;
    }
    if (answer_crossing(invite, dialog, tx, msg))
        return;
    dialog_refresh_target(dialog, msg);
    invite_choose_flow_of(invite, dialog);
    invite->modify_tx = mem_ref(tx);
    server_tx_set_user(tx, &tx_user, invite);
    if (msg->method != SIP_INVITE)
        timer_start(invite->stack->wheel, &invite->update_timer, UPDATE_T1S * invite->stack->timers.t1_ms,
                    on_update_timer, invite);
    invite->user->on_modify(invite, server_tx_request(tx), invite->arg);
}

int invite_modify_reply(struct invite *invite, const struct sip_reply *reply)
{
    struct server_tx *tx = invite->modify_tx;
    struct sip_reply with_contact = *reply;
    struct text headers;
    int err;

    if (!tx)
        return -EPROTO;
    text_init(&headers, SIP_MSG_MAX);
    text_add(&headers, reply->headers);
    with_contact.has_contact = reply->status >= 200 && reply->status < 300;
    if (with_contact.has_contact && server_tx_request(tx)->method != SIP_PRACK && invite->state >= INVITE_ANSWERED)
        refresh_accept(invite, server_tx_request(tx), invite->refresh.interval_s, &headers);
    with_contact.headers = text_span(&headers);
    err = server_tx_reply(tx, &with_contact);
    text_free(&headers);
    if (reply->status < 200)
        return err;
    mem_ref(tx);
    forget_tx(invite);
    if (!err && with_contact.has_contact && server_tx_request(tx)->method == SIP_INVITE)
        invite_in_await_ack(invite, tx);
    mem_unref(tx);
    reliable_go_on(invite);
    return err;
}

/* ---- ours ---- */

static int send_modify(struct invite *invite);

static void tell(struct invite *invite, unsigned status, const struct sip_msg *response)
{
    if (invite->user)
        invite->user->on_modified(invite, status, response, invite->arg);
}

/* A peer that says 100 and then nothing must not keep us from every other change: timer B has stopped (RFC 3261
 * 17.1.1.2), so the bound is ours. The dialog lives: the peer has shown that it knows it. */
static void on_modify_timer(void *arg)
{
    struct invite *invite = arg;

    forget(&invite->abandoned);
    invite->abandoned = invite->modify;
    invite->modify = NULL;
    request_cancel(invite->abandoned, SPAN_NULL);
    tell(invite, 408, NULL);
}

static void on_glare_timer(void *arg)
{
    struct invite *invite = arg;

    if (!invite->is_modify_cancelled && (invite->modify_tx || invite->state == INVITE_ANSWERED)) /* not yet */
        timer_start(invite->stack->wheel, &invite->glare_timer, 500, on_glare_timer, invite);
    else if (invite->is_modify_cancelled)
        tell(invite, 487, NULL);
    else if (send_modify(invite))
        tell(invite, 500, NULL);
}

/* RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s. */
static void wait_for_glare(struct invite *invite)
{
    unsigned wait_ms = invite->is_out ? 2100 + rand_u32() % 1900 : rand_u32() % 2000;

    invite->glare_count++;
    timer_start(invite->stack->wheel, &invite->glare_timer, wait_ms, on_glare_timer, invite);
}

static void finish_modify(struct invite *invite, unsigned status, const struct sip_msg *response)
{
    timer_stop(&invite->modify_timer);
    forget(&invite->modify);
    if (status == 491 && invite->glare_count < GLARE_MAX && !invite->is_modify_cancelled) {
        wait_for_glare(invite);
        return;
    }
    if (status == 422 && refresh_lengthen(invite, response) && !send_modify(invite))
        return;
    if ((status == 481 || status == 408) && invite->state == INVITE_CONFIRMED) { /* RFC 3261 12.2.1.2: it is gone */
        if (status == 408)
            invite_send_bye(invite);
        invite_tell_end(invite, INVITE_END_FAILED, NULL, "the other side does not know the call any more");
        return;
    }
    tell(invite, status, response);
}

/* The 2xx to our UPDATE. */
static void accept_update(struct invite *invite, const struct sip_msg *response)
{
    dialog_refresh_target(invite->dialog, response);
    invite_choose_flow(invite);
    if (invite->state == INVITE_CONFIRMED)
        refresh_take(invite, response);
    forget(&invite->modify);
    tell(invite, response->status, response);
}

/* Each copy of the 2xx is ACKed, the first one's result is told. */
static void accept_modify(struct invite *invite, struct request *request, const struct sip_msg *response)
{
    bool is_now = invite->modify == request, is_late = invite->abandoned == request;

    if (is_now || is_late) {
        dialog_refresh_target(invite->dialog, response);
        invite_choose_flow(invite);
        refresh_take(invite, response);
    }
    invite_out_ack(invite, request);
    if (!is_now && !is_late)
        return;
    if (is_now)
        timer_stop(&invite->modify_timer);
    forget(&invite->modified);
    invite->modified = request; /* kept for the copies */
    *(is_now ? &invite->modify : &invite->abandoned) = NULL;
    if (is_now)
        tell(invite, response->status, response);
    else if (invite->user && invite->user->on_modified_late)
        invite->user->on_modified_late(invite, invite->arg);
}

static void on_response(struct request *request, const struct sip_msg *response, void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    if (response->status >= 300 && invite->modify == request)
        finish_modify(invite, response->status, response);
    else if (response->status >= 300 && invite->abandoned == request)
        forget(&invite->abandoned);
    else if (response->status >= 200 && response->status < 300 && response->method == SIP_UPDATE)
        accept_update(invite, response);
    else if (response->status >= 200 && response->status < 300)
        accept_modify(invite, request, response);
    else if (response->status < 200 && response->method == SIP_INVITE && invite->modify == request &&
             !timer_is_running(&invite->modify_timer))
        timer_start(invite->stack->wheel, &invite->modify_timer, 64 * invite->stack->timers.t1_ms, on_modify_timer,
                    invite);
    mem_unref(invite);
}

static void on_fail(struct request *request, unsigned status, const char *why, void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    if (invite->modify == request)
        finish_modify(invite, status, NULL);
    else if (invite->abandoned == request)
        forget(&invite->abandoned);
    mem_unref(invite);
}

static const struct request_user modify_user = {.on_response = on_response, .on_fail = on_fail};

static int send_modify(struct invite *invite)
{
    bool is_early = invite->state == INVITE_EARLY;
    struct text headers;
    int err;

    text_init(&headers, 256);
    text_add_str(&headers, "Allow: " SIP_ALLOW "\r\n");
    if (!is_early)
        refresh_write(invite, &headers);
    err = request_send(&invite->modify,
                       &(struct request_options){.dialog = invite->dialog,
                                                 .method = is_early ? SIP_UPDATE : SIP_INVITE,
                                                 .headers = text_span(&headers),
                                                 .content_type = span_of(invite->modify_type),
                                                 .body = span_make(invite->modify_body, invite->modify_body_bytes),
                                                 .username = invite->username,
                                                 .password = invite->password,
                                                 .user = &modify_user,
                                                 .arg = invite});
    text_free(&headers);
    return err;
}

void invite_modify_cancel(struct invite *invite)
{
    invite->is_modify_cancelled = true;
    if (timer_is_running(&invite->glare_timer))
        timer_start(invite->stack->wheel, &invite->glare_timer, 0, on_glare_timer, invite);
    else
        request_cancel(invite->modify, SPAN_NULL);
}

/* Offer and answer have gone reliably, and the peer takes UPDATE (RFC 3311 5.1). */
static bool takes_update(const struct invite *invite)
{
    return invite->state == INVITE_EARLY && invite->dialog->is_agreed && invite->refresh.peer_updates &&
           !(invite->reliable && reliable_holds_answer(invite));
}

int invite_modify(struct invite *invite, struct span content_type, struct span body)
{
    if (invite->state != INVITE_CONFIRMED && !takes_update(invite))
        return -EPROTO;
    if (invite_is_modifying(invite))
        return -EBUSY;
    mem_unref(invite->modify_type);
    mem_unref(invite->modify_body);
    invite->modify_type = mem_text(content_type.p, content_type.n);
    invite->modify_body = mem_text(body.p ? body.p : "", body.n);
    invite->modify_body_bytes = body.n;
    invite->glare_count = 0;
    invite->is_modify_cancelled = false;
    return invite->modify_type && invite->modify_body ? send_modify(invite) : -ENOMEM;
}
