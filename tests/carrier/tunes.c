/* SPDX-License-Identifier: Apache-2.0 */
/* tunes.c: the melodies and signals as notes. The music is by J. S. Bach (BWV 846, 1722), written down here as chords.
 */
#include "tunes.h"

#include <math.h>
#include <string.h>

#define BAR_NOTES    16
#define NOTE_MS      230
#define MUSIC_LEVEL  0.11
#define SIGNAL_LEVEL 0.25

static const uint8_t chords[][5] = {
    /* MIDI numbers, from the bass up */
    {60, 64, 67, 72, 76}, {60, 62, 69, 74, 77}, {59, 62, 67, 74, 77}, {60, 64, 67, 72, 76}, {60, 64, 69, 76, 81},
    {60, 62, 66, 69, 74}, {59, 62, 67, 74, 79}, {59, 60, 64, 67, 72}, {57, 60, 64, 67, 72}, {50, 57, 62, 66, 72},
    {55, 59, 62, 67, 71}, {55, 58, 64, 67, 73}, {53, 57, 62, 69, 74}, {53, 56, 62, 65, 71}, {52, 55, 60, 67, 72},
    {52, 53, 57, 60, 65}, {50, 53, 57, 60, 65}, {43, 50, 55, 59, 65}, {48, 52, 55, 60, 64},
};

static double hz_of(unsigned midi)
{
    return 440.0 * exp2(((int)midi - 69) / 12.0);
}

void tune_music(struct note *note, unsigned index)
{
    static const uint8_t figure[8] = {0, 1, 2, 3, 4, 2, 3, 4};
    const uint8_t *chord = chords[index / BAR_NOTES % (sizeof(chords) / sizeof(chords[0]))];
    unsigned place = figure[index % 8];

    *note = (struct note){.wait_samples = index ? SOUND_MS(NOTE_MS) : 0,
                          .length_samples = SOUND_MS(place < 2 ? 2200 : 1400),
                          .hz = hz_of(chord[place]),
                          .level = place < 2 ? MUSIC_LEVEL * 1.3 : MUSIC_LEVEL,
                          .kind = NOTE_BELL};
}

void tune_ringback(struct note *note, unsigned index)
{
    uint32_t wait_ms = index % 2 ? 600 : 2400;

    *note = (struct note){.wait_samples = index ? SOUND_MS(wait_ms) : 0,
                          .length_samples = SOUND_MS(400),
                          .hz = 400,
                          .second_hz = 450,
                          .level = 0.15,
                          .kind = NOTE_STEADY};
}

/* Ten seconds are a whole number of cycles, so each piece goes on where the last one ended. */
void tune_1000_hz(struct note *note, unsigned index)
{
    *note = (struct note){.wait_samples = index ? SOUND_MS(10000) : 0,
                          .length_samples = SOUND_MS(10000),
                          .hz = 1000,
                          .level = 0.316,
                          .kind = NOTE_SEAMLESS};
}

static void queue_bell(struct sound *sound, uint32_t wait_ms, unsigned midi, uint32_t length_ms)
{
    sound_queue(sound, &(struct note){.wait_samples = SOUND_MS(wait_ms),
                                      .length_samples = SOUND_MS(length_ms),
                                      .hz = hz_of(midi),
                                      .level = SIGNAL_LEVEL,
                                      .kind = NOTE_BELL});
}

void tunes_queue_welcome(struct sound *sound)
{
    queue_bell(sound, 100, 72, 500);
    queue_bell(sound, 180, 79, 500);
}

void tunes_queue_confirm(struct sound *sound)
{
    queue_bell(sound, 400, 72, 500);
    queue_bell(sound, 150, 76, 500);
    queue_bell(sound, 150, 84, 600);
}

static void queue_dtmf(struct sound *sound, unsigned row, unsigned column)
{
    static const double rows[] = {697, 770, 852, 941}, columns[] = {1209, 1336, 1477, 1633};

    sound_queue(sound, &(struct note){.wait_samples = SOUND_MS(500),
                                      .length_samples = SOUND_MS(200),
                                      .hz = rows[row],
                                      .second_hz = columns[column],
                                      .level = 0.2,
                                      .kind = NOTE_STEADY});
}

void tunes_queue_digit(struct sound *sound, char digit)
{
    static const char keys[] = "123A456B789C*0#D";
    const char *at = digit ? strchr(keys, digit) : NULL;
    unsigned count = digit >= '1' && digit <= '9' ? (unsigned)(digit - '0') : digit == '0' ? 10 : 0;

    if (!at)
        return;
    queue_dtmf(sound, (unsigned)(at - keys) / 4, (unsigned)(at - keys) % 4);
    for (unsigned i = 0; i < count; i++)
        queue_bell(sound, i ? 220 : 400, 81, 200);
    if (count == 0)
        queue_bell(sound, 400, digit == '*' ? 60 : 88, 500);
}
