/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/sdp.h"

/* candidate.h: the value of a=candidate. RFC 8839 section 5.1. */

/** Read "FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE ..."; extensions behind are passed over.
 *  @return 0, -EBADMSG. Pure. */
int candidate_parse(struct sdp_candidate *candidate, struct span value);

void candidate_write(struct text *out, const struct sdp_candidate *candidate);
