/* SPDX-License-Identifier: Apache-2.0 */
/* step_send.c: the last step: hand the packets to the transport, which sends them at the end of this round. */
#include "base/stats.h"
#include "media/path.h"
#include "media/stream_inside.h"

unsigned step_send(struct path *path, struct pkt **pkts, unsigned n)
{
    struct media_stream *to = path->to;
    const struct conf *conf = to->endpoint->house->conf;
    uint8_t dscp = (uint8_t)(to->config.is_video ? conf->media.dscp_video : conf->media.dscp_audio);

    for (unsigned i = 0; i < n; i++) {
        pkts[i]->dscp = dscp;
        to->endpoint->kind->send_rtp(to->endpoint, pkts[i]);
    }
    stats_add(STAT_RTP_SENT, n);
    return 0;
}
