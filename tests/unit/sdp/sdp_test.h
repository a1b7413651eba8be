/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* sdp_test.h: what the tests of this floor share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sdp/negotiation.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n"

static struct sdp parsed;
static const char *why;

static inline int parse(const char *text)
{
    why = "";
    return sdp_parse(&parsed, span_of(text), &why);
}

static inline const struct sdp_media *parse_one(const char *text)
{
    assert_int_equal(parse(text), 0);
    assert_true(parsed.media_count > 0);
    return &parsed.media[0];
}

#define assert_span(span, text) assert_string_equal(span_text(span), text)

/* For one look at a time. */
static inline const char *span_text(struct span s)
{
    static char buf[4096];

    span_copy(s, buf, sizeof(buf));
    return buf;
}
