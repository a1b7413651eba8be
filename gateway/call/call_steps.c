/* SPDX-License-Identifier: Apache-2.0 */
/* call_steps.c: the call's machine: what happens when a leg says something. One table from state and event to a short
 * function; an empty cell is counted in the timeline and ignored (the drawing is in call.h).
 * RFC 3261 16.7 (best refusal), 14 (changes), RFC 3326 (Reason), RFC 3960 (early media). */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/call_private.h"
#include "call/dtmf.h"
#include "call/events.h"
#include "call/redirect.h"
#include "call/transfer.h"
#include "call/trunk_choice.h"
#include "sip/refer.h"

typedef void call_step(struct call *call, const struct leg_news *news);

/* ---- ringing ---- */

/* Which refusal of several tells the caller most: 6xx ends the search, a person's no before a machine's cannot. */
static unsigned rank(unsigned status)
{
    if (status >= 600)
        return 0;
    if (status == 486 || status == 403)
        return 1;
    if (status == 408 || status == 480 || status == 487 || status >= 500)
        return 3;
    return 2;
}

void call_keep_refusal(struct call *call, unsigned status, const char *why)
{
    if (call->best_status && rank(call->best_status) <= rank(status))
        return;
    call->best_status = status;
    snprintf(call->best_why, sizeof(call->best_why), "%s", why);
}

/* The caller hears no early media, but this may be the only description that the leg gives. */
static void keep_early_answer(struct call *call, const struct leg_news *news)
{
    const char *why = "";

    call_note(call, "%s: %u", news->leg->peer, news->status);
    if (news->sdp.n && leg_media_take_answer(news->leg->media, news->sdp, &why))
        call_note(call, "%s: its early description cannot be used: %s", news->leg->peer, why);
    call->in->ops->progress(call->in, news->status == 183 ? 180 : news->status, SPAN_NULL);
}

static bool ignores_early_media(const struct leg *leg)
{
    return leg->trunk && leg->trunk->conf->ignores_early_media;
}

/* What is heard is the newest. The caller keeps the description that it has: should it not fit, it is told after the
 * answer. */
static void hear_other_fork(struct call *call, const struct leg_news *news)
{
    const char *why = "";
    int err = leg_media_take_answer(news->leg->media, news->sdp, &why);

    if (!err)
        leg_media_bridge(call->in->media, news->leg->media);
    call_note(call, "%s: early media of another branch%s%s", news->leg->peer, err ? " cannot be used: " : "", why);
}

/* Early media of the first leg that has some; of the others only the ringing is passed. */
static void pass_progress(struct call *call, const struct leg_news *news)
{
    struct text sdp;
    const char *why = "";
    bool is_first_media = news->sdp.n && (!call->early || call->early == news->leg);

    events_call_changed(call); /* a device rings */
    /* The caller has no description to hear early media with, or has one already, having talked before. */
    if (call->late || call->in->is_answered || ignores_early_media(news->leg)) {
        keep_early_answer(call, news);
        return;
    }
    call_note(call, "%s: %u%s", news->leg->peer, news->status, news->sdp.n ? " with early media" : "");
    if (news->leg == call->in)
        return;
    if (!is_first_media) {
        call->in->ops->progress(call->in, news->status, SPAN_NULL);
        return;
    }
    if (call->early) { /* said before: the same description again */
        if (news->is_other_fork)
            hear_other_fork(call, news);
        call->in->ops->progress(call->in, news->status, leg_media_description(call->in->media));
        return;
    }
    text_init(&sdp, 65536);
    if (!leg_media_take_answer(news->leg->media, news->sdp, &why) &&
        !leg_media_make_answer(call->in->media, news->leg->media, &sdp, &why)) {
        call->early = news->leg;
        leg_media_bridge(call->in->media, news->leg->media);
        call->in->ops->progress(call->in, news->status, text_span(&sdp));
    } else {
        call_note(call, "early media cannot be used: %s", why);
        call->in->ops->progress(call->in, news->status, SPAN_NULL);
    }
    text_free(&sdp);
}

void call_drop_other_legs(struct call *call, const struct leg *winner)
{
    struct list *link, *tmp;

    list_each (link, tmp, &call->out_legs) {
        struct leg *leg = container_of(link, struct leg, link);

        if (leg != winner)
            leg->ops->end(leg, 0, 200, "Call completed elsewhere");
    }
}

