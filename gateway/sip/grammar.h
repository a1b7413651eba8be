/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* grammar.h: the bricks that all SIP parsers share: classes of characters and small steps that take something off the
 * front of a span. RFC 3261 section 25.1. Knows no header and no URI. Pure; each step looks at rest->n before it reads.
 */

enum grammar_class {
    GRAMMAR_TOKEN = 1,    /* token */
    GRAMMAR_USER = 2,     /* user, without escapes; and '#', see uri.h */
    GRAMMAR_PASSWORD = 4, /* password, without escapes */
    GRAMMAR_PARAM = 8,    /* paramchar, ';' and '=' */
    GRAMMAR_HEADER = 16,  /* hnv-unreserved and unreserved, '&' and '=' */
    GRAMMAR_HOST = 32,    /* hostname and IPv4address; and '_', which names in the field have */
    GRAMMAR_DISPLAY = 64, /* display name without quotes: token, blank, UTF-8, and harmless marks that phones send */
    GRAMMAR_BLANK = 128,  /* SP, HTAB */
};
extern const uint8_t grammar_classes[256];

static inline bool grammar_is(char c, unsigned classes)
{
    return grammar_classes[(uint8_t)c] & classes;
}

/** Take the longest run of these classes, maybe an empty one. */
struct span grammar_take(struct span *rest, unsigned classes);
void grammar_skip_blanks(struct span *rest);
/** Take this character if it is the next. @return was it? */
bool grammar_take_char(struct span *rest, char c);
/** Take "...", with its escapes left in. @return 0; -EBADMSG without an end: rest unchanged */
int grammar_take_quoted(struct span *rest, struct span *inner);
/** Take host: a name, an IPv4 address or an IPv6 literal in brackets (given without them). @return 0, -EBADMSG */
int grammar_take_host(struct span *rest, struct span *host, bool *is_ipv6);
/** Take ":port" if there is one (blanks around the colon as in Via), else port 0. @return 0; -EBADMSG: not 1..65535 */
int grammar_take_port(struct span *rest, uint16_t *port);

/** Only these classes and correct %XX escapes? */
bool grammar_is_escaped_text(struct span text, unsigned classes);
/** Nonempty, and a token? */
bool grammar_is_token(struct span text);
/** 0..15, or -1 */
int grammar_hex_digit(char c);
