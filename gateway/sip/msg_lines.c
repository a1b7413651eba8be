/* SPDX-License-Identifier: Apache-2.0 */
/* msg_lines.c: the head of a message cut into lines: CRLF, folding, names and values. RFC 3261 section 7.3.1.
 * Refuses bytes that no header may hold; does not know what a header means. */
#include "sip/grammar.h"
#include "sip/msg_parse.h"

static bool has_high_byte(const char *p, size_t n)
{
    const uint64_t high = 0x8080808080808080u;
    uint64_t any = 0, eight;

    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&eight, p, 8);
        any |= eight;
    }
    for (; n; p++, n--)
        any |= (uint64_t)(unsigned char)*p;
    return any & high;
}

static bool is_clean(struct msg_parse *parse, struct span line)
{
    const char *why = NULL;

    if (!line.n)
        return true;
    if (memchr(line.p, '\r', line.n))
        why = "Bare CR in a header";
    else if (memchr(line.p, '\0', line.n))
        why = "NUL in a header";
    else if (has_high_byte(line.p, line.n) && !span_is_utf8(line))
        why = "Header is not UTF-8";
    if (why)
        msg_fault(parse, 400, why);
    return !why;
}

bool msg_take_line(struct msg_parse *parse, char **at, char *end, struct span *line)
{
    char *begin = *at, *lf = memchr(begin, '\n', (size_t)(end - begin));

    if (!lf) {
        msg_fault(parse, 400, "No empty line after the headers");
        *line = span_make(begin, (size_t)(end - begin));
        *at = end;
        return is_clean(parse, *line);
    }
    *at = lf + 1;
    if (lf == begin || lf[-1] != '\r') {
        msg_fault(parse, 400, "Bare LF in a header");
        *line = span_make(begin, (size_t)(lf - begin));
    } else {
        *line = span_make(begin, (size_t)(lf - begin) - 1);
    }
    return is_clean(parse, *line);
}

static bool is_folded(const char *at, const char *end)
{
    return at < end && grammar_is(*at, GRAMMAR_BLANK);
}

/* CRLF and the blanks around it are one blank. What becomes free behind the value is filled with blanks. */
static bool unfold(struct msg_parse *parse, char **at, char *end, struct span *line)
{
    char *write = (char *)line->p + line->n, *last = write;
    bool is_all_clean = true;

    while (is_folded(*at, end)) {
        struct span more;

        is_all_clean &= msg_take_line(parse, at, end, &more);
        last = (char *)more.p + more.n;
        more = span_trim(more);
        if (!more.n)
            continue;
        while (write > line->p && grammar_is(write[-1], GRAMMAR_BLANK))
            write--;
        *write++ = ' ';
        memmove(write, more.p, more.n);
        write += more.n;
    }
    memset(write, ' ', (size_t)(last - write));
    line->n = (size_t)(write - line->p);
    return is_all_clean;
}

static void keep_header(struct msg_parse *parse, struct span name, struct span value)
{
    struct sip_msg *msg = parse->msg;

    if (msg->header_count == SIP_HEADER_MAX) {
        /* 400 and not 513: that many lines are no honest message, and 513 would speak of bytes. */
        msg_fault(parse, 400, "Too many header lines");
        return;
    }
    msg->header[msg->header_count++] = (struct sip_header){.id = sip_header_find(name), .name = name, .value = value};
}

/* The colon must stand in the first line of a folded header, as framing.c expects it too. */
static void take_header(struct msg_parse *parse, char **at, char *end, struct span line, bool is_line_clean)
{
    struct span rest = line, name;
    size_t value_at;
    bool is_named;

    name = grammar_take(&rest, GRAMMAR_TOKEN);
    grammar_skip_blanks(&rest);
    is_named = name.n && grammar_take_char(&rest, ':');
    value_at = line.n - rest.n;
    if (is_folded(*at, end))
        is_line_clean &= unfold(parse, at, end, &line);
    if (!is_named)
        msg_fault(parse, 400, "Header line without a name");
    else if (is_line_clean)
        keep_header(parse, name, span_trim(span_make(line.p + value_at, line.n > value_at ? line.n - value_at : 0)));
}

char *msg_take_headers(struct msg_parse *parse, char *at, char *end)
{
    struct span line;
    bool is_line_clean;

    if (is_folded(at, end))
        msg_fault(parse, 400, "Folded start line");
    while (at < end) {
        is_line_clean = msg_take_line(parse, &at, end, &line);
        if (!line.n)
            return at;
        take_header(parse, &at, end, line, is_line_clean);
    }
    msg_fault(parse, 400, "No empty line after the headers");
    return at;
}