int call_answer_caller(struct call *call, const struct leg *leg, bool is_told, const char **why_out)
{
    struct text sdp;
    int err;

    if (is_told)
        return call->in->ops->answer(call->in, leg_media_description(call->in->media));
    text_init(&sdp, 65536);
    if (call->late)
        err = leg_media_make_offer(call->in->media, leg->media, &sdp, why_out);
    else
        err = leg_media_make_answer(call->in->media, leg->media, &sdp, why_out);
    if (!err)
        err = call->in->ops->answer(call->in, text_span(&sdp));
    text_free(&sdp);
    return err;
}

static int take_answer(const struct leg_news *news, const char **why_out)
{
    if (!news->sdp.n && leg_media_is_set(news->leg->media))
        return 0; /* it was told before */
    return leg_media_take_answer(news->leg->media, news->sdp, why_out);
}

void call_begin_talk(struct call *call)
{
    struct span codec;

    if (!call->late) /* else when the ACK has brought the caller's answer */
        leg_media_bridge(call->in->media, call->out->media);
    call->answered_us = clock_now_us();
    timer_stop(&call->ring_timer);
    call_set_state(call, CALL_TALKING);
    call->is_unsettled =
        !call->late && call->early == call->out && leg_media_must_offer(call->in->media, call->out->media);
    codec = leg_media_codec(call->out->media);
    stats_count(STAT_CALLS_ANSWERED);
    stats_observe(HIST_CALL_SETUP_MS, (call->answered_us - call->began_us) / 1000);
    log_info("call %s: answered by %s (codec=%.*s after_ms=%llu)", call->id, call->out->peer, SPAN_ARG(codec),
             (unsigned long long)((call->answered_us - call->began_us) / 1000));
}

static void connect_legs(struct call *call, const struct leg_news *news)
{
    const char *why = "the answer could not be passed on";
    bool is_joining = call_is_joining(call);
    int err;

    call->out = news->leg;
    call_drop_other_legs(call, news->leg);
    err = take_answer(news, &why);
    if (!err && is_joining)
        transfer_fetch(call);
    else if (!err)
        err = call_answer_caller(call, news->leg, call->early == news->leg, &why);
    if (err) {
        if (err == -ENOENT)
            news->leg->trouble = LEG_NO_CODEC;
        call_end(call, 488, "gateway", why);
        return;
    }
    call_begin_talk(call);
    if (is_joining)
        call_settle(call);
}

/* The winner was faster: this one gets a BYE. */
static void drop_late_answer(struct call *call, const struct leg_news *news)
{
    if (news->leg != call->out)
        news->leg->ops->end(news->leg, 0, 200, "Call completed elsewhere");
}

static bool is_anyone_ringing(const struct call *call)
{
    struct list *link, *tmp;

    list_each (link, tmp, &call->out_legs)
        if (!container_of(link, struct leg, link)->is_over)
            return true;
    return false;
}

/* An answer of the trunk's own is looked up in its list. What the gateway has to say of it (no answer, no connection,
 * no credentials that it takes, a redirection) is a reason to try the next one. */
static bool is_worth_another_trunk(const struct leg_news *news)
{
    const struct leg *leg = news->leg;
    bool is_answer = leg->trouble == LEG_REFUSES && leg->status == news->status;

    if (is_answer && leg->trunk)
        return trunk_fails_over(leg->trunk->conf, news->status);
    return news->status == 408 || (news->status >= 500 && news->status < 600);
}

static void take_refusal(struct call *call, const struct leg_news *news)
{
    if (news->leg == call->in)
        return;
    call_note(call, "%s: refused with %u: %s", news->leg->peer, news->status, news->why);
    news->leg->ops->end(news->leg, 0, 0, NULL);
    if (call->early == news->leg)
        call->early = NULL; /* the next one may have early media of its own */
    call_keep_refusal(call, news->status, news->why);
    if (news->status >= 600)
        call_drop_other_legs(call, news->leg);
    if (is_anyone_ringing(call))
        return;
    if (redirect_follow(call))
        return;
    if (call->pick.trunks && is_worth_another_trunk(news) && call_dial_next_trunk(call))
        return;
    call_end(call, call->best_status, "callee", call->best_why);
}

const char *call_side_name(const struct call *call, const struct leg *leg)
{
    return leg == call->in ? "caller" : "callee";
}

