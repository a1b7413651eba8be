/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_source.c: packet indices of one SSRC: which rollover counter belongs to a sequence number, and what was seen
 * before. RFC 3711 sections 3.3.1, 3.3.2 and appendix A. Numbers only: knows no packets and no keys. */
#include "media/srtp_source.h"

#include <string.h>

#define HALF (1u << 15)

bool srtp_source_guess(const struct srtp_source *source, uint16_t seq, uint64_t *index)
{
    uint64_t roc = source->highest >> 16;
    uint16_t last = (uint16_t)source->highest;

    if (!source->is_started) {
        *index = seq;
        return true;
    }
    if (last < HALF && seq > last && seq - last > (int)HALF) {
        if (!roc)
            return false;
        roc--;
    } else if (last >= HALF && seq < last - HALF) {
        roc++;
    }
    *index = roc << 16 | seq;
    return true;
}

static uint64_t bit_of(uint64_t index)
{
    return (uint64_t)1 << index % 64;
}

static unsigned word_of(uint64_t index)
{
    return (unsigned)(index / 64 % (SRTP_WINDOW / 64));
}

bool srtp_source_is_replay(const struct srtp_source *source, uint64_t index)
{
    if (!source->is_started || index > source->highest)
        return false;
    return source->highest - index >= SRTP_WINDOW || source->seen[word_of(index)] & bit_of(index);
}

void srtp_source_note(struct srtp_source *source, uint64_t index)
{
    uint64_t step = index - source->highest;

    if (!source->is_started || (index > source->highest && step >= SRTP_WINDOW))
        memset(source->seen, 0, sizeof(source->seen));
    else if (index > source->highest)
        for (uint64_t between = source->highest + 1; between < index; between++)
            source->seen[word_of(between)] &= ~bit_of(between);
    if (!source->is_started || index > source->highest)
        source->highest = index;
    source->is_started = true;
    source->seen[word_of(index)] |= bit_of(index);
}

bool srtp_source_is_rtcp_replay(const struct srtp_source *source, uint32_t index)
{
    if (!source->has_rtcp || index > source->rtcp_highest)
        return false;
    return source->rtcp_highest - index >= 64 || source->rtcp_seen >> (source->rtcp_highest - index) & 1;
}

void srtp_source_note_rtcp(struct srtp_source *source, uint32_t index)
{
    if (!source->has_rtcp || index > source->rtcp_highest) {
        uint32_t step = source->has_rtcp ? index - source->rtcp_highest : 64;

        source->rtcp_seen = step < 64 ? source->rtcp_seen << step : 0;
        source->rtcp_highest = index;
        source->has_rtcp = true;
    }
    source->rtcp_seen |= (uint64_t)1 << (source->rtcp_highest - index);
}
