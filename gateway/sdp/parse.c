/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c: the text of a session description into the model, line by line. RFC 8866 section 5 (lines), RFC 9143 7.2
 * (the BUNDLE group), RFC 3264 8.4 (the old form of hold). Knows the two levels; the a= lines are read by attribute.c.
 */
#include <errno.h>

#include "sdp/attribute.h"
#include "sdp/codec.h"
#include "sdp/static_formats.h"

struct parser {
    struct sdp *sdp;
    struct sdp_media session; /* what stands before the first m= */
    struct sdp_media *media;  /* NULL: still at the session level */
    struct span bundle;       /* mids of the first BUNDLE group */
    const char *why;
};

static int fail(struct parser *parser, int err, const char *why)
{
    parser->why = why;
    return err;
}

static struct sdp_media *level(struct parser *parser)
{
    return parser->media ? parser->media : &parser->session;
}

/* A line whose bytes may be stored and written again: UTF-8 without control characters. */
static bool is_clean(struct span line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return span_is_utf8(line);
}

/* Numeric addresses and host names have these; a TTL behind '/' is cut off. */
static struct span address_part(struct span word)
{
    struct span address = span_cut(&word, '/');

    for (size_t i = 0; i < address.n; i++) {
        char c = address.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == ':' ||
              c == '-' || c == '_'))
            return SPAN_NULL;
    }
    return address;
}

/* "IN IP4 192.0.2.1" */
static struct span read_address(struct span *rest, bool *is_v6p)
{
    struct span net = attribute_next_word(rest), type = attribute_next_word(rest),
                address = address_part(attribute_next_word(rest));

    *is_v6p = span_ieq(type, SPAN("IP6"));
    if (!span_ieq(net, SPAN("IN")) || (!*is_v6p && !span_ieq(type, SPAN("IP4"))))
        return SPAN_NULL;
    return address;
}

/* "- 4611 2 IN IP4 127.0.0.1": a peer that writes it badly is not refused for that. */
static void read_origin(struct parser *parser, struct span value)
{
    struct sdp *sdp = parser->sdp;

    sdp->origin_user = attribute_next_word(&value);
    sdp->origin_id = attribute_next_word(&value);
    if (span_to_u64(attribute_next_word(&value), UINT64_MAX, &sdp->origin_version))
        sdp->origin_version = 0;
    sdp->origin_address = read_address(&value, &sdp->is_origin_v6);
}

static void read_connection(struct parser *parser, struct span value)
{
    struct sdp_media *media = level(parser);

    media->address = read_address(&value, &media->is_address_v6);
}

static enum sdp_kind kind_of(struct span text)
{
    if (span_ieq(text, SPAN("audio")))
        return SDP_AUDIO;
    if (span_ieq(text, SPAN("video")))
        return SDP_VIDEO;
    return span_ieq(text, SPAN("application")) ? SDP_APPLICATION : SDP_KIND_OTHER;
}

static bool has_format(const struct sdp_codecs *codecs, uint32_t pt)
{
    for (unsigned i = 0; i < codecs->count; i++) {
        if (codecs->items[i].pt == pt)
            return true;
    }
    return false;
}

/* The numbers of an RTP line become codecs; rtpmap lines name the dynamic ones later. */
static void read_formats(struct sdp_media *media)
{
    struct span rest = media->formats;

    if (span_find_span(media->proto, SPAN("RTP/")) < 0)
        return;
    while (rest.n && media->codecs.count < SDP_CODEC_MAX) {
        uint32_t pt;

        if (span_to_u32(attribute_next_word(&rest), 127, &pt) || has_format(&media->codecs, pt))
            continue;
        media->codecs.items[media->codecs.count++] = static_format((uint8_t)pt);
    }
}

/* A video codec in an audio line, or the other way round, is a format without a name: nobody can mean it. */
static void forget_misplaced(struct sdp_media *media)
{
    for (unsigned i = 0; i < media->codecs.count; i++) {
        struct sdp_codec *codec = &media->codecs.items[i];
        enum codec_id id = codec_find(codec);

        if (id != CODEC_NONE && codec_kind(id) != media->kind)
            *codec = (struct sdp_codec){.pt = codec->pt, .channels = 1};
    }
}

