/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/replace.h"

/* leg_far.h: two calls on different workers are joined by a pair of legs: each is the other one's peer. They speak by
 * mail, descriptions and all, and their media goes over plain RTP between two sockets of this process. */

/** An outgoing leg that asks another worker for the place of the one who is named there. What comes of it is told as of
 * any outgoing leg: LEG_ANSWERED, or LEG_REFUSED with replace_find()'s status.
 *  @return 0; negative: there is no leg */
int leg_far_ask(struct leg **legp, struct call *call, unsigned worker, const struct replace_wish *wish);
