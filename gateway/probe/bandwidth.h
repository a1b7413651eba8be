/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/span.h"

/* bandwidth.h: what calls take of a line, each way: payload, RTP, UDP and IP headers of a packet each 20 ms. Layer 2 is
 * left out: it differs from link to link. RFC 3550, RFC 3551, RFC 3711. */

#define BANDWIDTH_FRAME_MS 20

struct bandwidth {
    const char *codec;     /* as in SDP */
    unsigned payload_bits; /* bit/s of the codec alone; of a codec without a fixed rate: what we reckon with */
};

/** Audio codecs that Sipway relays, in its order of preference. @return NULL: no more */
const struct bandwidth *bandwidth_at(unsigned index);
/** By name without case; NULL: not one of ours. */
const struct bandwidth *bandwidth_find(struct span codec);

/** Bit/s of one call in one direction. */
unsigned bandwidth_of_call(const struct bandwidth *codec, bool is_v6, bool has_srtp);
