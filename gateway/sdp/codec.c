/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c: which formats are the same, and which go into an offer or an answer. RFC 3264 5.1, 6.1 (numbers belong to
 * directions), RFC 3551 (G.722's clock), RFC 4733 7.1.1 (the rate is part of an event format), RFC 7587 7 (Opus has one
 * form), RFC 6184 8.2.2 (H.264). Knows formats only: no lines, no transports. */
#include "sdp/codec.h"

#include "sdp/h264_fmtp.h"

#define PT_DYNAMIC_MIN 96
#define PT_DYNAMIC_MAX 127
#define PT_EVENT_USUAL 101

struct row {
    struct span name;
    enum sdp_kind kind;
    uint32_t clock_hz;
    uint8_t channels;
    int static_pt;
    struct span fmtp;
};

static const struct row rows[] = {
#define CODEC(id, name, kind, clock_hz, channels, static_pt, fmtp)                                                     \
    {SPAN(name), kind, clock_hz, channels, static_pt, SPAN(fmtp)},
#include "sdp/codecs.def"
#undef CODEC
};

/* G722/16000 is wrong (RFC 3551 4.5.2) and seen in the field. */
static uint32_t true_clock_hz(const struct sdp_codec *codec)
{
    return codec->clock_hz == 16000 && span_ieq(codec->name, SPAN("G722")) ? 8000 : codec->clock_hz;
}

enum codec_id codec_find(const struct sdp_codec *codec)
{
    for (unsigned i = 0; i < CODEC_NONE; i++) {
        if (rows[i].clock_hz == true_clock_hz(codec) && rows[i].channels == codec->channels &&
            span_ieq(rows[i].name, codec->name))
            return (enum codec_id)i;
    }
    return CODEC_NONE;
}

const char *codec_name(enum codec_id id)
{
    return (unsigned)id < CODEC_NONE ? rows[id].name.p : "unknown";
}

enum sdp_kind codec_kind(enum codec_id id)
{
    return (unsigned)id < CODEC_NONE ? rows[id].kind : SDP_KIND_OTHER;
}

bool codec_is_event(enum codec_id id)
{
    return id == CODEC_EVENT_8000 || id == CODEC_EVENT_48000;
}

static bool is_event(const struct sdp_codec *codec)
{
    return codec_is_event(codec_find(codec));
}

bool codec_same(const struct sdp_codec *left, const struct sdp_codec *right)
{
    if (left->name.n == 0 || !span_ieq(left->name, right->name) || true_clock_hz(left) != true_clock_hz(right) ||
        left->channels != right->channels)
        return false;
    return !span_ieq(left->name, SPAN("H264")) || h264_fmtp_same(left->fmtp, right->fmtp);
}

static bool uses_number(const struct sdp_codecs *codecs, unsigned pt)
{
    for (unsigned i = 0; i < codecs->count; i++) {
        if (codecs->items[i].pt == pt)
            return true;
    }
    return false;
}

static int free_number(const struct sdp_codecs *codecs)
{
    for (unsigned pt = PT_DYNAMIC_MIN; pt <= PT_DYNAMIC_MAX; pt++) {
        if (pt != PT_EVENT_USUAL && !uses_number(codecs, pt))
            return (int)pt;
    }
    return uses_number(codecs, PT_EVENT_USUAL) ? -1 : PT_EVENT_USUAL;
}

/* Number a format and append it: the static number, else the wanted one if it is free, else the next. */
static bool append(struct sdp_codecs *out, const struct sdp_codec *codec, enum codec_id id, unsigned wanted_pt)
{
    struct sdp_codec *item = &out->items[out->count];
    int pt = rows[id].static_pt;

    if (out->count >= SDP_CODEC_MAX)
        return false;
    if (pt < 0 && wanted_pt >= PT_DYNAMIC_MIN && wanted_pt <= PT_DYNAMIC_MAX && !uses_number(out, wanted_pt))
        pt = (int)wanted_pt;
    else if (pt < 0)
        pt = free_number(out);
    if (pt < 0 || uses_number(out, (unsigned)pt))
        return false;
    *item = *codec;
    item->pt = (uint8_t)pt;
    item->name = rows[id].name;
    item->clock_hz = rows[id].clock_hz;
    out->count++;
    return true;
}

static const struct sdp_codec *find_id(const struct sdp_codecs *codecs, enum codec_id id)
{
    for (unsigned i = 0; i < codecs->count; i++) {
        if (codec_find(&codecs->items[i]) == id)
            return &codecs->items[i];
    }
    return NULL;
}

