/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

/* tls.h: OpenSSL contexts for SIP over TLS, their certificates, reload. Only net/tls.c, net/stream.c and media/dtls.c
 * say SSL_. */

struct tls; /* counted; may be shared by the workers (SSL_CTX is thread-safe), its reference by the app */

/** A server context (also usable for clients). TLS 1.2 or later. @param certificate PEM chain, @param key PEM.
 *  @param why_out static or per-thread sentence on error. @return 0, -EINVAL */
int tls_new(struct tls **tlsp, const char *certificate, const char *key, const char **why_out);
struct tls_client_options {
    const char *certificate, *key; /* shown where the peer asks for one; NULL: none */
    const char *ca;                /* PEM file of whom to trust; NULL: whom the system trusts */
    bool verifies;
};
int tls_client_open(struct tls **tlsp, const struct tls_client_options *options, const char **why_out);
/** The usual one: no certificate of ours. */
int tls_client_new(struct tls **tlsp, const char *ca_file, bool verifies, const char **why_out);
/** Contexts made from now on, by reloads, too, speak TLS 1.3 only (or 1.2 as well, as at first). Process-wide. */
void tls_set_modern(bool is_modern);
/** Read the files again; on error the old pair stays. Connections that run are not touched. */
int tls_reload(struct tls *tls, const char **why_out);
/** Check that a pair can be read and fits, without using it. */
int tls_check_pair(const char *certificate, const char *key, const char **why_out);
SSL_CTX *tls_context(struct tls *tls);
