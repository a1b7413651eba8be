/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/leg.h"

/* redirect.h: 3xx of a trunk. RFC 3261 8.1.3.4, 21.3. A trunk's `redirect` says what becomes of it:
 *   off     a refusal, as it says where to and that costs money
 *   follow  by q, at most REDIRECT_MAX for a call: to addresses of the trunk's accept list where the caller's routes
 *           lead to that trunk, to names of ours wherever they lead; each within the limits of destinations, none twice
 *   pass    the caller is told the numbers, at our own domain: what it does then goes through its routes */

#define REDIRECT_MAX 5

struct sip_msg;

/** The trunk's leg was answered 3xx: note the Contacts. Before call_event(LEG_REFUSED). */
void redirect_take(struct leg *leg, const struct sip_msg *response);
/** The leg was refused: call the next Contact that was noted. @return false: there is none that may be called */
bool redirect_follow(struct call *call);
/** Does a trunk's 3xx reach the caller? */
bool redirect_passes(const struct leg *leg, unsigned status);
/** Contact lines for the caller's 3xx. */
void redirect_write(struct text *out, const struct call *call);