static void hang_up_ringing(struct call *call, const struct leg_news *news)
{
    if (news->leg == call->in) {
        call_end(call, news->status ? news->status : 487, news->leg->trouble == LEG_NO_PRACK ? "gateway" : "caller",
                 news->why);
        return;
    }
    take_refusal(call,
                 &(struct leg_news){.leg = news->leg, .status = news->status ? news->status : 480, .why = news->why});
}

/* ---- talking ---- */

static void hang_up(struct call *call, const struct leg_news *news)
{
    if (news->leg != call->in && news->leg != call->out)
        return;
    if (call->transfer && transfer_leave(call, news->leg))
        return;
    call_end(call, news->status, news->status == 0 ? call_side_name(call, news->leg) : "gateway", news->why);
}

/* A change that concerns one leg alone (ICE restart, refresh): answered here, the other side is not bothered. */
static void answer_private_change(struct call *call, struct leg *leg)
{
    struct leg *other = call_other_leg(call, leg);
    const char *why = "";
    struct text sdp;

    text_init(&sdp, 65536);
    if (leg_media_make_answer(leg->media, NULL, &sdp, &why)) {
        leg_media_rollback(leg->media);
        leg->ops->modify_reply(leg, 488, why, SPAN_NULL);
    } else {
        leg->ops->modify_reply(leg, 200, NULL, text_span(&sdp));
    }
    text_free(&sdp);
    leg_media_bridge(leg->media, other->media);
    call_note(call, "%s: a change of its own transport, not passed on", leg->peer);
}

static void pass_change(struct call *call, struct leg *leg, struct leg *other)
{
    const char *why = "the change cannot be passed on";
    struct text sdp;
    int err;

    text_init(&sdp, 65536);
    err = leg_media_make_offer(other->media, leg->media, &sdp, &why);
    if (!err)
        err = other->ops->modify(other, text_span(&sdp));
    text_free(&sdp);
    if (err) {
        leg_media_rollback(leg->media);
        leg_media_withdraw(other->media);
    }
    if (err == -EBUSY || err == -EPROTO) /* EPROTO: its ACK has not come yet */
        leg->ops->modify_reply(leg, 491, "the other side is changing the session", SPAN_NULL);
    else if (err)
        leg->ops->modify_reply(leg, 488, why, SPAN_NULL);
    else
        call->modifier = leg;
}

static void take_change(struct call *call, const struct leg_news *news)
{
    struct leg *other = call_other_leg(call, news->leg);
    const char *why = "";

    if (!other || call_is_changing(call)) {
        news->leg->ops->modify_reply(news->leg, 491, "another change is under way", SPAN_NULL);
        return;
    }
    if (!news->sdp.n) {
        call_offer_late(call, news->leg);
        return;
    }
    if (leg_media_take_offer(news->leg->media, news->sdp, &why)) {
        leg_media_rollback(news->leg->media);
        news->leg->ops->modify_reply(news->leg, 488, why, SPAN_NULL);
        return;
    }
    if (leg_media_is_private_change(news->leg->media))
        answer_private_change(call, news->leg);
    else
        pass_change(call, news->leg, other);
}

/* UPDATE (or PRACK with an offer) before the answer. It is answered from what the other side has said, as that one can
 * mostly not be asked yet; what does not fit is told to it as soon as it can be. RFC 3311, RFC 6337 3.1. */
static void take_early_change(struct call *call, const struct leg_news *news)
{
    struct leg *leg = news->leg, *other = leg == call->in ? call->early : call->in;
    const char *why = "nothing has been agreed yet";
    struct text sdp;
    int err;

    if (leg == call->in && leg->is_answered) { /* it has talked elsewhere, and is being transferred */
        leg->ops->modify_reply(leg, 491, "the call is not ready for a change", SPAN_NULL);
        return;
    }
    if (!other || !news->sdp.n || call_is_changing(call)) {
        leg->ops->modify_reply(leg, other && news->sdp.n ? 491 : 500, other ? "another change is under way" : why,
                               SPAN_NULL);
        return;
    }
    text_init(&sdp, 65536);
    err = leg_media_take_offer(leg->media, news->sdp, &why);
    if (!err)
        err = leg_media_make_answer(leg->media, leg_media_is_private_change(leg->media) ? NULL : other->media, &sdp,
                                    &why);
    if (err)
        leg_media_rollback(leg->media);
    leg->ops->modify_reply(leg, err ? 488 : 200, err ? why : NULL, err ? SPAN_NULL : text_span(&sdp));
    text_free(&sdp);
    call_note(call, "%s: change before the answer: %s", leg->peer, err ? why : "taken");
    if (other != call_other_leg(call, leg))
        return; /* nobody hears it yet */
    leg_media_bridge(leg->media, other->media);
    if (!err)
        call_settle_early(call, leg);
}

