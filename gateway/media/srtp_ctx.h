/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/span.h"
#include "net/pkt.h"

/* srtp_ctx.h: both directions of one SRTP association. RFC 3711, RFC 7714. All work is in place. */

struct srtp_ctx;

#define SRTP_KEY_MAX 44 /* 32 bytes of key and 12 of salt; 16 + 14 for AES-CM */

struct srtp_keys {
    const char *suite;         /* "AEAD_AES_256_GCM", "AEAD_AES_128_GCM" or "AES_CM_128_HMAC_SHA1_80" */
    struct span local, remote; /* key and salt behind each other; borrowed */
};

/** libsrtp2 and its ciphers are made ready and test themselves: 20 ms, so at the process's start, else the first
 *  srtp_ctx_new() waits for it. Any thread, any number of times. */
void srtp_ctx_start_library(void);

/** The suite's name in our table for a name of DTLS (SRTP_AES128_CM_SHA1_80) or SDES; NULL: not ours. */
const char *srtp_suite(struct span name);
/** Bytes of its key and of its salt. */
void srtp_suite_bytes(const char *suite, unsigned *key_bytes, unsigned *salt_bytes);

/** @return 0; -EINVAL: unknown suite or wrong length of a key; -ENOMEM */
int srtp_ctx_new(struct srtp_ctx **ctxp, const struct srtp_keys *keys);
/** The peer has another key; our direction goes on with its rollover counter, so that no keystream is used twice.
 *  @param keys suite and local are those it was made with. @return as srtp_ctx_new() */
int srtp_ctx_set_remote(struct srtp_ctx *ctx, const struct srtp_keys *keys);
/** What a packet that is unprotected, or protected (is_out), touches. */
struct warm;
void srtp_ctx_warm(const struct srtp_ctx *ctx, bool is_out, struct warm *warm);
const char *srtp_ctx_suite(const struct srtp_ctx *ctx);

/** Packet path, in place. A failure is counted (STAT_SRTP_FAILED, STAT_SRTP_REPLAYED) by the unprotecting ones.
 *  @return 0; -EACCES: authentication failed, -EALREADY: seen before, -EBADMSG: too short,
 *  -ENOMEM: more sources than 64; -EIO: could not be protected */
int srtp_ctx_unprotect(struct srtp_ctx *ctx, struct pkt *pkt);
int srtp_ctx_unprotect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt);
int srtp_ctx_protect(struct srtp_ctx *ctx, struct pkt *pkt);
int srtp_ctx_protect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt);
