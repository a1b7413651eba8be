/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/dialog_info.h"
#include "sip/server_tx.h"

/* presence.h: who watches whom: subscriptions (RFC 6665) to the presence (RFC 3856) and to the calls (RFC 4235) of the
 * accounts whose home is this worker, and what they publish (RFC 3903); and to an account's own mailbox (RFC 3842).
 * SUBSCRIBE and PUBLISH are placed at the home of the account that they are about. Only those whom the account's
 * `watchers` name see anything. */

struct presence;

#define PRESENCE_EVENTS "Allow-Events: presence, dialog, message-summary\r\n"

/** @param calls borrowed; its stack is there */
int presence_new(struct presence **presencep, struct calls *calls);

/** Requests that passed the guard. @param account who has proved itself; "": a trunk, which is refused */
void presence_subscribe(struct presence *presence, struct server_tx *tx, const char *account);
void presence_publish(struct presence *presence, struct server_tx *tx, const char *account);

/** News about an account whose home is here. */
void presence_on_registered(struct presence *presence, const char *account);
void presence_on_call(struct presence *presence, const char *account, const struct dialog_info_call *news);

/** @param summary as a trunk sent it; borrowed */
void presence_on_summary(struct presence *presence, const char *account, const char *summary);
/** A connection is gone, on which this account had proved itself. */
void presence_flow_lost(struct presence *presence, const struct sip_flow *flow, const char *account);
/** A new snapshot: who may not watch any more is told so. */
void presence_reload(struct presence *presence);
/** The gateway is being stopped: subscribers are asked to come again later; nobody new. */
void presence_drain(struct presence *presence);
