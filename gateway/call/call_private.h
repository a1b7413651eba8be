/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* call_private.h: shared by call.c (birth and end), call_dial.c (who rings), call_steps.c (what legs say) and
 * call_settle.c (changes that no leg waits for). */

/** Try the next trunk of the route. @return false: none is left */
bool call_dial_next_trunk(struct call *call);
/** Give the trunk's place back. */
void call_leave_trunk(struct call *call);
void call_set_state(struct call *call, enum call_state state);
/** The other leg of the pair that talks; NULL while there is none. */
struct leg *call_other_leg(struct call *call, const struct leg *leg);
/** Keep the refusal that says most (RFC 3261 16.7). */
void call_keep_refusal(struct call *call, unsigned status, const char *why);
void call_write_cdr(struct call *call);

/** Is any change of the session under way? Another one is refused with 491 meanwhile. */
bool call_is_changing(const struct call *call);
/** The leg's peer asks for an offer: answer with ours, its answer comes in the ACK. */
void call_offer_late(struct call *call, struct leg *leg);
/* Steps of the table in call_steps.c. */
void call_take_late_answer(struct call *call, const struct leg_news *news);
void call_take_told(struct call *call, const struct leg_news *news); /* LEG_MODIFIED of call->told */
void call_drop_change(struct call *call, const struct leg_news *news);
void call_repair_change(struct call *call, const struct leg_news *news);
