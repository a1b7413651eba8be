/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/route.h"

/* pickup.h: INVITE with Replaces: call pickup, and a call taken over from another device. RFC 3891. */

/** Answers tx, now or later. The INVITE has a Replaces header. */
void pickup_receive(struct calls *calls, struct server_tx *tx, const struct route_caller *caller);