/* What only the whole line tells. */
static void finish_media(struct parser *parser)
{
    struct sdp_media *media = parser->media;

    if (!media)
        return;
    forget_misplaced(media);
    if (media->fingerprint.n == 0) {
        media->fingerprint_hash = parser->session.fingerprint_hash;
        media->fingerprint = parser->session.fingerprint;
    }
    if (media->ufrag.n == 0 && (span_eq(media->address, SPAN("0.0.0.0")) || span_eq(media->address, SPAN("::"))))
        media->dir &= SDP_SENDONLY;
    for (struct span rest = parser->bundle; rest.n && media->mid.n && !media->is_bundled;)
        media->is_bundled = span_eq(attribute_next_word(&rest), media->mid);
}

/* "audio 40000/1 RTP/AVP 8 0" */
static int read_media(struct parser *parser, struct span value)
{
    struct span kind = attribute_next_word(&value), port_text = attribute_next_word(&value),
                proto = attribute_next_word(&value);
    struct span number = span_cut(&port_text, '/');
    uint32_t port;

    if (!attribute_is_token(kind) || !attribute_is_token(proto) || span_to_u32(number, UINT16_MAX, &port))
        return fail(parser, -EBADMSG, "an m= line is malformed");
    finish_media(parser);
    parser->media = sdp_add_media(parser->sdp);
    if (!parser->media)
        return fail(parser, -E2BIG, "the description has too many m= lines");
    attribute_inherit(parser->media, &parser->session);
    parser->media->kind = kind_of(kind);
    parser->media->kind_text = kind;
    parser->media->port = (uint16_t)port;
    parser->media->proto = proto;
    parser->media->formats = span_trim(value);
    read_formats(parser->media);
    return 0;
}

static void read_group(struct parser *parser, struct span value)
{
    if (parser->media || parser->sdp->has_bundle || !span_ieq(attribute_next_word(&value), SPAN("BUNDLE")))
        return;
    parser->sdp->has_bundle = true;
    parser->bundle = value;
}

static void read_attribute(struct parser *parser, struct span value)
{
    if (span_istarts(value, SPAN("group:")))
        read_group(parser, span_sub(value, 6, value.n));
    else
        attribute_read(level(parser), value);
}

static int read_line(struct parser *parser, struct span line)
{
    struct span value = span_sub(line, 2, line.n);

    if (span_trim(line).n == 0)
        return 0;
    if (line.n < 2 || line.p[1] != '=' || span_find(line, '\r') >= 0)
        return fail(parser, -EBADMSG, "a line of the description is not TYPE=VALUE");
    if (!is_clean(line))
        return line.p[0] == 'm' ? fail(parser, -EBADMSG, "an m= line is malformed") : 0;
    switch (line.p[0]) {
    case 'o':
        read_origin(parser, value);
        return 0;
    case 'c':
        read_connection(parser, value);
        return 0;
    case 'm':
        return read_media(parser, value);
    case 'a':
        read_attribute(parser, value);
        return 0;
    default:
        return 0;
    }
}

static struct span cut_line(struct span *rest)
{
    struct span line = span_cut(rest, '\n');

    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static int read_lines(struct parser *parser, struct span text)
{
    int err = 0;

    if (text.n > SDP_TEXT_MAX)
        return fail(parser, -E2BIG, "the description is too long");
    if (span_find(text, '\0') >= 0)
        return fail(parser, -EBADMSG, "the description has a NUL");
    if (!span_eq(span_trim(cut_line(&text)), SPAN("v=0")))
        return fail(parser, -EBADMSG, "the description does not begin with v=0");
    while (text.n && !err)
        err = read_line(parser, cut_line(&text));
    finish_media(parser);
    return err;
}

int sdp_parse(struct sdp *sdp, struct span text, const char **why_out)
{
    struct parser parser = {.sdp = sdp, .session = {.dir = SDP_SENDRECV}};
    int err;

    sdp_reset(sdp);
    err = read_lines(&parser, text);
    if (err && why_out)
        *why_out = parser.why;
    return err;
}
