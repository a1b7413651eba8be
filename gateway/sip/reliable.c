/* SPDX-License-Identifier: Apache-2.0 */
/* reliable.c: provisional responses that are acknowledged, both roles. RFC 3262.
 *
 *   callee:  idle --18x--> sent, repeated after T1, 2*T1, ... --PRACK--> idle (then the next 18x, or the 200 that
 * waited)
 *                             \--64*T1 without PRACK--> 504, over */
#include "sip/reliable.h"

#include <errno.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/stats.h"
#include "sip/invite_private.h"

/* What waits until the PRACK has come. */
struct waiting {
    unsigned status; /* 0: nothing */
    bool has_contact;
    char *headers, *content_type, *body;
};

struct reliable {
    uint32_t rseq;               /* of the last one sent */
    bool is_sent;                /* and not acknowledged */
    bool has_body;               /* that one */
    unsigned wait_ms, waited_ms; /* until the next repetition; so far */
    struct timer timer;
    struct waiting next, answer;
};

/* ---- as caller ---- */

static void send_prack(struct invite *invite, struct dialog *dialog, const struct sip_msg *response)
{
    struct text headers;

    text_init(&headers, 128);
    sip_write_headerf(&headers, "RAck", "%u %u INVITE", dialog->rseq, response->cseq);
    invite_choose_flow_of(invite, dialog);
    request_send(NULL, &(struct request_options){.dialog = dialog,
                                                 .method = SIP_PRACK,
                                                 .headers = text_span(&headers),
                                                 .username = invite->username,
                                                 .password = invite->password});
    text_free(&headers);
}

bool reliable_take(struct invite *invite, struct dialog *dialog, const struct sip_msg *response)
{
    uint32_t rseq = 0;

    if (!sip_msg_has_token(response, SIP_H_REQUIRE, SPAN("100rel")) ||
        span_to_u32(sip_msg_value(response, SIP_H_RSEQ), INT32_MAX, &rseq) || !rseq)
        return true;
    if (dialog->rseq && rseq != dialog->rseq + 1)
        return false; /* its PRACK is repeated by itself; one that is missing will be repeated by the peer */
    dialog->rseq = rseq;
    dialog->is_agreed |= response->body.n > 0;
    send_prack(invite, dialog, response);
    return true;
}

/* ---- what waits ---- */

static void forget(struct waiting *waiting)
{
    mem_unref(waiting->headers);
    mem_unref(waiting->content_type);
    mem_unref(waiting->body);
    *waiting = (struct waiting){0};
}

static char *copy(struct span s)
{
    return mem_text(s.p ? s.p : "", s.n);
}

static int keep(struct waiting *waiting, const struct sip_reply *reply)
{
    struct waiting kept = {.status = reply->status,
                           .has_contact = reply->has_contact,
                           .headers = copy(reply->headers),
                           .content_type = copy(reply->content_type),
                           .body = copy(reply->body)};

    if (!kept.headers || !kept.content_type || !kept.body) {
        forget(&kept);
        return -ENOMEM;
    }
    forget(waiting);
    *waiting = kept;
    return 0;
}

/* The newest is what counts; a description that was not sent yet goes with it. */
static int keep_next(struct waiting *next, const struct sip_reply *reply)
{
    struct sip_reply merged = *reply;

    if (!merged.body.n && next->status) {
        merged.content_type = span_of(next->content_type);
        merged.body = span_of(next->body);
    }
    return keep(next, &merged);
}

/* ---- as callee ---- */

int invite_in_use_100rel(struct invite *invite)
{
    if (invite->reliable)
        return 0;
    invite->reliable = mem_new(sizeof(*invite->reliable), NULL);
    if (!invite->reliable)
        return -ENOMEM;
    invite->reliable->rseq = rand_u32() % (1u << 30); /* the first one sent is the next */
    return 0;
}

void reliable_stop(struct invite *invite)
{
    struct reliable *reliable = invite->reliable;

    if (!reliable)
        return;
    timer_stop(&reliable->timer);
    forget(&reliable->next);
    forget(&reliable->answer);
    invite->reliable = mem_unref(reliable);
}

/* RFC 3262 3: the INVITE is refused with a 5xx. */
static void give_up(struct invite *invite)
{
    static const char why[] = "our ringing was never acknowledged: no PRACK came";

    server_tx_reply(invite->tx, &(struct sip_reply){.status = 504, .why = why});
    invite_tell_end(invite, INVITE_END_NO_PRACK, NULL, why);
}

static void on_timer(void *arg)
{
    struct invite *invite = arg;
    struct reliable *reliable = invite->reliable;
    unsigned limit_ms = 64 * invite->stack->timers.t1_ms;

    reliable->waited_ms += reliable->wait_ms;
    if (reliable->waited_ms >= limit_ms) {
        give_up(invite);
        return;
    }
    server_tx_resend(invite->tx);
    reliable->wait_ms *= 2;
    if (reliable->waited_ms + reliable->wait_ms > limit_ms)
        reliable->wait_ms = limit_ms - reliable->waited_ms;
    timer_start(invite->stack->wheel, &reliable->timer, reliable->wait_ms, on_timer, invite);
}

