/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes of any datagram, the RTP header, its extensions, and the rewriting in place of what was found good.
 */
#include <stdlib.h>
#include <string.h>

#include "media/demux.h"
#include "media/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rewrite rewrite;
    static uint64_t now_us = 1000000;
    uint8_t *copy;
    unsigned cut_bytes;
    struct rtp rtp;

    demux_kind_of(data, size);
    if (rtp_parse(&rtp, data, size))
        return 0;
    if (rtp.header_bytes + rtp.payload_bytes > size)
        abort();
    for (unsigned id = 0; id < 256; id++) {
        struct span found = rtp_find_extension(&rtp, (uint8_t)id);

        if (found.n && (found.p < (const char *)data || found.p + found.n > (const char *)data + size))
            abort();
    }
    if (!rewrite.ssrc_out)
        rewrite_init(&rewrite);
    copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    now_us += 20000;
    if (rewrite_packet(&rewrite, copy, 8, 8000, now_us, &cut_bytes)) {
        if (rtp_parse(&rtp, copy + cut_bytes, size - cut_bytes) || rtp.header_bytes != RTP_HEADER_BYTES)
            abort();
    }
    free(copy);
    return 0;
}
