/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/srtp_ctx.h"

/* srtp_kind.h: what does the work of an SRTP association: libsrtp2 (srtp_lib.c) or, for the AEAD suites, OpenSSL's GCM
 * directly (srtp_gcm.c). Of all this only srtp_ctx.c is seen by others. */

struct srtp_kind {
    /** Make the state of both directions, a mem_new() object. Lengths of the keys were checked. */
    int (*make)(void **selfp, const struct srtp_keys *keys);
    /** In place; *n is the length before and after. Protecting ones find SRTP_TRAILER_MAX bytes of room behind the
     * packet.
     *  @return 0; -EACCES: not authentic; -EALREADY: seen before or too old; -EBADMSG: malformed; -EIO, -ENOMEM */
    int (*protect)(void *self, uint8_t *bytes, size_t *n);
    int (*protect_rtcp)(void *self, uint8_t *bytes, size_t *n);
    int (*unprotect)(void *self, uint8_t *bytes, size_t *n);
    int (*unprotect_rtcp)(void *self, uint8_t *bytes, size_t *n);
};

#define SRTP_TRAILER_MAX 148

extern const struct srtp_kind srtp_lib_gcm_128, srtp_lib_gcm_256, srtp_lib_cm_sha1; /* libsrtp2 */
extern const struct srtp_kind srtp_gcm; /* OpenSSL; the key's length tells AES-128 or AES-256 */
