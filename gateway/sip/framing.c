/* SPDX-License-Identifier: Apache-2.0 */
/* framing.c: messages out of a TCP or TLS stream. RFC 3261 section 18.3 and 7.5, RFC 5626 section 4.4.1.
 * Looks for the end of the head and for Content-Length, and at nothing else; keeps no state between calls. */
#include "sip/framing.h"

#include "sip/grammar.h"
#include "sip/msg.h"

#define CRLF      SPAN("\r\n")
#define CRLF_CRLF SPAN("\r\n\r\n")

/* One logical line: up to a CRLF that no blank follows. */
static struct span take_logical_line(struct span *rest)
{
    struct span line;
    size_t i = 0;

    while (i + 1 < rest->n) {
        const char *cr = memchr(rest->p + i, '\r', rest->n - i - 1);

        if (!cr)
            break;
        i = (size_t)(cr - rest->p);
        if (cr[1] == '\n' && !(i + 2 < rest->n && grammar_is(cr[2], GRAMMAR_BLANK))) {
            line = span_make(rest->p, i);
            *rest = span_make(cr + 2, rest->n - i - 2);
            return line;
        }
        i++;
    }
    line = *rest;
    *rest = span_make(rest->p + rest->n, 0);
    return line;
}

/* @return is it a Content-Length line? */
static bool read_length(struct span line, struct span *value)
{
    struct span name;

    name = grammar_take(&line, GRAMMAR_TOKEN);
    if (sip_header_find(name) != SIP_H_CONTENT_LENGTH)
        return false;
    grammar_skip_blanks(&line);
    *value = grammar_take_char(&line, ':') ? span_trim(line) : SPAN_NULL;
    return true;
}

/* @return 0 and the length; -1: none, two different ones, or one that cannot be read */
static int find_length(struct span head, uint32_t *length)
{
    bool has_length = false;
    struct span value;
    uint32_t found;

    take_logical_line(&head);
    while (head.n) {
        if (!read_length(take_logical_line(&head), &value))
            continue;
        if (span_to_u32(value, SIP_MSG_MAX, &found) || (has_length && found != *length))
            return -1;
        has_length = true;
        *length = found;
    }
    return has_length ? 0 : -1;
}

/* CRLFs in front of a start line. A lone one waits: the second half of a ping may be on its way. */
static enum framing look_at_crlf(struct span buffer, size_t *used)
{
    if (buffer.n >= 3 && !span_starts(buffer, CRLF_CRLF) && !span_starts(CRLF_CRLF, buffer)) {
        *used = CRLF.n;
        return FRAMING_PONG;
    }
    if (buffer.n < CRLF_CRLF.n)
        return FRAMING_MORE;
    *used = CRLF_CRLF.n;
    return FRAMING_PING;
}

/* @return length of the head with its empty line; 0 as long as it has no end */
static size_t find_head_end(struct span buffer, struct framing_hint *hint)
{
    struct span window = span_sub(buffer, 0, SIP_MSG_MAX);
    ptrdiff_t end = span_find_span(span_sub(window, hint->scanned, window.n), CRLF_CRLF);

    if (end >= 0)
        return hint->scanned + (size_t)end + CRLF_CRLF.n;
    hint->scanned = window.n < CRLF_CRLF.n ? 0 : window.n - (CRLF_CRLF.n - 1);
    return 0;
}

static enum framing look(struct span buffer, struct framing_hint *hint, struct span *message, size_t *used)
{
    uint32_t length = 0;
    size_t head_n;

    if (buffer.n <= hint->wanted)
        return FRAMING_MORE;
    if (span_starts(buffer, CRLF) || (buffer.n == 1 && *buffer.p == '\r'))
        return look_at_crlf(buffer, used);
    head_n = find_head_end(buffer, hint);
    if (!head_n)
        return buffer.n < SIP_MSG_MAX ? FRAMING_MORE : FRAMING_TOO_LONG;
    if (find_length(span_sub(buffer, 0, head_n - CRLF_CRLF.n), &length) || length > SIP_MSG_MAX - head_n) {
        *message = span_sub(buffer, 0, head_n);
        *used = head_n;
        return FRAMING_BAD_LENGTH;
    }
    if (buffer.n - head_n < length) {
        hint->wanted = head_n + length - 1;
        return FRAMING_MORE;
    }
    *message = span_sub(buffer, 0, head_n + length);
    *used = message->n;
    return FRAMING_MESSAGE;
}

enum framing framing_next_hinted(struct span buffer, struct framing_hint *hint, struct span *message, size_t *used)
{
    enum framing framing;

    *message = SPAN_NULL;
    *used = 0;
    framing = look(buffer, hint, message, used);
    if (framing != FRAMING_MORE)
        *hint = (struct framing_hint){0};
    return framing;
}

enum framing framing_next(struct span buffer, struct span *message, size_t *used)
{
    struct framing_hint hint = {0};

    return framing_next_hinted(buffer, &hint, message, used);
}
