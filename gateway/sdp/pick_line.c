/* SPDX-License-Identifier: Apache-2.0 */
/* pick_line.c: which line of an offer carries the call. RFC 3264 section 6, RFC 8826 (no WebRTC media without DTLS),
 * RFC 5763. Says what was missing: the furthest that any line came. Decides nothing about the answer's text. */
#include <errno.h>

#include "sdp/negotiation.h"

/* How far a line came, in order; each word below says why it went no further. */
enum stage {
    STAGE_KIND,
    STAGE_PORT,
    STAGE_PROFILE,
    STAGE_SECURITY,
    STAGE_MUX,
    STAGE_ADDRESS,
    STAGE_CODEC,
    STAGE_COUNT
};

static const char *const reasons[2][STAGE_COUNT] = {
    {"the offer has no line of this medium", "the offer's line of this medium has port 0",
     "the offer has no line with the transport (RTP/AVP or RTP/SAVP) that this trunk's srtp setting asks for",
     "no crypto line of the offer can be used (suite, key length, parameters, MKI)", "", "the offer has no c= line",
     "no codec of the offer is known"},
    {"the offer has no line of this medium", "the offer's line of this medium has port 0",
     "the offer has no line with UDP/TLS/RTP/SAVPF", "the offer lacks a fingerprint, an ice-ufrag or an ice-pwd",
     "the offer has no rtcp-mux", "the offer has no c= line", "no codec of the offer is known"},
};

static bool is_secure_proto(struct span proto)
{
    return span_ieq(proto, SPAN("RTP/SAVP")) || span_ieq(proto, SPAN("RTP/SAVPF"));
}

static bool is_dtls_proto(struct span proto)
{
    return span_ieq(proto, SPAN("UDP/TLS/RTP/SAVPF")) || span_ieq(proto, SPAN("UDP/TLS/RTP/SAVP"));
}

static bool is_plain_proto(struct span proto)
{
    return span_ieq(proto, SPAN("RTP/AVP")) || span_ieq(proto, SPAN("RTP/AVPF"));
}

static bool fits_profile(const struct sdp_media *media, bool is_webrtc, bool is_secure)
{
    if (is_webrtc) /* the short word is that of browsers before 2015 */
        return is_dtls_proto(media->proto) || (is_secure_proto(media->proto) && media->fingerprint.n);
    return is_secure ? is_secure_proto(media->proto) : is_plain_proto(media->proto);
}

static bool has_security(const struct sdp_media *media, bool is_webrtc, bool is_secure)
{
    if (is_webrtc)
        return media->fingerprint.n && media->ufrag.n && media->pwd.n;
    return !is_secure || sdp_pick_crypto(media) >= 0;
}

static bool has_known_codec(const struct sdp_media *media)
{
    for (unsigned i = 0; i < media->codecs.count; i++) {
        enum codec_id id = codec_find(&media->codecs.items[i]);

        if (id != CODEC_NONE && !codec_is_event(id))
            return true;
    }
    return false;
}

static enum stage look_at(const struct sdp_media *media, enum sdp_kind kind, bool is_webrtc, bool is_secure)
{
    if (media->kind != kind)
        return STAGE_KIND;
    if (media->port == 0 && !media->is_bundle_only)
        return STAGE_PORT;
    if (!fits_profile(media, is_webrtc, is_secure))
        return STAGE_PROFILE;
    if (!has_security(media, is_webrtc, is_secure))
        return STAGE_SECURITY;
    if (is_webrtc && !media->has_rtcp_mux)
        return STAGE_MUX;
    if (media->address.n == 0)
        return STAGE_ADDRESS;
    return has_known_codec(media) ? STAGE_COUNT : STAGE_CODEC;
}

/* One round over the lines. @return index, -ENOENT; *furthestp grows */
static int pick(const struct sdp *offer, enum sdp_kind kind, bool is_webrtc, bool is_secure, enum stage *furthestp)
{
    for (unsigned i = 0; i < offer->media_count; i++) {
        enum stage stage = look_at(&offer->media[i], kind, is_webrtc, is_secure);

        if (stage == STAGE_COUNT)
            return (int)i;
        if (stage > *furthestp)
            *furthestp = stage;
    }
    return -ENOENT;
}

int sdp_pick_line(const struct sdp *offer, enum sdp_kind kind, const struct sdp_policy *policy, const char **why_out)
{
    enum stage furthest = STAGE_KIND;
    int index = -ENOENT;

    if (policy->is_webrtc || policy->srtp != CONF_SRTP_OFF)
        index = pick(offer, kind, policy->is_webrtc, true, &furthest);
    if (index < 0 && !policy->is_webrtc && policy->srtp != CONF_SRTP_REQUIRE)
        index = pick(offer, kind, false, false, &furthest);
    if (index < 0 && why_out)
        *why_out = reasons[policy->is_webrtc][furthest];
    return index;
}
