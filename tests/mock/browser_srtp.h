/* SPDX-License-Identifier: Apache-2.0 */
/* browser_srtp.h: both directions of one SRTP association of the scripted browser, by libsrtp2. RFC 3711, RFC 7714. */
#pragma once
#include <srtp2/srtp.h>

#include "browser_dtls.h"

struct browser_srtp {
    srtp_t sending, receiving;
};

/** @return 0; -EINVAL: unknown profile or libsrtp refuses. srtp_init() is called once per process inside. */
int browser_srtp_start(struct browser_srtp *srtp, const struct browser_srtp_keys *keys);
void browser_srtp_stop(struct browser_srtp *srtp);
/** In place; room for SRTP_MAX_TRAILER_LEN behind. @return new size; -EACCES. */
int browser_srtp_protect(struct browser_srtp *srtp, uint8_t *bytes, size_t size);
/** RTP or RTCP, in place. @return new size; -EACCES: forged, replayed or not ours. */
int browser_srtp_unprotect(struct browser_srtp *srtp, uint8_t *bytes, size_t size, bool is_rtcp);
