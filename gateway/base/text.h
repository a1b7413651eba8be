/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* text.h: the one growing buffer that all writers write into. It has a hard maximum; errors stick, so that a writer is
 * a straight line of text_add() calls and one look at text_err() at the end. */

struct text {
    char *data; /* NUL-ended whenever not NULL */
    size_t len;
    size_t cap;
    size_t max;    /* bytes, without the NUL */
    int err;       /* 0, -ENOSPC past the maximum, -ENOMEM */
    bool is_fixed; /* data is the caller's buffer */
};

/** An empty text that may grow up to max bytes. Nothing is allocated before the first byte. Free with text_free(). */
void text_init(struct text *text, size_t max);
/** A text over the caller's buffer (at least one byte): allocates nothing, holds size_bytes - 1 bytes. text_free() and
 *  text_take() leave the buffer alone; text_take() copies. */
void text_init_fixed(struct text *text, char *buf, size_t size_bytes);
void text_free(struct text *text);
/** Empty it, keep the memory, forget the error. */
void text_reset(struct text *text);

void text_add(struct text *text, struct span s);
static inline void text_add_str(struct text *text, const char *s) /* the length of a literal is known here */
{
    text_add(text, span_of(s));
}
void text_add_char(struct text *text, char c);
void text_add_u64(struct text *text, unsigned long long value);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vaddf(struct text *text, const char *format, va_list args);
/** As a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. RFC 8259 section 7. */
void text_add_json(struct text *text, struct span s);
/** Printable ASCII as it is, everything else as \xNN: for log lines. */
void text_add_escaped(struct text *text, struct span s);

static inline struct span text_span(const struct text *text)
{
    return (struct span){text->data, text->len};
}

static inline int text_err(const struct text *text)
{
    return text->err;
}

/** Hand the bytes over as a counted, NUL-ended block (mem_unref() it) and reset. @return NULL on error or out of memory
 */
char *text_take(struct text *text);
