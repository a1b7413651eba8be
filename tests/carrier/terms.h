/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/negotiation.h"
#include "voice.h"

/* terms.h: the carrier's side of offer and answer: descriptions to and from the terms of a voice. RFC 3264. Plain
 * RTP/AVP alone. */

/** Our place. */
struct terms_place {
    const char *host; /* numeric */
    bool is_v6;
    uint16_t port;
    const char *session_id; /* digits */
    uint64_t version;
};

/** Answer an offer. any_codec: Opus and G.722 too (for an echo), else G.711 alone.
 *  @return 0; -EBADMSG, -ENOENT with a static sentence in *why_out (answer 488) */
int terms_answer(struct voice_terms *terms, struct text *out, struct span offer, const struct terms_place *place,
                 bool any_codec, const char **why_out);

/** An offer of PCMA, PCMU and events. */
void terms_offer(struct text *out, const struct terms_place *place);
/** Read the answer to it. @return as above */
int terms_read_answer(struct voice_terms *terms, struct span answer, const char **why_out);