/* To the modifier 408 and 481 would say that its own dialog is gone (RFC 3261 12.2.1.2). */
static unsigned refusal_of(unsigned status)
{
    return status == 408 || status == 481 ? 504 : status >= 300 ? status : 488;
}

/* The other side has answered the change that was passed to it. */
static void finish_change(struct call *call, const struct leg_news *news)
{
    struct leg *modifier = call->modifier;
    const char *why = "the other side refused the change";
    struct text sdp;
    int err = news->status >= 300 ? -EPROTO : 0;

    if (call->told == news->leg) {
        call_take_told(call, news);
        return;
    }
    if (!modifier || modifier == news->leg)
        return;
    call->modifier = NULL;
    text_init(&sdp, 65536);
    if (err)
        leg_media_withdraw(news->leg->media);
    else
        err = leg_media_take_answer(news->leg->media, news->sdp, &why);
    if (!err)
        err = leg_media_make_answer(modifier->media, news->leg->media, &sdp, &why);
    if (err) {
        leg_media_rollback(modifier->media);
        modifier->ops->modify_reply(modifier, refusal_of(news->status), why, SPAN_NULL);
    } else {
        modifier->ops->modify_reply(modifier, 200, NULL, text_span(&sdp));
    }
    text_free(&sdp);
    leg_media_bridge(call->in->media, call->out->media);
    call_note(call, "change of %s: %s", modifier->peer, err ? why : "done");
}

/* A key goes as the other side takes it: by telephone-event where that was agreed, else by INFO. Other bodies go as
 * they are. */
static void pass_info(struct call *call, const struct leg_news *news)
{
    struct leg *other = call_other_leg(call, news->leg);
    struct dtmf dtmf;
    struct text body;

    if (!other || !other->ops->info || !news->sdp.n)
        return;
    if (!dtmf_parse(&dtmf, news->content_type, news->sdp)) {
        other->ops->info(other, news->content_type, news->sdp);
        return;
    }
    if (!leg_media_press(other->media, dtmf.event, dtmf.duration_ms))
        return;
    text_init(&body, 128);
    dtmf_write(&body, &dtmf);
    other->ops->info(other, DTMF_TYPE, text_span(&body));
    text_free(&body);
}

/* ---- the table ---- */

static call_step *const steps[CALL_STATE_COUNT][LEG_EVENT_COUNT] = {
    [CALL_ROUTING] = {[LEG_HUNG_UP] = hang_up_ringing, [LEG_REFUSED] = take_refusal},
    [CALL_RINGING] = {[LEG_PROGRESS] = pass_progress,
                      [LEG_ANSWERED] = connect_legs,
                      [LEG_MODIFY] = take_early_change,
                      [LEG_MODIFY_CANCELLED] = call_drop_change,
                      [LEG_REFUSED] = take_refusal,
                      [LEG_HUNG_UP] = hang_up_ringing,
                      [LEG_MODIFIED] = finish_change,
                      [LEG_CONFIRMED] = call_take_confirmation}, /* of a caller who talked elsewhere: transfer.c */
    [CALL_TALKING] = {[LEG_ANSWERED] = drop_late_answer,
                      [LEG_HUNG_UP] = hang_up,
                      [LEG_MODIFY] = take_change,
                      [LEG_MODIFIED] = finish_change,
                      [LEG_CONFIRMED] = call_take_confirmation,
                      [LEG_MODIFY_CANCELLED] = call_drop_change,
                      [LEG_MODIFIED_LATE] = call_repair_change,
                      [LEG_REFER] = transfer_receive,
                      [LEG_INFO] = pass_info},
};

void call_event(const struct leg_news *news)
{
    struct call *call = news->leg->call;
    call_step *step = steps[call->state][news->event];

    if (step)
        step(call, news);
    else if (news->event == LEG_MODIFY)
        news->leg->ops->modify_reply(news->leg, 491, "the call is not ready for a change", SPAN_NULL);
    else if (news->event == LEG_REFER)
        refer_refuse(news->refer, 491, "the call is not ready to be transferred");
    else
        call_note(call, "%s: event %u ignored in state %s", news->leg->peer, news->event, call_state_name(call->state));
}
