/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/span.h"

/* framing.h: messages out of a TCP or TLS stream. RFC 3261 section 18.3 and 7.5, RFC 5626 section 4.4.1 (CRLF
 * keep-alive). A pure function over (buffer, length): any cut of the stream gives the same messages. */

enum framing {
    FRAMING_MORE,      /* nothing whole yet: read more */
    FRAMING_MESSAGE,   /* *message is one whole message, *used bytes are done */
    FRAMING_PING,      /* a double CRLF: answer one CRLF (*used = 4) */
    FRAMING_PONG,      /* a single CRLF between messages: skip (*used = 2) */
    FRAMING_BAD_LENGTH /* no, two different, negative, non-numeric or too large Content-Length: *message is the head
                          (parse it for a 400), then close */
    ,
    FRAMING_TOO_LONG /* no end of the head within SIP_MSG_MAX: close */
};

/** Look at the front of the buffer. A lone CRLF at the end of what has arrived gives FRAMING_MORE, because it may be
 * half a ping; a flow that awaits a pong may take these two bytes itself. A head that is whole is cut even if its body
 * is too large (FRAMING_BAD_LENGTH). */
enum framing framing_next(struct span buffer, struct span *message, size_t *used);

/** What is known of a buffer that only grew since the last FRAMING_MORE: saves looking at its front again for every few
 * bytes that arrive (64 KiB that come byte by byte cost 2 s of CPU without it). Zero it for a new stream. */
struct framing_hint {
    size_t scanned; /* no end of the head begins before here */
    size_t wanted;  /* nothing to do with so few bytes or fewer */
};
/** As framing_next(), which gives the same. The hint is zeroed by every result other than FRAMING_MORE. */
enum framing framing_next_hinted(struct span buffer, struct framing_hint *hint, struct span *message, size_t *used);
