/* SPDX-License-Identifier: Apache-2.0 */
/* step_protect.c: the step that makes SRTP of RTP, in place. */
#include "media/path.h"
#include "media/stream_inside.h"

unsigned step_protect(struct path *path, struct pkt **pkts, unsigned n)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n; i++) {
        if (!srtp_ctx_protect(path->srtp, pkts[i]))
            pkts[kept++] = pkts[i];
        else
            pkt_put(path->pool, pkts[i]);
    }
    return kept;
}
