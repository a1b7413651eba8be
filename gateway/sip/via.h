/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* via.h: one Via value. RFC 3261 section 20.42, RFC 3581, RFC 5118. Pure, borrowed. */

struct via {
    struct span transport; /* UDP TCP TLS WS WSS */
    struct span host;      /* sent-by, without brackets */
    uint16_t port;         /* 0: none */
    struct span branch;
    struct span received; /* without brackets */
    bool has_rport;
    uint16_t rport; /* 0: without a value */
    struct span params;
};

/** Take the first Via value off *rest. @return 1, 0 at the end, -EBADMSG */
int via_next(struct via *via, struct span *rest);
