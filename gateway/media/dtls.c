/* SPDX-License-Identifier: Apache-2.0 */
/* dtls.c: one DTLS association by OpenSSL: a BIO that carries single datagrams, the retransmission timer, fingerprint,
 * exported SRTP keys. RFC 6347, RFC 5763, RFC 5764. Knows neither ICE nor SRTP packets: datagrams in, datagrams out. */
#include "media/dtls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"

#define MTU_BYTES        1200
#define FIRST_TIMEOUT_US 100000 /* RFC 6347 says 1 s; a lost hello would be felt by the person who waits */
#define TIMEOUT_MAX_US   3200000
#define HANDSHAKE_MAX_MS 15000
#define LAST_FLIGHT_MS   10000 /* so long a peer may ask for it again */
#define FAREWELL_MAX     128   /* a close_notify is 39 bytes with GCM */
#define EXPORT_LABEL     "EXTRACTOR-dtls_srtp"

enum dtls_phase { HANDSHAKING, DONE, FAILED };

struct dtls {
    SSL *ssl;
    const struct dtls_user *user;
    void *arg;
    enum dtls_phase phase;
    bool is_client;
    struct timer timer;
    uint64_t deadline_ms;
    const void *in; /* the datagram to be read, NULL when it was */
    size_t in_bytes;
    uint8_t farewell[FAREWELL_MAX]; /* our close_notify, when there is no library behind us any more */
    size_t farewell_bytes;
    bool is_settling; /* what is sent is kept as the farewell */
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *bytes, int size)
{
    struct dtls *dtls = BIO_get_data(bio);
    size_t n = dtls->in_bytes;

    BIO_clear_retry_flags(bio);
    if (!dtls->in || size <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (n > (size_t)size)
        n = (size_t)size;
    memcpy(bytes, dtls->in, n);
    dtls->in = NULL;
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int n)
{
    struct dtls *dtls = BIO_get_data(bio);

    if (!dtls->is_settling) {
        dtls->user->send(bytes, (size_t)n, dtls->arg);
    } else if (n <= FAREWELL_MAX) {
        memcpy(dtls->farewell, bytes, (size_t)n);
        dtls->farewell_bytes = (size_t)n;
    }
    return n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return MTU_BYTES;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return 48; /* IPv6 and UDP */
    default:
        return 0;
    }
}

static BIO_METHOD *bio_method;

static void make_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");

    if (method) {
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    bio_method = method;
}

/* ---- the handshake ---- */

static unsigned next_timeout_us(SSL *ssl, unsigned last_us)
{
    if (!last_us)
        return FIRST_TIMEOUT_US;
    return last_us < TIMEOUT_MAX_US / 2 ? 2 * last_us : TIMEOUT_MAX_US;
}

static void fail(struct dtls *dtls, const char *why)
{
    if (dtls->phase != HANDSHAKING)
        return;
    dtls->phase = FAILED;
    timer_stop(&dtls->timer);
    stats_count(STAT_DTLS_FAILED);
    dtls->user->on_failed(why, dtls->arg);
}

static void fail_by_library(struct dtls *dtls)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    char why[128];

    snprintf(why, sizeof(why), "DTLS handshake failed: %s", reason ? reason : "no reason given");
    ERR_clear_error();
    fail(dtls, why);
}

static void on_timer(void *arg);

/* Until the library wants to send again, or the handshake has taken too long. */
static void arm_timer(struct dtls *dtls)
{
    uint64_t now_ms = clock_now_ms(), left_ms;
    struct timeval next;

    left_ms = dtls->deadline_ms > now_ms ? dtls->deadline_ms - now_ms : 0;
    if (DTLSv1_get_timeout(dtls->ssl, &next)) {
        uint64_t next_ms = (uint64_t)next.tv_sec * 1000 + (uint64_t)(next.tv_usec + 999) / 1000;

        left_ms = next_ms < left_ms ? next_ms : left_ms;
    }
    worker_timer(&dtls->timer, left_ms, on_timer, dtls);
}

static void finish_handshake(struct dtls *dtls)
{
    SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);

    timer_stop(&dtls->timer);
    if (!profile || !srtp_suite(span_of(profile->name))) {
        fail(dtls, "the peer takes none of our SRTP profiles");
        return;
    }
    dtls->phase = DONE;
    stats_count(STAT_DTLS_HANDSHAKES);
    dtls->user->on_done(dtls->arg);
}

