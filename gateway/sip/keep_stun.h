/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

/* keep_stun.h: the STUN binding request as a keep-alive on the SIP port. RFC 5626 4.4.2 and 8, RFC 8489. */

#define KEEP_STUN_MIN 20 /* a STUN message is at least its head */
#define KEEP_STUN_MAX 64

/** The answer: XOR-MAPPED-ADDRESS and nothing else. @return its bytes; -EBADMSG: no binding request, or one that wants
 * what we do not know */
int keep_stun_answer(uint8_t out[static KEEP_STUN_MAX], const void *bytes, size_t n, const struct addr *from);
