/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"

/* timeline.h: what happened to one call, in order and with times: SIP, ICE, DTLS, media, decisions. A bounded ring: the
 * first entries (how it began) and the last ones stay, what falls out between them is counted. */

struct timeline;

int timeline_new(struct timeline **timelinep);
/** Add a line, at most 200 bytes; control bytes are escaped. Also written to the log at debug level with the call's id
 * in front. */
void timeline_add(struct timeline *timeline, const char *call_id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** JSON array of {"ms": since the beginning, "text": ...}. */
void timeline_write(const struct timeline *timeline, struct text *out);
