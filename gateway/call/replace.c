/* SPDX-License-Identifier: Apache-2.0 */
/* replace.c: whom a Replaces names, who may have that, and the change of places. RFC 3891 section 3, with us in the
 * middle: the party that is named is one of ours, not we. Knows not how the new one came. */
#include "call/replace.h"

#include <errno.h>
#include <string.h>

#include "call/call_private.h"
#include "call/leg_sip.h"
#include "call/transfer.h"

/* ---- may it be replaced ---- */

static bool may_replace(struct calls *calls, const struct replace_wish *wish, const struct leg *named)
{
    const struct conf_account *account;

    if (wish->trunk[0])
        return named->trunk && !strcmp(named->trunk->conf->name, wish->trunk);
    if (!wish->account[0] || !named->account[0])
        return false;
    if (!strcmp(wish->account, named->account))
        return true;
    if (named->call->pbx) /* of a PBX's users, whom `pickup` does not mean: "*" is all accounts */
        return false;
    account = directory_account(calls->directory, span_of(wish->account));
    return wish->is_pickup && account && conf_names_allow(&account->pickup, named->account);
}

/* A party that is called and has not answered can only be picked up; one that calls can only be replaced by its own
 * transfer. */
static bool is_replaceable(const struct replace_wish *wish, const struct leg *named)
{
    const struct call *call = named->call;

    if (call->state == CALL_TALKING)
        return named == call->in || named == call->out;
    return call->state == CALL_RINGING && (named == call->in) == !wish->is_pickup;
}

unsigned replace_find(struct leg **namedp, struct calls *calls, const struct replace_wish *wish, const char **why_out)
{
    struct leg *named = leg_sip_named(calls->stack, &wish->named);

    *why_out = "there is no such call to take part in";
    if (!named)
        return 481;
    *why_out = "this account may not take that call";
    if (!may_replace(calls, wish, named))
        return 403;
    *why_out = "that call has ended";
    if (named->call->state == CALL_OVER)
        return 603;
    *why_out = "that call cannot be taken over now";
    if (!is_replaceable(wish, named))
        return 481;
    *why_out = "that call was answered already";
    if (wish->named.is_early_only && named->call->state == CALL_TALKING)
        return 486;
    *why_out = "that call is being transferred";
    if (named->call->transfer)
        return 491;
    *namedp = named;
    return 0;
}

/* ---- the change of places ---- */

static void end_named(struct leg *named)
{
    named->ops->end(named, 487, 200, "somebody else has taken its place in the call");
}

static void settle(struct call *call)
{
    if (call->state != CALL_TALKING)
        return; /* when it is answered */
    leg_media_answered(call->in->media);
    leg_media_answered(call->out->media);
    leg_media_bridge(call->in->media, call->out->media);
    call_settle(call);
}

void replace_by_leg(struct leg *named, struct leg *leg)
{
    struct call *call = named->call;

    call_join(call, named, leg);
    end_named(named);
    settle(call);
}

static int make_answer(struct leg *leg, const struct leg *other, struct text *sdp, const char **why_out)
{
    int err = leg_media_make_answer(leg->media, other->media, sdp, why_out);

    return err ? err : leg->ops->answer(leg, text_span(sdp));
}

/* In the place of one that rings: as if that one had answered. */
static void pick_up(struct call *call, struct leg *leg)
{
    const char *why = "the call that was picked up could not be answered";

    call->out = leg;
    list_append(&call->out_legs, &leg->link);
    call_drop_other_legs(call, leg);
    transfer_fetch(call);
    if (!call->in->is_answered && call_answer_caller(call, leg, call->early != NULL, &why)) {
        call_end(call, 488, "gateway", why);
        return;
    }
    call_begin_talk(call);
    call_settle(call);
}

int replace_by_offer(struct leg *named, struct leg *leg, const char **why_out)
{
    struct call *call = named->call;
    struct text sdp;
    int err = 0;

    if (call->state == CALL_RINGING && named == call->in) { /* is answered when the call is */
        replace_by_leg(named, leg);
        return 0;
    }
    text_init(&sdp, 65536);
    err = make_answer(leg, call->state == CALL_TALKING ? call_other_leg(call, named) : call->in, &sdp, why_out);
    text_free(&sdp);
    if (err)
        return -ENOENT;
    if (call->state == CALL_TALKING)
        replace_by_leg(named, leg);
    else
        pick_up(call, leg);
    return 0;
}
