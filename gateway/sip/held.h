/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/stack.h"

/* held.h: refusals that are written at once and sent later, so that whoever guesses has to wait for each answer. At
 * most HELD_MAX of a worker. */

#define HELD_MAX 4096

/** Is a refusal for this one (whose: a hash that the user chose) on this flow still held back? */
bool held_is_waiting(const struct sip_stack *stack, const struct sip_flow *flow, size_t whose);

/** Send the bytes when hold says. When there is no room for it nothing is sent and the connection is closed: it must
 * not be the way around the waiting. */
void held_send(struct sip_stack *stack, const struct sip_flow *flow, const struct sip_hold *hold, struct span bytes);

/** The stack goes down: nothing of it is sent. */
void held_end_all(struct sip_stack *stack);