static void go_on(struct dtls *dtls)
{
    int result;

    mem_ref(dtls); /* the callbacks may end it */
    ERR_clear_error();
    result = SSL_do_handshake(dtls->ssl);
    if (result == 1)
        finish_handshake(dtls);
    else if (SSL_get_error(dtls->ssl, result) == SSL_ERROR_WANT_READ)
        arm_timer(dtls);
    else
        fail_by_library(dtls);
    ERR_clear_error();
    mem_unref(dtls);
}

static void on_timer(void *arg)
{
    struct dtls *dtls = mem_ref(arg);

    if (clock_now_ms() >= dtls->deadline_ms) {
        fail(dtls, "the DTLS handshake did not end within 15 s");
    } else if (DTLSv1_handle_timeout(dtls->ssl) < 0) {
        fail_by_library(dtls);
    } else if (dtls->phase == HANDSHAKING) {
        arm_timer(dtls);
    }
    mem_unref(dtls);
}

/* ---- after it ---- */

/* There is no application data (yet): what is read is the peer's repeated last flight, alerts or garbage. */
static void read_records(struct dtls *dtls)
{
    char bytes[256];
    int n;

    if (!SSL_alloc_buffers(dtls->ssl))
        return;
    do {
        ERR_clear_error();
        n = SSL_read(dtls->ssl, bytes, sizeof(bytes));
    } while (n > 0);
    if (SSL_get_error(dtls->ssl, n) == SSL_ERROR_ZERO_RETURN) {
        dtls->phase = FAILED;
        dtls->user->on_closed(dtls->arg);
    }
    ERR_clear_error();
}

static void say_goodbye(struct dtls *dtls)
{
    if (!SSL_alloc_buffers(dtls->ssl))
        return;
    ERR_clear_error();
    SSL_shutdown(dtls->ssl);
    ERR_clear_error();
}

/* The close_notify is made now: it is the last record, whenever it is sent. */
static void on_settled(void *arg)
{
    struct dtls *dtls = arg;

    dtls->is_settling = true;
    say_goodbye(dtls);
    dtls->is_settling = false;
    SSL_free(dtls->ssl);
    dtls->ssl = NULL;
}

void dtls_settle(struct dtls *dtls, bool is_proved)
{
    bool may_be_asked = !dtls->is_client && !is_proved; /* the server's flight is the last one */

    if (dtls->phase == DONE && dtls->ssl)
        worker_timer(&dtls->timer, may_be_asked ? LAST_FLIGHT_MS : 0, on_settled, dtls);
}

void dtls_receive(struct dtls *dtls, const void *bytes, size_t n)
{
    if (!dtls->ssl)
        return;
    mem_ref(dtls);
    dtls->in = bytes;
    dtls->in_bytes = n;
    if (dtls->phase == HANDSHAKING)
        go_on(dtls);
    if (dtls->phase == DONE) {
        read_records(dtls);
        SSL_free_buffers(dtls->ssl); /* 33 kB that an association at rest does not need */
    }
    dtls->in = NULL;
    mem_unref(dtls);
}

bool dtls_is_done(const struct dtls *dtls)
{
    return dtls->phase == DONE;
}

bool dtls_is_client(const struct dtls *dtls)
{
    return dtls->is_client;
}

