/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/invite.h"

/* reliable.h: provisional responses that are acknowledged: 100rel, RSeq, RAck, PRACK. RFC 3262, both roles of one
 * INVITE. Knows no SDP: that a body is there is all it looks at. */

struct dialog;

/* ---- as caller ---- */

/** A provisional response with a To tag came. A reliable one gets its PRACK.
 *  @return false: it is a repetition, or one before it is missing: it is not told to anybody */
bool reliable_take(struct invite *invite, struct dialog *dialog, const struct sip_msg *response);

/* ---- as callee; invite->reliable is there ---- */

/** Send it reliably, or after the one that waits for its PRACK. @return 0, -ENOMEM, -EPROTO */
int reliable_progress(struct invite *invite, const struct sip_reply *reply);
/** PRACK of the peer: 200, or 481 where nothing waits for it. With a body it is a change: see modify_receive(). */
void reliable_receive_prack(struct invite *invite, struct server_tx *tx, const struct sip_msg *prack);
/** May the answer not be sent yet, because a description of ours is not acknowledged? (RFC 3262 section 3) */
bool reliable_holds_answer(const struct invite *invite);
int reliable_keep_answer(struct invite *invite, struct span headers, struct span content_type, struct span body);
/** The change that came with a PRACK has its reply: what waited goes out. */
void reliable_go_on(struct invite *invite);
/** No more repetitions; gives all memory back. Idempotent. */
void reliable_stop(struct invite *invite);
