/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c: sequence numbers, loss and interarrival jitter of one received source. RFC 3550 A.1, A.3, A.8.
 * Knows no packets: numbers in, numbers out. */
#include "media/quality.h"

#define DROPOUT_MAX  3000
#define MISORDER_MAX 100
#define SEQ_MOD      (1u << 16)

static int64_t lost_of_source(const struct quality *quality)
{
    if (!quality->is_started)
        return 0;
    return (int64_t)(uint32_t)(quality->cycles + quality->max_seq - quality->base_seq + 1) - quality->received;
}

static void start_source(struct quality *quality, uint32_t ssrc, uint16_t seq)
{
    int64_t lost = lost_of_source(quality);

    quality->lost_earlier += lost > 0 ? (uint64_t)lost : 0;
    quality->ssrc = ssrc;
    quality->is_started = true;
    quality->base_seq = quality->max_seq = seq;
    quality->bad_seq = SEQ_MOD + 1; /* no sequence number is equal to it */
    quality->cycles = quality->received = 0;
    quality->expected_before = quality->received_before = 0;
    quality->clock_hz = 0;
}

static void add_seq(struct quality *quality, uint16_t seq)
{
    uint16_t delta = (uint16_t)(seq - quality->max_seq);

    if (delta < DROPOUT_MAX) {
        if (seq < quality->max_seq)
            quality->cycles += SEQ_MOD;
        quality->max_seq = seq;
    } else if (delta <= SEQ_MOD - MISORDER_MAX) {
        if (seq != quality->bad_seq) {
            quality->bad_seq = (uint16_t)(seq + 1);
            return; /* one far away proves nothing; two in a row do */
        }
        start_source(quality, quality->ssrc, seq);
    }
    quality->received++;
}

static void add_transit(struct quality *quality, uint32_t timestamp, uint64_t arrived_us, uint32_t clock_hz)
{
    int32_t transit = (int32_t)((uint32_t)(arrived_us * clock_hz / 1000000) - timestamp);
    int32_t d = (int32_t)((uint32_t)transit - (uint32_t)quality->transit);

    if (quality->clock_hz == clock_hz && d != INT32_MIN) {
        d = d < 0 ? -d : d;
        /* A jump of seconds is a new timestamp line, not jitter. */
        if ((uint32_t)d < 5 * clock_hz)
            quality->jitter_x16 += (uint32_t)d - ((quality->jitter_x16 + 8) >> 4);
    } else if (quality->clock_hz != clock_hz) {
        quality->clock_hz = clock_hz;
        quality->jitter_x16 = 0;
    }
    quality->transit = transit;
}

void quality_add(struct quality *quality, uint32_t ssrc, uint16_t seq, uint32_t timestamp, uint64_t arrived_us,
                 uint32_t clock_hz)
{
    if (!quality->is_started || quality->ssrc != ssrc)
        start_source(quality, ssrc, seq);
    add_seq(quality, seq);
    add_transit(quality, timestamp, arrived_us, clock_hz);
}

uint64_t quality_lost(const struct quality *quality)
{
    int64_t lost = lost_of_source(quality);

    return quality->lost_earlier + (lost > 0 ? (uint64_t)lost : 0);
}

uint32_t quality_jitter_us(const struct quality *quality)
{
    if (!quality->clock_hz)
        return 0;
    return (uint32_t)((uint64_t)(quality->jitter_x16 >> 4) * 1000000 / quality->clock_hz);
}

void quality_report(struct quality *quality, struct rtcp_report *report)
{
    uint32_t extended = quality->cycles + quality->max_seq;
    uint32_t expected = extended - quality->base_seq + 1;
    uint32_t expected_now = expected - quality->expected_before;
    int64_t lost = lost_of_source(quality);
    int64_t lost_now = (int64_t)expected_now - (quality->received - quality->received_before);

    quality->expected_before = expected;
    quality->received_before = quality->received;
    report->ssrc = quality->ssrc;
    report->lost = (int32_t)(lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost);
    report->fraction_lost = 0;
    if (expected_now && lost_now > 0)
        report->fraction_lost = (uint8_t)(lost_now >= expected_now ? 255 : lost_now * 256 / expected_now);
    report->highest_seq = extended;
    report->jitter = quality->jitter_x16 >> 4;
}
