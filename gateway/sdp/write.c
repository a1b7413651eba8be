/* SPDX-License-Identifier: Apache-2.0 */
/* write.c: the model into text. RFC 8866 section 5 (order of lines), RFC 8839, 8842, 9143, 4568 (the attributes). CRLF
 * always. Writes what the model says and nothing else; what belongs into an offer or an answer is decided by offer.c
 * and answer.c. */
#include "sdp/candidate.h"
#include "sdp/crypto_attr.h"
#include "sdp/sdp.h"

static void add_line(struct text *out, const char *name, struct span value)
{
    text_add_str(out, name);
    text_add(out, value);
    text_add(out, SPAN("\r\n"));
}

static void add_span_line(struct text *out, const char *name, struct span value)
{
    if (value.n)
        add_line(out, name, value);
}

static void add_number_line(struct text *out, const char *name, unsigned value)
{
    if (value)
        text_addf(out, "%s%u\r\n", name, value);
}

static void add_address(struct text *out, struct span address, bool is_v6)
{
    text_add_str(out, is_v6 ? "IN IP6 " : "IN IP4 ");
    if (address.n)
        text_add(out, address);
    else
        text_add_str(out, is_v6 ? "::" : "0.0.0.0");
    text_add(out, SPAN("\r\n"));
}

static bool is_refused(const struct sdp_media *media)
{
    return media->port == 0 && !media->is_bundle_only;
}

static void write_origin(struct text *out, const struct sdp *sdp)
{
    text_add(out, SPAN("v=0\r\no="));
    text_add(out, sdp->origin_user.n ? sdp->origin_user : SPAN("-"));
    text_add_char(out, ' ');
    text_add(out, sdp->origin_id.n ? sdp->origin_id : SPAN("0"));
    text_addf(out, " %llu ", (unsigned long long)sdp->origin_version);
    add_address(out, sdp->origin_address, sdp->is_origin_v6);
    text_add(out, SPAN("s=-\r\nt=0 0\r\n"));
}

static void write_session_attributes(struct text *out, const struct sdp *sdp)
{
    bool is_ice_lite = false;

    if (sdp->has_bundle)
        text_add(out, SPAN("a=group:BUNDLE"));
    for (unsigned i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];

        is_ice_lite |= media->is_ice_lite;
        if (!sdp->has_bundle || !media->is_bundled || is_refused(media))
            continue;
        text_add_char(out, ' ');
        text_add(out, media->mid);
    }
    if (sdp->has_bundle)
        text_add(out, SPAN("\r\n"));
    if (is_ice_lite)
        text_add(out, SPAN("a=ice-lite\r\n"));
}

static void write_media_line(struct text *out, const struct sdp_media *media)
{
    static const char *const kinds[] = {"audio", "video", "application", "text"};

    text_add(out, SPAN("m="));
    text_add(out, media->kind_text.n ? media->kind_text : span_of(kinds[media->kind]));
    text_addf(out, " %u ", media->port);
    text_add(out, media->proto);
    if (media->codecs.count == 0) {
        text_add_char(out, ' ');
        text_add(out, media->formats.n ? media->formats : SPAN("0"));
    }
    for (unsigned i = 0; i < media->codecs.count; i++) {
        text_addf(out, " %u", media->codecs.items[i].pt);
        if (is_refused(media))
            break;
    }
    text_add(out, SPAN("\r\n"));
}

static void write_codec(struct text *out, const struct sdp_codec *codec)
{
    if (codec->name.n) {
        text_addf(out, "a=rtpmap:%u ", codec->pt);
        text_add(out, codec->name);
        text_addf(out, "/%u", codec->clock_hz);
        if (codec->channels > 1)
            text_addf(out, "/%u", codec->channels);
        text_add(out, SPAN("\r\n"));
    }
    if (codec->fmtp.n) {
        text_addf(out, "a=fmtp:%u ", codec->pt);
        text_add(out, codec->fmtp);
        text_add(out, SPAN("\r\n"));
    }
}

