/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/pbx_private.h"

/* pbx_watch.h: subscriptions of PBX users at their PBX (message-summary, dialog, presence ...): two dialogs, one with
 * the device and one with the PBX; what comes in one goes on in the other. RFC 6665, RFC 3842. Knows no event package.
 */

/** A SUBSCRIBE outside of dialogs. */
void pbx_watch_receive(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party);
/** The device of this binding is at the end of another flow now. */
void pbx_watch_moved(struct pbx *pbx, const char *name, const struct sip_flow *flow);
void pbx_watch_end_all(struct pbx *pbx);
