/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "probe/check.h"
#include "sdp/negotiation.h"

/* call_sdp.h: the descriptions of the test call: our offer, and what the trunk's answer makes of it. RFC 3264, 4568. */

struct srtp_ctx;

/* Our side; filled by call_sdp_offer(). */
struct call_sdp {
    struct sdp sdp; /* scratch, large */
    uint8_t key[64];
    unsigned key_bytes;
    char key_text[128];
    const char *suite; /* NULL: no SRTP offered */
};

/** Write the offer: the trunk's codecs, those of the test tone first. @return 0; -errno */
int call_sdp_offer(struct call_sdp *own, struct text *out, const struct conf_trunk *trunk, const struct addr *rtp,
                   uint16_t rtcp_port);

/** What was agreed. */
struct call_sdp_answer {
    struct addr rtp, rtcp;
    bool has_tone_codec, is_alaw;
    uint8_t pt;            /* of the tone */
    char codecs[160];      /* names, in their order */
    char events[64];       /* telephone-event as agreed; "": none */
    struct srtp_ctx *srtp; /* the caller's; NULL: plain */
};
/** @return 0; -EBADMSG, -ENOENT with a sentence */
int call_sdp_take(struct call_sdp_answer *answer, struct call_sdp *own, const struct conf_trunk *trunk,
                  struct span body, const char **why_out);
