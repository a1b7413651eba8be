/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_headers.c: header lines added, passed and left out by a trunk's rules. Knows no calls. */
#include "call/trunk_headers.h"

#define VALUE_MAX 1024 /* bytes of one header that passes */
#define LINE_MAX  16   /* lines that pass */

/* What was read is one line already; an escape that made it two would be the parser's fault, and is stopped here. */
static bool is_plain(struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 127)
            return false;
    return value.n > 0 && value.n <= VALUE_MAX && span_is_utf8(value);
}

/* Also where the message has the short form of the name. */
static bool is_named(const struct sip_header *header, struct span name)
{
    enum sip_header_id id = sip_header_find(name);

    return id == SIP_H_OTHER ? span_ieq(header->name, name) : header->id == id;
}

static const char *find_name(const struct conf_strings *names, const struct sip_header *header)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_named(header, span_of(names->items[i])))
            return names->items[i];
    return NULL;
}

void trunk_headers_pass(struct text *out, const struct conf_strings *names, const struct sip_msg *msg)
{
    unsigned line_count = 0;
    size_t used = 0;

    for (unsigned i = 0; names->count && i < msg->header_count && line_count < LINE_MAX; i++) {
        const struct sip_header *header = &msg->header[i];
        const char *name = is_plain(header->value) ? find_name(names, header) : NULL;
        size_t n = name ? strlen(name) + header->value.n + 4 : 0;

        if (!name || used + n > TRUNK_HEADERS_MAX)
            continue;
        used += n;
        line_count++;
        sip_write_header(out, name, header->value);
    }
}

static bool has_name(const struct conf_strings *names, struct span name)
{
    for (size_t i = 0; i < names->count; i++)
        if (span_ieq(name, span_of(names->items[i])))
            return true;
    return false;
}

/* What passes or is added is not said twice. */
static bool is_left_out(struct span line, const struct conf_trunk *trunk)
{
    struct span name = span_trim(span_cut(&line, ':'));

    if (has_name(&trunk->headers_remove, name) || has_name(&trunk->headers_pass, name))
        return true;
    for (size_t i = 0; i < trunk->headers_add.count; i++) {
        struct span added = span_of(trunk->headers_add.items[i]);

        if (span_ieq(name, span_cut(&added, ':')))
            return true;
    }
    return false;
}

void trunk_headers_write(struct text *out, struct span block, const struct conf_trunk *trunk)
{
    while (block.n) {
        struct span line = span_trim(span_cut(&block, '\n'));

        if (!line.n || is_left_out(line, trunk))
            continue;
        text_add(out, line);
        text_add_str(out, "\r\n");
    }
    for (size_t i = 0; i < trunk->headers_add.count; i++) {
        text_add_str(out, trunk->headers_add.items[i]);
        text_add_str(out, "\r\n");
    }
}
