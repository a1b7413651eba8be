/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/rtp.h"

/* rewrite.h: one outgoing line of sequence numbers and timestamps, whatever sources it is fed from. Within one source,
 * distances are kept (so reordered and lost packets stay what they are); at a change of the source the line goes on
 * with the next sequence number and a timestamp advanced by the time that passed. A sequence number is never given out
 * twice (SRTP's nonce depends on it): duplicates and packets from before a change are dropped. RFC 3550 section 5.1. */

#define REWRITE_WINDOW 512 /* how late a packet may come, in packets */

struct rewrite {
    uint32_t ssrc_out;
    uint16_t seq_out;       /* highest given out */
    uint32_t timestamp_out; /* of the newest packet */
    uint64_t changed_us;    /* when the timestamp last changed: an event's packets share one */
    uint32_t clock_hz;      /* of that one */
    bool is_started;        /* something went out */

    bool has_source; /* false: the next packet begins a new source */
    uint32_t source; /* its SSRC */
    uint16_t seq_in; /* highest taken */
    uint32_t timestamp_in;
    uint16_t seq_offset;
    uint32_t timestamp_offset;
    uint32_t age;     /* packets since the source began, up to REWRITE_WINDOW: none from before may pass */
    uint16_t bad_seq; /* this one would prove that the source jumped; see has_bad_seq */
    bool has_bad_seq;
    uint64_t seen[REWRITE_WINDOW / 64]; /* by outgoing sequence number */
};

/** Random SSRC, first sequence number and timestamp. RFC 3550 5.1 */
void rewrite_init(struct rewrite *rewrite);
/** The next packet begins a new source even if it looks like the old one (hold, a bridge taken away and set again). */
static inline void rewrite_cut(struct rewrite *rewrite)
{
    rewrite->has_source = false;
}

/** Turn one packet's header in place into the next of this line. The header's lengths were checked by rtp_parse().
 *  CSRCs and extension are cut off: *cut_bytes is how far the packet's start moves.
 *  @param pt_out payload type to write; clock_hz its clock  @return false: drop it (duplicate, too late, or an unproved
 * jump) */
bool rewrite_packet(struct rewrite *rewrite, uint8_t *bytes, uint8_t pt_out, uint32_t clock_hz, uint64_t now_us,
                    unsigned *cut_bytes);
/** The timestamp that a packet sent now would have: for the sender report. */
uint32_t rewrite_timestamp_at(const struct rewrite *rewrite, uint64_t now_us);
