/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "sip/server_tx.h"

/* pbx.h: users of a PBX behind this gateway (`registrar` of a trunk): they log in from browsers and phones with the
 * PBX's own passwords, which this gateway does not know. REGISTER, calls, MESSAGE, PUBLISH and subscriptions of that
 * domain are carried to the trunk, and what comes back to the Contact that the PBX was given reaches the very device.
 * Everything of a user is done by one worker, his home.
 * Rooms: pbx.c who is who, pbx_table.c who is logged in, pbx_register.c, pbx_pass.c one request to its answer,
 * pbx_watch.c subscriptions, pbx_call.c what their calls have of their own. */

struct pbx;

/** @param calls borrowed; its stack is there */
int pbx_new(struct pbx **pbxp, struct calls *calls);

/** Which worker owns a request of such a user, or to his Contact: a pure function of the message and the snapshot.
 *  @return -1: it is none of these */
int pbx_place(const struct calls *calls, const struct sip_msg *msg);

/** First look at a request, for guard.c: is it a user's or for a user's Contact?
 *  @return false: no, others decide; true: verdict is filled, status 0 lets it in */
bool pbx_admit(struct pbx *pbx, const struct sip_incoming *incoming, struct sip_verdict *verdict);

/** A request that passed the guard. @param account proved on its connection before, "" @return false: not for the PBX
 */
bool pbx_receive(struct pbx *pbx, struct server_tx *tx, const char *account);

/** A connection is gone: its users are logged out. */
void pbx_flow_lost(struct pbx *pbx, const struct sip_flow *flow);
/** A new snapshot: users of a trunk that is no registrar any more are forgotten. */
void pbx_reload(struct pbx *pbx);
/** Is this name, proved on a connection, a user of a registrar of this directory? */
bool pbx_is_user(const struct directory *directory, struct span account);
