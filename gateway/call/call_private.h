/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* call_private.h: shared by call.c (birth and end), call_dial.c (who rings), call_steps.c (what legs say). */

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
