/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/negotiation.h"

/* media_line.h: what an offer and an answer of ours have in common: a wanted line as a media description. For offer.c,
 * answer.c. */

/** Begin an own description. */
void media_line_session(struct sdp *out, const struct sdp_session *session);

/** Transport, direction, codecs and source of a line that is not refused. No mid, no proto, no feedback, no bundle. */
void media_line_fill(struct sdp_media *media, const struct sdp_line *line);

/** One a=rtcp-fb line for a number (-1: all), as long as there is room. */
void media_line_feedback(struct sdp_media *media, int pt, struct span text);
