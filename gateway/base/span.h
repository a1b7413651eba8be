/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* span.h: borrowed views of text and bytes. What a span points into must outlive it. Pure functions, any thread. */

struct span {
    const char *p;
    size_t n;
};

#define SPAN_NULL     ((struct span){NULL, 0})
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
/** For printf: "%.*s" with SPAN_ARG(s) */
#define SPAN_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct span span_make(const void *p, size_t n)
{
    return (struct span){(const char *)p, n};
}

/** The view of a C string; NULL gives the empty span. */
static inline struct span span_of(const char *text)
{
    return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_is_empty(struct span s)
{
    return s.n == 0;
}

bool span_eq(struct span left, struct span right);    /* byte for byte */
bool span_ieq(struct span left, struct span right);   /* ASCII letters without case */
bool span_starts(struct span s, struct span prefix);  /* byte for byte */
bool span_istarts(struct span s, struct span prefix); /* without case */
bool span_ends(struct span s, struct span suffix);

/** Without blanks, tabs, CR and LF at both ends. */
struct span span_trim(struct span s);

/** Index of the first byte c, or -1. */
ptrdiff_t span_find(struct span s, char c);

/** Index of the first place where needle stands, or -1. */
ptrdiff_t span_find_span(struct span s, struct span needle);

/** Cut *rest at the first separator: returns what stands before it, *rest becomes what stands behind it (empty at the
 * end). Loop with: while (rest.n) { part = span_cut(&rest, ','); ... } */
struct span span_cut(struct span *rest, char separator);

/** The part from index `from` on, at most n bytes; out of range gives the empty span. */
struct span span_sub(struct span s, size_t from, size_t n);

/** Decimal digits only, whole span. @return 0; -EBADMSG if empty, not digits, or above max (valuep unchanged) */
int span_to_u64(struct span s, uint64_t max, uint64_t *valuep);
int span_to_u32(struct span s, uint32_t max, uint32_t *valuep);

/** Copy to a NUL-ended buffer. @return length; -ENOSPC if it does not fit (buffer then holds "") */
int span_copy(struct span s, char *buf, size_t size_bytes);

/** Bytes of the one valid UTF-8 character that stands at the front, 0 if there is none. RFC 3629. */
size_t span_utf8_length(struct span s);

/** Is it valid UTF-8 (no surrogates, no over-long forms, nothing above U+10FFFF)? RFC 3629. */
bool span_is_utf8(struct span s);
