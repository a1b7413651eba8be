/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/text.h"

/* dtmf.h: a pressed key in an INFO: application/dtmf-relay ("Signal=5", "Duration=160") and application/dtmf ("5").
 * Never standardised; what phones and carriers do. */

#define DTMF_TYPE SPAN("application/dtmf-relay")

struct dtmf {
    unsigned event; /* as in RFC 4733: 0-9, 10 *, 11 #, 12-15 A-D */
    unsigned duration_ms;
};

/** @return is it a key? */
bool dtmf_parse(struct dtmf *out, struct span content_type, struct span body);
void dtmf_write(struct text *out, const struct dtmf *dtmf);
