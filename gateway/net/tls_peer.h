/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* tls_peer.h: what a TLS peer shows of itself: version, certificate, its dates, names and chain. For reports; nothing
 * is let in or refused by it. Also the dates of a certificate of ours. */

struct stream;

#define TLS_PEER_TEXT_MAX 256

struct tls_peer {
    char version[16], cipher[64]; /* "TLSv1.3" */
    bool has_certificate;
    int64_t starts_s, ends_s; /* seconds since 1970 */
    bool is_name_right;       /* for the name asked about: RFC 6125, RFC 5922 7.2 */
    bool is_chain_right;      /* by the context's authorities; dates and name left aside */
    bool is_self_signed;
    char names[TLS_PEER_TEXT_MAX]; /* whom it is for: subjectAltName, else the common name; cut where long */
    char issuer[TLS_PEER_TEXT_MAX];
    char chain_error[TLS_PEER_TEXT_MAX]; /* OpenSSL's words; "" when right */
};

/** Look at an open TLS stream that we began. @param name host name or numeric address. @return 0; -EINVAL: no TLS */
int tls_peer_look(struct tls_peer *peer, struct stream *stream, const char *name);

/** The first certificate of a PEM file. @return 0; -EINVAL: cannot be read */
int tls_file_dates(int64_t *starts_s, int64_t *ends_s, const char *file);
