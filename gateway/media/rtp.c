/* SPDX-License-Identifier: Apache-2.0 */
/* rtp.c: the RTP header, read and written. RFC 3550 section 5.1, RFC 8285. A pure function over bytes: knows no stream.
 */
#include "media/rtp.h"

#include <errno.h>

#define PROFILE_ONE_BYTE 0xbede
#define PROFILE_TWO_BYTE 0x1000

/* The header extension behind `at`; @return bytes of the whole header, 0 if it does not fit. */
static size_t parse_extension(struct rtp *rtp, const uint8_t *bytes, size_t n, size_t at)
{
    size_t body_bytes;

    if (n < at + 4)
        return 0;
    body_bytes = (size_t)4 * rtp_get_u16(bytes + at + 2);
    if (n < at + 4 + body_bytes)
        return 0;
    rtp->extension_profile = rtp_get_u16(bytes + at);
    rtp->extension = span_make(bytes + at + 4, body_bytes);
    return at + 4 + body_bytes;
}

int rtp_parse(struct rtp *rtp, const uint8_t *bytes, size_t n)
{
    size_t header_bytes, padding_bytes = 0;

    if (n < RTP_HEADER_BYTES || bytes[0] >> 6 != 2 || n > UINT16_MAX)
        return -EBADMSG;
    rtp->extension_profile = 0;
    rtp->extension = SPAN_NULL;
    header_bytes = RTP_HEADER_BYTES + (size_t)4 * (bytes[0] & 0x0f);
    if (bytes[0] & 0x10)
        header_bytes = parse_extension(rtp, bytes, n, header_bytes);
    if (!header_bytes || n < header_bytes)
        return -EBADMSG;
    if (bytes[0] & 0x20) {
        padding_bytes = bytes[n - 1];
        if (!padding_bytes || n < header_bytes + padding_bytes)
            return -EBADMSG;
    }
    rtp->marker = bytes[1] >> 7;
    rtp->pt = bytes[1] & 0x7f;
    rtp->seq = rtp_get_u16(bytes + 2);
    rtp->timestamp = rtp_get_u32(bytes + 4);
    rtp->ssrc = rtp_get_u32(bytes + 8);
    rtp->header_bytes = (uint16_t)header_bytes;
    rtp->payload_bytes = (uint16_t)(n - header_bytes - padding_bytes);
    return 0;
}

void rtp_write(uint8_t bytes[static RTP_HEADER_BYTES], const struct rtp *rtp)
{
    bytes[0] = 0x80;
    bytes[1] = (uint8_t)(rtp->marker << 7 | (rtp->pt & 0x7f));
    rtp_put_u16(bytes + 2, rtp->seq);
    rtp_put_u32(bytes + 4, rtp->timestamp);
    rtp_put_u32(bytes + 8, rtp->ssrc);
}

struct span rtp_find_extension(const struct rtp *rtp, uint8_t id)
{
    const uint8_t *at = (const uint8_t *)rtp->extension.p;
    size_t left = rtp->extension.n;
    bool is_two_byte = (rtp->extension_profile & 0xfff0) == PROFILE_TWO_BYTE;

    if (!is_two_byte && rtp->extension_profile != PROFILE_ONE_BYTE)
        return SPAN_NULL;
    while (left) {
        size_t head_bytes = is_two_byte ? 2 : 1, body_bytes;
        uint8_t found = is_two_byte ? at[0] : at[0] >> 4;

        if (at[0] == 0) { /* padding between elements */
            at++;
            left--;
            continue;
        }
        if ((!is_two_byte && found == 15) || left < head_bytes)
            break;
        body_bytes = is_two_byte ? at[1] : (size_t)(at[0] & 0x0f) + 1;
        if (left < head_bytes + body_bytes)
            break;
        if (found == id)
            return span_make(at + head_bytes, body_bytes);
        at += head_bytes + body_bytes;
        left -= head_bytes + body_bytes;
    }
    return SPAN_NULL;
}
