/* SPDX-License-Identifier: Apache-2.0 */
/* step_send.c: the last step: hand the packets to the transport, which sends them at the end of this round. */
#include "base/stats.h"
#include "media/path.h"
#include "media/stream_inside.h"

unsigned step_send(struct path *path, struct pkt **pkts, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pkts[i]->dscp = path->dscp;
        path->endpoint->kind->send_rtp(path->endpoint, pkts[i]);
    }
    stats_add(STAT_RTP_SENT, n);
    return 0;
}
