/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/stack.h"

/* outside.h: how a request of ours outside of dialogs begins (REGISTER, OPTIONS, MESSAGE). RFC 3261 8.1.1. */

#define SIP_CALL_ID_MAX 48

struct outside {
    struct sip_stack *stack;
    struct sip_flow flow;
    enum sip_method method;
    struct span uri;           /* Request-URI */
    struct span from, to;      /* values without tags */
    struct span contact_user;  /* of our Contact; empty: "sipway" */
    struct span contact_param; /* ";name=value" of its URI, or empty */
    bool has_no_contact;       /* MESSAGE (RFC 3428 8), a REGISTER that only asks what is bound (RFC 3261 10.2.3) */
    const char *call_id, *tag;
    uint32_t cseq;
    unsigned max_forwards; /* what is left of another's request that this one carries on; 0: 70 */
};
/** A head with texts and names of its own. */
struct outside_copy {
    struct outside head;
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX];
    char *texts;
};
/** Copy a head; where call_id is NULL: with a new one, a new tag and CSeq 1. It must not be moved.
 *  @return 0; -ENOMEM. Free it with outside_copy_free() in any case */
int outside_copy(struct outside_copy *copy, const struct outside *head);
void outside_copy_free(struct outside_copy *copy);

/** Request line, Via, Max-Forwards, From, To, Call-ID, CSeq, Contact, User-Agent. The caller adds headers and the body.
 *  @param branch out */
void outside_write_head(struct text *out, const struct outside *outside, char branch[static SIP_BRANCH_MAX]);

/** A new Call-ID and From tag; the tag carries our worker's number. */
void outside_make_names(const struct sip_stack *stack, char call_id[static SIP_CALL_ID_MAX],
                        char tag[static SIP_TAG_MAX]);
