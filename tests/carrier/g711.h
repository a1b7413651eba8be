/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* g711.h: ITU-T G.711, linear 16-bit samples to and from one byte. Pure. */

uint8_t g711_encode(int16_t sample, bool is_alaw);
int16_t g711_decode(uint8_t byte, bool is_alaw);
