/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* rtp.h: the RTP header, read and written in place. RFC 3550 section 5.1, RFC 8285 for header extensions. */

#define RTP_HEADER_BYTES 12

struct rtp {
    bool marker;
    uint8_t pt;
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t header_bytes;  /* with CSRCs and extension */
    uint16_t payload_bytes; /* without padding */
    uint16_t extension_profile;
    struct span extension; /* its elements, borrowed; empty if there is none */
};

/** Look at a packet. @return 0; -EBADMSG: not version 2, or a length inside does not fit */
int rtp_parse(struct rtp *rtp, const uint8_t *bytes, size_t n);

/** Write a header without CSRCs and extension. */
void rtp_write(uint8_t bytes[static RTP_HEADER_BYTES], const struct rtp *rtp);

/** The element with this id of a one-byte (0xBEDE) or two-byte (0x100x) extension; empty if it is not there. RFC
 * 8285 4.2, 4.3 */
struct span rtp_find_extension(const struct rtp *rtp, uint8_t id);

static inline uint16_t rtp_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t rtp_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void rtp_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void rtp_put_u32(uint8_t *at, uint32_t value)
{
    rtp_put_u16(at, (uint16_t)(value >> 16));
    rtp_put_u16(at + 2, (uint16_t)value);
}
