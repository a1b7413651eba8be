/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/pbx_private.h"
#include "sip/outside.h"

/* pbx_pass.h: one request outside of dialogs, carried from its sender to the PBX or to a device, and the answer carried
 * back: written anew, but for the digest, which goes through byte for byte both ways. RFC 3261 8, 16.7, 22. */

struct pbx_pass;

/** The final answer on its way back. */
struct pbx_answer {
    unsigned status;                /* may be changed */
    const struct sip_msg *response; /* NULL: there was none */
    const char *why;                /* then: a sentence; may be changed */
    struct text *headers;           /* lines for the sender: what is passed is in it already */
    unsigned hold_ms;               /* send it so much later */
    size_t whose;                   /* of a held one: hash of who asked */
};
typedef void pbx_answer_fn(struct pbx_answer *answer, struct server_tx *tx, void *arg);

struct pbx_pass_options {
    struct pbx *pbx;
    struct server_tx *tx;        /* referenced; its body is passed as it is. NULL: nobody waits for the answer */
    const struct trunk *trunk;   /* to the PBX (its directory is referenced), or */
    const struct sip_flow *flow; /* to a device */
    struct span next_hop;        /* the first hop that the PBX named; empty: the trunk's uri */
    struct outside head;         /* but stack and flow; texts are copied; call_id NULL: new names, CSeq 1 */
    struct span headers;         /* whole lines, copied */
    pbx_answer_fn *on_answer;    /* NULL: as it came */
    void *arg_taken;             /* a mem object, or NULL */
};
/** Send it; the sender gets an answer in any case, also when this fails. It ends by itself. */
void pbx_pass_send(const struct pbx_pass_options *options);

/** Has this worker or this source too many requests on their way already? */
bool pbx_pass_is_full(const struct pbx *pbx, const struct sip_flow *flow);
/** Does a refusal for this one wait on this flow? */
bool pbx_pass_is_held(const struct pbx *pbx, const struct sip_flow *flow, size_t whose);
void pbx_pass_end_all(struct pbx *pbx);

/** What the sender of a passed request is told where there was no answer. @param status 408: not in time
 *  @return its status */
unsigned pbx_no_answer(bool is_to_device, unsigned status, const char **why_out);

/** Header lines of a request that describe it and its body, and its credentials. */
void pbx_write_passed(struct text *out, const struct sip_msg *request);
/** Header lines of an answer that its sender has to see: challenges and what the request's method needs. */
void pbx_write_answered(struct text *out, const struct sip_msg *response);
/** Lines of that name, values as they stand. */
void pbx_write_lines(struct text *out, const struct sip_msg *msg, enum sip_header_id id);
/** Credentials of a request, byte for byte. */
void pbx_write_credentials(struct text *out, const struct sip_msg *request);