static void write_formats(struct text *out, const struct sdp_media *media)
{
    for (unsigned i = 0; i < media->codecs.count; i++)
        write_codec(out, &media->codecs.items[i]);
    for (unsigned i = 0; i < media->feedback_count; i++) {
        if (media->feedback[i].pt < 0)
            text_add(out, SPAN("a=rtcp-fb:* "));
        else
            text_addf(out, "a=rtcp-fb:%d ", media->feedback[i].pt);
        add_line(out, "", media->feedback[i].text);
    }
    add_number_line(out, "a=ptime:", media->ptime_ms);
    add_number_line(out, "a=maxptime:", media->maxptime_ms);
    for (unsigned i = 0; i < media->extmap_count; i++) {
        text_addf(out, "a=extmap:%u ", media->extmap[i].id);
        add_line(out, "", media->extmap[i].uri);
    }
}

/* RFC 3605: only where it is not the next port, and never together with rtcp-mux on the same port. */
static void write_rtcp(struct text *out, const struct sdp_media *media)
{
    if (media->has_rtcp_mux)
        text_add(out, SPAN("a=rtcp-mux\r\n"));
    else if (media->rtcp_port && media->rtcp_port != media->port + 1)
        text_addf(out, "a=rtcp:%u\r\n", media->rtcp_port);
}

static void write_transport(struct text *out, const struct sdp_media *media)
{
    static const char *const setups[] = {"", "actpass", "active", "passive", "holdconn"};

    add_span_line(out, "a=ice-ufrag:", media->ufrag);
    add_span_line(out, "a=ice-pwd:", media->pwd);
    if (media->fingerprint.n) {
        text_add(out, SPAN("a=fingerprint:"));
        text_add(out, media->fingerprint_hash);
        text_add_char(out, ' ');
        add_line(out, "", media->fingerprint);
    }
    if (media->setup != SDP_SETUP_NONE)
        add_line(out, "a=setup:", span_of(setups[media->setup]));
    for (unsigned i = 0; i < media->candidate_count; i++)
        candidate_write(out, &media->candidates[i]);
    if (media->has_end_of_candidates)
        text_add(out, SPAN("a=end-of-candidates\r\n"));
    for (unsigned i = 0; i < media->crypto_count; i++)
        crypto_attr_write(out, &media->crypto[i]);
}

static void write_source(struct text *out, const struct sdp_media *media)
{
    add_span_line(out, "a=msid:", media->msid);
    if (media->ssrc == 0 || media->cname.n == 0)
        return;
    text_addf(out, "a=ssrc:%u cname:", media->ssrc);
    add_line(out, "", media->cname);
}

static void write_media(struct text *out, const struct sdp *sdp, const struct sdp_media *media)
{
    static const char *const dirs[] = {"a=inactive\r\n", "a=sendonly\r\n", "a=recvonly\r\n", "a=sendrecv\r\n"};
    bool has_address = media->address.n > 0;

    write_media_line(out, media);
    text_add(out, SPAN("c="));
    add_address(out, has_address ? media->address : sdp->origin_address,
                has_address ? media->is_address_v6 : sdp->is_origin_v6);
    add_span_line(out, "a=mid:", media->mid);
    if (is_refused(media))
        return;
    if (media->is_bundle_only)
        text_add(out, SPAN("a=bundle-only\r\n"));
    text_add_str(out, dirs[media->dir & SDP_SENDRECV]);
    write_rtcp(out, media);
    write_transport(out, media);
    write_formats(out, media);
    write_source(out, media);
}

int sdp_write(struct text *out, const struct sdp *sdp)
{
    write_origin(out, sdp);
    write_session_attributes(out, sdp);
    for (unsigned i = 0; i < sdp->media_count; i++)
        write_media(out, sdp, &sdp->media[i]);
    return text_err(out);
}
