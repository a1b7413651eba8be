/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate_facts.c: what can be told of a leg's descriptions afterwards: codecs, addresses. Reads, changes nothing;
 * not for the way of a call. */
#include "call/negotiate_private.h"

static bool was_said(const struct sdp_codecs *codecs, unsigned at)
{
    for (unsigned i = 0; i < at; i++)
        if (span_ieq(codecs->items[i].name, codecs->items[at].name))
            return true;
    return false;
}

void leg_media_write_codecs(const struct leg_media *media, struct text *out)
{
    const struct sdp_codecs *codecs = negotiate_codecs(media->lines[MEDIA_AUDIO].peer);
    size_t start = out->len;

    for (unsigned i = 0; i < codecs->count; i++)
        if (!span_ieq(codecs->items[i].name, SPAN("telephone-event")) && !was_said(codecs, i))
            text_addf(out, "%s%.*s", out->len > start ? ", " : "", SPAN_ARG(codecs->items[i].name));
    if (out->len > start || !media->codecs)
        return;
    for (size_t i = 0; i < media->codecs->count; i++)
        text_addf(out, "%s%s", i ? ", " : "", media->codecs->items[i]);
}

int leg_media_peer_address(const struct leg_media *media, struct addr *out)
{
    const struct endpoint *endpoint = leg_media_endpoint(media);

    if (!endpoint || media->is_webrtc)
        return -1;
    endpoint_rtp_signalled(endpoint, out);
    return addr_is_set(out) ? 0 : -1;
}

int leg_media_told_address(const struct leg_media *media, struct addr *out)
{
    const struct endpoint *endpoint = leg_media_endpoint(media);
    struct webrtc_local webrtc;
    struct rtp_local rtp;

    if (!endpoint)
        return -1;
    if (media->is_webrtc) {
        endpoint_webrtc_local(endpoint, &webrtc);
        *out = webrtc.candidates[0];
        return webrtc.candidate_count ? 0 : -1;
    }
    endpoint_rtp_local(endpoint, &rtp);
    *out = rtp.rtp;
    return 0;
}
