/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../sip/sip_rig.h"
#include "call/calls.h"

/* guard_rig.h: the door of the gateway: guard and registrar behind a stack whose wire is the test's. */

extern struct calls guard_calls; /* only what guard and registrar look at */

int guard_setup(void **state);
int guard_teardown(void **state);

struct guard_try {
    const char *user, *password; /* password NULL: no credentials */
    const char *from;            /* user of From; NULL: user */
    const char *uri;             /* of the digest; NULL: the Request-URI */
    const char *method;          /* REGISTER by default */
    const char *headers;         /* whole lines with LF */
    unsigned nc;                 /* 0: 1 */
    const char *nonce;           /* NULL: that of the last challenge */
    unsigned cseq;               /* 0: the next one */
};
/** Send it. The branch is a new one each time. */
void guard_send(const struct sip_flow *flow, const struct guard_try *wish);
/** A challenge, and the answer to it. @return the last answer */
struct rig_sent *guard_prove(const struct sip_flow *flow, const struct guard_try *wish);
/** Nonce of the last challenge that guard_take() saw. */
extern char guard_nonce[100];
/** The next answer; a 401's nonce is kept. */
struct rig_sent *guard_take(unsigned status);
