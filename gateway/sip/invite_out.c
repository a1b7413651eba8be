/* SPDX-License-Identifier: Apache-2.0 */
/* invite_out.c: an INVITE as caller: provisional answers, the 2xx and its ACK, CANCEL and the answer that crosses it.
 * RFC 3261 13.2, 9.1. */
#include <errno.h>

#include "base/mem.h"
#include "sip/invite_private.h"

static char *copy(const char *text)
{
    return text ? mem_text(text, strlen(text)) : NULL;
}

void invite_write_ack(struct text *out, struct dialog *dialog, uint32_t cseq, struct span authorization)
{
    char branch[SIP_BRANCH_MAX];

    dialog_write_request(out, dialog, SIP_ACK, cseq, branch);
    text_add(out, authorization); /* RFC 3261 22.1: the ACK repeats the INVITE's credentials */
    sip_write_body(out, SPAN_NULL, SPAN_NULL);
}

void invite_out_ack(struct invite *invite, struct request *request)
{
    struct text out;

    text_init(&out, SIP_MSG_MAX);
    invite_write_ack(&out, invite->dialog, request_cseq(request), request_authorization(request));
    if (!text_err(&out))
        transport_send(invite->stack->transports, &invite->dialog->flow, text_span(&out));
    mem_unref(invite->ack);
    invite->ack = text_take(&out);
    text_free(&out);
}

static void receive_repeated_answer(struct invite *invite, const struct sip_msg *response)
{
    if (!span_eq(response->to_tag, span_of(invite->dialog->remote_tag)))
        fork_end_other(invite, response);
    else if (invite->ack)
        transport_send(invite->stack->transports, &invite->dialog->flow, span_of(invite->ack));
}

static void on_linger_timer(void *arg)
{
    invite_finish(arg);
}

/* The answer crossed our CANCEL: ACK, then BYE; stay 64*T1 to ACK further copies (RFC 3261 9.1, 13.2.2.4). */
static void end_crossed(struct invite *invite)
{
    invite_send_bye(invite);
    timer_start(invite->stack->wheel, &invite->answer_timer, 64 * invite->stack->timers.t1_ms, on_linger_timer, invite);
}

static void receive_answer(struct invite *invite, struct request *request, const struct sip_msg *response)
{
    bool is_ending = invite->state == INVITE_ENDING;

    if (invite->state >= INVITE_ANSWERED && !(is_ending && !invite->ack)) {
        receive_repeated_answer(invite, response);
        return;
    }
    if (fork_win(invite, response))
        return; /* no To tag: not an answer by RFC 3261; the transaction will time out */
    invite_choose_flow(invite);
    invite_out_ack(invite, request);
    if (is_ending) {
        end_crossed(invite);
        return;
    }
    invite->state = INVITE_CONFIRMED;
    refresh_take(invite, response);
    invite->user->on_answered(invite, response, invite->arg);
}

static void receive_rejection(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why)
{
    const struct invite_user *user = invite->user;
    void *arg = invite->arg;

    if (invite->state >= INVITE_ANSWERED && invite->state != INVITE_ENDING)
        return;
    invite_finish(invite);
    if (user)
        user->on_rejected(invite, status, response, why, arg);
}

static void receive_progress(struct invite *invite, const struct sip_msg *response)
{
    struct dialog *dialog = response->to_tag.n ? fork_progress(invite, response) : NULL;

    refresh_note_peer(invite, response);
    if (response->to_tag.n && (!dialog || !reliable_take(invite, dialog, response)))
        return;
    invite->state = INVITE_EARLY;
    if (dialog)
        fork_keep_sdp(invite, dialog, response);
    invite->user->on_progress(invite, response, invite->arg);
}

static void on_response(struct request *request, const struct sip_msg *response, void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    if (response->status >= 300) {
        receive_rejection(invite, response->status, response, "");
    } else if (response->status >= 200) {
        receive_answer(invite, request, response);
    } else if (response->status > 100 && invite->state <= INVITE_EARLY) {
        receive_progress(invite, response);
    }
    mem_unref(invite);
}

static void on_fail(struct request *request, unsigned status, const char *why, void *arg)
{
    struct invite *invite = arg;

    mem_ref(invite);
    receive_rejection(invite, status, NULL, why);
    mem_unref(invite);
}

static const struct request_user request_user = {.on_response = on_response, .on_fail = on_fail};

void invite_out_end(struct invite *invite)
{
    struct text reason;

    text_init(&reason, 1024);
    if (invite->end.cause)
        sip_write_reason(&reason, invite->end.cause, invite->end_why ? invite->end_why : "");
    request_cancel(invite->request, text_span(&reason));
    text_free(&reason);
}

int invite_out_new(struct invite **invitep, const struct invite_out_options *options)
{
    struct invite *invite = invite_alloc(options->stack, options->user, options->arg);
    struct dialog_options dialog_options = {
        .stack = options->stack, .user = &invite_dialog_user, .arg = invite, .contact_user = options->contact_user};
    char call_id[SIP_TAG_MAX];
    int err;

    if (!invite)
        return -ENOMEM;
    invite->is_out = true;
    invite->username = copy(options->username);
    invite->password = copy(options->password);
    sip_tag_make(call_id, options->stack);
    err = dialog_new_uac(&invite->dialog, &dialog_options, span_of(call_id), options->from, options->to,
                         options->request_uri);
    if (!err) {
        invite->dialog->flow = options->flow;
        if (options->max_forwards)
            invite->dialog->max_forwards = options->max_forwards;
        err = request_send(&invite->request, &(struct request_options){.dialog = invite->dialog,
                                                                       .method = SIP_INVITE,
                                                                       .headers = options->headers,
                                                                       .content_type = options->content_type,
                                                                       .body = options->body,
                                                                       .username = options->username,
                                                                       .password = options->password,
                                                                       .user = &request_user,
                                                                       .arg = invite});
    }
    if (err) {
        invite_finish(invite);
        mem_unref(invite);
        return err;
    }
    *invitep = invite;
    return 0;
}
