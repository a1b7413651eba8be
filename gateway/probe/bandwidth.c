/* SPDX-License-Identifier: Apache-2.0 */
/* bandwidth.c: arithmetic of packets: how many bits a second a call takes. Measures nothing. */
#include "probe/bandwidth.h"

#include <stddef.h>

#define PACKETS_PER_S (1000 / BANDWIDTH_FRAME_MS)
#define RTP_BYTES     12
#define UDP_BYTES     8
#define IPV4_BYTES    20
#define IPV6_BYTES    40
#define SRTP_BYTES    10 /* the authentication tag of AES_CM_128_HMAC_SHA1_80 */

/* Opus: 32 kbit/s is what browsers send for speech when nobody asks for less (RFC 7587 3.1.1: 28-40 for fullband). */
static const struct bandwidth rows[] = {
    {"PCMU", 64000},
    {"PCMA", 64000},
    {"G722", 64000},
    {"opus", 32000},
};

const struct bandwidth *bandwidth_at(unsigned index)
{
    return index < sizeof(rows) / sizeof(*rows) ? &rows[index] : NULL;
}

const struct bandwidth *bandwidth_find(struct span codec)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (span_ieq(codec, span_of(rows[i].codec)))
            return &rows[i];
    return NULL;
}

unsigned bandwidth_of_call(const struct bandwidth *codec, bool is_v6, bool has_srtp)
{
    unsigned bytes = codec->payload_bits / 8 / PACKETS_PER_S + RTP_BYTES + UDP_BYTES;

    bytes += is_v6 ? IPV6_BYTES : IPV4_BYTES;
    bytes += has_srtp ? SRTP_BYTES : 0;
    return bytes * 8 * PACKETS_PER_S;
}
