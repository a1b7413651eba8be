/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/media.h"
#include "media/srtp_ctx.h"

/* dtls.h: one DTLS association over datagrams that somebody else carries: handshake with retransmission, the peer's
 * fingerprint, the SRTP keys. RFC 6347, RFC 5763, RFC 5764. Runs on the call's worker. */

struct dtls;

/** Callbacks may unref the association. None comes after that. */
struct dtls_user {
    /** Carry one datagram to the peer (copy it). */
    void (*send)(const void *bytes, size_t n, void *arg);
    /** The handshake is done; nothing is known of the peer's identity before dtls_check_fingerprint(). */
    void (*on_done)(void *arg);
    /** The handshake failed or took more than 15 s; at most once. */
    void (*on_failed)(const char *why, void *arg);
    /** The peer said close_notify. */
    void (*on_closed)(void *arg);
};

/** A client begins at once; a server waits for the first hello. The identity outlives it. */
int dtls_new(struct dtls **dtlsp, struct dtls_identity *identity, bool is_client, const struct dtls_user *user,
             void *arg);
/** A datagram from the peer. Garbage never ends an association whose handshake is done. */
void dtls_receive(struct dtls *dtls, const void *bytes, size_t n);
bool dtls_is_done(const struct dtls *dtls);
bool dtls_is_client(const struct dtls *dtls);

/** Read "AA:BB:.." of a hash name. @return bytes of the digest; -EPROTO: a hash we do not take; -EBADMSG */
#define DTLS_DIGEST_MAX 64
int dtls_parse_fingerprint(uint8_t digest[static DTLS_DIGEST_MAX], struct span hash, struct span text);
/** Is the peer's certificate the one with this digest? Its length tells the hash (32, 48, 64). */
bool dtls_check_fingerprint(const struct dtls *dtls, const uint8_t *digest, size_t n);

struct dtls_keys {
    const char *suite; /* as srtp_ctx.h names it */
    uint8_t local[SRTP_KEY_MAX], remote[SRTP_KEY_MAX];
    unsigned key_bytes; /* of each: key and salt */
};
/** Both directions' keys and salts. The caller wipes them. @return 0; -EPROTO before the end of the handshake */
int dtls_export_keys(const struct dtls *dtls, struct dtls_keys *keys);
/** Fingerprint and keys were taken and nothing else is wanted: give the library's 45 kB back in the next turn of the
 * loop, or after 10 s while the peer may still ask for our last flight again. Of the association a close_notify
 * remains, to be said by dtls_close(); the peer's is not heard any more.
 * @param is_proved the peer has sent SRTP, so its handshake is done, too. Does not allocate. */
void dtls_settle(struct dtls *dtls, bool is_proved);
/** Say close_notify, if the handshake is done. */
void dtls_close(struct dtls *dtls);

/** Private to the dtls rooms: the context that all associations of an identity share. */
struct ssl_ctx_st *dtls_identity_context(struct dtls_identity *identity);
