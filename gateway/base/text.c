/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: the growing buffer of all writers, its hard maximum and its sticking error, and the escapes of JSON and of
 * logs. Does not know any protocol. */
#include "base/text.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/print.h"

#define FIRST_BYTES 480 /* with its header and malloc's a block of 512; twice that is most SIP messages */
#define SLACK_BYTES 64  /* more than that is given back from what is taken to be kept */

void text_init(struct text *text, size_t max)
{
    *text = (struct text){.max = max};
}

void text_init_fixed(struct text *text, char *buf, size_t size_bytes)
{
    buf[0] = '\0';
    *text = (struct text){.data = buf, .cap = size_bytes, .max = size_bytes - 1, .is_fixed = true};
}

void text_free(struct text *text)
{
    if (!text->is_fixed)
        mem_unref(text->data);
    *text = (struct text){.max = text->max};
}

void text_reset(struct text *text)
{
    text->len = 0;
    text->err = 0;
    if (text->data)
        text->data[0] = '\0';
}

/* Make room for n more bytes and the NUL. */
static int reserve(struct text *text, size_t n)
{
    size_t needed, cap;
    char *data;

    if (text->err)
        return text->err;
    if (n > text->max - text->len)
        return text->err = -ENOSPC;
    needed = text->len + n + 1;
    if (needed <= text->cap)
        return 0;
    cap = text->cap ? text->cap * 2 : FIRST_BYTES;
    if (cap > text->max + 1)
        cap = text->max + 1;
    if (cap < needed)
        cap = needed;
    data = mem_bytes(cap);
    if (!data)
        return text->err = -ENOMEM;
    if (text->len)
        memcpy(data, text->data, text->len);
    mem_unref(text->data);
    text->data = data;
    text->cap = cap;
    return 0;
}

void text_add(struct text *text, struct span s)
{
    bool has_room = s.n < text->cap - text->len && !text->err; /* of which the maximum is a part */

    if (!has_room && reserve(text, s.n))
        return;
    if (s.n)
        memcpy(text->data + text->len, s.p, s.n);
    text->len += s.n;
    text->data[text->len] = '\0';
}

void text_add_char(struct text *text, char c)
{
    text_add(text, span_make(&c, 1));
}

void text_add_u64(struct text *text, unsigned long long value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    text_add(text, span_make(digits + at, sizeof(digits) - at));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_vaddf(text, format, args);
    va_end(args);
}

void text_vaddf(struct text *text, const char *format, va_list args)
{
    size_t room = text->cap - text->len;
    va_list again;
    int n;

    if (text->err)
        return;
    va_copy(again, args);
    n = print_args_into(text->data ? text->data + text->len : NULL, text->data ? room : 0, format, args);
    if (n < 0) {
        text->err = -EINVAL;
    } else if (text->data && (size_t)n < room && (size_t)n <= text->max - text->len) {
        text->len += (size_t)n;
    } else if (!reserve(text, (size_t)n)) {
        print_args_into(text->data + text->len, (size_t)n + 1, format, again);
        text->len += (size_t)n;
    }
    if (text->data)
        text->data[text->len] = '\0'; /* take back what a refused piece left behind */
    va_end(again);
}

static void add_json_char(struct text *text, struct span c)
{
    static const char names[] = "btnvfr"; /* 0x08 .. 0x0d; \v is not one of JSON's */
    unsigned char byte = (unsigned char)c.p[0];

    if (byte == '"' || byte == '\\') {
        text_add_char(text, '\\');
        text_add(text, c);
    } else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        text_add_char(text, '\\');
        text_add_char(text, names[byte - 0x08]);
    } else if (byte < 0x20 || byte == 0x7f) {
        text_addf(text, "\\u%04x", byte);
    } else {
        text_add(text, c);
    }
}

/* Bytes at the front that need no escape: the common case goes over in one piece. */
static size_t plain_json_length(struct span s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

void text_add_json(struct text *text, struct span s)
{
    text_add_char(text, '"');
    while (s.n) {
        size_t n = plain_json_length(s);

        if (n) {
            text_add(text, span_sub(s, 0, n));
        } else if ((n = span_utf8_length(s)) > 0) {
            add_json_char(text, span_sub(s, 0, n));
        } else {
            text_add(text, SPAN("\xef\xbf\xbd"));
            n = 1;
        }
        s = span_sub(s, n, s.n);
    }
    text_add_char(text, '"');
}

static size_t plain_log_length(struct span s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '\\')
        n++;
    return n;
}

void text_add_escaped(struct text *text, struct span s)
{
    while (s.n) {
        size_t n = plain_log_length(s);

        if (n) {
            text_add(text, span_sub(s, 0, n));
        } else {
            if (s.p[0] == '\\')
                text_add(text, SPAN("\\\\"));
            else
                text_addf(text, "\\x%02x", (unsigned char)s.p[0]);
            n = 1;
        }
        s = span_sub(s, n, s.n);
    }
}

char *text_take(struct text *text)
{
    char *taken = NULL;

    if (text->err) {
        text_reset(text);
        return NULL;
    }
    if (text->is_fixed || !text->data) {
        taken = mem_text(text->data ? text->data : "", text->len);
        text_reset(text);
        return taken;
    }
    taken = text->cap - text->len > SLACK_BYTES ? mem_text(text->data, text->len) : NULL;
    if (taken) {
        text_free(text);
        return taken;
    }
    taken = text->data;
    text_init(text, text->max);
    return taken;
}