/* An event format with the clock of an audio codec in use: one for each rate. RFC 4733 section 7.1.1. */
static void append_event(struct sdp_codecs *out, const struct sdp_codecs *offered, enum codec_id id)
{
    const struct row *row = &rows[id];
    const struct sdp_codec *theirs = offered ? find_id(offered, id) : NULL;
    struct sdp_codec event = {.name = row->name, .clock_hz = row->clock_hz, .channels = 1, .fmtp = row->fmtp};

    for (unsigned i = 0; i < out->count; i++) {
        if (out->items[i].clock_hz != row->clock_hz)
            continue;
        if (theirs && theirs->fmtp.n)
            event.fmtp = theirs->fmtp;
        append(out, &event, id, theirs ? theirs->pt : row->clock_hz == 8000 ? PT_EVENT_USUAL : 0);
        return;
    }
}

static void append_events(struct sdp_codecs *out, const struct sdp_codecs *offered)
{
    append_event(out, offered, CODEC_EVENT_48000);
    append_event(out, offered, CODEC_EVENT_8000);
}

/* All codecs of `offered` that are known and, where a name is given, have that name. */
static void append_named(struct sdp_codecs *out, const struct sdp_codecs *offered, const char *name)
{
    for (unsigned i = 0; i < offered->count; i++) {
        const struct sdp_codec *codec = &offered->items[i];
        enum codec_id id = codec_find(codec);

        if (id == CODEC_NONE || codec_is_event(id) || (name && !span_ieq(codec->name, span_of(name))))
            continue;
        append(out, codec, id, codec->pt);
    }
}

unsigned codecs_to_offer(struct sdp_codecs *out, const struct sdp_codecs *offered, const struct conf_strings *allowed)
{
    unsigned count;

    out->count = 0;
    if (!allowed || allowed->count == 0)
        append_named(out, offered, NULL);
    for (size_t i = 0; allowed && i < allowed->count; i++)
        append_named(out, offered, allowed->items[i]);
    count = out->count;
    append_events(out, offered);
    return count;
}

/* As it was offered: number, name and fmtp of the offerer; G.722's clock is written right. */
static void append_offered(struct sdp_codecs *out, const struct sdp_codec *codec)
{
    struct sdp_codec *item = &out->items[out->count];

    if (out->count >= SDP_CODEC_MAX || uses_number(out, codec->pt))
        return;
    *item = *codec;
    item->clock_hz = true_clock_hz(codec);
    out->count++;
}

/* The first one offered that is the same; known codecs only, since what we cannot relay must not be agreed on. */
static const struct sdp_codec *find_same(const struct sdp_codecs *offered, const struct sdp_codec *codec)
{
    for (unsigned i = 0; i < offered->count; i++) {
        if (codec_same(&offered->items[i], codec) && codec_find(codec) != CODEC_NONE)
            return &offered->items[i];
    }
    return NULL;
}

static bool has_clock(const struct sdp_codecs *codecs, unsigned count, uint32_t clock_hz)
{
    for (unsigned i = 0; i < count; i++) {
        if (codecs->items[i].clock_hz == clock_hz)
            return true;
    }
    return false;
}

unsigned codecs_to_answer(struct sdp_codecs *out, const struct sdp_codecs *offered, const struct sdp_codecs *taken)
{
    const struct sdp_codec *same;
    unsigned count;

    out->count = 0;
    for (unsigned i = 0; i < taken->count; i++) {
        same = is_event(&taken->items[i]) ? NULL : find_same(offered, &taken->items[i]);
        if (same)
            append_offered(out, same);
    }
    count = out->count;
    for (unsigned i = 0; i < offered->count && count; i++) {
        if (is_event(&offered->items[i]) && offered->items[i].clock_hz == out->items[0].clock_hz)
            append_offered(out, &offered->items[i]);
    }
    for (unsigned i = 0; i < taken->count && count; i++) {
        same = is_event(&taken->items[i]) ? find_same(offered, &taken->items[i]) : NULL;
        if (same && has_clock(out, count, same->clock_hz))
            append_offered(out, same);
    }
    return count;
}

static void append_row(struct sdp_codecs *out, enum codec_id id)
{
    struct sdp_codec codec = {.channels = rows[id].channels, .fmtp = rows[id].fmtp};

    append(out, &codec, id, 0);
}

void codecs_all(struct sdp_codecs *out, enum sdp_kind kind, const struct conf_strings *allowed)
{
    size_t passes = allowed && allowed->count ? allowed->count : 1;

    out->count = 0;
    for (size_t pass = 0; pass < passes; pass++) {
        for (unsigned id = 0; id < CODEC_NONE; id++) {
            bool is_named = !allowed || allowed->count == 0 || span_ieq(span_of(allowed->items[pass]), rows[id].name);

            if (is_named && rows[id].kind == kind && !codec_is_event((enum codec_id)id))
                append_row(out, (enum codec_id)id);
        }
    }
    append_events(out, NULL);
}
