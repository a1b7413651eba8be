/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"

/* message_box.h: kept messages of the accounts whose home is this worker: delivered, oldest first and one after the
 * other, when a device registers. A message leaves the box only after a 2xx; one that nobody took is tried again at the
 * next registration. */

struct message_box;

/** Asks the database for whom something waits. @param calls borrowed */
int message_box_new(struct message_box **boxp, struct calls *calls);
void message_box_on_registered(struct message_box *box, const char *account);
/** A message waits in the database. If a device has registered since it was tried (wall clock), it is tried now. */
void message_box_on_kept(struct message_box *box, const char *account, uint64_t since_ms);
