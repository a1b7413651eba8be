/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* srtp_source.h: packet indices of one SSRC in one direction: rollover counter, replay window. RFC 3711 section 3.3. */

#define SRTP_WINDOW 1024 /* packets */

struct srtp_source {
    struct list link;
    uint32_t ssrc;
    bool is_started;
    uint64_t highest; /* index: rollover counter << 16 | sequence number */
    uint64_t seen[SRTP_WINDOW / 64];
    bool has_rtcp;
    uint32_t rtcp_highest; /* 31 bits: in: the highest taken; out: the next one */
    uint64_t rtcp_seen;    /* bit i: rtcp_highest - i */
};

/** The index that a sequence number most likely stands for; of a source not yet started: rollover counter 0. RFC 3711
 * appendix A
 *  @return false: it lies before the very first rollover */
bool srtp_source_guess(const struct srtp_source *source, uint16_t seq, uint64_t *index);
/** Was this index seen, or is it too old to know? */
bool srtp_source_is_replay(const struct srtp_source *source, uint64_t index);
/** Note an authentic packet (or one that is sent). */
void srtp_source_note(struct srtp_source *source, uint64_t index);
bool srtp_source_is_rtcp_replay(const struct srtp_source *source, uint32_t index);
void srtp_source_note_rtcp(struct srtp_source *source, uint32_t index);
