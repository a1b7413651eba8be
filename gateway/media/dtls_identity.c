/* SPDX-License-Identifier: Apache-2.0 */
/* dtls_identity.c: the process's certificate (ECDSA P-256, self-signed) with its fingerprint, and the TLS context made
 * of it. RFC 8827 section 6.5, RFC 8122. Immutable once made; shared by all workers. */
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "media/dtls.h"
#include "media/dtls_library.h"

#define DAY_S           (24 * 3600L)
#define VALID_DAYS      365
#define FINGERPRINT_MAX 96
#define SENT_MAX        2048 /* more than a datagram of ours holds */
#define PROFILES        "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
#define CIPHERS         "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"

struct dtls_identity {
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *context;
    char fingerprint[FINGERPRINT_MAX];
};

static void identity_destroy(void *self)
{
    struct dtls_identity *identity = self;

    SSL_CTX_free(identity->context);
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

/* Self-signed, with a name that tells nothing. */
static int make_certificate(struct dtls_identity *identity)
{
    X509 *certificate = identity->certificate;
    X509_NAME *name = X509_get_subject_name(certificate);

    if (!X509_set_version(certificate, 2) ||
        !ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), rand_u64() >> 1) ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) || /* clocks differ */
        !X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_DAYS * DAY_S) ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"WebRTC", -1, -1, 0) ||
        !X509_set_issuer_name(certificate, name) || !X509_set_pubkey(certificate, identity->key) ||
        !X509_sign(certificate, identity->key, EVP_sha256()))
        return -ENOMEM;
    return 0;
}

static int write_fingerprint(struct dtls_identity *identity)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!X509_digest(identity->certificate, EVP_sha256(), digest, &n))
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++)
        snprintf(identity->fingerprint + (size_t)3 * i, 4, i + 1 < n ? "%02X:" : "%02X", digest[i]);
    return 0;
}

/* Who the peer is, its fingerprint tells: any certificate may come through the handshake. In the place of the library's
 * own verification, as no chain has to be built and looked through for that. */
static int accept_certificate(X509_STORE_CTX *store, void *unused)
{
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static int make_context(struct dtls_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new_ex(dtls_library(), NULL, DTLS_method());

    identity->context = context;
    if (!context)
        return -ENOMEM;
    SSL_CTX_set_options(context,
                        SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_send_fragment(context, SENT_MAX); /* a buffer of that size and not of 16 kB */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, accept_certificate, NULL);
    SSL_CTX_set_read_ahead(context, 1);
    if (!SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) ||
        !SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) || !SSL_CTX_set_cipher_list(context, CIPHERS) ||
        SSL_CTX_use_certificate(context, identity->certificate) != 1 ||
        SSL_CTX_use_PrivateKey(context, identity->key) != 1 ||
        SSL_CTX_set_tlsext_use_srtp(context, PROFILES)) /* 0 is its success */
        return -ENOMEM;
    return 0;
}

int dtls_identity_new(struct dtls_identity **identityp)
{
    struct dtls_identity *identity = mem_new(sizeof(*identity), identity_destroy);
    int err = -ENOMEM;

    if (!identity)
        return -ENOMEM;
    identity->key = EVP_PKEY_Q_keygen(dtls_library(), NULL, "EC", "P-256");
    identity->certificate = X509_new_ex(dtls_library(), NULL);
    if (!identity->key || !identity->certificate)
        goto out;
    err = make_certificate(identity);
    if (!err)
        err = write_fingerprint(identity);
    if (!err)
        err = make_context(identity);
    if (err)
        goto out;
    *identityp = identity;
    identity = NULL;
out:
    mem_unref(identity);
    return err;
}

const char *dtls_identity_fingerprint(const struct dtls_identity *identity)
{
    return identity->fingerprint;
}

struct ssl_ctx_st *dtls_identity_context(struct dtls_identity *identity)
{
    return identity->context;
}
