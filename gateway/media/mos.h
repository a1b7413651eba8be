/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/span.h"

/* mos.h: how a conversation was probably heard: loss and delay to a mean opinion score. The E-model (ITU-T G.107) in
 * its usual short form, with the codec's own impairment of G.113. Numbers in, a number out. */

struct mos_input {
    struct span codec;     /* "PCMU", "opus", ... unknown ones count as G.711 */
    uint64_t packet_count; /* received */
    uint64_t lost_count;
    uint32_t jitter_us; /* a play-out buffer of twice that is assumed */
    uint32_t rtt_us;    /* 0: not known */
};

/** @return hundredths, 100 (bad) to 450 (excellent); 0: no packet came */
unsigned mos_x100(const struct mos_input *input);
