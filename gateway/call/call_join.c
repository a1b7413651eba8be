/* SPDX-License-Identifier: Apache-2.0 */
/* call_join.c: a leg goes from one call to another, with what belongs to it: its place in a trunk's max_calls, the
 * directory that holds its trunk, changes under way. Knows not why it goes. */
#include "base/mem.h"
#include "call/call_private.h"
#include "call/events.h"
#include "call/leg_sip.h"
#include "call/leg_wait.h"
#include "call/trunk_limit.h"

bool call_is_joining(const struct call *call)
{
    return call->in && (call->in->is_answered || leg_wait_arg(call->in));
}

void call_release_leg(struct leg *leg)
{
    if (leg->holds_trunk_place)
        trunk_limit_leave(leg->call->calls->store, leg->trunk->conf);
    leg->holds_trunk_place = false;
    leg->directory = mem_unref(leg->directory);
}

void call_let_go(struct call *call, struct leg *leg)
{
    call->moving = leg;
    if (!leg->directory)
        leg->directory = mem_ref(call->directory);
    if (leg == call->out && leg->trunk && call->is_counted_trunk) {
        leg->holds_trunk_place = true;
        call->is_counted_trunk = false;
    }
}

static void take_out(struct call *call, struct leg *leg)
{
    list_remove(&leg->link);
    if (call->in == leg)
        call->in = NULL;
    if (call->out == leg)
        call->out = NULL;
    if (call->early == leg)
        call->early = NULL;
    call->moving = NULL;
}

static void put_in(struct call *call, struct leg *old, struct leg *leg)
{
    if (call->in == old) {
        call->in = leg;
        list_prepend(&call->out_legs, &old->link);
    } else {
        if (old == call->out && old->trunk)
            call_leave_trunk(call);
        call->out = leg;
        list_append(&call->out_legs, &leg->link);
    }
    call->early = NULL; /* what it said early is known, and not for the one who comes */
    leg->call = call;
}

void call_join(struct call *call, struct leg *old, struct leg *leg)
{
    struct call *from = leg->call;
    struct leg *other = call_other_leg(call, old);

    if (other)
        call_carry_changes(call, other, call);
    else if (call->late == old)
        call->late = NULL;
    if (from != call) {
        call_carry_changes(from, leg, call);
        take_out(from, leg);
        call_note(from, "%s has gone to call %s", leg->peer, call->id);
    }
    put_in(call, old, leg);
    if (leg_sip_is_lost(leg))
        call_await_return(call, leg);
    call_note(call, "%s takes the place of %s, out of call %s", leg->peer, old->peer, from->id);
    events_call_changed(call);
}
