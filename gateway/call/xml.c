/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c: a bounded well-formedness check, and text written for XML. XML 1.0, without its dangerous half (DTDs,
 * entities, processing instructions). Knows no vocabulary. */
#include "call/xml.h"

#include <errno.h>

/* What is left to read; steps take something off its front. */
struct reader {
    struct span rest;
    const char *begin;
};

static bool at(const struct reader *reader, const char *text)
{
    return span_starts(reader->rest, span_of(text));
}

static void skip(struct reader *reader, size_t n)
{
    reader->rest = span_sub(reader->rest, n, reader->rest.n);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(struct reader *reader)
{
    size_t n = 0;

    while (n < reader->rest.n && is_blank(reader->rest.p[n]))
        n++;
    skip(reader, n);
    return n;
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (unsigned char)c >= 0x80;
}

static bool is_name_char(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static int take_name(struct reader *reader, struct span *name)
{
    size_t n = 0;

    if (!reader->rest.n || !is_name_start(reader->rest.p[0]))
        return -EBADMSG;
    while (n < reader->rest.n && is_name_char(reader->rest.p[n]))
        n++;
    *name = span_sub(reader->rest, 0, n);
    skip(reader, n);
    return 0;
}

/* ---- references and characters ---- */

static bool is_number(struct span digits, bool is_hex)
{
    uint32_t value = 0;

    if (!digits.n || digits.n > 8)
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : 99;

        if (digit >= (is_hex ? 16 : 10))
            return false;
        value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    if (value < 0x20)
        return value == 9 || value == 10 || value == 13;
    return value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff) && value != 0xfffe && value != 0xffff;
}

/* &amp; and the like. */
static int take_reference(struct reader *reader)
{
    static const char *const names[] = {"amp", "lt", "gt", "quot", "apos"};
    ptrdiff_t end = span_find(span_sub(reader->rest, 0, 12), ';');
    struct span name;

    if (end < 2)
        return -EBADMSG;
    name = span_sub(reader->rest, 1, (size_t)end - 1);
    skip(reader, (size_t)end + 1);
    if (span_starts(name, SPAN("#x")))
        return is_number(span_sub(name, 2, name.n), true) ? 0 : -EBADMSG;
    if (name.p[0] == '#')
        return is_number(span_sub(name, 1, name.n), false) ? 0 : -EBADMSG;
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (span_eq(name, span_of(names[i])))
            return 0;
    return -EBADMSG;
}

/* One character of text or of a value. */
static int take_char(struct reader *reader)
{
    unsigned char c = (unsigned char)reader->rest.p[0];

    if (c == '&')
        return take_reference(reader);
    if (c < 0x20 && !is_blank((char)c))
        return -EBADMSG;
    skip(reader, 1);
    return 0;
}

/* ---- what stands between tags ---- */

/* Up to and with an end mark. */
static int skip_to(struct reader *reader, const char *mark)
{
    ptrdiff_t found = span_find_span(reader->rest, span_of(mark));

    if (found < 0)
        return -EBADMSG;
    for (ptrdiff_t i = 0; i < found; i++)
        if ((unsigned char)reader->rest.p[i] < 0x20 && !is_blank(reader->rest.p[i]))
            return -EBADMSG;
    skip(reader, (size_t)found + strlen(mark));
    return 0;
}

static int take_comment(struct reader *reader)
{
    int err;

    skip(reader, 4);
    err = skip_to(reader, "--"); /* which may not stand inside */
    if (err || !at(reader, ">"))
        return -EBADMSG;
    skip(reader, 1);
    return 0;
}

/* Blanks and comments, around the root. */
static int take_misc(struct reader *reader)
{
    int err = 0;

    skip_blanks(reader);
    while (!err && at(reader, "<!--")) {
        err = take_comment(reader);
        skip_blanks(reader);
    }
    return err;
}

/* ---- tags ---- */

static int take_value(struct reader *reader, struct span *value)
{
    const char *begin;
    char quote;

    if (!at(reader, "\"") && !at(reader, "'"))
        return -EBADMSG;
    quote = reader->rest.p[0];
    skip(reader, 1);
    begin = reader->rest.p;
    while (reader->rest.n && reader->rest.p[0] != quote) {
        if (reader->rest.p[0] == '<' || take_char(reader))
            return -EBADMSG;
    }
    if (!reader->rest.n)
        return -EBADMSG;
    *value = span_make(begin, (size_t)(reader->rest.p - begin));
    skip(reader, 1);
    return 0;
}

static int take_attribute(struct reader *reader, struct span *name, struct span *value)
{
    int err = take_name(reader, name);

    skip_blanks(reader);
    if (err || !at(reader, "="))
        return -EBADMSG;
    skip(reader, 1);
    skip_blanks(reader);
    return take_value(reader, value);
}

struct tag {
    struct span name, attributes;
    bool is_empty;
};

static int take_start_tag(struct reader *reader, struct tag *tag)
{
    struct span name, value;
    const char *begin;
    size_t blanks;
    int err;

    skip(reader, 1);
    err = take_name(reader, &tag->name);
    begin = reader->rest.p;
    while (!err) {
        blanks = skip_blanks(reader);
        if (at(reader, ">") || at(reader, "/>"))
            break;
        err = blanks ? take_attribute(reader, &name, &value) : -EBADMSG;
    }
    if (err)
        return err;
    tag->attributes = span_make(begin, (size_t)(reader->rest.p - begin));
    tag->is_empty = at(reader, "/>");
    skip(reader, tag->is_empty ? 2 : 1);
    return 0;
}

static int take_end_tag(struct reader *reader, struct span name)
{
    struct span seen;
    int err;

    skip(reader, 2);
    err = take_name(reader, &seen);
    skip_blanks(reader);
    if (err || !span_eq(seen, name) || !at(reader, ">"))
        return -EBADMSG;
    skip(reader, 1);
    return 0;
}

static int take_declaration(struct reader *reader)
{
    struct span name = SPAN_NULL, value = SPAN_NULL;
    int err = 0;

    if (!at(reader, "<?xml ") && !at(reader, "<?xml\t"))
        return 0;
    skip(reader, 5);
    for (;;) {
        skip_blanks(reader);
        if (at(reader, "?>"))
            break;
        err = take_attribute(reader, &name, &value);
        if (err)
            return err;
        if (span_eq(name, SPAN("encoding")) && !span_ieq(value, SPAN("utf-8")) && !span_ieq(value, SPAN("us-ascii")))
            return -EBADMSG;
    }
    skip(reader, 2);
    return 0;
}

/* ---- the document ---- */

static int take_content(struct reader *reader, struct xml_doc *doc)
{
    struct span open[XML_DEPTH_MAX];
    struct tag tag;
    unsigned depth = 0;
    int err = 0;

    open[depth++] = doc->name;
    while (!err && depth) {
        if (!reader->rest.n)
            return -EBADMSG;
        if (at(reader, "<!--")) {
            err = take_comment(reader);
        } else if (at(reader, "<![CDATA[")) {
            err = skip_to(reader, "]]>");
        } else if (at(reader, "</")) {
            doc->inner_end = (size_t)(reader->rest.p - reader->begin);
            err = take_end_tag(reader, open[--depth]);
        } else if (at(reader, "<")) {
            err = take_start_tag(reader, &tag);
            if (!err && !tag.is_empty && depth == XML_DEPTH_MAX)
                return -E2BIG;
            if (!err && !tag.is_empty)
                open[depth++] = tag.name;
        } else {
            err = take_char(reader);
        }
    }
    return err;
}

int xml_check(struct xml_doc *doc, struct span text)
{
    struct reader reader = {.rest = text, .begin = text.p};
    struct tag root;
    int err;

    *doc = (struct xml_doc){0};
    if (!span_is_utf8(text))
        return -EBADMSG;
    if (at(&reader, "\xef\xbb\xbf"))
        skip(&reader, 3);
    err = take_declaration(&reader);
    if (!err)
        err = take_misc(&reader);
    if (err || !at(&reader, "<"))
        return -EBADMSG;
    err = take_start_tag(&reader, &root);
    if (err)
        return err;
    doc->name = root.name;
    doc->attributes = root.attributes;
    if (!root.is_empty)
        err = take_content(&reader, doc);
    if (!err)
        err = take_misc(&reader);
    return err ? err : reader.rest.n ? -EBADMSG : 0;
}

struct span xml_local_name(struct span name)
{
    ptrdiff_t colon = span_find(name, ':');

    return colon < 0 ? name : span_sub(name, (size_t)colon + 1, name.n);
}

bool xml_attribute(struct span attributes, struct span name, struct span *value)
{
    struct reader reader = {.rest = attributes, .begin = attributes.p};
    struct span seen;

    for (;;) {
        skip_blanks(&reader);
        if (!reader.rest.n || take_attribute(&reader, &seen, value))
            return false;
        if (span_eq(seen, name))
            return true;
    }
}

void xml_add_text(struct text *out, struct span text)
{
    while (text.n) {
        size_t n = span_utf8_length(text);
        char c = text.p[0];

        if (c == '&')
            text_add_str(out, "&amp;");
        else if (c == '<')
            text_add_str(out, "&lt;");
        else if (c == '>')
            text_add_str(out, "&gt;");
        else if (c == '"')
            text_add_str(out, "&quot;");
        else if (!n || ((unsigned char)c < 0x20 && !is_blank(c)))
            text_add_char(out, '?');
        else
            text_add(out, span_sub(text, 0, n));
        text = span_sub(text, n ? n : 1, text.n);
    }
}
