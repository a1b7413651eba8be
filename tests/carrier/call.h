/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "carrier.h"

/* call.h: one call of the carrier: an INVITE usage and a voice, and what its number does, step by step. */

struct call;
struct list;

/** A call comes in. Answers it, or refuses it with the reason. */
void call_take(struct carrier *carrier, struct server_tx *tx);
/** Call this number over the gateway after delay_ms, and play what number_back says. */
void call_dial(struct carrier *carrier, struct span number, unsigned delay_ms);
/** Hang up, print the line, free. */
void call_end(struct call *call, const char *why);
/** The call of a link in carrier->calls. */
struct call *call_of(struct list *link);
