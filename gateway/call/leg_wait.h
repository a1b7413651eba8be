/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/leg.h"

/* leg_wait.h: the incoming leg of a call that is made for somebody who still talks elsewhere: it says what he can take,
 * and hands on what becomes of the call. He comes himself when it is answered (call_join()). */

struct leg_wait_user {
    void (*on_progress)(unsigned status, void *arg);
    /** The call has ended without an answer. Nothing is called after. */
    void (*on_end)(unsigned status, const char *why, void *arg);
};

/** @param whom borrowed for the call; looked at for its media and its name only */
int leg_wait_new(struct leg **legp, struct call *call, const struct leg *whom, const struct leg_wait_user *user,
                 void *arg);
/** NULL: the leg is of another kind. */
void *leg_wait_arg(const struct leg *leg);