static int send_now(struct invite *invite, const struct sip_reply *reply)
{
    struct reliable *reliable = invite->reliable;
    struct sip_reply sent = *reply;
    struct text headers;
    int err;

    text_init(&headers, SIP_MSG_MAX);
    text_add(&headers, reply->headers);
    text_addf(&headers, "Require: 100rel\r\nRSeq: %u\r\nAllow: " SIP_ALLOW "\r\n", reliable->rseq + 1);
    sent.headers = text_span(&headers);
    if (invite->dialog->is_agreed) /* it has our answer: another one would be a fault (section 5) */
        sent.content_type = sent.body = SPAN_NULL;
    err = text_err(&headers) ? text_err(&headers) : server_tx_reply(invite->tx, &sent);
    text_free(&headers);
    if (err)
        return err;
    reliable->rseq++;
    reliable->is_sent = true;
    reliable->has_body = sent.body.n > 0;
    reliable->waited_ms = 0;
    reliable->wait_ms = invite->stack->timers.t1_ms;
    timer_start(invite->stack->wheel, &reliable->timer, reliable->wait_ms, on_timer, invite);
    return 0;
}

int reliable_progress(struct invite *invite, const struct sip_reply *reply)
{
    struct reliable *reliable = invite->reliable;

    if (!reply->body.n && !invite_in_request(invite)->body.n)
        return 0; /* the first reliable one would have to bring our offer (section 5), which is not made yet */
    if (reliable->is_sent || invite->modify_tx)
        return keep_next(&reliable->next, reply);
    return send_now(invite, reply);
}

bool reliable_holds_answer(const struct invite *invite)
{
    const struct reliable *reliable = invite->reliable;

    return reliable && ((reliable->is_sent && reliable->has_body) || invite->modify_tx);
}

int reliable_keep_answer(struct invite *invite, struct span headers, struct span content_type, struct span body)
{
    return keep(&invite->reliable->answer,
                &(struct sip_reply){.status = 200, .headers = headers, .content_type = content_type, .body = body});
}

static void send_answer(struct invite *invite)
{
    struct waiting answer = invite->reliable->answer;

    invite->reliable->answer = (struct waiting){0};
    invite_in_answer_now(invite, span_of(answer.headers), span_of(answer.content_type), span_of(answer.body));
    forget(&answer);
}

static void send_next(struct invite *invite)
{
    struct waiting next = invite->reliable->next;

    invite->reliable->next = (struct waiting){0};
    send_now(invite, &(struct sip_reply){.status = next.status,
                                         .has_contact = next.has_contact,
                                         .headers = span_of(next.headers),
                                         .content_type = span_of(next.content_type),
                                         .body = span_of(next.body)});
    forget(&next);
}

void reliable_go_on(struct invite *invite)
{
    const struct reliable *reliable = invite->reliable;

    if (!reliable || reliable->is_sent || invite->modify_tx || invite->state > INVITE_EARLY)
        return;
    if (reliable->answer.status)
        send_answer(invite);
    else if (reliable->next.status)
        send_next(invite);
}

static struct span next_word(struct span *rest)
{
    *rest = span_trim(*rest);
    return span_cut(rest, ' ');
}

/* RAck: RSeq CSeq METHOD */
static bool is_for(const struct sip_msg *prack, uint32_t rseq, uint32_t cseq)
{
    struct span rest = sip_msg_value(prack, SIP_H_RACK);
    uint32_t said_rseq, said_cseq;

    return !span_to_u32(next_word(&rest), UINT32_MAX, &said_rseq) && said_rseq == rseq &&
           !span_to_u32(next_word(&rest), UINT32_MAX, &said_cseq) && said_cseq == cseq &&
           span_eq(span_trim(rest), SPAN("INVITE"));
}

void reliable_receive_prack(struct invite *invite, struct server_tx *tx, const struct sip_msg *prack)
{
    struct reliable *reliable = invite->reliable;

    if (!reliable || !reliable->is_sent || !is_for(prack, reliable->rseq, invite_in_request(invite)->cseq)) {
        server_tx_reply(tx, &(struct sip_reply){.status = 481, .why = "no response of ours waits for this PRACK"});
        return;
    }
    timer_stop(&reliable->timer);
    reliable->is_sent = false;
    invite->dialog->is_agreed |= reliable->has_body;
    if (prack->body.n)
        modify_receive(invite, invite->dialog, tx, prack);
    else
        server_tx_reply(tx, &(struct sip_reply){.status = 200});
    reliable_go_on(invite);
}
