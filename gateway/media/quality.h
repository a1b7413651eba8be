/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/rtcp.h"

/* quality.h: how well one source is received: sequence numbers, loss and jitter. RFC 3550 A.1, A.3, A.8. */

struct quality {
    uint32_t ssrc;
    bool is_started;
    uint16_t max_seq;
    uint32_t cycles; /* sequence wraps, shifted by 16 */
    uint32_t base_seq;
    uint32_t bad_seq;                          /* the one that would prove that the source jumped */
    uint32_t received;                         /* of this source */
    uint32_t expected_before, received_before; /* at the last report */
    uint64_t lost_earlier;                     /* of sources that came before */
    uint32_t clock_hz;
    int32_t transit; /* in clock units */
    uint32_t jitter_x16;
};

/** A packet came in. @param arrived_us clock of its arrival; another clock_hz than before starts the jitter anew */
void quality_add(struct quality *quality, uint32_t ssrc, uint16_t seq, uint32_t timestamp, uint64_t arrived_us,
                 uint32_t clock_hz);
/** Lost over all sources; duplicates are not made up for: never below 0. */
uint64_t quality_lost(const struct quality *quality);
uint32_t quality_jitter_us(const struct quality *quality);
/** Fill loss, highest sequence number and jitter of a report block, and begin the next interval. */
void quality_report(struct quality *quality, struct rtcp_report *report);
