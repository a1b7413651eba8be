/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/span.h"
#include "base/text.h"
#include "sip/uri.h"

/* name_addr.h: "Display" <uri>;params, as in From, To, Contact, Route. RFC 3261 section 20.10, 25.1. Pure, borrowed. */

struct name_addr {
    struct span display; /* as it stood between the quotes, escapes left in; or the tokens without quotes */
    bool is_star;        /* Contact: * */
    struct uri uri;
    struct span uri_text;
    struct span params; /* header parameters, without the leading ';' */
};

/** One value (no comma list). Without <> parameters belong to the header (RFC 3261 20.10). @return 0, -EBADMSG */
int name_addr_parse(struct name_addr *addr, struct span value);

/** Next value of a comma-separated list: commas in quotes and <> are text. Cuts *rest.
 *  @return 1 with one value, 0 at the end, -EBADMSG */
int name_addr_next(struct name_addr *addr, struct span *rest);

/** Display name with escapes undone. @return length, -ENOSPC, -EBADMSG if not UTF-8 or with control bytes */
int name_addr_display(const struct name_addr *addr, char *buf, size_t size_bytes);

/** Write a quoted display name (decoded text), with \" and \\ escaped; writes nothing for an empty one. */
void name_addr_write_display(struct text *out, struct span decoded);

/** The tag parameter, empty if none. */
struct span name_addr_tag(const struct name_addr *addr);
