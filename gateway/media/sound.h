/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* sound.h: a WAV file as it is played to callers: mono, 8000 Hz, one byte of G.711 mu-law each sample. */

struct sound {
    size_t count;    /* samples; at least one frame of 20 ms */
    uint8_t mulaw[]; /* ITU-T G.711 */
};

/** Read a mono WAV of 8 or 16 kHz: PCM of 16 bit, A-law or mu-law; at most 10 minutes. Reads a file: for start and
 * reload.
 *  @param why_out a sentence that names what is wrong  @return 0 and a mem object; -ENOENT, -EBADMSG, -E2BIG, -ENOMEM
 */
int sound_load(struct sound **soundp, const char *path, const char **why_out);
/** The same from the bytes of the file. */
int sound_read(struct sound **soundp, const uint8_t *bytes, size_t n, const char **why_out);

/* ---- G.711 ---- */

uint8_t mulaw_encode(int16_t sample);
int16_t mulaw_decode(uint8_t byte);
uint8_t alaw_encode(int16_t sample);
int16_t alaw_decode(uint8_t byte);
