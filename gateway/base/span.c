/* SPDX-License-Identifier: Apache-2.0 */
/* span.c: comparing, searching, cutting and reading borrowed bytes. Pure functions; allocate nothing. */
#include "base/span.h"

#include <errno.h>

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool span_eq(struct span left, struct span right)
{
    return left.n == right.n && (left.n == 0 || memcmp(left.p, right.p, left.n) == 0);
}

bool span_ieq(struct span left, struct span right)
{
    if (left.n != right.n)
        return false;
    for (size_t i = 0; i < left.n; i++) {
        if (lower((unsigned char)left.p[i]) != lower((unsigned char)right.p[i]))
            return false;
    }
    return true;
}

bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_eq(span_make(s.p, prefix.n), prefix);
}

bool span_istarts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_ieq(span_make(s.p, prefix.n), prefix);
}

bool span_ends(struct span s, struct span suffix)
{
    return s.n >= suffix.n && span_eq(span_sub(s, s.n - suffix.n, suffix.n), suffix);
}

struct span span_trim(struct span s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

ptrdiff_t span_find(struct span s, char c)
{
    const char *found = s.n ? memchr(s.p, c, s.n) : NULL;

    return found ? found - s.p : -1;
}

ptrdiff_t span_find_span(struct span s, struct span needle)
{
    const char *found;

    if (needle.n == 0)
        return 0;
    found = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return found ? found - s.p : -1;
}

struct span span_cut(struct span *rest, char separator)
{
    ptrdiff_t at = span_find(*rest, separator);
    struct span part = *rest;

    if (at < 0) {
        *rest = span_make(rest->n ? rest->p + rest->n : rest->p, 0);
        return part;
    }
    part.n = (size_t)at;
    *rest = span_make(rest->p + at + 1, rest->n - (size_t)at - 1);
    return part;
}

struct span span_sub(struct span s, size_t from, size_t n)
{
    if (from >= s.n)
        return span_make(s.n ? s.p + s.n : s.p, 0);
    return span_make(s.p + from, n < s.n - from ? n : s.n - from);
}

int span_to_u64(struct span s, uint64_t max, uint64_t *valuep)
{
    uint64_t value = 0;

    if (s.n == 0)
        return -EBADMSG;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9 || value > max / 10 || digit > max - value * 10)
            return -EBADMSG;
        value = value * 10 + digit;
    }
    *valuep = value;
    return 0;
}

int span_to_u32(struct span s, uint32_t max, uint32_t *valuep)
{
    uint64_t value;
    int err = span_to_u64(s, max, &value);

    if (!err)
        *valuep = (uint32_t)value;
    return err;
}

int span_copy(struct span s, char *buf, size_t size_bytes)
{
    if (size_bytes == 0)
        return -ENOSPC;
    if (s.n >= size_bytes) {
        buf[0] = '\0';
        return -ENOSPC;
    }
    if (s.n)
        memcpy(buf, s.p, s.n);
    buf[s.n] = '\0';
    return (int)s.n;
}

size_t span_utf8_length(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
    size_t n;

    if (s.n == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4) /* a continuation, an over-long form, or above U+10FFFF */
        return 0;
    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (s.n < n)
        return 0;
    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;   /* over-long */
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high; /* surrogates; above U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* Bytes at the front that are surely ASCII: nearly all of what is looked at, eight at a time. */
static size_t ascii_length(struct span s)
{
    const uint64_t high = 0x8080808080808080u;
    uint64_t eight;
    size_t n = 0;

    for (; s.n - n >= 8; n += 8) {
        memcpy(&eight, s.p + n, 8);
        if (eight & high)
            break;
    }
    return n;
}

bool span_is_utf8(struct span s)
{
    while (s.n) {
        size_t n = ascii_length(s);

        if (n == 0)
            n = span_utf8_length(s);
        if (n == 0)
            return false;
        s = span_sub(s, n, s.n);
    }
    return true;
}
