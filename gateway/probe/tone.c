/* SPDX-License-Identifier: Apache-2.0 */
/* tone.c: a tone in G.711, both laws, and how loud G.711 is. ITU-T G.711, RFC 3551 4.5.14. Knows no packets. */
#include "probe/tone.h"

#include <math.h>

#define TONE_HZ   1000.0
#define RATE_HZ   8000.0
#define AMPLITUDE 4000.0 /* -21 dBov */
#define NOISE     400    /* peak to peak */

static int segment_of(int magnitude, int lowest)
{
    int segment = 0;

    while (segment < 7 && magnitude >= lowest << (segment + 1))
        segment++;
    return segment;
}

static uint8_t ulaw_of(int sample)
{
    int sign = sample < 0 ? 0x80 : 0;
    int magnitude = (sample < 0 ? -sample : sample) + 132;
    int segment;

    if (magnitude > 32767)
        magnitude = 32767;
    segment = segment_of(magnitude, 128);
    return (uint8_t) ~(sign | segment << 4 | ((magnitude >> (segment + 3)) & 0xf));
}

static uint8_t alaw_of(int sample)
{
    int sign = sample < 0 ? 0 : 0x80;
    int magnitude = sample < 0 ? -sample - 1 : sample;
    int segment = segment_of(magnitude, 128);
    int code = segment << 4 | ((magnitude >> (segment ? segment + 3 : 4)) & 0xf);

    return (uint8_t)((sign | code) ^ 0x55);
}

uint8_t tone_encode(int16_t sample, bool is_alaw)
{
    return is_alaw ? alaw_of(sample) : ulaw_of(sample);
}

static int from_ulaw(uint8_t code)
{
    int bits = ~code & 0xff;
    int magnitude = ((((bits & 0xf) << 3) + 132) << (bits >> 4 & 7)) - 132;

    return bits & 0x80 ? -magnitude : magnitude;
}

static int from_alaw(uint8_t code)
{
    int bits = code ^ 0x55;
    int segment = bits >> 4 & 7;
    int magnitude = segment ? (((bits & 0xf) << 4) + 0x108) << (segment - 1) : ((bits & 0xf) << 4) + 8;

    return bits & 0x80 ? magnitude : -magnitude;
}

int16_t tone_decode(uint8_t code, bool is_alaw)
{
    return (int16_t)(is_alaw ? from_alaw(code) : from_ulaw(code));
}

void tone_frame(uint8_t payload[static TONE_SAMPLES], unsigned index, bool is_alaw)
{
    uint32_t noise = index * 2654435761u + 1;

    for (unsigned i = 0; i < TONE_SAMPLES; i++) {
        double at = (double)(index * TONE_SAMPLES + i) / RATE_HZ;

        noise = noise * 1664525u + 1013904223u;
        payload[i] = tone_encode(
            (int16_t)(AMPLITUDE * sin(2 * M_PI * TONE_HZ * at) + (int)(noise >> 16) % NOISE - NOISE / 2), is_alaw);
    }
}

double tone_energy(const uint8_t *payload, size_t n, bool is_alaw)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double sample = tone_decode(payload[i], is_alaw) / 32768.0;

        sum += sample * sample;
    }
    return sum;
}
