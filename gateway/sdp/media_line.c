/* SPDX-License-Identifier: Apache-2.0 */
/* media_line.c: a wanted line as a media description, the part that offers and answers share. Knows no other side's
 * description. */
#include "sdp/media_line.h"

void media_line_session(struct sdp *out, const struct sdp_session *session)
{
    sdp_reset(out);
    out->origin_user = SPAN("-");
    out->origin_id = session->id;
    out->origin_version = session->version;
    out->origin_address = session->address;
    out->is_origin_v6 = session->is_v6;
}

static void fill_webrtc(struct sdp_media *media, const struct sdp_line *line)
{
    const struct sdp_transport *transport = line->transport;

    media->has_rtcp_mux = true;
    media->ufrag = transport->ufrag;
    media->pwd = transport->pwd;
    media->fingerprint_hash = SPAN("sha-256");
    media->fingerprint = transport->fingerprint;
    media->setup = line->setup;
    media->is_ice_lite = transport->is_ice_lite;
    media->ssrc = line->ssrc;
    media->cname = line->cname;
    media->msid = line->msid;
    for (unsigned i = 0; i < transport->candidate_count && i < SDP_OWN_CANDIDATE_MAX; i++)
        media->candidates[media->candidate_count++] = transport->candidates[i];
    media->has_end_of_candidates = media->candidate_count > 0;
}

void media_line_fill(struct sdp_media *media, const struct sdp_line *line)
{
    const struct sdp_transport *transport = line->transport;

    media->port = transport->port;
    media->address = transport->address;
    media->is_address_v6 = transport->is_v6;
    media->dir = line->dir;
    media->codecs.count = line->codecs.count < SDP_CODEC_MAX ? line->codecs.count : SDP_CODEC_MAX;
    for (unsigned i = 0; i < media->codecs.count; i++)
        media->codecs.items[i] = line->codecs.items[i];
    media->ptime_ms = line->ptime_ms;
    media->maxptime_ms = line->maxptime_ms;
    if (line->profile == SDP_PROFILE_WEBRTC) {
        fill_webrtc(media, line);
        return;
    }
    media->has_rtcp_mux = line->has_rtcp_mux;
    media->rtcp_port = transport->rtcp_port;
    if (line->profile != SDP_PROFILE_PLAIN && transport->crypto.suite.n)
        media->crypto[media->crypto_count++] = transport->crypto;
}

void media_line_feedback(struct sdp_media *media, int pt, struct span text)
{
    if (media->feedback_count < SDP_FB_MAX)
        media->feedback[media->feedback_count++] = (struct sdp_feedback){.pt = pt, .text = text};
}
