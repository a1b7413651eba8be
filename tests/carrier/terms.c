/* SPDX-License-Identifier: Apache-2.0 */
/* terms.c: offer and answer of the carrier. RFC 3264. One codec is taken: the first of the offer that fits. Knows no
 * SIP. */
#include "terms.h"

#include <errno.h>

/* Descriptions are large; the carrier has one thread. */
static struct sdp theirs, ours;

static bool fits(enum codec_id id, bool any_codec)
{
    return id == CODEC_PCMU || id == CODEC_PCMA || (any_codec && (id == CODEC_OPUS || id == CODEC_G722));
}

/* The first codec of theirs that fits, as the one that is taken. */
static bool take_codec(struct sdp_codecs *taken, const struct sdp_codecs *offered, bool any_codec)
{
    taken->count = 0;
    for (unsigned i = 0; i < offered->count && taken->count == 0; i++) {
        if (fits(codec_find(&offered->items[i]), any_codec))
            taken->items[taken->count++] = offered->items[i];
    }
    return taken->count > 0;
}

static struct sdp_session session_of(const struct terms_place *place)
{
    return (struct sdp_session){.id = span_of(place->session_id),
                                .version = place->version,
                                .address = span_of(place->host),
                                .is_v6 = place->is_v6};
}

static struct sdp_transport transport_of(const struct terms_place *place)
{
    return (struct sdp_transport){.address = span_of(place->host),
                                  .is_v6 = place->is_v6,
                                  .port = place->port,
                                  .rtcp_port = (uint16_t)(place->port + 1)};
}

/* Where their line wants its packets; nowhere when it is refused or has the zero address. */
static struct addr remote_of(const struct sdp_media *media)
{
    struct addr addr = {0};

    if (media->port == 0 || addr_parse(&addr, media->address, media->port) || addr_is_any(&addr))
        return (struct addr){0};
    return addr;
}

/* Numbers: what we send has theirs, what we receive has ours. RFC 3264 5.1. */
static void read_codecs(struct voice_terms *terms, const struct sdp_codecs *out, const struct sdp_codecs *in)
{
    enum codec_id id = codec_find(&out->items[0]);

    terms->codec = codec_name(id);
    terms->pt_out = out->items[0].pt;
    terms->pt_in = out->items[0].pt;
    terms->is_g711 = id == CODEC_PCMU || id == CODEC_PCMA;
    terms->is_alaw = id == CODEC_PCMA;
    terms->has_event = false;
    for (unsigned i = 0; i < in->count; i++) {
        enum codec_id other = codec_find(&in->items[i]);

        if (other == id)
            terms->pt_in = in->items[i].pt;
        if (!codec_is_event(other) || terms->has_event)
            continue;
        terms->has_event = true;
        terms->event_pt_in = in->items[i].pt;
    }
}

static int pick_audio(struct span description, const struct sdp_media **mediap, unsigned *indexp, const char **why_out)
{
    int index, err;

    *why_out = "there is no description";
    err = sdp_parse(&theirs, description, why_out);
    if (err)
        return err;
    index = sdp_pick_line(&theirs, SDP_AUDIO, &(struct sdp_policy){.srtp = CONF_SRTP_OFF}, why_out);
    if (index < 0)
        return index;
    *mediap = &theirs.media[index];
    *indexp = (unsigned)index;
    return 0;
}

int terms_answer(struct voice_terms *terms, struct text *out, struct span offer, const struct terms_place *place,
                 bool any_codec, const char **why_out)
{
    static struct sdp_line lines[SDP_MEDIA_MAX];
    struct sdp_transport transport = transport_of(place);
    struct sdp_session session = session_of(place);
    const struct sdp_media *media;
    struct sdp_codecs taken;
    struct sdp_line *line;
    unsigned index;
    int err = pick_audio(offer, &media, &index, why_out);

    if (err)
        return err;
    for (unsigned i = 0; i < theirs.media_count; i++)
        lines[i].is_refused = true;
    line = &lines[index];
    *line = (struct sdp_line){
        .kind = SDP_AUDIO, .dir = SDP_SENDRECV, .transport = &transport, .profile = SDP_PROFILE_PLAIN};
    if (!take_codec(&taken, &media->codecs, any_codec) || !codecs_to_answer(&line->codecs, &media->codecs, &taken)) {
        *why_out = any_codec ? "no codec of the offer can be echoed" : "the offer has neither PCMU nor PCMA";
        return -ENOENT;
    }
    read_codecs(terms, &line->codecs, &line->codecs);
    terms->remote = remote_of(media);
    terms->sends = media->dir & SDP_RECVONLY;
    terms->receives = media->dir & SDP_SENDONLY;
    sdp_make_answer(&ours, &session, &theirs, lines, theirs.media_count);
    return sdp_write(out, &ours);
}

static struct sdp_codecs offered_codecs(void)
{
    char pcma[] = "PCMA", pcmu[] = "PCMU", *names[] = {pcma, pcmu};
    struct conf_strings allowed = {.items = names, .count = 2};
    struct sdp_codecs codecs;

    codecs_all(&codecs, SDP_AUDIO, &allowed);
    return codecs;
}

void terms_offer(struct text *out, const struct terms_place *place)
{
    struct sdp_transport transport = transport_of(place);
    struct sdp_session session = session_of(place);
    struct sdp_line line = {.kind = SDP_AUDIO,
                            .dir = SDP_SENDRECV,
                            .transport = &transport,
                            .profile = SDP_PROFILE_PLAIN,
                            .codecs = offered_codecs(),
                            .ptime_ms = 20};

    sdp_make_offer(&ours, &session, &line, 1);
    sdp_write(out, &ours);
}

int terms_read_answer(struct voice_terms *terms, struct span answer, const char **why_out)
{
    struct sdp_codecs offered = offered_codecs(), taken;
    const struct sdp_media *media;
    unsigned index;
    int err = pick_audio(answer, &media, &index, why_out);

    if (err)
        return err;
    if (!take_codec(&taken, &media->codecs, false)) {
        *why_out = "the answer has neither PCMU nor PCMA";
        return -ENOENT;
    }
    read_codecs(terms, &taken, &offered);
    terms->remote = remote_of(media);
    terms->sends = media->dir & SDP_RECVONLY;
    terms->receives = media->dir & SDP_SENDONLY;
    return 0;
}
