/* SPDX-License-Identifier: Apache-2.0 */
/* sound.c: WAV files (RIFF) to mu-law, and G.711 by arithmetic. ITU-T G.711. Knows no streams. */
#include "media/sound.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FILE_MAX_BYTES (20u << 20) /* 10 minutes of 16 bit at 16 kHz, and its head */
#define FRAME_SAMPLES  160

/* ---- G.711 ---- */

/* Position of the highest set bit from bit 7 on: the segment. */
static unsigned segment_of(unsigned magnitude)
{
    unsigned segment = 0;

    while (segment < 7 && magnitude >= (0x100u << segment))
        segment++;
    return segment;
}

uint8_t mulaw_encode(int16_t sample)
{
    unsigned sign = sample < 0 ? 0x80 : 0;
    unsigned magnitude = (unsigned)(sample < 0 ? -(int)sample : sample);
    unsigned segment;

    if (magnitude > 32635)
        magnitude = 32635;
    magnitude += 132;
    segment = segment_of(magnitude);
    return (uint8_t) ~(sign | segment << 4 | (magnitude >> (segment + 3) & 0x0f));
}

int16_t mulaw_decode(uint8_t byte)
{
    unsigned bits = (uint8_t)~byte;
    int magnitude = (int)((((bits & 0x0f) << 3) + 132) << (bits >> 4 & 7)) - 132;

    return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}

uint8_t alaw_encode(int16_t sample)
{
    unsigned sign = sample < 0 ? 0 : 0x80;
    unsigned magnitude = (unsigned)(sample < 0 ? -(int)sample - 1 : sample);
    unsigned segment = segment_of(magnitude);
    unsigned step = segment ? segment + 3 : 4;

    return (uint8_t)((sign | segment << 4 | (magnitude >> step & 0x0f)) ^ 0x55);
}

int16_t alaw_decode(uint8_t byte)
{
    unsigned bits = byte ^ 0x55u, segment = bits >> 4 & 7;
    int magnitude = (int)((bits & 0x0f) << 4) + 8;

    if (segment)
        magnitude = (magnitude + 0x100) << (segment - 1);
    return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

/* ---- WAV ---- */

struct wav {
    unsigned format, channels, rate_hz, bits; /* format: 1 PCM, 6 A-law, 7 mu-law */
    const uint8_t *data;
    size_t bytes;
};

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)at[1] << 8 | at[0];
}

static void take_format(struct wav *wav, const uint8_t *chunk)
{
    wav->format = get_u16(chunk);
    wav->channels = get_u16(chunk + 2);
    wav->rate_hz = get_u32(chunk + 4);
    wav->bits = get_u16(chunk + 14);
}

/* Chunks may stand in any order and be padded to even lengths; a writer that was cut off leaves a length too long. */
static bool parse(struct wav *wav, const uint8_t *bytes, size_t n)
{
    size_t at = 12;

    if (n < 12 || memcmp(bytes, "RIFF", 4) || memcmp(bytes + 8, "WAVE", 4))
        return false;
    while (n - at >= 8) {
        size_t size = get_u32(bytes + at + 4), left = n - at - 8;
        const uint8_t *chunk = bytes + at + 8;

        size = size < left ? size : left;
        if (!memcmp(bytes + at, "fmt ", 4) && size >= 16)
            take_format(wav, chunk);
        if (!memcmp(bytes + at, "data", 4)) {
            wav->data = chunk;
            wav->bytes = size;
        }
        size += size & 1;
        at += 8 + (size < left ? size : left);
    }
    return wav->format && wav->data;
}

static int16_t sample_at(const struct wav *wav, size_t i)
{
    if (wav->format == 6)
        return alaw_decode(wav->data[i]);
    if (wav->format == 7)
        return mulaw_decode(wav->data[i]);
    return (int16_t)get_u16(wav->data + 2 * i);
}

static const char *complaint(const struct wav *wav)
{
    bool is_pcm = wav->format == 1 && wav->bits == 16,
         is_g711 = (wav->format == 6 || wav->format == 7) && wav->bits == 8;

    if (!is_pcm && !is_g711)
        return "it is neither PCM of 16 bit nor A-law nor mu-law";
    if (wav->channels != 1)
        return "it is not mono";
    if (wav->rate_hz != 8000 && wav->rate_hz != 16000)
        return "its rate is neither 8000 nor 16000 Hz";
    if (wav->bytes / (is_pcm ? 2 : 1) / (wav->rate_hz / 8000) < FRAME_SAMPLES)
        return "it is shorter than 20 ms";
    return NULL;
}

/* From 16 to 8 kHz by a short low pass (1 3 3 1)/8: plenty for a telephone. */
static int16_t lowered_at(const struct wav *wav, size_t i, size_t count)
{
    size_t at = 2 * i;
    int before = sample_at(wav, at ? at - 1 : 0), here = sample_at(wav, at);
    int next = sample_at(wav, at + 1 < count ? at + 1 : count - 1),
        after = sample_at(wav, at + 2 < count ? at + 2 : count - 1);

    return (int16_t)((before + 3 * here + 3 * next + after) / 8);
}

int sound_read(struct sound **soundp, const uint8_t *bytes, size_t n, const char **why_out)
{
    struct wav wav = {0};
    struct sound *sound;
    size_t read, count;

    *why_out = "it is no WAV file";
    if (!parse(&wav, bytes, n))
        return -EBADMSG;
    *why_out = complaint(&wav);
    if (*why_out)
        return -EBADMSG;
    read = wav.bytes / (wav.format == 1 ? 2 : 1);
    count = read / (wav.rate_hz / 8000);
    sound = mem_new(sizeof(*sound) + count, NULL);
    if (!sound)
        return -ENOMEM;
    sound->count = count;
    for (size_t i = 0; i < count; i++)
        sound->mulaw[i] = mulaw_encode(wav.rate_hz == 16000 ? lowered_at(&wav, i, read) : sample_at(&wav, i));
    *soundp = sound;
    return 0;
}

static int read_file(uint8_t **bytesp, size_t *n, FILE *file, const char **why_out)
{
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    uint8_t *bytes;

    *why_out = size < 0 ? "it cannot be read" : "it is longer than 10 minutes";
    if (size < 0 || (unsigned long)size > FILE_MAX_BYTES)
        return size < 0 ? -EBADMSG : -E2BIG;
    rewind(file);
    bytes = mem_new((size_t)size + 1, NULL);
    *why_out = "there is no memory for it";
    if (!bytes)
        return -ENOMEM;
    *n = fread(bytes, 1, (size_t)size, file);
    *bytesp = bytes;
    return 0;
}

int sound_load(struct sound **soundp, const char *path, const char **why_out)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t n = 0;
    int err;

    *why_out = "it cannot be opened";
    if (!file)
        return -ENOENT;
    err = read_file(&bytes, &n, file, why_out);
    fclose(file);
    if (!err)
        err = sound_read(soundp, bytes, n, why_out);
    mem_unref(bytes);
    return err;
}
