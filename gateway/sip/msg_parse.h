/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/msg.h"

/* msg_parse.h: what the rooms of the message parser (msg.c, msg_lines.c, msg_start.c) share. Nobody else includes it.
 */

/** The message in the making, and its first fault. A fault does not stop the parser, since a 400 has to mirror what
 * follows. */
struct msg_parse {
    struct sip_msg *msg;
    const char *why; /* NULL: no fault so far */
    unsigned status;
};

/** The first fault wins. */
static inline void msg_fault(struct msg_parse *parse, unsigned status, const char *why)
{
    if (parse->why)
        return;
    parse->why = why;
    parse->status = status;
}

/** Take one line off [*at, end) without its CRLF. Bare CR, LF, NUL and bad UTF-8 are faults.
 *  @return true if the line is clean; a line that is not must not be repeated to anybody */
bool msg_take_line(struct msg_parse *parse, char **at, char *end, struct span *line);

/** Take all header lines and the empty line behind them: fills msg->header, folded lines made flat in place and filled
 * up with blanks, so that the same bytes parse to the same message again. @return where the body begins */
char *msg_take_headers(struct msg_parse *parse, char *at, char *end);

/** The start line. @return 0; -EBADMSG: neither a request nor a usable response, nothing can be answered */
int msg_parse_start(struct msg_parse *parse, struct span line);
