/* SPDX-License-Identifier: Apache-2.0 */
/* browser_dtls.h: DTLS 1.2 with use_srtp of the scripted browser, both roles. RFC 6347, RFC 5764. */
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer_udp.h"

enum { DTLS_FINGERPRINT_TEXT_BYTES = 32 * 3, DTLS_KEY_MAX_BYTES = 46 };

/** One certificate and its settings, shared by all browsers of a process. */
struct browser_certificate {
    SSL_CTX *ctx;
    char fingerprint[DTLS_FINGERPRINT_TEXT_BYTES]; /* sha-256, "AB:CD:..." */
};

/** Master key and salt as srtp_policy_t wants them. */
struct browser_srtp_keys {
    unsigned profile; /* use_srtp protection profile: 1, 7, 8 */
    size_t size;
    uint8_t sending[DTLS_KEY_MAX_BYTES];
    uint8_t receiving[DTLS_KEY_MAX_BYTES];
};

struct browser_dtls {
    struct peer_udp *udp;
    struct sockaddr_in remote;
    struct peer_timer timer;
    SSL *ssl;
    bool is_done;
    char remote_fingerprint[DTLS_FINGERPRINT_TEXT_BYTES]; /* must be set before the handshake ends */
    /** @param err 0: @p keys are valid; -EACCES wrong fingerprint; -EPROTO handshake failed. */
    void (*on_done)(void *ctx, int err, const struct browser_srtp_keys *keys);
    void *ctx;
};

/** @param profiles OpenSSL's names, NULL: GCM 256, GCM 128, CM-SHA1-80 in this order. @return 0; -EINVAL; -ENOMEM. */
int browser_certificate_new(struct browser_certificate *certificate, const char *profiles);
void browser_certificate_free(struct browser_certificate *certificate);

/** Begin as client (@p is_active) or wait for the other's hello. @return 0 or -ENOMEM. */
int browser_dtls_start(struct browser_dtls *dtls, const struct browser_certificate *certificate, struct peer_udp *udp,
                       const struct sockaddr_in *remote, bool is_active);
void browser_dtls_receive(struct browser_dtls *dtls, const uint8_t *bytes, size_t size);
void browser_dtls_stop(struct browser_dtls *dtls);
