/* SPDX-License-Identifier: Apache-2.0 */
/* call_watch.c: what watches over calls while nobody says anything: RTP time-outs, the longest duration, lost
 * connections and their return (RFC 5626, RFC 7118). Decides only to end or to go on. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"
#include "call/call_private.h"
#include "call/leg_sip.h"

typedef void call_fn(struct call *call, void *arg);

static void each_call(struct calls *calls, call_fn *fn, void *arg)
{
    struct map_node *node, *next;

    for (node = map_next(&calls->by_id, NULL); node; node = next) {
        struct call *call = container_of(node, struct call, node);

        next = map_next(&calls->by_id, node);
        if (call->state != CALL_OVER)
            fn(call, arg);
    }
}

/* ---- RTP time-out and duration ---- */

static bool is_silent(const struct call *call, const struct leg *leg, uint64_t now_us)
{
    uint64_t timeout_us = call->conf->media.timeout_s * 1000000ull;
    uint64_t last_us = leg_media_last_rtp_us(leg->media);

    if (!timeout_us || !leg_media_expects_rtp(leg->media) || leg_sip_is_lost(leg))
        return false;
    if (last_us < call->answered_us)
        last_us = call->answered_us;
    return now_us > last_us + timeout_us;
}

static void watch_call(struct call *call, void *arg)
{
    uint64_t now_us = clock_now_us();
    char why[160];

    if (call->state != CALL_TALKING)
        return;
    if (call->max_duration_s && now_us - call->answered_us > call->max_duration_s * 1000000ull) {
        call_end(call, 408, "gateway", "the call reached its longest duration");
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct leg *leg = i ? call->out : call->in;

        if (!is_silent(call, leg, now_us))
            continue;
        snprintf(why, sizeof(why), "no RTP came from %s for %u s", leg->peer, call->conf->media.timeout_s);
        call_end(call, 408, "gateway", why);
        return;
    }
}

void call_sweep(struct calls *calls)
{
    each_call(calls, watch_call, NULL);
}

/* ---- lost connections ---- */

static void end_lost(struct call *call, const struct leg *leg)
{
    char why[120];

    if (!leg || !leg_sip_is_lost(leg))
        return;
    snprintf(why, sizeof(why), "its connection closed and it did not come back within %u s",
             call->conf->sip.reconnect_s);
    call_end(call, 408, "gateway", why);
}

static void on_in_not_back(void *arg)
{
    struct call *call = arg;

    end_lost(call, call->in);
}

static void on_out_not_back(void *arg)
{
    struct call *call = arg;

    end_lost(call, call->out);
}

/* Each side has its own time: the one that is lost later is not cut short by the other. */
void call_await_return(struct call *call, const struct leg *leg)
{
    bool is_in = leg == call->in;
    struct timer *timer = is_in ? &call->in_back_timer : &call->out_back_timer;

    timer_start(call->calls->stack->wheel, timer, call->conf->sip.reconnect_s * 1000ull,
                is_in ? on_in_not_back : on_out_not_back, call);
}

static void lose_leg(struct call *call, struct leg *leg, const struct sip_flow *flow)
{
    const struct sip_flow *own = leg && !leg->is_over && leg_sip_invite(leg) ? leg_sip_flow(leg) : NULL;

    if (!own || !sip_flow_same(own, flow))
        return;
    if (leg->trunk) {
        leg_sip_lose_flow(leg);
        return;
    }
    if (leg == call->in && call->state != CALL_TALKING && sip_transport_is_web((enum sip_transport)flow->transport)) {
        call_end(call, 487, "caller",
                 "its connection closed before the answer"); /* its INVITE has ended with the connection */
        return;
    }
    leg_sip_set_lost(leg, true);
    call_await_return(call, leg);
}

static void lose_flow(struct call *call, void *arg)
{
    lose_leg(call, call->in, arg);
    if (call->state == CALL_TALKING)
        lose_leg(call, call->out, arg);
}

void call_flow_lost(struct calls *calls, const struct sip_flow *flow)
{
    struct sip_flow copy = *flow;

    each_call(calls, lose_flow, &copy);
}

struct back {
    struct mail mail;
    char account[SIP_ACCOUNT_MAX];
    struct binding binding;
    bool has_left; /* the device was on `left` until now, which need not be known as closed yet */
    struct sip_flow left;
};

static bool is_meant(const struct leg *leg, const struct back *back)
{
    if (strcmp(leg->account, back->account) || leg->is_over || !leg_sip_invite(leg))
        return false;
    if (back->has_left)
        return sip_flow_same(leg_sip_flow(leg), &back->left);
    return leg_sip_is_lost(leg) && leg_sip_is_device(leg, &back->binding);
}

static void find_leg(struct call *call, struct leg *leg, const struct back *back)
{
    char text[SIP_FLOW_TEXT_MAX];

    if (!leg || !is_meant(leg, back))
        return;
    invite_set_flow(leg_sip_invite(leg), &back->binding.flow);
    if (back->has_left)
        call_note(call, "%s: now at %s", leg->peer, sip_flow_text(&back->binding.flow, text));
    leg_sip_set_lost(leg, false);
    timer_stop(leg == call->in ? &call->in_back_timer : &call->out_back_timer);
}

static void find_lost(struct call *call, void *arg)
{
    find_leg(call, call->in, arg);
    find_leg(call, call->out, arg);
}

static void receive_back(struct worker *worker, struct mail *mail)
{
    struct back *back = container_of(mail, struct back, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack && stack->user == &calls_sip_user)
        each_call(stack->user_arg, find_lost, back);
    mem_unref(back);
}

static void tell_back(const struct back *news)
{
    for (unsigned i = 0; i < worker_count(); i++) {
        struct worker *worker = worker_get(i);
        struct back *back = worker ? mem_new(sizeof(*back), NULL) : NULL;

        if (!back)
            continue;
        *back = *news;
        back->mail = (struct mail){.receive = receive_back};
        if (worker == worker_current())
            receive_back(worker, &back->mail);
        else
            mailbox_post(worker, &back->mail);
    }
}

void call_account_is_back(const char *account, const struct binding *binding)
{
    struct back back = {.binding = *binding};

    if (!leg_sip_any_lost())
        return;
    span_copy(span_of(account), back.account, sizeof(back.account));
    tell_back(&back);
}

void call_account_moved(const char *account, const struct sip_flow *left, const struct binding *binding)
{
    struct back back = {.binding = *binding, .has_left = true, .left = *left};

    span_copy(span_of(account), back.account, sizeof(back.account));
    tell_back(&back);
}
