/* SPDX-License-Identifier: Apache-2.0 */
/* offer.c: an offer of our own. RFC 3264 section 5, RFC 9143 7.2 (all WebRTC lines in one group, on one transport), RFC
 * 8842 5.2 (actpass), RFC 8829 5.2. Has never heard of the answer. */
#include "sdp/media_line.h"

static struct span proto_of(enum sdp_profile profile)
{
    switch (profile) {
    case SDP_PROFILE_WEBRTC:
        return SPAN("UDP/TLS/RTP/SAVPF");
    case SDP_PROFILE_SDES:
        return SPAN("RTP/SAVP");
    default:
        return SPAN("RTP/AVP");
    }
}

static struct span kind_text_of(enum sdp_kind kind)
{
    return kind == SDP_VIDEO ? SPAN("video") : kind == SDP_AUDIO ? SPAN("audio") : SPAN("application");
}

/* Every number of a video line understands both; "*" where the list would be too long. */
static void add_feedback(struct sdp_media *media)
{
    bool is_short = media->codecs.count * 2 <= SDP_FB_MAX;

    for (unsigned i = 0; i < (is_short ? media->codecs.count : 1); i++) {
        int pt = is_short ? media->codecs.items[i].pt : -1;

        media_line_feedback(media, pt, SPAN("nack pli"));
        media_line_feedback(media, pt, SPAN("ccm fir"));
    }
}

static void offer_line(struct sdp *out, const struct sdp_line *line)
{
    struct sdp_media *media = sdp_add_media(out);

    if (!media)
        return;
    media->kind = line->kind;
    media->kind_text = kind_text_of(line->kind);
    media->proto = proto_of(line->profile);
    media->mid = line->mid;
    if (line->is_refused) {
        media->codecs.count = line->codecs.count ? 1 : 0;
        media->codecs.items[0] = line->codecs.items[0];
        return;
    }
    media_line_fill(media, line);
    media->is_bundled = line->profile == SDP_PROFILE_WEBRTC && line->mid.n > 0;
    if (media->is_bundled && out->has_bundle) { /* the group's first line carries the candidates */
        media->candidate_count = 0;
        media->has_end_of_candidates = false;
    }
    out->has_bundle |= media->is_bundled;
    if (line->wants_feedback && line->kind == SDP_VIDEO)
        add_feedback(media);
}

void sdp_make_offer(struct sdp *out, const struct sdp_session *session, const struct sdp_line *lines, unsigned count)
{
    media_line_session(out, session);
    for (unsigned i = 0; i < count; i++)
        offer_line(out, &lines[i]);
}
