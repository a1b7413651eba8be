/* SPDX-License-Identifier: Apache-2.0 */
/* attribute.c: one a= line into the model. RFC 8866 section 6, and the documents of the single attributes.
 * A malformed attribute is as if it were not there. Knows nothing of lines, levels and order: that is parse.c. */
#include "sdp/attribute.h"

#include "sdp/candidate.h"
#include "sdp/crypto_attr.h"

#define PT_MAX    127
#define PTIME_MAX 1000

typedef void attribute_reader(struct sdp_media *media, struct span value);

struct span attribute_next_word(struct span *rest)
{
    struct span word = SPAN_NULL;

    while (rest->n && word.n == 0)
        word = span_cut(rest, ' ');
    return word;
}

bool attribute_is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    }
    return s.n > 0;
}

static struct sdp_codec *find_format(struct sdp_media *media, struct span pt_text)
{
    uint32_t pt;

    if (span_to_u32(pt_text, PT_MAX, &pt))
        return NULL;
    for (unsigned i = 0; i < media->codecs.count; i++) {
        if (media->codecs.items[i].pt == pt)
            return &media->codecs.items[i];
    }
    return NULL;
}

/* "111 opus/48000/2" */
static void read_rtpmap(struct sdp_media *media, struct span value)
{
    struct sdp_codec *codec = find_format(media, attribute_next_word(&value));
    struct span rest = attribute_next_word(&value);
    struct span name = span_cut(&rest, '/');
    struct span clock = span_cut(&rest, '/');
    uint32_t clock_hz, channels = 1;

    if (!codec || !attribute_is_token(name) || span_to_u32(clock, UINT32_MAX, &clock_hz) || clock_hz == 0)
        return;
    if (rest.n && (span_to_u32(rest, 255, &channels) || channels == 0))
        return;
    codec->name = name;
    codec->clock_hz = clock_hz;
    codec->channels = (uint8_t)channels;
}

static void read_fmtp(struct sdp_media *media, struct span value)
{
    struct sdp_codec *codec = find_format(media, attribute_next_word(&value));

    if (codec && codec->fmtp.n == 0)
        codec->fmtp = span_trim(value);
}

static void read_sendrecv(struct sdp_media *media, struct span value)
{
    media->dir = SDP_SENDRECV;
}

static void read_sendonly(struct sdp_media *media, struct span value)
{
    media->dir = SDP_SENDONLY;
}

static void read_recvonly(struct sdp_media *media, struct span value)
{
    media->dir = SDP_RECVONLY;
}

static void read_inactive(struct sdp_media *media, struct span value)
{
    media->dir = SDP_INACTIVE;
}

static void read_mid(struct sdp_media *media, struct span value)
{
    value = span_trim(value);
    if (attribute_is_token(value))
        media->mid = value;
}

/* Some write "20.0" or "20 ". */
static void read_ms(unsigned *msp, struct span value)
{
    struct span word = attribute_next_word(&value);
    uint32_t ms;

    if (!span_to_u32(span_cut(&word, '.'), PTIME_MAX, &ms))
        *msp = ms;
}

static void read_ptime(struct sdp_media *media, struct span value)
{
    read_ms(&media->ptime_ms, value);
}

static void read_maxptime(struct sdp_media *media, struct span value)
{
    read_ms(&media->maxptime_ms, value);
}

static void read_rtcp_mux(struct sdp_media *media, struct span value)
{
    media->has_rtcp_mux = true;
}

static void read_bundle_only(struct sdp_media *media, struct span value)
{
    media->is_bundle_only = true;
}

/* "53020" or "53020 IN IP4 126.16.64.4", RFC 3605 */
static void read_rtcp(struct sdp_media *media, struct span value)
{
    uint32_t port;

    if (span_to_u32(attribute_next_word(&value), UINT16_MAX, &port))
        return;
    media->rtcp_port = (uint16_t)port;
    if (span_ieq(attribute_next_word(&value), SPAN("IN"))) {
        struct span type = attribute_next_word(&value), address = attribute_next_word(&value);

        if (type.n && attribute_is_token(address))
            media->rtcp_address = address;
    }
}

static void read_ufrag(struct sdp_media *media, struct span value)
{
    value = span_trim(value);
    if (attribute_is_token(value))
        media->ufrag = value;
}

static void read_pwd(struct sdp_media *media, struct span value)
{
    value = span_trim(value);
    if (attribute_is_token(value))
        media->pwd = value;
}

/* Pairs of hex digits with colons between. */
static bool is_fingerprint(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

        if (i % 3 == 2 ? c != ':' : !is_hex)
            return false;
    }
    return s.n % 3 == 2;
}

/* Of several the sha-256 one, else the first. RFC 8122 section 5. */
static void read_fingerprint(struct sdp_media *media, struct span value)
{
    struct span hash = attribute_next_word(&value), print = attribute_next_word(&value);
    bool is_better = span_ieq(hash, SPAN("sha-256")) && !span_ieq(media->fingerprint_hash, SPAN("sha-256"));

    if (!is_fingerprint(print) || (media->fingerprint.n && !is_better))
        return;
    media->fingerprint_hash = hash;
    media->fingerprint = print;
}

