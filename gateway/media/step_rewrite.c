/* SPDX-License-Identifier: Apache-2.0 */
/* step_rewrite.c: the step that turns packets of one side into packets of the other: headers only, payload untouched.
 * Header extensions and CSRCs end here: none was negotiated across the bridge. */
#include "media/path.h"
#include "media/stream_inside.h"

static bool rewrite_one(struct path *path, struct pkt *pkt)
{
    struct media_stream *to = path->to;
    uint8_t index = path->from->format_of_pt[pkt->data[1] & 0x7f];
    unsigned cut_bytes;

    if (index == FORMAT_NONE || path->pt_out[index] == PT_NONE)
        return false;
    if (!rewrite_packet(&to->out, pkt->data, path->pt_out[index], path->from->config.formats[index].clock_hz,
                        pkt->arrived_us, &cut_bytes))
        return false;
    pkt->data += cut_bytes;
    pkt->len = (uint16_t)(pkt->len - cut_bytes);
    to->packets_out++;
    to->bytes_out += pkt->len - RTP_HEADER_BYTES;
    return true;
}

unsigned step_rewrite(struct path *path, struct pkt **pkts, unsigned n)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++) {
        if (rewrite_one(path, pkts[i]))
            pkts[kept++] = pkts[i];
        else
            pkt_put(path->pool, pkts[i]);
    }
    return kept;
}
