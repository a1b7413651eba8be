/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_watch.c: subscriptions of PBX users at their PBX. */
#include "call/pbx_watch.h"

void pbx_watch_receive(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    pbx_reply(tx, 405, "subscriptions are not carried to the PBX");
}

void pbx_watch_moved(struct pbx *pbx, const char *name, const struct sip_flow *flow)
{
}

void pbx_watch_end_all(struct pbx *pbx)
{
}
