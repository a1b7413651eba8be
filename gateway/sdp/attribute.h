/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/sdp.h"

/* attribute.h: reading a= lines into a media description; session-level ones go into a description that stands for the
 * session and hand down what is inherited. RFC 8866 section 6. For parse.c only. */

/** Read "name:value" or "name" (what stands behind "a="). What is unknown or malformed is passed over. */
void attribute_read(struct sdp_media *media, struct span line);

/** Fill a new media description with what the session level says for all of them (but the fingerprint, which a
 *  line takes at its end if it has none). RFC 8839 5.4, RFC 8122 5, RFC 8866 6.7. */
void attribute_inherit(struct sdp_media *media, const struct sdp_media *session);

/** Cut the next word off; several blanks count as one. Empty at the end. */
struct span attribute_next_word(struct span *rest);

/** Text that may be a name: not empty, visible ASCII only. */
bool attribute_is_token(struct span s);
