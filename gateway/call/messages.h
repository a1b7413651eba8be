/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "sip/server_tx.h"

/* messages.h: MESSAGE requests of this worker: from an account or a trunk to an account or a route's trunks. RFC 3428.
 * A message is handled where it arrives. */

struct messages;
struct message_box;

/** @param calls borrowed; its stack is there */
int messages_new(struct messages **messagesp, struct calls *calls);

/** A new MESSAGE that passed the guard. @param account who has proved itself; "": the request is a trunk's */
void messages_receive(struct messages *messages, struct server_tx *tx, const char *account);

/** Kept messages of the accounts whose home is this worker. */
struct message_box *messages_box(struct messages *messages);
