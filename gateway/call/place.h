/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/msg.h"

/** Which worker owns a new call: a hash of its Call-ID, so that a retransmission, its CANCEL and the ACK of a refusal
 * land on the same one with no memory. (Rooms will be placed by their name.) */
unsigned place_call(const struct sip_msg *msg, unsigned worker_count);
/** Which worker is the home of an account: a pure function of its name. */
unsigned place_account(struct span account, unsigned worker_count);
struct directory;
/** SUBSCRIBE and PUBLISH go to the home of the account that they are about. */
unsigned place_event(const struct sip_msg *msg, const struct directory *directory, unsigned worker_count);
