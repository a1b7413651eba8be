/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"

/* guard.h: the first look at every new request, before any state exists: trunk ACL, digest, or nothing. Wrong
 * passwords are counted and their refusals slowed; accounts are never locked. */

/** @param verdict see stack.h; verdict->account is filled for a proved account, empty for a trunk */
void guard_admit(struct calls *calls, const struct sip_incoming *incoming, struct sip_verdict *verdict);

/** After a reload: who proved himself by credentials that are not good any more has to do it again on his connection.
 *  @param former borrowed: the directory before it */
void guard_review(struct calls *calls, const struct directory *former);
