/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/span.h"

/* framing.h: messages out of a TCP or TLS stream. RFC 3261 section 18.3 and 7.5, RFC 5626 section 4.4.1 (CRLF keep-alive).
 * A pure function over (buffer, length): any cut of the stream gives the same messages. */

enum framing {
    FRAMING_MORE,      /* nothing whole yet: read more */
    FRAMING_MESSAGE,   /* *message is one whole message, *used bytes are done */
    FRAMING_PING,      /* a double CRLF: answer one CRLF (*used = 4) */
    FRAMING_PONG,      /* a single CRLF between messages: skip (*used = 2) */
    FRAMING_BAD_LENGTH /* no, two different, negative, non-numeric or too large Content-Length: *message is the head (parse it for a 400), then close */,
    FRAMING_TOO_LONG   /* no end of the head within SIP_MSG_MAX: close */
};

/** Look at the front of the buffer. A lone CRLF at the end of what has arrived gives FRAMING_MORE, because it may be half a
 *  ping; a flow that awaits a pong may take these two bytes itself. A head that is whole is cut even if its body is too large (FRAMING_BAD_LENGTH). */
enum framing framing_next(struct span buffer, struct span *message, size_t *used);
