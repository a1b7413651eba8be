/* SPDX-License-Identifier: Apache-2.0 */
/* browser_dtls.c: the handshake that gives the SRTP keys. RFC 5764. Knows neither ICE nor SRTP itself. */
#include "browser_dtls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

enum { MTU_BYTES = 1200, FIRST_WAIT_US = 50000, NS_PER_US = 1000 };
static const char default_profiles[] = "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

/* Key and salt length of a protection profile: RFC 5764 section 4.1.2, RFC 7714 section 14.2. */
static bool profile_sizes(unsigned profile, size_t *key, size_t *salt)
{
    *key = profile == 8 ? 32 : 16;
    *salt = profile == 1 ? 14 : 12;
    return profile == 1 || profile == 7 || profile == 8;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct browser_dtls *dtls = BIO_get_data(bio);

    peer_udp_send(dtls->udp, &dtls->remote, bytes, (size_t)size);
    return size;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return MTU_BYTES;
    default:
        return 0;
    }
}

/* A write BIO that keeps the borders of datagrams; a memory BIO would join them. */
static BIO *new_out_bio(struct browser_dtls *dtls)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    bio = BIO_new(method);
    if (bio) {
        BIO_set_data(bio, dtls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* 50 ms first, as Chromium: OpenSSL's second would be felt by the user whose first hello was lost. */
static unsigned next_wait_us(SSL *ssl, unsigned last_us)
{
    (void)ssl;
    return last_us ? last_us * 2 : FIRST_WAIT_US;
}

static int accept_any(int is_preverified, X509_STORE_CTX *store)
{
    (void)is_preverified;
    (void)store;
    return 1; /* what counts is the fingerprint, looked at when the handshake is over */
}

static void write_fingerprint(char out[static DTLS_FINGERPRINT_TEXT_BYTES], const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    X509_digest(certificate, EVP_sha256(), digest, &size);
    for (unsigned i = 0; i < size; i++)
        snprintf(out + i * 3, 4, "%02X%s", digest[i], i + 1 < size ? ":" : "");
}

static X509 *self_sign(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    X509_NAME *name = x509 ? X509_get_subject_name(x509) : NULL;

    if (!name)
        return NULL;
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x509), 30 * 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"WebRTC", -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_set_pubkey(x509, key);
    X509_sign(x509, key, EVP_sha256());
    return x509;
}

int browser_certificate_new(struct browser_certificate *certificate, const char *profiles)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = key ? self_sign(key) : NULL;
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    int err = -ENOMEM;

    if (!x509 || !ctx)
        goto out;
    err = -EINVAL;
    SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    if (SSL_CTX_use_certificate(ctx, x509) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
        goto out;
    if (SSL_CTX_set_tlsext_use_srtp(ctx, profiles ? profiles : default_profiles)) /* 1 is refusal here */
        goto out;
    write_fingerprint(certificate->fingerprint, x509);
    certificate->ctx = ctx;
    ctx = NULL;
    err = 0;
out:
    SSL_CTX_free(ctx);
    X509_free(x509);
    EVP_PKEY_free(key);
    return err;
}

void browser_certificate_free(struct browser_certificate *certificate)
{
    SSL_CTX_free(certificate->ctx);
    certificate->ctx = NULL;
}

static int export_keys(struct browser_dtls *dtls, struct browser_srtp_keys *keys)
{
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
    uint8_t bytes[2 * DTLS_KEY_MAX_BYTES], *client = keys->sending, *server = keys->receiving;
    size_t key, salt;

    if (!profile || !profile_sizes((unsigned)profile->id, &key, &salt))
        return -EPROTO;
    keys->profile = (unsigned)profile->id;
    keys->size = key + salt;
    if (SSL_export_keying_material(dtls->ssl, bytes, 2 * keys->size, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1)
        return -EPROTO;
    if (SSL_is_server(dtls->ssl)) {
        client = keys->receiving;
        server = keys->sending;
    }
    memcpy(client, bytes, key);
    memcpy(server, bytes + key, key);
    memcpy(client + key, bytes + 2 * key, salt);
    memcpy(server + key, bytes + 2 * key + salt, salt);
    return 0;
}

static int check_fingerprint(const struct browser_dtls *dtls)
{
    X509 *x509 = SSL_get1_peer_certificate(dtls->ssl);
    char text[DTLS_FINGERPRINT_TEXT_BYTES] = "";

    if (x509)
        write_fingerprint(text, x509);
    X509_free(x509);
    return text[0] && !strcasecmp(text, dtls->remote_fingerprint) ? 0 : -EACCES;
}

static void finish(struct browser_dtls *dtls)
{
    struct browser_srtp_keys keys = {0};
    int err = check_fingerprint(dtls);

    dtls->is_done = true;
    if (!err)
        err = export_keys(dtls, &keys);
    dtls->on_done(dtls->ctx, err, &keys);
}

static void arm_timer(struct browser_dtls *dtls)
{
    struct timeval rest;

    if (dtls->is_done || !DTLSv1_get_timeout(dtls->ssl, &rest))
        return;
    peer_timer_start(dtls->udp->loop, &dtls->timer,
                     peer_loop_now_ns(dtls->udp->loop) +
                         ((uint64_t)rest.tv_sec * 1000000 + (uint64_t)rest.tv_usec) * NS_PER_US);
}

static void step(struct browser_dtls *dtls)
{
    int done, error;

    ERR_clear_error();
    done = SSL_do_handshake(dtls->ssl);
    error = SSL_get_error(dtls->ssl, done);
    if (done == 1) {
        peer_timer_stop(dtls->udp->loop, &dtls->timer);
        finish(dtls);
    } else if (error != SSL_ERROR_WANT_READ) {
        dtls->is_done = true;
        peer_timer_stop(dtls->udp->loop, &dtls->timer);
        dtls->on_done(dtls->ctx, -EPROTO, NULL);
    } else {
        arm_timer(dtls);
    }
}

static void timer_due(void *ctx)
{
    struct browser_dtls *dtls = ctx;

    DTLSv1_handle_timeout(dtls->ssl);
    arm_timer(dtls);
}

int browser_dtls_start(struct browser_dtls *dtls, const struct browser_certificate *certificate, struct peer_udp *udp,
                       const struct sockaddr_in *remote, bool is_active)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = new_out_bio(dtls);

    dtls->ssl = SSL_new(certificate->ctx);
    if (!dtls->ssl || !in || !out)
        return -ENOMEM;
    dtls->udp = udp;
    dtls->remote = *remote;
    dtls->timer.on_due = timer_due;
    dtls->timer.ctx = dtls;
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(dtls->ssl, in, out);
    SSL_set_mtu(dtls->ssl, MTU_BYTES);
    DTLS_set_link_mtu(dtls->ssl, MTU_BYTES);
    DTLS_set_timer_cb(dtls->ssl, next_wait_us);
    if (is_active)
        SSL_set_connect_state(dtls->ssl);
    else
        SSL_set_accept_state(dtls->ssl);
    step(dtls);
    return 0;
}

void browser_dtls_receive(struct browser_dtls *dtls, const uint8_t *bytes, size_t size)
{
    uint8_t scrap[2048];

    if (!dtls->ssl)
        return;
    BIO_write(SSL_get_rbio(dtls->ssl), bytes, (int)size);
    if (!dtls->is_done)
        step(dtls);
    else
        while (SSL_read(dtls->ssl, scrap, sizeof(scrap)) >
               0) { /* a last flight repeated, an alert: OpenSSL's business */
        }
}

void browser_dtls_stop(struct browser_dtls *dtls)
{
    if (dtls->udp)
        peer_timer_stop(dtls->udp->loop, &dtls->timer);
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
}
