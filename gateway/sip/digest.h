/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

/* digest.h: HTTP digest for SIP, both sides. RFC 7616, RFC 8760 (MD5, SHA-256, SHA-512-256), RFC 3261 section 22.
 * The hashes by OpenSSL EVP. Pure apart from the process's nonce key; replay counters are the caller's (through the
 * store). */

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512_256, DIGEST_ALGORITHM_COUNT };
const char *digest_algorithm_name(enum digest_algorithm algorithm);
/** By name, without case. @return 0; -EPROTO: not one of ours */
int digest_algorithm_find(struct span name, enum digest_algorithm *algorithm);

#define DIGEST_HEX_MAX 129

/** A challenge as read from WWW-/Proxy-Authenticate. Spans into the header's value, quotes taken off. */
struct digest_challenge {
    struct span realm, nonce, opaque;
    enum digest_algorithm algorithm;
    bool has_qop_auth, has_qop; /* has_qop without has_qop_auth: only auth-int, not usable */
    bool is_stale;
};
/** @return 0; -EBADMSG; -EPROTO: an algorithm or qop that we do not know (try the next header line) */
int digest_challenge_parse(struct digest_challenge *challenge, struct span value);

/** Credentials as read from (Proxy-)Authorization. */
struct digest_response {
    struct span username, realm, nonce, uri, response, cnonce, opaque, nc_text, qop;
    enum digest_algorithm algorithm;
    uint32_t nc;
};
/** qop empty is the old form of RFC 2069: without nc there is no replay check, so a server of ours refuses it.
 *  @return 0; -EBADMSG; -EPROTO: another scheme, algorithm or qop than ours */
int digest_response_parse(struct digest_response *response, struct span value);

/** What the secret is: a password, or HA1 as hex (for MD5 accounts kept as ha1). */
struct digest_secret {
    struct span username, realm;
    struct span password;
    struct span ha1; /* used when password.p is NULL; fits MD5 only */
};

/** The response value: lower-case hex. nc/cnonce are used when qop is. @return 0; -EINVAL when ha1 does not fit the
 * algorithm */
struct digest_input {
    enum digest_algorithm algorithm;
    struct span method, uri, nonce, cnonce, nc_text;
    bool has_qop;
};
int digest_compute(char hex[static DIGEST_HEX_MAX], const struct digest_secret *secret,
                   const struct digest_input *input);

/** Write the Authorization value for a challenge. nc counts from 1 per nonce; cnonce is random; the realm is the
 * challenge's.
 *  @return 0; -EINVAL: ha1 does not fit, or a name that cannot be quoted; what text_err() says */
int digest_write_response(struct text *out, const struct digest_challenge *challenge,
                          const struct digest_secret *secret, struct span method, struct span uri, uint32_t nc);

/** Constant-time check of a response against the secret (its username and realm must be the response's) and the
 * request's method. true: the password is right. Whether uri is the Request-URI, and nonce and nc are good, is the
 * caller's to check. */
bool digest_verify(const struct digest_response *response, const struct digest_secret *secret, struct span method);

/** Server nonces: HMAC-SHA256 over (time, salt, source address), hex with the time in clear; life 60 s. Key: random per
 * process. */
#define DIGEST_NONCE_TEXT_MAX 80
void digest_nonce_make(char text[static DIGEST_NONCE_TEXT_MAX], uint64_t wall_s, struct span address);
enum digest_nonce { NONCE_GOOD, NONCE_STALE, NONCE_FOREIGN };
enum digest_nonce digest_nonce_check(struct span nonce, uint64_t wall_s, uint64_t life_s, struct span address);

/** One challenge header value: Digest realm="..", nonce="..", algorithm=.., qop="auth"[, stale=true] */
void digest_write_challenge(struct text *out, struct span realm, enum digest_algorithm algorithm, struct span nonce,
                            bool is_stale);
