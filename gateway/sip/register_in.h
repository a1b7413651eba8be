/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/msg.h"

/* register_in.h: what a REGISTER asks for. RFC 3261 10.3, RFC 5626 (+sip.instance, reg-id, ob), RFC 5627's pub-gruu
 * not. Pure: the bindings themselves are kept by the floor above. */

#define REGISTER_CONTACT_MAX 16

struct register_contact {
    struct span uri;      /* without header parameters */
    struct span instance; /* +sip.instance without quotes and <>; empty: none */
    uint32_t reg_id;      /* 0: none */
    uint32_t expires_s;   /* granted; 0: remove */
    unsigned q_milli;     /* 0..1000 */
};

struct register_in {
    bool is_query;    /* no Contact: only asks */
    bool removes_all; /* Contact: * with Expires: 0 */
    unsigned contact_count;
    struct register_contact contacts[REGISTER_CONTACT_MAX];
};

struct register_limits {
    uint32_t min_s, max_s;
};

/** @param status_out 400 or 423 with a sentence when refused. @return 0, -EBADMSG */
int register_in_parse(struct register_in *reg, const struct sip_msg *msg, const struct register_limits *limits,
                      unsigned *status_out, const char **why_out);
