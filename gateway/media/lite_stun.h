/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stun/stunagent.h>

#include "base/span.h"
#include "net/addr.h"

/* lite_stun.h: connectivity checks as messages: proved by the password of the user name that they carry, and answered.
 * RFC 8489, RFC 8445 section 7.3. */

/** The password of a local ufrag; empty: unknown. owner: whose it is, handed back with the check. */
typedef struct span lite_password_fn(void *arg, struct span ufrag, void **owner);

struct lite_stun {
    StunAgent agent;
    lite_password_fn *password_of;
    void *arg;
};

struct lite_check {
    bool is_valid;     /* authenticated and answered with success */
    bool is_nominated; /* USE-CANDIDATE */
    void *owner;
    uint8_t reply[256];
    size_t reply_bytes; /* 0: nothing to send */
};

void lite_stun_init(struct lite_stun *stun, lite_password_fn *password_of, void *arg);

/** Judge one datagram. Who could not prove itself gets no answer: reply_bytes is 0 then.
 *  @return 0: a valid check, or an indication that needs nothing; -EBADMSG, -EACCES, -EPROTO: refused */
int lite_stun_receive(struct lite_stun *stun, const uint8_t *bytes, size_t n, const struct addr *from,
                      struct lite_check *check);
