/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tone.h: the test tone as G.711 frames, no two of which are alike, so that one that comes back is known again. ITU-T
 * G.711. Pure. */

#define TONE_SAMPLES 160 /* 20 ms at 8000 Hz: as many bytes of payload */

/** Frame `index` of the tone: 1000 Hz, about -20 dBov, under a little noise that is this frame's own. */
void tone_frame(uint8_t payload[static TONE_SAMPLES], unsigned index, bool is_alaw);

/** Sum of the squares of the samples, full scale being 1. */
double tone_energy(const uint8_t *payload, size_t n, bool is_alaw);

uint8_t tone_encode(int16_t sample, bool is_alaw);
int16_t tone_decode(uint8_t code, bool is_alaw);
