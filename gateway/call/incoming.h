/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "sip/server_tx.h"

/** A new request that passed the guard, with its transaction: INVITE, REGISTER, OPTIONS; others are refused.
 *  @param account who has proved itself; "": the request is a trunk's */
void incoming_receive(struct calls *calls, struct server_tx *tx, const char *account);

struct conf_account;
struct route_caller;
struct call;
/** A call with its incoming leg and nothing else. @return 0; else the INVITE was refused */
int incoming_new_call(struct call **callp, struct calls *calls, struct server_tx *tx,
                      const struct route_caller *caller);
/** What any new call has to stand: the gateway's limit and the account's, in which it has a place from now on.
 *  @param account NULL: the gateway's alone. @param counted for account_limit_leave(). @return NULL, or why not (503)
 */
const char *incoming_enter_limits(struct calls *calls, const struct conf_account *account,
                                  char counted[static SIP_ACCOUNT_MAX]);
/** A call of a caller who is known: checks what any call has to stand, makes the call, and finds who gets it. */
void incoming_call(struct calls *calls, struct server_tx *tx, const struct route_caller *caller);
