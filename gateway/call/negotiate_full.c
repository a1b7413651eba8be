/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate_full.c: what a leg could do and what it wants, where nobody has said it: an offer of ours that the peer
 * asked for, a call without an offer, and whether the other leg has heard of what came of it. RFC 3261 14.2, RFC 3264
 * 8.3.2 (numbers stay), RFC 6337 3.1 and 5. Writes no descriptions: negotiate.c does. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "call/negotiate_private.h"

#define PT_DYNAMIC_MIN 96
#define PT_DYNAMIC_MAX 127

static const enum sdp_kind kinds[MEDIA_KINDS] = {SDP_AUDIO, SDP_VIDEO};

static const struct sdp_codec *find_same(const struct sdp_codecs *codecs, const struct sdp_codec *codec)
{
    for (unsigned i = 0; i < codecs->count; i++)
        if (codec_same(&codecs->items[i], codec))
            return &codecs->items[i];
    return NULL;
}

static void append_new(struct sdp_codecs *out, const struct sdp_codecs *more)
{
    for (unsigned i = 0; i < more->count && out->count < SDP_CODEC_MAX; i++)
        if (!find_same(out, &more->items[i]))
            out->items[out->count++] = more->items[i];
}

static bool is_on(const struct media_line *line)
{
    return line->index >= 0 && line->peer && line->ours;
}

static const struct sdp_codec *first_agreed(const struct leg_media *media, unsigned kind)
{
    const struct media_line *line = &media->lines[kind];

    return media->is_offerer ? &line->peer->items[0] : &line->ours->items[0];
}

/* A leg that only resumes is not to be moved to another codec by our order of preference. */
static void put_first(struct sdp_codecs *codecs, const struct sdp_codec *used)
{
    const struct sdp_codec *same = find_same(codecs, used);
    unsigned place = same ? (unsigned)(same - codecs->items) : 0;
    struct sdp_codec first = codecs->items[place];

    memmove(&codecs->items[1], &codecs->items[0], place * sizeof(first));
    codecs->items[0] = first;
}

static bool uses_number(const struct sdp_codecs *codecs, unsigned pt)
{
    for (unsigned i = 0; i < codecs->count; i++)
        if (codecs->items[i].pt == pt)
            return true;
    return false;
}

/* In this session a number once given means the same format for ever (RFC 3264 8.3.2). */
static void keep_numbers(struct sdp_codecs *codecs, const struct sdp_codecs *ours)
{
    for (unsigned i = 0; i < codecs->count; i++) {
        const struct sdp_codec *same = find_same(ours, &codecs->items[i]);

        if (same)
            codecs->items[i].pt = same->pt;
    }
    for (unsigned i = 0; i < codecs->count; i++) {
        struct sdp_codec *item = &codecs->items[i];
        unsigned pt = PT_DYNAMIC_MIN;

        if (find_same(ours, item) || !uses_number(ours, item->pt))
            continue;
        while (pt < PT_DYNAMIC_MAX && (uses_number(ours, pt) || uses_number(codecs, pt)))
            pt++;
        item->pt = (uint8_t)pt;
    }
}

/* What is in use stands first and keeps its numbers; the rest in our order of preference, else what the other side has
 * named and then all that we know. */
unsigned negotiate_full_codecs(const struct leg_media *media, const struct leg_media *other, unsigned kind,
                               struct sdp_codecs *out)
{
    static __thread struct sdp_codecs known, all;
    const struct conf_strings *allowed = kind == MEDIA_AUDIO ? media->codecs : NULL;
    const struct media_line *mine = &media->lines[kind];
    unsigned count;

    known.count = 0;
    append_new(&known, negotiate_codecs(mine->ours));
    append_new(&known, negotiate_codecs(other->lines[kind].peer));
    codecs_all(&all, kinds[kind], allowed);
    append_new(&known, &all);
    count = codecs_to_offer(out, &known, allowed);
    keep_numbers(out, negotiate_codecs(mine->ours));
    if (is_on(mine))
        put_first(out, first_agreed(media, kind));
    return count;
}

/* Of what our own offer did not let it do, the peer may well want all; the rest it has said itself. */
enum sdp_dir negotiate_wish(const struct leg_media *media, unsigned kind)
{
    const struct media_line *line = &media->lines[kind];

    if (!media->is_offerer || !line->peer)
        return line->peer_dir;
    return line->peer_dir | (SDP_SENDRECV & ~(unsigned)sdp_dir_mirror(line->our_dir));
}

int leg_media_assume_offer(struct leg_media *media)
{
    struct media_line *audio = &media->lines[MEDIA_AUDIO];

    audio->peer = mem_unref(audio->peer);
    audio->peer = mem_new(sizeof(*audio->peer), NULL);
    if (!audio->peer)
        return -ENOMEM;
    codecs_all(audio->peer, SDP_AUDIO, media->codecs);
    audio->peer_dir = SDP_SENDRECV;
    audio->index = 0;
    return 0;
}

int leg_media_stand_for(struct leg_media *media, const struct leg_media *other)
{
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        struct media_line *mine = &media->lines[kind];
        const struct media_line *theirs = &other->lines[kind];

        if (!is_on(theirs))
            continue;
        mine->peer = mem_unref(mine->peer);
        mine->peer = mem_new(sizeof(*mine->peer), NULL);
        if (!mine->peer)
            return -ENOMEM;
        negotiate_full_codecs(media, other, kind, mine->peer);
        put_first(mine->peer, first_agreed(other, kind));
        mine->peer_dir = negotiate_wish(other, kind);
        mine->index = (int)kind;
    }
    return 0;
}

/* ---- has a leg heard what the other one has come to? ---- */

static bool agrees_on(const struct media_line *line, const struct sdp_codec *codec)
{
    return find_same(line->peer, codec) && find_same(line->ours, codec);
}

static bool must_offer_line(const struct leg_media *media, const struct leg_media *other, unsigned kind)
{
    const struct media_line *mine = &media->lines[kind], *theirs = &other->lines[kind];
    enum sdp_dir now, wanted;

    if (!is_on(mine))
        return false;
    if (!is_on(theirs))
        return true;
    now = mine->our_dir & sdp_dir_mirror(mine->peer_dir);
    wanted = (theirs->peer_dir | negotiate_music(other, kind)) & sdp_dir_mirror(negotiate_wish(media, kind));
    return now != wanted || !agrees_on(mine, first_agreed(other, kind)) ||
           !agrees_on(theirs, first_agreed(media, kind));
}

bool leg_media_must_offer(const struct leg_media *media, const struct leg_media *other)
{
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++)
        if (must_offer_line(media, other, kind))
            return true;
    return false;
}
