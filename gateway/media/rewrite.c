/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite.c: payload type, SSRC, sequence number and timestamp of outgoing packets: one seamless line from changing
 * sources. RFC 3550 section 5.1, A.1. Packet path: does not allocate, lock or log. Knows header bytes, no streams. */
#include "media/rewrite.h"

#include <string.h>

#include "base/rand.h"

#define DROPOUT_MAX     3000
#define TIMESTAMP_SLACK 5     /* seconds that a timestamp may differ from the time passed before it is a jump */
#define LEAST_STEP_US   10000 /* a new source's first timestamp is at least that much later */

void rewrite_init(struct rewrite *rewrite)
{
    memset(rewrite, 0, sizeof(*rewrite));
    do
        rewrite->ssrc_out = rand_u32();
    while (!rewrite->ssrc_out);
    rewrite->seq_out =
        (uint16_t)(rand_u32() & 0x7fff); /* lower half: no wrap before a late receiver knows the ROC, RFC 3711 3.3.1 */
    rewrite->timestamp_out = rand_u32();
}

static uint32_t clock_units(uint64_t us, uint32_t clock_hz)
{
    return (uint32_t)(us * clock_hz / 1000000);
}

uint32_t rewrite_timestamp_at(const struct rewrite *rewrite, uint64_t now_us)
{
    if (!rewrite->is_started || now_us < rewrite->changed_us)
        return rewrite->timestamp_out;
    return rewrite->timestamp_out + clock_units(now_us - rewrite->changed_us, rewrite->clock_hz);
}

/* Offset that makes this timestamp continue the outgoing line by the time that passed. */
static void rebase_timestamp(struct rewrite *rewrite, uint32_t timestamp, uint32_t clock_hz, uint64_t now_us)
{
    uint64_t passed_us = 0;

    if (rewrite->is_started) {
        passed_us = now_us > rewrite->changed_us ? now_us - rewrite->changed_us : 0;
        if (passed_us < LEAST_STEP_US)
            passed_us = LEAST_STEP_US;
    }
    rewrite->timestamp_offset = rewrite->timestamp_out + clock_units(passed_us, clock_hz) - timestamp;
}

static void begin_source(struct rewrite *rewrite, uint32_t ssrc, uint16_t seq, uint32_t timestamp, uint32_t clock_hz,
                         uint64_t now_us)
{
    rewrite->has_source = true;
    rewrite->source = ssrc;
    rewrite->seq_offset = (uint16_t)(rewrite->seq_out + 1 - seq);
    rewrite->seq_in = (uint16_t)(seq - 1);
    rewrite->age = 0;
    rewrite->has_bad_seq = false;
    rebase_timestamp(rewrite, timestamp, clock_hz, now_us);
    rewrite->timestamp_in = timestamp;
    rewrite->changed_us = now_us;
}

static uint64_t *seen_word(struct rewrite *rewrite, uint16_t seq_out, uint64_t *bit)
{
    *bit = (uint64_t)1 << seq_out % 64;
    return &rewrite->seen[seq_out % REWRITE_WINDOW / 64];
}

/* The outgoing line moves on to seq_out: what lies between has not been seen. */
static void advance_seen(struct rewrite *rewrite, uint16_t seq_out)
{
    uint16_t step = (uint16_t)(seq_out - rewrite->seq_out);
    uint64_t bit;

    if (step >= REWRITE_WINDOW) {
        memset(rewrite->seen, 0, sizeof(rewrite->seen));
    } else {
        for (uint16_t seq = (uint16_t)(rewrite->seq_out + 1); seq != (uint16_t)(seq_out + 1); seq++)
            *seen_word(rewrite, seq, &bit) &= ~bit;
    }
    rewrite->seq_out = seq_out;
}

static bool was_seen(struct rewrite *rewrite, uint16_t seq_out)
{
    uint64_t bit, *word = seen_word(rewrite, seq_out, &bit);
    bool is_seen = *word & bit;

    *word |= bit;
    return is_seen;
}

/* Far ahead or far behind: one proves nothing, two in a row are a source that began anew. RFC 3550 A.1 */
static bool is_proved_jump(struct rewrite *rewrite, uint16_t seq)
{
    bool is_proved = rewrite->has_bad_seq && seq == rewrite->bad_seq;

    rewrite->has_bad_seq = true;
    rewrite->bad_seq = (uint16_t)(seq + 1);
    return is_proved;
}

