/* SPDX-License-Identifier: Apache-2.0 */
/* peer_sip.c: SIP text in and out for the scripted peers. Knows no transaction and no dialog. */
#include "peer_sip.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *compact_form(const char *name)
{
    static const struct {
        const char *name, *compact;
    } forms[] = {{"Via", "v"},          {"From", "f"},          {"To", "t"}, {"Call-ID", "i"}, {"Contact", "m"},
                 {"Content-Type", "c"}, {"Content-Length", "l"}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (!strcasecmp(name, forms[i].name))
            return forms[i].compact;
    }
    return "";
}

bool peer_span_is(struct peer_span span, const char *text)
{
    return span.size == strlen(text) && !strncasecmp(span.at, text, span.size);
}

void peer_span_copy(char *out, size_t room, struct peer_span span)
{
    size_t size = span.size < room ? span.size : room - 1;

    if (size)
        memcpy(out, span.at, size);
    out[size] = 0;
}

const char *peer_span_find(struct peer_span span, const char *text)
{
    return span.size ? memmem(span.at, span.size, text, strlen(text)) : NULL;
}

static struct peer_span trim(const char *at, const char *end)
{
    while (at < end && isspace((unsigned char)*at))
        at++;
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    return (struct peer_span){at, (size_t)(end - at)};
}

/* Start line into method and URI, or status. */
static int parse_start(struct peer_sip *msg, const char *at, const char *end)
{
    const char *first = memchr(at, ' ', (size_t)(end - at));
    const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;

    if (!first)
        return -EBADMSG;
    if (end - at > 8 && !memcmp(at, "SIP/2.0 ", 8)) {
        msg->status = atoi(first + 1);
        return msg->status >= 100 && msg->status < 700 ? 0 : -EBADMSG;
    }
    if (!second)
        return -EBADMSG;
    msg->method = (struct peer_span){at, (size_t)(first - at)};
    msg->uri = (struct peer_span){first + 1, (size_t)(second - first - 1)};
    return 0;
}

int peer_sip_parse(struct peer_sip *msg, const char *bytes, size_t size)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    const char *line = memmem(bytes, size, "\r\n", 2);
    struct peer_span cseq;
    const char *space;

    memset(msg, 0, sizeof(*msg));
    if (!end || parse_start(msg, bytes, line))
        return -EBADMSG;
    msg->headers = (struct peer_span){line + 2, line < end ? (size_t)(end + 2 - line - 2) : 0};
    msg->body = (struct peer_span){end + 4, size - (size_t)(end + 4 - bytes)};
    cseq = peer_sip_header(msg, "CSeq", 0);
    space = cseq.size ? memchr(cseq.at, ' ', cseq.size) : NULL;
    if (!space)
        return -EBADMSG;
    msg->cseq = (unsigned)strtoul(cseq.at, NULL, 10);
    if (msg->status)
        msg->method = trim(space, cseq.at + cseq.size);
    return 0;
}

struct peer_span peer_sip_header(const struct peer_sip *msg, const char *name, unsigned index)
{
    const char *compact = compact_form(name);
    const char *at = msg->headers.at, *end = at + msg->headers.size;

    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        const char *colon = stop ? memchr(at, ':', (size_t)(stop - at)) : NULL;

        if (!stop)
            break;
        if (colon) {
            struct peer_span found = trim(at, colon);

            if ((peer_span_is(found, name) || peer_span_is(found, compact)) && index-- == 0)
                return trim(colon + 1, stop);
        }
        at = stop + 2;
    }
    return (struct peer_span){"", 0};
}

struct peer_span peer_sip_uri(struct peer_span value)
{
    const char *end = value.at + value.size;
    const char *open = value.size ? memchr(value.at, '<', value.size) : NULL;
    const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;

    if (close)
        return (struct peer_span){open + 1, (size_t)(close - open - 1)};
    close = value.size ? memchr(value.at, ';', value.size) : NULL;
    return trim(value.at, close ? close : end);
}

struct peer_span peer_sip_param(struct peer_span value, const char *name)
{
    const char *end = value.at + value.size;
    const char *close = value.size ? memchr(value.at, '>', value.size) : NULL;
    const char *at = close ? close : value.at;

    while (at && at < end && (at = memchr(at, ';', (size_t)(end - at)))) {
        const char *stop = memchr(at + 1, ';', (size_t)(end - at - 1));
        const char *equal = memchr(at + 1, '=', (size_t)((stop ? stop : end) - at - 1));

        at++;
        if (equal && peer_span_is(trim(at, equal), name))
            return trim(equal + 1, stop ? stop : end);
        at = stop;
    }
    return (struct peer_span){"", 0};
}

void peer_text_add(struct peer_text *text, const char *format, ...)
{
    size_t room = sizeof(text->bytes) - text->size;
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(text->bytes + text->size, room, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= room)
        text->is_cut = true;
    else
        text->size += (size_t)size;
}

void peer_text_copy_header(struct peer_text *text, const struct peer_sip *msg, const char *name)
{
    for (unsigned i = 0;; i++) {
        struct peer_span value = peer_sip_header(msg, name, i);

        if (!value.size)
            return;
        peer_text_add(text, "%s: %.*s\r\n", name, (int)value.size, value.at);
    }
}

void peer_text_end(struct peer_text *text, const char *content_type, const char *body)
{
    if (body)
        peer_text_add(text, "Content-Type: %s\r\n", content_type);
    peer_text_add(text, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
}

void peer_random_hex(char *out, size_t size)
{
    uint8_t bytes[64];

    RAND_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i + 1 < size; i++)
        out[i] = "0123456789abcdef"[bytes[(i / 2) % sizeof(bytes)] >> (i % 2 * 4) & 15];
    out[size - 1] = 0;
}
