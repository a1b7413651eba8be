/* SPDX-License-Identifier: Apache-2.0 */
/* name_addr.c: "Display" <uri>;params in and out. RFC 3261 section 20.10 and 25.1.
 * Does not know which header the value stands in. */
#include "sip/name_addr.h"

#include <errno.h>

#include "sip/grammar.h"
#include "sip/params.h"

static int parse_header_params(struct name_addr *addr, struct span rest)
{
    grammar_skip_blanks(&rest);
    if (!rest.n)
        return 0;
    if (!grammar_take_char(&rest, ';'))
        return -EBADMSG;
    addr->params = rest;
    return params_are_readable(rest) ? 0 : -EBADMSG;
}

static int parse_in_angles(struct name_addr *addr, struct span rest)
{
    const char *end;

    if (!grammar_take_char(&rest, '<'))
        return -EBADMSG;
    end = rest.n ? memchr(rest.p, '>', rest.n) : NULL;
    if (!end)
        return -EBADMSG;
    addr->uri_text = span_make(rest.p, (size_t)(end - rest.p));
    if (uri_parse(&addr->uri, addr->uri_text))
        return -EBADMSG;
    return parse_header_params(addr, span_make(end + 1, rest.n - addr->uri_text.n - 1));
}

/* Without <> parameters belong to the header, and the URI has no comma and no question mark (RFC 3261 section 20.10).
 */
static int parse_bare(struct name_addr *addr, struct span rest)
{
    size_t n = 0;

    while (n < rest.n && rest.p[n] != ';' && !grammar_is(rest.p[n], GRAMMAR_BLANK)) {
        if (rest.p[n] == ',' || rest.p[n] == '?')
            return -EBADMSG;
        n++;
    }
    addr->uri_text = span_make(rest.p, n);
    if (uri_parse(&addr->uri, addr->uri_text))
        return -EBADMSG;
    return parse_header_params(addr, span_make(rest.p + n, rest.n - n));
}

int name_addr_parse(struct name_addr *addr, struct span value)
{
    struct name_addr found = {0};
    struct span rest = span_trim(value), words;
    int err;

    if (!rest.n)
        return -EBADMSG;
    if (rest.n == 1 && *rest.p == '*') {
        found.is_star = true;
        *addr = found;
        return 0;
    }
    if (*rest.p == '"') {
        err = grammar_take_quoted(&rest, &found.display);
        grammar_skip_blanks(&rest);
        if (!err)
            err = parse_in_angles(&found, rest);
    } else {
        struct span after = rest;

        words = grammar_take(&after, GRAMMAR_DISPLAY);
        if (after.n && *after.p == '<') {
            found.display = span_trim(words);
            err = parse_in_angles(&found, after);
        } else {
            err = parse_bare(&found, rest);
        }
    }
    if (!err)
        *addr = found;
    return err;
}

int name_addr_next(struct name_addr *addr, struct span *rest)
{
    struct span value;

    *rest = span_trim(*rest);
    if (!list_next(rest, &value))
        return 0;
    return name_addr_parse(addr, value) ? -EBADMSG : 1;
}

int name_addr_display(const struct name_addr *addr, char *buf, size_t size_bytes)
{
    struct span raw = addr->display;
    size_t n = 0;

    if (!size_bytes)
        return -ENOSPC;
    buf[0] = '\0';
    if (!span_is_utf8(raw))
        return -EBADMSG;
    for (size_t i = 0; i < raw.n; i++) {
        unsigned char c = (unsigned char)raw.p[i];

        if (c == '\\' && i + 1 < raw.n)
            c = (unsigned char)raw.p[++i];
        if (c == '\t')
            c = ' ';
        if (c < ' ' || c == 127 || n + 1 >= size_bytes) {
            buf[0] = '\0';
            return c < ' ' || c == 127 ? -EBADMSG : -ENOSPC;
        }
        buf[n++] = (char)c;
    }
    buf[n] = '\0';
    /* An escape in front of a byte of a longer character: the pieces were checked apart, so look at the whole again. */
    if (span_is_utf8(span_make(buf, n)))
        return (int)n;
    buf[0] = '\0';
    return -EBADMSG;
}

void name_addr_write_display(struct text *out, struct span decoded)
{
    if (!decoded.n)
        return;
    text_add_char(out, '"');
    for (size_t i = 0; i < decoded.n; i++) {
        if (decoded.p[i] == '"' || decoded.p[i] == '\\')
            text_add_char(out, '\\');
        text_add_char(out, decoded.p[i]);
    }
    text_add_str(out, "\" ");
}

struct span name_addr_tag(const struct name_addr *addr)
{
    struct span tag = SPAN_NULL;

    params_get(addr->params, SPAN("tag"), &tag);
    return tag;
}
