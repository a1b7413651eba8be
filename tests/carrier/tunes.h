/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sound.h"

/* tunes.h: what the carrier plays. */

tune_fn tune_music;    /* Bach, Prelude in C, its first nineteen bars, over and over */
tune_fn tune_ringback; /* 400 and 450 Hz: 0.4 s, 0.2 s silence, 0.4 s, 2 s silence */
tune_fn tune_1000_hz;  /* an endless tone of 1000 Hz at -10 dB */

/** Two rising bells: "go on". About 0.6 s. */
void tunes_queue_welcome(struct sound *sound);
/** Three rising bells: "done". About 0.9 s. */
void tunes_queue_confirm(struct sound *sound);
/** Read one digit back: its DTMF tone for 200 ms, then as many bells as it says (0: ten; * and #: one long low or high
 * bell). */
void tunes_queue_digit(struct sound *sound, char digit);
