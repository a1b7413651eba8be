/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"
#include "sip/replaces.h"

/* replace.h: a leg takes the place of another one in its call: attended transfer, and call pickup. RFC 3891. */

/** Who wants to take whose place. */
struct replace_wish {
    struct replaces named;
    char account[SIP_ACCOUNT_MAX]; /* who asks: an account, or */
    char trunk[ROUTE_NUMBER_MAX];  /* a trunk; "" */
    bool is_pickup;                /* by an INVITE: else of a call of its own alone */
};

/** The leg that is named, if it may be replaced now.
 *  @return 0, or a status with *why_out: 403 (not this one's to replace), 481 (no such call), 486 (it was answered, and
 *  early-only was asked for), 491 (it is being transferred), 603 (it has ended) */
unsigned replace_find(struct leg **namedp, struct calls *calls, const struct replace_wish *wish, const char **why_out);

/** A leg that talks in another call, which has let it go and ended, takes the place; who had it is ended. */
void replace_by_leg(struct leg *named, struct leg *leg);

/** A new incoming leg of the same call takes the place; its peer's offer was taken. If the call still rings, it is the
 * one that answers (where named is called), or waits for the answer (where named calls).
 *  @return 0; -ENOENT with *why_out: nothing has changed, and the leg is still the caller's */
int replace_by_offer(struct leg *named, struct leg *leg, const char **why_out);
