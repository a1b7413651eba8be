/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

/* uri.h: sip:, sips: and tel: URIs. RFC 3261 section 19.1 and 25.1, RFC 3966. Pure, borrowed spans. */

enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL, URI_OTHER };

struct uri {
    enum uri_scheme scheme;
    struct span text; /* the whole */
    struct span user; /* escaped as it stood; without password; tel: the number */
    struct span password;
    struct span host; /* without brackets; IPv6 literals keep their colons */
    bool is_ipv6;
    uint16_t port;       /* 0: none given */
    struct span params;  /* without the leading ';' */
    struct span headers; /* behind '?', without it */
};

/** The whole span must be one URI. A raw '#' in a user part is taken as if it were %23 (field case; not legal).
 *  @return 0, -EBADMSG; never reads outside of the span */
int uri_parse(struct uri *uri, struct span text);

/** Undo %XX. @return length in buf (NUL-ended), -EBADMSG for a bad escape or a decoded NUL, -ENOSPC */
int uri_decode(struct span escaped, char *buf, size_t size_bytes);

/** Write a user part, escaping what RFC 3261 25.1 user does not allow ('#' becomes %23 once; '*' and '+' stay). */
void uri_write_user(struct text *out, struct span decoded);

/** Write host with brackets where it is an IPv6 literal. */
void uri_write_host(struct text *out, struct span host);

/** Value of a URI parameter. @return present? */
bool uri_param(const struct uri *uri, struct span name, struct span *valuep);

/** Equal by RFC 3261 19.1.4 as far as user (with case, after unescaping), host (without case), port and scheme go. */
bool uri_same(const struct uri *left, const struct uri *right);
