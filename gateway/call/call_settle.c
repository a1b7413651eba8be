/* SPDX-License-Identifier: Apache-2.0 */
/* call_settle.c: changes that no leg waits for: a peer that asks for our offer and answers in its ACK, one that takes
 * its change back, one that accepts a change long after it was given up. What came of it is told to whichever leg has
 * not heard of it, by re-INVITEs of our own. RFC 3261 13.2.1, 14.2, 9.2; RFC 6337.
 *
 *   idle --re-INVITE without offer: 200 with ours--> late --ACK with the answer--> settle
 *   settle: a leg must be told --re-INVITE--> told --2xx or refusal--> settle, a few rounds at most */
#include <errno.h>

#include "call/call_private.h"

#define ROUND_MAX 3   /* legs that never agree are left as they are */
#define RETRY_MS  500 /* the leg is in the middle of a change of its own */
#define RETRY_MAX 64

bool call_is_changing(const struct call *call)
{
    return call->modifier || call->late || call->told;
}

static void tell_leg(struct call *call, struct leg *leg);

static void on_tell_timer(void *arg)
{
    struct call *call = arg;

    tell_leg(call, call->told);
}

/* A leg that cannot be told now is told later; one that cannot be told at all stays as it is. */
static void tell_leg(struct call *call, struct leg *leg)
{
    const char *why = "it could not be sent";
    struct text sdp;
    bool is_later;
    int err;

    text_init(&sdp, 65536);
    err = leg_media_make_offer(leg->media, call_other_leg(call, leg)->media, &sdp, &why);
    if (!err)
        err = leg->ops->modify(leg, text_span(&sdp));
    text_free(&sdp);
    if (err)
        leg_media_withdraw(leg->media);
    is_later = err == -EBUSY || err == -EPROTO; /* EPROTO: it has not sent its ACK yet */
    call->told = err && !is_later ? NULL : leg;
    if (is_later && ++call->tell_tries < RETRY_MAX) {
        timer_start(call->calls->stack->wheel, &call->tell_timer, RETRY_MS, on_tell_timer, call);
        return;
    }
    if (err) {
        call->told = NULL;
        call_note(call, "%s: not told of the change: %s", leg->peer, why);
    } else {
        call_note(call, "%s: told of the change", leg->peer);
    }
}

static bool must_tell(struct call *call, struct leg *leg)
{
    return leg_media_must_offer(leg->media, call_other_leg(call, leg)->media);
}

/* @param first looked at first; may be NULL @param second likewise */
static void settle(struct call *call, struct leg *first, struct leg *second)
{
    struct leg *leg = first && must_tell(call, first) ? first : second && must_tell(call, second) ? second : NULL;

    if (!leg || call->tell_rounds >= ROUND_MAX)
        return;
    call->tell_rounds++;
    call->tell_tries = 0;
    tell_leg(call, leg);
}

void call_settle_early(struct call *call, struct leg *leg)
{
    struct leg *other = call_other_leg(call, leg);

    call->tell_rounds = ROUND_MAX - 1; /* once: when the call is answered there is time for more */
    settle(call, other, NULL);
}

void call_take_told(struct call *call, const struct leg_news *news)
{
    struct leg *leg = call->told, *other = call_other_leg(call, leg);
    const char *why = "it was refused";
    int err = news->status >= 300 ? -EPROTO : 0;

    if (timer_is_running(&call->tell_timer))
        return; /* it is not told yet: this was the change of its own that we wait for */
    call->told = NULL;
    if (err)
        leg_media_withdraw(leg->media);
    else
        err = leg_media_take_answer(leg->media, news->sdp, &why);
    if (err)
        call_note(call, "%s: the change was not taken: %s", leg->peer, why);
    if (!other)
        return; /* it waits for somebody to talk to */
    leg_media_bridge(leg->media, other->media);
    if (call->tell_rounds) /* to an offer for the other one: what it has said is its last word */
        settle(call, other, err ? NULL : leg);
    else
        settle(call, err ? NULL : leg, other);
}

void call_settle(struct call *call)
{
    if (call_is_changing(call))
        return; /* what comes of that is settled then */
    call->tell_rounds = 0;
    settle(call, call->in, call->out);
}

void call_carry_changes(struct call *from, struct leg *leg, struct call *to)
{
    bool is_asked = from->told == leg ? !timer_is_running(&from->tell_timer)
                                      : from->modifier && from->modifier != leg; /* with the other one's change */
    bool is_modifier = from->modifier == leg, is_late = from->late == leg;

    timer_stop(&from->tell_timer);
    from->modifier = from->late = from->told = NULL;
    if (is_modifier) { /* the one that had been asked is not there any more */
        leg_media_rollback(leg->media);
        leg->ops->modify_reply(leg, 491, "the other side has changed", SPAN_NULL);
    }
    if (is_late)
        to->late = leg;
    if (is_asked) {
        to->told = leg;
        to->tell_rounds = 0;
    }
}

/* ---- a peer that wants our offer ---- */

void call_offer_late(struct call *call, struct leg *leg)
{
    const char *why = "";
    struct text sdp;

    text_init(&sdp, 65536);
    if (leg_media_make_full_offer(leg->media, call_other_leg(call, leg)->media, &sdp, &why)) {
        leg_media_withdraw(leg->media);
        leg->ops->modify_reply(leg, 488, why, SPAN_NULL);
    } else {
        call->late = leg;
        leg->ops->modify_reply(leg, 200, NULL, text_span(&sdp));
    }
    text_free(&sdp);
}

/* The dialog's session hangs on this answer: without it the call cannot go on (RFC 3261 13.2.2.4 as its UAC would). */
static void take_late_answer(struct call *call, const struct leg_news *news)
{
    const char *why = "the ACK has no answer to the offer in our 200";

    call->late = NULL;
    if (!news->sdp.n || leg_media_take_answer(news->leg->media, news->sdp, &why)) {
        call_end(call, 488, "gateway", why);
        return;
    }
    call_note(call, "%s: the answer came with the ACK", news->leg->peer);
    if (!call->out)
        return;
    leg_media_bridge(call->in->media, call->out->media);
    call->tell_rounds = 0;
    settle(call, call_other_leg(call, news->leg), NULL);
}

/* Of early media that was not the winner's the caller is told now (RFC 3261 13.2.1: not by the answer). */
void call_take_confirmation(struct call *call, const struct leg_news *news)
{
    if (call->late == news->leg) {
        take_late_answer(call, news);
    } else if (call->is_unsettled && news->leg == call->in && !call_is_changing(call)) {
        call->is_unsettled = false;
        call->tell_rounds = 0;
        settle(call, call->in, call->out);
    }
}

/* ---- changes that come to nothing, or to something after all ---- */

void call_drop_change(struct call *call, const struct leg_news *news)
{
    struct leg *other = call_other_leg(call, news->leg);

    if (call->modifier != news->leg || !other)
        return;
    call->modifier = NULL;
    leg_media_rollback(news->leg->media);
    call_note(call, "%s: took its change back", news->leg->peer);
    call->told = other; /* it has been asked already: what it says is dealt with as if we had asked */
    call->tell_rounds = 0;
    other->ops->modify_cancel(other);
}

void call_repair_change(struct call *call, const struct leg_news *news)
{
    call_note(call, "%s: accepted a change that was given up", news->leg->peer);
    if (call_is_changing(call) || !call_other_leg(call, news->leg))
        return; /* what is under way says all there is to say */
    call->tell_rounds = ROUND_MAX;
    call->tell_tries = 0;
    tell_leg(call, news->leg);
}
