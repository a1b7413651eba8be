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
/** An outgoing leg has answered in a call whose caller waits elsewhere or has come already: take its answer, fetch him.
 *  @return 0; -ENOENT with *why_out, as leg_media_take_answer() */
int transfer_connect(struct call *call, const struct leg_news *news, const char **why_out);
/** The call's target has been answered by somebody else's hand: he whose place is held in it comes. */
void transfer_fetch(struct call *call);
/** The call ends: what is under way for it ends, too. */
void transfer_drop(struct call *call);
