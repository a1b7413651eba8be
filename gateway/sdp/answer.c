/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c: the answer to an offer. RFC 3264 section 6, RFC 9143 7.3 (the group), RFC 8842 5.3 and RFC 5763 5 (setup),
 * RFC 8839 4.2 and 4.4.2 (ICE). Nothing may be in an answer that was not in the offer; what a caller wants beyond that
 * is left out here. Which line to take is decided by pick_line.c. */
#include "sdp/media_line.h"

/* "mid" sorts packets of a bundle to their lines. We do not read the other extensions, so we do not ask for them. */
static const struct span known_extension = SPAN("urn:ietf:params:rtp-hdrext:sdes:mid");

static void keep_offered_codecs(struct sdp_media *media, const struct sdp_codecs *offered)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < media->codecs.count; i++) {
        const struct sdp_codec *codec = &media->codecs.items[i];

        for (unsigned j = 0; j < offered->count; j++) {
            if (offered->items[j].pt == codec->pt && codec_same(&offered->items[j], codec)) {
                media->codecs.items[kept++] = *codec;
                break;
            }
        }
    }
    media->codecs.count = kept;
}

/* Of the offered feedback what we do ourselves, for each number that was taken. RFC 4585 section 4.2. */
static void answer_feedback(struct sdp_media *media, const struct sdp_media *offered)
{
    for (unsigned i = 0; i < offered->feedback_count; i++) {
        const struct sdp_feedback *feedback = &offered->feedback[i];
        bool is_ours = span_ieq(feedback->text, SPAN("nack pli")) || span_ieq(feedback->text, SPAN("ccm fir"));

        for (unsigned j = 0; is_ours && j < media->codecs.count; j++) {
            if (feedback->pt < 0 || feedback->pt == media->codecs.items[j].pt) {
                media_line_feedback(media, feedback->pt, feedback->text);
                break;
            }
        }
    }
}

static void answer_extensions(struct sdp_media *media, const struct sdp_media *offered)
{
    for (unsigned i = 0; i < offered->extmap_count; i++) {
        if (span_eq(offered->extmap[i].uri, known_extension))
            media->extmap[media->extmap_count++] = offered->extmap[i];
    }
}

/* Our key only under a tag and suite that were offered. RFC 4568 section 5.1.2. */
static void keep_offered_crypto(struct sdp_media *media, const struct sdp_media *offered)
{
    for (unsigned i = 0; i < offered->crypto_count && media->crypto_count; i++) {
        if (offered->crypto[i].tag == media->crypto[0].tag &&
            span_ieq(offered->crypto[i].suite, media->crypto[0].suite))
            return;
    }
    media->crypto_count = 0;
}

/* The first format is what stands in a refused line. */
static void refuse(struct sdp_media *media, const struct sdp_media *offered)
{
    struct span rest = offered->formats;

    media->port = 0;
    media->codecs.count = 0;
    media->is_bundled = false;
    media->is_ice_lite = false;
    media->formats = span_cut(&rest, ' ');
}

static bool takes(const struct sdp_media *offered, const struct sdp_line *line)
{
    bool is_offered = offered->port != 0 || offered->is_bundle_only;

    return line && !line->is_refused && line->transport && is_offered;
}

static void answer_line(struct sdp *out, const struct sdp_media *offered, const struct sdp_line *line)
{
    struct sdp_media *media = sdp_add_media(out);

    if (!media)
        return;
    media->kind = offered->kind;
    media->kind_text = offered->kind_text;
    media->proto = offered->proto;
    media->mid = offered->mid;
    if (!takes(offered, line)) {
        refuse(media, offered);
        return;
    }
    media_line_fill(media, line);
    keep_offered_codecs(media, &offered->codecs);
    if (media->codecs.count == 0) {
        refuse(media, offered);
        return;
    }
    media->dir &= sdp_dir_mirror(offered->dir);
    media->has_rtcp_mux &= offered->has_rtcp_mux;
    media->is_bundled = offered->is_bundled;
    keep_offered_crypto(media, offered);
    answer_extensions(media, offered);
    if (line->wants_feedback && line->kind == SDP_VIDEO)
        answer_feedback(media, offered);
}

/* Candidates stand in the first line of the group; alone on its transport, a line needs no mid in its packets. */
static void finish_group(struct sdp *out)
{
    unsigned bundled = 0;

    for (unsigned i = 0; i < out->media_count; i++) {
        struct sdp_media *media = &out->media[i];

        if (media->is_bundled && bundled++) {
            media->candidate_count = 0;
            media->has_end_of_candidates = false;
        }
    }
    for (unsigned i = 0; i < out->media_count; i++)
        out->media[i].extmap_count = bundled > 1 ? out->media[i].extmap_count : 0;
    out->has_bundle &= bundled > 0;
}

void sdp_make_answer(struct sdp *out, const struct sdp_session *session, const struct sdp *offer,
                     const struct sdp_line *lines, unsigned count)
{
    media_line_session(out, session);
    for (unsigned i = 0; i < offer->media_count; i++)
        answer_line(out, &offer->media[i], i < count ? &lines[i] : NULL);
    out->has_bundle = offer->has_bundle;
    finish_group(out);
}

enum sdp_setup sdp_answer_setup(enum sdp_setup offered, enum sdp_setup first)
{
    if (first == SDP_SETUP_ACTIVE || first == SDP_SETUP_PASSIVE)
        return first;
    /* Free to choose (actpass), we let the browser say hello: the DTLS server picks the SRTP profile, and our first is
     * an AEAD one, while Chromium as server picks AES_CM_128_HMAC_SHA1_80 (measured with 156). */
    return offered == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
}

bool sdp_is_ice_restart(const struct sdp_media *now, struct span old_ufrag, struct span old_pwd)
{
    return !span_eq(now->ufrag, old_ufrag) || !span_eq(now->pwd, old_pwd);
}
