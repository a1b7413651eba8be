/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "sip/server_tx.h"

/* mwi.h: messages waiting in a mailbox (RFC 3842): a trunk's NOTIFY is passed on to the account that it is about. */

#define MWI_TYPE "application/simple-message-summary"

/** A new NOTIFY outside of dialogs that passed the guard. @param account "": a trunk's; others are refused */
void mwi_receive(struct calls *calls, struct server_tx *tx, const char *account);

/** To every device of the account, which has not asked for it: many phones want it so. At the account's home. */
void mwi_send(struct calls *calls, const char *account, struct span summary);