/* Same source, but its timestamps began anew (music on hold, a peer restarted behind its SBC). */
static bool is_timestamp_jump(const struct rewrite *rewrite, uint32_t timestamp, uint32_t clock_hz, uint64_t now_us)
{
    uint32_t passed = clock_units(now_us > rewrite->changed_us ? now_us - rewrite->changed_us : 0, clock_hz);
    int32_t off = (int32_t)(timestamp - rewrite->timestamp_in - passed);

    if (clock_hz != rewrite->clock_hz || timestamp == rewrite->timestamp_in)
        return false;
    return off > (int32_t)(TIMESTAMP_SLACK * clock_hz) || off < -(int32_t)(TIMESTAMP_SLACK * clock_hz);
}

static void take_forward(struct rewrite *rewrite, uint16_t seq, uint32_t timestamp, uint32_t clock_hz, uint64_t now_us)
{
    uint16_t step = (uint16_t)(seq - rewrite->seq_in);

    if (is_timestamp_jump(rewrite, timestamp, clock_hz, now_us))
        rebase_timestamp(rewrite, timestamp, clock_hz, now_us);
    if (timestamp != rewrite->timestamp_in) {
        rewrite->timestamp_in = timestamp;
        rewrite->changed_us = now_us;
    }
    rewrite->age = rewrite->age + step < REWRITE_WINDOW ? rewrite->age + step : REWRITE_WINDOW;
    rewrite->seq_in = seq;
    rewrite->timestamp_out = timestamp + rewrite->timestamp_offset;
    rewrite->clock_hz = clock_hz;
    rewrite->is_started = true;
    rewrite->has_bad_seq = false;
    advance_seen(rewrite, (uint16_t)(seq + rewrite->seq_offset));
}

/* Where does this packet stand in its source? @return false: drop it */
static bool place(struct rewrite *rewrite, const uint8_t *bytes, uint32_t clock_hz, uint64_t now_us)
{
    uint16_t seq = rtp_get_u16(bytes + 2);
    uint32_t timestamp = rtp_get_u32(bytes + 4), ssrc = rtp_get_u32(bytes + 8);
    int16_t step;

    if (!rewrite->has_source || rewrite->source != ssrc)
        begin_source(rewrite, ssrc, seq, timestamp, clock_hz, now_us);
    step = (int16_t)(seq - rewrite->seq_in);
    if (step > DROPOUT_MAX || step <= -REWRITE_WINDOW) {
        if (!is_proved_jump(rewrite, seq))
            return false;
        begin_source(rewrite, ssrc, seq, timestamp, clock_hz, now_us);
        step = 1;
    }
    if (step > 0)
        take_forward(rewrite, seq, timestamp, clock_hz, now_us);
    else if ((uint32_t)-step >= rewrite->age)
        return false; /* from before this source began: its number belongs to another packet */
    return !was_seen(rewrite, (uint16_t)(seq + rewrite->seq_offset));
}

bool rewrite_packet(struct rewrite *rewrite, uint8_t *bytes, uint8_t pt_out, uint32_t clock_hz, uint64_t now_us,
                    unsigned *cut_bytes)
{
    unsigned header_bytes = RTP_HEADER_BYTES + 4u * (bytes[0] & 0x0f);
    struct rtp rtp;
    uint8_t has_padding = bytes[0] & 0x20;

    if (!place(rewrite, bytes, clock_hz, now_us))
        return false;
    if (bytes[0] & 0x10)
        header_bytes += 4 + 4u * rtp_get_u16(bytes + header_bytes + 2);
    rtp.marker = bytes[1] >> 7;
    rtp.pt = pt_out;
    rtp.seq = (uint16_t)(rtp_get_u16(bytes + 2) + rewrite->seq_offset);
    rtp.timestamp = rtp_get_u32(bytes + 4) + rewrite->timestamp_offset;
    rtp.ssrc = rewrite->ssrc_out;
    *cut_bytes = header_bytes - RTP_HEADER_BYTES;
    rtp_write(bytes + *cut_bytes, &rtp);
    bytes[*cut_bytes] |= has_padding;
    return true;
}