static void read_setup(struct sdp_media *media, struct span value)
{
    static const struct {
        struct span word;
        enum sdp_setup setup;
    } words[] = {
        {SPAN("actpass"), SDP_SETUP_ACTPASS},
        {SPAN("active"), SDP_SETUP_ACTIVE},
        {SPAN("passive"), SDP_SETUP_PASSIVE},
        {SPAN("holdconn"), SDP_SETUP_HOLDCONN},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_ieq(span_trim(value), words[i].word))
            media->setup = words[i].setup;
    }
}

static void read_ice_lite(struct sdp_media *media, struct span value)
{
    media->is_ice_lite = true;
}

static void read_candidate(struct sdp_media *media, struct span value)
{
    if (media->candidate_count < SDP_CANDIDATE_MAX &&
        candidate_parse(&media->candidates[media->candidate_count], value) == 0)
        media->candidate_count++;
}

static void read_end_of_candidates(struct sdp_media *media, struct span value)
{
    media->has_end_of_candidates = true;
}

static void read_crypto(struct sdp_media *media, struct span value)
{
    if (media->crypto_count < SDP_CRYPTO_MAX && crypto_attr_parse(&media->crypto[media->crypto_count], value) == 0)
        media->crypto_count++;
}

/* "96 nack pli", "* ccm fir"; RFC 4585 section 4.2 */
static void read_rtcp_fb(struct sdp_media *media, struct span value)
{
    struct span pt_text = attribute_next_word(&value);
    uint32_t pt;
    int number = -1;

    value = span_trim(value);
    if (value.n == 0 || media->feedback_count >= SDP_FB_MAX)
        return;
    if (!span_eq(pt_text, SPAN("*"))) {
        if (span_to_u32(pt_text, PT_MAX, &pt))
            return;
        number = (int)pt;
    }
    media->feedback[media->feedback_count++] = (struct sdp_feedback){.pt = number, .text = value};
}

/* "4 urn:..."; one with a direction ("4/sendonly") is passed over, since the model has none. RFC 8285 section 8. */
static void read_extmap(struct sdp_media *media, struct span value)
{
    struct span id_text = attribute_next_word(&value), uri = attribute_next_word(&value);
    uint32_t id;

    if (media->extmap_count >= SDP_EXTMAP_MAX || span_to_u32(id_text, 4095, &id) || id == 0 || !attribute_is_token(uri))
        return;
    media->extmap[media->extmap_count++] = (struct sdp_extmap){.id = id, .uri = uri};
}

/* "1234 cname:x": the first source counts. RFC 5576 section 4.1. */
static void read_ssrc(struct sdp_media *media, struct span value)
{
    uint32_t ssrc;

    if (span_to_u32(attribute_next_word(&value), UINT32_MAX, &ssrc) || (media->ssrc && media->ssrc != ssrc))
        return;
    media->ssrc = ssrc;
    value = span_trim(value);
    if (span_istarts(value, SPAN("cname:")))
        media->cname = span_sub(value, 6, value.n);
}

static void read_msid(struct sdp_media *media, struct span value)
{
    if (media->msid.n == 0)
        media->msid = span_trim(value);
}

static const struct {
    struct span name;
    attribute_reader *read;
} attributes[] = {
    {SPAN("rtpmap"), read_rtpmap},
    {SPAN("fmtp"), read_fmtp},
    {SPAN("rtcp-fb"), read_rtcp_fb},
    {SPAN("candidate"), read_candidate},
    {SPAN("end-of-candidates"), read_end_of_candidates},
    {SPAN("sendrecv"), read_sendrecv},
    {SPAN("sendonly"), read_sendonly},
    {SPAN("recvonly"), read_recvonly},
    {SPAN("inactive"), read_inactive},
    {SPAN("mid"), read_mid},
    {SPAN("ptime"), read_ptime},
    {SPAN("maxptime"), read_maxptime},
    {SPAN("rtcp"), read_rtcp},
    {SPAN("rtcp-mux"), read_rtcp_mux},
    {SPAN("bundle-only"), read_bundle_only},
    {SPAN("ice-ufrag"), read_ufrag},
    {SPAN("ice-pwd"), read_pwd},
    {SPAN("ice-lite"), read_ice_lite},
    {SPAN("fingerprint"), read_fingerprint},
    {SPAN("setup"), read_setup},
    {SPAN("crypto"), read_crypto},
    {SPAN("extmap"), read_extmap},
    {SPAN("ssrc"), read_ssrc},
    {SPAN("msid"), read_msid},
};

void attribute_read(struct sdp_media *media, struct span line)
{
    struct span value = line;
    struct span name = span_trim(span_cut(&value, ':'));

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (span_ieq(name, attributes[i].name)) {
            attributes[i].read(media, value);
            return;
        }
    }
}

void attribute_inherit(struct sdp_media *media, const struct sdp_media *session)
{
    media->address = session->address;
    media->is_address_v6 = session->is_address_v6;
    media->dir = session->dir;
    media->ufrag = session->ufrag;
    media->pwd = session->pwd;
    media->setup = session->setup;
    media->is_ice_lite = session->is_ice_lite;
}
