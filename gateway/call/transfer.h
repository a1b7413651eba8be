/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* transfer.h: a peer asks by REFER for its other side to be connected to somebody else, and the gateway does it itself:
 * blind (RFC 5589 6) or by putting it in the place of another call of that peer (attended, section 7). What is asked
 * for is allowed as if the peer called there itself. */

/** Step of the table in call_steps.c: LEG_REFER. */
void transfer_receive(struct call *call, const struct leg_news *news);
/** One of the two has hung up while the target rings: if it is the one that asked, the other one goes on waiting alone.
 *  @return true: the call has ended by that */
bool transfer_leave(struct call *call, const struct leg *leg);
/** The call to the target is answered: he whose place is held in it comes. Nothing where he has come already. */
void transfer_fetch(struct call *call);
/** The call ends: what is under way for it ends, too. */
void transfer_drop(struct call *call);
