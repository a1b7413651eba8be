/* SPDX-License-Identifier: Apache-2.0 */
/* g711.c: A-law and mu-law by their segments. ITU-T G.711. Independent of the gateway's own tables, so that a fault
 * there is heard. */
#include "g711.h"

#define MU_BIAS 132   /* in 16-bit samples: 33 of the 14-bit scale */
#define MU_MAX  32635 /* larger ones would leave the last segment */

/* Position of the highest bit that is set, counted from `lowest`; 0 if none above it. */
static unsigned segment_of(unsigned value, unsigned lowest)
{
    unsigned segment = 0;

    while (value >> (lowest + 1 + segment))
        segment++;
    return segment;
}

static uint8_t encode_mu(int sample)
{
    unsigned sign = sample < 0 ? 0x80 : 0;
    unsigned magnitude = (unsigned)(sample < 0 ? -sample : sample), segment;

    if (magnitude > MU_MAX)
        magnitude = MU_MAX;
    magnitude += MU_BIAS;
    segment = segment_of(magnitude, 7);
    return (uint8_t) ~(sign | segment << 4 | ((magnitude >> (segment + 3)) & 0x0f));
}

static int16_t decode_mu(uint8_t byte)
{
    unsigned bits = (uint8_t)~byte, segment = bits >> 4 & 7;
    int magnitude = (int)((((bits & 0x0f) << 3) + MU_BIAS) << segment) - MU_BIAS;

    return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

static uint8_t encode_a(int sample)
{
    unsigned sign = sample < 0 ? 0 : 0x80;
    unsigned magnitude = (unsigned)(sample < 0 ? -sample - 1 : sample);
    unsigned segment = segment_of(magnitude, 7);
    unsigned mantissa = magnitude >> (segment ? segment + 3 : 4);

    return (uint8_t)((sign | segment << 4 | (mantissa & 0x0f)) ^ 0x55);
}

static int16_t decode_a(uint8_t byte)
{
    unsigned bits = byte ^ 0x55u, segment = bits >> 4 & 7;
    int magnitude = (int)((bits & 0x0f) << 4) + 8;

    if (segment)
        magnitude = (magnitude + 0x100) << (segment - 1);
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

uint8_t g711_encode(int16_t sample, bool is_alaw)
{
    return is_alaw ? encode_a(sample) : encode_mu(sample);
}

int16_t g711_decode(uint8_t byte, bool is_alaw)
{
    return is_alaw ? decode_a(byte) : decode_mu(byte);
}
