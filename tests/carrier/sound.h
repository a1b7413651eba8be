/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* sound.h: a small synthesiser: notes, one after the other or over each other, as 8 kHz samples. Knows no codec and no
 * packet. Deterministic: the same notes give the same samples. */

#define SOUND_RATE_HZ       8000
#define SOUND_FRAME_SAMPLES 160 /* 20 ms */
#define SOUND_MS(ms)        ((uint32_t)(ms) * (SOUND_RATE_HZ / 1000))
#define SOUND_VOICE_MAX     12
#define SOUND_QUEUE_MAX     512
#define SOUND_PARTIAL_MAX   3

enum note_kind {
    NOTE_BELL,     /* struck: overtones that die away */
    NOTE_STEADY,   /* one or two sines with short fades */
    NOTE_SEAMLESS, /* without fades: to be followed by another one, for an endless tone */
};

struct note {
    uint32_t wait_samples; /* from the beginning of the note before */
    uint32_t length_samples;
    double hz, second_hz; /* second_hz 0: only one; hz 0: a pause */
    double level;         /* peak of each sine, 1: full scale */
    enum note_kind kind;
};

/** The index-th note of an endless tune. */
typedef void tune_fn(struct note *note, unsigned index);

/** A sine by recurrence: y = turn * y1 - decay2 * y2. */
struct partial {
    double turn, decay2, y1, y2;
};

struct voice_of_note {
    struct partial partials[SOUND_PARTIAL_MAX];
    unsigned partial_count;
    uint32_t at, length_samples;
    enum note_kind kind;
};

struct sound {
    struct voice_of_note voices[SOUND_VOICE_MAX];
    tune_fn *tune; /* NULL: the queue alone */
    unsigned tune_index;
    struct note queue[SOUND_QUEUE_MAX];
    unsigned queue_head, queue_count;
    uint32_t countdown; /* samples until the next note begins */
    bool is_counting;
};

/** Silence, at once. */
void sound_stop(struct sound *sound);
/** From now on this tune, over and over. */
void sound_play(struct sound *sound, tune_fn *tune);
/** One more note behind those that wait; one too many is left out. */
void sound_queue(struct sound *sound, const struct note *note);
/** Nothing sounds and nothing waits. */
bool sound_is_idle(const struct sound *sound);
/** The next 20 ms. */
void sound_fill(struct sound *sound, int16_t pcm[static SOUND_FRAME_SAMPLES]);