/* ---- fingerprint and keys ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t digest_bytes_of(struct span hash)
{
    if (span_ieq(hash, SPAN("sha-256")))
        return 32;
    if (span_ieq(hash, SPAN("sha-384")))
        return 48;
    return span_ieq(hash, SPAN("sha-512")) ? 64 : 0;
}

int dtls_parse_fingerprint(uint8_t digest[static DTLS_DIGEST_MAX], struct span hash, struct span text)
{
    size_t n = digest_bytes_of(hash);

    if (!n)
        return -EPROTO;
    if (text.n != 3 * n - 1)
        return -EBADMSG;
    for (size_t i = 0; i < n; i++) {
        int high = digit_of(text.p[3 * i]), low = digit_of(text.p[3 * i + 1]);

        if (high < 0 || low < 0 || (i + 1 < n && text.p[3 * i + 2] != ':'))
            return -EBADMSG;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return (int)n;
}

bool dtls_check_fingerprint(const struct dtls *dtls, const uint8_t *digest, size_t n)
{
    const EVP_MD *hash = n == 32 ? EVP_sha256() : n == 48 ? EVP_sha384() : EVP_sha512();
    X509 *certificate = dtls->ssl ? SSL_get1_peer_certificate(dtls->ssl) : NULL;
    uint8_t found[EVP_MAX_MD_SIZE];
    unsigned found_bytes = 0;
    bool is_same;

    if (!certificate)
        return false;
    is_same = X509_digest(certificate, hash, found, &found_bytes) && found_bytes == n && !memcmp(found, digest, n);
    X509_free(certificate);
    return is_same;
}

int dtls_export_keys(const struct dtls *dtls, struct dtls_keys *keys)
{
    uint8_t bytes[2 * SRTP_KEY_MAX], *client, *server;
    unsigned key_bytes, salt_bytes;

    if (dtls->phase != DONE || !dtls->ssl)
        return -EPROTO;
    keys->suite = srtp_suite(span_of(SSL_get_selected_srtp_profile(dtls->ssl)->name));
    srtp_suite_bytes(keys->suite, &key_bytes, &salt_bytes);
    keys->key_bytes = key_bytes + salt_bytes;
    if (SSL_export_keying_material(dtls->ssl, bytes, (size_t)2 * keys->key_bytes, EXPORT_LABEL, strlen(EXPORT_LABEL),
                                   NULL, 0, 0) != 1)
        return -EPROTO;
    client = dtls->is_client ? keys->local : keys->remote;
    server = dtls->is_client ? keys->remote : keys->local;
    memcpy(client, bytes, key_bytes); /* both keys, then both salts: RFC 5764 4.2 */
    memcpy(server, bytes + key_bytes, key_bytes);
    memcpy(client + key_bytes, bytes + (size_t)2 * key_bytes, salt_bytes);
    memcpy(server + key_bytes, bytes + (size_t)2 * key_bytes + salt_bytes, salt_bytes);
    explicit_bzero(bytes, sizeof(bytes));
    return 0;
}

void dtls_close(struct dtls *dtls)
{
    if (dtls->phase == DONE && dtls->ssl)
        say_goodbye(dtls);
    else if (dtls->phase == DONE && dtls->farewell_bytes)
        dtls->user->send(dtls->farewell, dtls->farewell_bytes, dtls->arg);
    timer_stop(&dtls->timer);
    dtls->phase = FAILED;
}

/* ---- birth ---- */

static void dtls_destroy(void *self)
{
    struct dtls *dtls = self;

    timer_stop(&dtls->timer);
    SSL_free(dtls->ssl);
}

static int make_ssl(struct dtls *dtls, struct dtls_identity *identity)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    pthread_once(&once, make_bio_method);
    dtls->ssl = SSL_new(dtls_identity_context(identity));
    bio = bio_method ? BIO_new(bio_method) : NULL;
    if (!dtls->ssl || !bio) {
        BIO_free(bio);
        return -ENOMEM;
    }
    BIO_set_data(bio, dtls);
    BIO_set_init(bio, 1);
    SSL_set_bio(dtls->ssl, bio, bio);
    SSL_set_mtu(dtls->ssl, MTU_BYTES);
    DTLS_set_link_mtu(dtls->ssl, MTU_BYTES + 48);
    DTLS_set_timer_cb(dtls->ssl, next_timeout_us);
    if (dtls->is_client)
        SSL_set_connect_state(dtls->ssl);
    else
        SSL_set_accept_state(dtls->ssl);
    return 0;
}

int dtls_new(struct dtls **dtlsp, struct dtls_identity *identity, bool is_client, const struct dtls_user *user,
             void *arg)
{
    struct dtls *dtls = mem_new(sizeof(*dtls), dtls_destroy);
    int err;

    if (!dtls)
        return -ENOMEM;
    dtls->is_client = is_client;
    dtls->user = user;
    dtls->arg = arg;
    dtls->deadline_ms = clock_now_ms() + HANDSHAKE_MAX_MS;
    err = make_ssl(dtls, identity);
    if (err) {
        mem_unref(dtls);
        return err;
    }
    *dtlsp = dtls;
    if (is_client)
        go_on(dtls);
    else
        arm_timer(dtls);
    return 0;
}
