/* SPDX-License-Identifier: Apache-2.0 */
/* modify.c: changes of a session: re-INVITE and UPDATE of the peer, re-INVITE of ours, and when both come at once.
 * RFC 3261 14, RFC 3311, glare by 491 and the wait of section 14.1. */
#include <errno.h>

#include "base/mem.h"
#include "base/rand.h"
#include "sip/invite_private.h"

#define GLARE_MAX 4

void modify_stop(struct invite *invite)
{
    timer_stop(&invite->glare_timer);
    request_detach(invite->modify);
    invite->modify = mem_unref(invite->modify);
    request_detach(invite->modified);
    invite->modified = mem_unref(invite->modified);
    invite->modify_tx = mem_unref(invite->modify_tx);
}

bool invite_is_modifying(const struct invite *invite)
{
    return invite->modify || invite->modify_tx || timer_is_running(&invite->glare_timer) ||
           (invite->answer_tx && invite->state == INVITE_CONFIRMED);
}

/* ---- the peer's ---- */

void modify_receive(struct invite *invite, struct server_tx *tx, const struct sip_msg *msg)
{
    if (!invite->user || invite->state < INVITE_EARLY || invite->state > INVITE_CONFIRMED) {
        server_tx_reply(tx, &(struct sip_reply){.status = 481, .why = "the call has ended"});
        return;
    }
    if (invite->modify) {
        server_tx_reply(tx, &(struct sip_reply){.status = 491, .why = "we are changing the session ourselves"});
        return;
    }
    if (invite->modify_tx || (msg->method == SIP_INVITE && invite->state != INVITE_CONFIRMED)) {
        server_tx_reply(tx, &(struct sip_reply){.status = 500,
                                                .headers = SPAN("Retry-After: 2\r\n"),
                                                .why = "the change before this one is not finished"});
        return;
    }
    if (refresh_is_too_brief(msg)) {
        server_tx_reply(tx, &(struct sip_reply){.status = 422, .headers = SPAN("Min-SE: 90\r\n")});
        return;
    }
    dialog_refresh_target(invite->dialog, msg);
    invite_choose_flow(invite);
    invite->modify_tx = mem_ref(tx);
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
    if (with_contact.has_contact)
        refresh_accept(invite, server_tx_request(tx), 0, &headers);
    with_contact.headers = text_span(&headers);
    err = server_tx_reply(tx, &with_contact);
    text_free(&headers);
    if (reply->status < 200)
        return err;
    invite->modify_tx = NULL;
    if (!err && with_contact.has_contact && server_tx_request(tx)->method == SIP_INVITE)
        invite_in_await_ack(invite, tx);
    mem_unref(tx);
    return err;
}

/* ---- ours ---- */

static int send_modify(struct invite *invite);

static void on_glare_timer(void *arg)
{
    struct invite *invite = arg;

    if (invite->modify_tx) /* the peer was faster again */
        timer_start(invite->stack->wheel, &invite->glare_timer, 500, on_glare_timer, invite);
    else if (send_modify(invite) && invite->user)
        invite->user->on_modified(invite, 500, NULL, invite->arg);
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
    request_detach(invite->modify);
    invite->modify = mem_unref(invite->modify);
    if (status == 491 && invite->glare_count < GLARE_MAX) {
        wait_for_glare(invite);
        return;
    }
    if (status == 481 || status == 408) { /* RFC 3261 12.2.1.2: the dialog is gone */
        if (status == 408)
            invite_send_bye(invite);
        invite_tell_end(invite, INVITE_END_FAILED, NULL, "the other side does not know the call any more");
        return;
    }
    if (invite->user)
        invite->user->on_modified(invite, status, response, invite->arg);
}

static void on_response(struct request *request, const struct sip_msg *response, void *arg)
{
    struct invite *invite = arg;

    if (response->status < 200)
        return;
    mem_ref(invite);
    if (response->status < 300) {
        if (invite->modify == request) {
            dialog_refresh_target(invite->dialog, response);
            invite_choose_flow(invite);
            refresh_take(invite, response);
        }
        invite_out_ack(invite, request); /* each copy of the 2xx */
        if (invite->modify == request) {
            /* kept to ACK further copies of the 2xx; its result is told once */
            request_detach(invite->modified);
            mem_unref(invite->modified);
            invite->modified = invite->modify;
            invite->modify = NULL;
            if (invite->user)
                invite->user->on_modified(invite, response->status, response, invite->arg);
        }
    } else {
        finish_modify(invite, response->status, response);
    }
    mem_unref(invite);
}

static void on_fail(struct request *request, unsigned status, const char *why, void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    if (invite->modify == request)
        finish_modify(invite, status, NULL);
    mem_unref(invite);
}

static const struct request_user modify_user = {.on_response = on_response, .on_fail = on_fail};

static int send_modify(struct invite *invite)
{
    return request_send(&invite->modify,
                        &(struct request_options){.dialog = invite->dialog,
                                                  .method = SIP_INVITE,
                                                  .headers = SPAN("Allow: " SIP_ALLOW "\r\nSupported: timer\r\n"),
                                                  .content_type = span_of(invite->modify_type),
                                                  .body = span_make(invite->modify_body, invite->modify_body_bytes),
                                                  .username = invite->username,
                                                  .password = invite->password,
                                                  .user = &modify_user,
                                                  .arg = invite});
}

int invite_modify(struct invite *invite, struct span content_type, struct span body)
{
    if (invite->state != INVITE_CONFIRMED)
        return -EPROTO;
    if (invite_is_modifying(invite))
        return -EBUSY;
    mem_unref(invite->modify_type);
    mem_unref(invite->modify_body);
    invite->modify_type = mem_text(content_type.p, content_type.n);
    invite->modify_body = mem_text(body.p ? body.p : "", body.n);
    invite->modify_body_bytes = body.n;
    invite->glare_count = 0;
    return invite->modify_type && invite->modify_body ? send_modify(invite) : -ENOMEM;
}
