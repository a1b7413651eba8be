/* SPDX-License-Identifier: Apache-2.0 */
/* sound.c: the synthesiser: notes become decaying or steady sines, which are added up. Knows no melody: those are in
 * tunes.c. */
#include "sound.h"

#include <math.h>
#include <string.h>

#define FADE_SAMPLES SOUND_MS(5)
#define STRIKE_FADE  SOUND_MS(2)
#define TWO_PI       6.283185307179586
#define HALF_LIFE_S  0.28 /* of a bell's ground tone; overtones die faster */

static struct partial sine(double hz, double level, double half_life_s)
{
    double step = TWO_PI * hz / SOUND_RATE_HZ;
    double decay = half_life_s > 0 ? exp2(-1.0 / (half_life_s * SOUND_RATE_HZ)) : 1.0;

    return (struct partial){.turn = 2 * decay * cos(step),
                            .decay2 = decay * decay,
                            .y1 = -level * sin(step) / decay,
                            .y2 = -level * sin(2 * step) / (decay * decay)};
}

static double partial_next(struct partial *partial)
{
    double y = partial->turn * partial->y1 - partial->decay2 * partial->y2;

    partial->y2 = partial->y1;
    partial->y1 = y;
    return y;
}

static void add_partial(struct voice_of_note *voice, double hz, double level, double half_life_s)
{
    if (hz > 0 && hz < SOUND_RATE_HZ / 2)
        voice->partials[voice->partial_count++] = sine(hz, level, half_life_s);
}

static void strike(struct voice_of_note *voice, const struct note *note)
{
    memset(voice, 0, sizeof(*voice));
    voice->kind = note->kind;
    voice->length_samples = note->length_samples;
    if (note->kind == NOTE_BELL) {
        add_partial(voice, note->hz, note->level, HALF_LIFE_S);
        add_partial(voice, note->hz * 2, note->level * 0.35, HALF_LIFE_S / 2);
        add_partial(voice, note->hz * 3, note->level * 0.15, HALF_LIFE_S / 3);
    } else {
        add_partial(voice, note->hz, note->level, 0);
        add_partial(voice, note->second_hz, note->level, 0);
    }
}

/* A voice that is over, or the one that has sounded longest. */
static struct voice_of_note *pick_voice(struct sound *sound)
{
    struct voice_of_note *oldest = &sound->voices[0];

    for (unsigned i = 0; i < SOUND_VOICE_MAX; i++) {
        struct voice_of_note *voice = &sound->voices[i];

        if (voice->at >= voice->length_samples)
            return voice;
        if (voice->at > oldest->at)
            oldest = voice;
    }
    return oldest;
}

static double envelope(const struct voice_of_note *voice)
{
    uint32_t left = voice->length_samples - voice->at;
    uint32_t rise = voice->kind == NOTE_BELL ? STRIKE_FADE : FADE_SAMPLES;
    double level = 1;

    if (voice->kind == NOTE_SEAMLESS)
        return 1;
    if (voice->at < rise)
        level = (double)voice->at / rise;
    return left < FADE_SAMPLES ? level * left / FADE_SAMPLES : level;
}

static double voice_next(struct voice_of_note *voice)
{
    double sum = 0, level;

    if (voice->at >= voice->length_samples)
        return 0;
    level = envelope(voice);
    for (unsigned i = 0; i < voice->partial_count; i++)
        sum += partial_next(&voice->partials[i]);
    voice->at++;
    return sum * level;
}

static bool fetch_note(struct sound *sound, struct note *note)
{
    if (sound->tune) {
        sound->tune(note, sound->tune_index++);
        return true;
    }
    if (sound->queue_count == 0)
        return false;
    *note = sound->queue[sound->queue_head];
    return true;
}

static void drop_queued(struct sound *sound)
{
    if (sound->tune)
        return;
    sound->queue_head = (sound->queue_head + 1) % SOUND_QUEUE_MAX;
    sound->queue_count--;
}

/* Begin all notes that are due at this sample. */
static void begin_notes(struct sound *sound)
{
    struct note note;

    if (sound->is_counting && sound->countdown > 0) {
        sound->countdown--;
        return;
    }
    while (fetch_note(sound, &note)) {
        if (!sound->is_counting && note.wait_samples > 0) {
            sound->countdown = note.wait_samples - 1;
            sound->is_counting = true;
            sound->tune_index -= sound->tune ? 1 : 0; /* asked for again when it is due */
            return;
        }
        strike(pick_voice(sound), &note);
        drop_queued(sound);
        sound->is_counting = false;
    }
    sound->is_counting = false;
}

void sound_stop(struct sound *sound)
{
    memset(sound, 0, sizeof(*sound));
}

void sound_play(struct sound *sound, tune_fn *tune)
{
    sound_stop(sound);
    sound->tune = tune;
}

void sound_queue(struct sound *sound, const struct note *note)
{
    if (sound->queue_count < SOUND_QUEUE_MAX)
        sound->queue[(sound->queue_head + sound->queue_count++) % SOUND_QUEUE_MAX] = *note;
}

bool sound_is_idle(const struct sound *sound)
{
    if (sound->tune || sound->queue_count)
        return false;
    for (unsigned i = 0; i < SOUND_VOICE_MAX; i++) {
        if (sound->voices[i].at < sound->voices[i].length_samples)
            return false;
    }
    return true;
}

void sound_fill(struct sound *sound, int16_t pcm[static SOUND_FRAME_SAMPLES])
{
    for (unsigned i = 0; i < SOUND_FRAME_SAMPLES; i++) {
        double sum = 0;

        begin_notes(sound);
        for (unsigned v = 0; v < SOUND_VOICE_MAX; v++)
            sum += voice_next(&sound->voices[v]);
        sum = sum > 1 ? 1 : sum < -1 ? -1 : sum;
        pcm[i] = (int16_t)lrint(sum * 32000);
    }
}
