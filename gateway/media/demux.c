/* SPDX-License-Identifier: Apache-2.0 */
/* demux.c: STUN, DTLS, RTP or RTCP by the first two bytes of a datagram. RFC 7983 section 7, RFC 5761 section 4.
 * Knows no sockets and no endpoints. */
#include "media/demux.h"

/* Shorter ones are nothing that we know: the shortest is a DTLS record of 13 + 1 bytes or an RTCP packet of 8. */
#define LEAST_BYTES 8

enum demux_kind demux_kind_of(const uint8_t *bytes, size_t n)
{
    if (n < LEAST_BYTES)
        return DEMUX_NONE;
    if (bytes[0] <= 3)
        return DEMUX_STUN;
    if (bytes[0] >= 20 && bytes[0] <= 63)
        return DEMUX_DTLS;
    if (bytes[0] < 128 || bytes[0] > 191)
        return DEMUX_NONE;
    return bytes[1] >= 192 && bytes[1] <= 223 ? DEMUX_RTCP : DEMUX_RTP;
}
