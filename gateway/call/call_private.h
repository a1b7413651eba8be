/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* call_private.h: shared by call.c (birth and end), call_dial.c (who rings), call_steps.c (what legs say),
 * call_settle.c (changes that no leg waits for), call_join.c and transfer.c (legs that go from one call to another). */

struct leg_sip_dial;
/** Ring there. @return false: there is no leg, and nothing will be heard of it */
bool call_ring(struct call *call, const struct leg_sip_dial *dial);
/** Ring whom call->pick names; ends the call when nobody can be rung. */
void call_dial(struct call *call);
/** Try the next trunk of the route. @return false: none is left */
bool call_dial_next_trunk(struct call *call);
/** It lasts no longer than calls of that account may. */
void call_limit_duration(struct call *call, const struct conf_account *account);
/** It rings from now on, and not for ever. */
void call_await_answer(struct call *call);
/** Give the trunk's place back. */
void call_leave_trunk(struct call *call);
void call_set_state(struct call *call, enum call_state state);
/** The other leg of the pair that talks, or that hears early media; NULL while there is none. */
struct leg *call_other_leg(struct call *call, const struct leg *leg);
/** "caller" or "callee" */
const char *call_side_name(const struct call *call, const struct leg *leg);
/** Keep the refusal that says most (RFC 3261 16.7). */
void call_keep_refusal(struct call *call, unsigned status, const char *why);
void call_write_cdr(struct call *call);

/** Is any change of the session under way? Another one is refused with 491 meanwhile. */
bool call_is_changing(const struct call *call);
/** The leg's peer asks for an offer: answer with ours, its answer comes in the ACK. */
void call_offer_late(struct call *call, struct leg *leg);
/** The caller has its answer, `out` is chosen: the two talk from now on. */
void call_begin_talk(struct call *call);
/** The caller's answer, of what this leg has told; our offer if it made none. @param is_told what it was told with
 * early media, again. @return 0, or why not */
int call_answer_caller(struct call *call, const struct leg *leg, bool is_told, const char **why_out);
/** End all outgoing legs but this one. */
void call_drop_other_legs(struct call *call, const struct leg *winner);

/** The two legs have not been told of each other: bring them to terms. */
void call_settle(struct call *call);
/** The leg goes from one call to another: changes that were under way on it end, or go on there. */
void call_carry_changes(struct call *from, struct leg *leg, struct call *to);
/** Its connection is gone: it has reconnect_s from now. */
void call_await_return(struct call *call, const struct leg *leg);

/** Is the answer of an outgoing leg for somebody who talks already, or waits elsewhere? */
bool call_is_joining(const struct call *call);
/** The leg is about to go to another call while this one ends: what it needs from it goes with it. */
void call_let_go(struct call *call, struct leg *leg);
/** The leg, a new one of this call or let go by another one before that ended, takes the place of `old`. `old` stays
 * among this call's legs, and is ended by the caller. */
void call_join(struct call *call, struct leg *old, struct leg *leg);
/** What the leg holds apart from its call's; before it is destroyed. */
void call_release_leg(struct leg *leg);

/** A change before the answer was taken from this leg: tell the other one, if it can be told by now. */
void call_settle_early(struct call *call, struct leg *leg);
/* Steps of the table in call_steps.c. */
void call_take_confirmation(struct call *call, const struct leg_news *news);
void call_take_told(struct call *call, const struct leg_news *news); /* LEG_MODIFIED of call->told */
void call_drop_change(struct call *call, const struct leg_news *news);
void call_repair_change(struct call *call, const struct leg_news *news);
