/* SPDX-License-Identifier: Apache-2.0 */
/* Two associations against each other, over a wire in memory that can lose datagrams. */
#include "media_rig.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

struct end {
    struct dtls *dtls;
    struct end *other;
    struct dtls_identity *identity;
    unsigned sent_count, lose_count; /* the next so many are lost */
    size_t largest;
    bool is_done, is_failed, is_closed;
    char why[160];
};
static struct end client, server;

/* What is on the wire: delivered by deliver(), not from within a call. */
static struct {
    struct end *to;
    size_t n;
    uint8_t bytes[1500];
} wire[64];
static unsigned wire_count;

static void on_send(const void *bytes, size_t n, void *arg)
{
    struct end *end = arg;

    end->sent_count++;
    end->largest = n > end->largest ? n : end->largest;
    if (end->lose_count) {
        end->lose_count--;
        return;
    }
    assert_true(wire_count < 64 && n <= sizeof(wire[0].bytes));
    wire[wire_count].to = end->other;
    wire[wire_count].n = n;
    memcpy(wire[wire_count++].bytes, bytes, n);
}

static void on_done(void *arg)
{
    ((struct end *)arg)->is_done = true;
}

static void on_failed(const char *why, void *arg)
{
    struct end *end = arg;

    end->is_failed = true;
    snprintf(end->why, sizeof(end->why), "%s", why);
}

static void on_closed(void *arg)
{
    ((struct end *)arg)->is_closed = true;
}

static const struct dtls_user user = {on_send, on_done, on_failed, on_closed};

static void deliver(void)
{
    unsigned n = wire_count;

    for (unsigned i = 0; i < n; i++) /* what they answer is the next round's */
        if (wire[i].to->dtls)
            dtls_receive(wire[i].to->dtls, wire[i].bytes, wire[i].n);
    wire_count -= n;
    memmove(wire, wire + n, wire_count * sizeof(wire[0]));
}

static int start(void **state)
{
    rig_start("");
    memset(&client, 0, sizeof(client));
    memset(&server, 0, sizeof(server));
    client.other = &server;
    server.other = &client;
    wire_count = 0;
    client.identity = server.identity = NULL;
    assert_int_equal(dtls_identity_new(&client.identity), 0);
    assert_int_equal(dtls_identity_new(&server.identity), 0);
    assert_int_equal(dtls_new(&server.dtls, server.identity, false, &user, &server), 0);
    return 0;
}

static int stop(void **state)
{
    client.dtls = mem_unref(client.dtls);
    server.dtls = mem_unref(server.dtls);
    mem_unref(client.identity);
    mem_unref(server.identity);
    rig_stop();
    return 0;
}

static void greet(void)
{
    assert_int_equal(dtls_new(&client.dtls, client.identity, true, &user, &client), 0);
}

static void shake_hands(void)
{
    greet();
    for (unsigned i = 0; i < 10 && !(client.is_done && server.is_done); i++)
        deliver();
    assert_true(client.is_done && server.is_done);
}

static void test_both_ends_have_the_same_keys_crosswise(void **state)
{
    struct dtls_keys near, far;

    shake_hands();
    assert_int_equal(dtls_export_keys(client.dtls, &near), 0);
    assert_int_equal(dtls_export_keys(server.dtls, &far), 0);
    assert_string_equal(near.suite, "AEAD_AES_256_GCM");
    assert_int_equal(near.key_bytes, 44);
    assert_memory_equal(near.local, far.remote, near.key_bytes);
    assert_memory_equal(near.remote, far.local, near.key_bytes);
    assert_memory_not_equal(near.local, near.remote, near.key_bytes);
    assert_true(client.largest <= 1200 && server.largest <= 1200);
}

/* Older peers have RSA; the part of OpenSSL that is left for DTLS can still read it. */
static void test_a_peer_may_have_an_rsa_certificate(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *certificate = X509_new();
    SSL_CTX *context = dtls_identity_context(client.identity);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -1000);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    shake_hands();
    assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, &n), 1);
    assert_true(dtls_check_fingerprint(server.dtls, digest, n));
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void test_fingerprint_tells_the_peer(void **state)
{
    uint8_t digest[DTLS_DIGEST_MAX];
    const char *fingerprint = dtls_identity_fingerprint(client.identity);
    int n;

    shake_hands();
    n = dtls_parse_fingerprint(digest, SPAN("SHA-256"), span_of(fingerprint));
    assert_int_equal(n, 32);
    assert_true(dtls_check_fingerprint(server.dtls, digest, 32));
    assert_false(dtls_check_fingerprint(client.dtls, digest, 32));
    digest[31] ^= 1;
    assert_false(dtls_check_fingerprint(server.dtls, digest, 32));
}

static void test_fingerprint_texts(void **state)
{
    uint8_t digest[DTLS_DIGEST_MAX];
    char text[96];

    snprintf(text, sizeof(text), "%s", dtls_identity_fingerprint(client.identity));
    assert_int_equal(strlen(text), 95);
    assert_int_equal(dtls_parse_fingerprint(digest, SPAN("sha-1"), span_of(text)), -EPROTO);
    assert_int_equal(dtls_parse_fingerprint(digest, SPAN("sha-384"), span_of(text)), -EBADMSG);
    assert_int_equal(dtls_parse_fingerprint(digest, SPAN("sha-256"), span_make(text, 94)), -EBADMSG);
    text[2] = '-';
    assert_int_equal(dtls_parse_fingerprint(digest, SPAN("sha-256"), span_of(text)), -EBADMSG);
    text[2] = ':';
    text[3] = 'G';
    assert_int_equal(dtls_parse_fingerprint(digest, SPAN("sha-256"), span_of(text)), -EBADMSG);
}

static void test_lost_hello_is_repeated_after_100_ms(void **state)
{
    client.lose_count = 1;
    greet();
    assert_int_equal(client.sent_count, 1);
    rig_until(client.sent_count > 1);
    for (unsigned i = 0; i < 10 && !(client.is_done && server.is_done); i++)
        deliver();
    assert_true(client.is_done && server.is_done);
}

static void test_lost_last_flight_is_repeated(void **state)
{
    greet();
    deliver(); /* hello; the server's flight is on the wire */
    deliver(); /* the client's flight is on the wire */
    server.lose_count = 10;
    deliver();
    assert_true(server.is_done);
    assert_false(client.is_done);
    server.lose_count = 0;
    rig_until((deliver(), client.is_done));
}

static void test_garbage_does_not_end_an_association(void **state)
{
    uint8_t garbage[200];

    shake_hands();
    for (unsigned i = 0; i < 1000; i++) {
        size_t n = 1 + i % sizeof(garbage);

        for (size_t at = 0; at < n; at++)
            garbage[at] = (uint8_t)(i * 31 + at * 17);
        garbage[0] = (uint8_t)(20 + i % 6);
        if (n > 13) { /* a well-formed record header half of the time */
            garbage[1] = 0xfe;
            garbage[2] = 0xfd;
            garbage[3] = 0;
            garbage[4] = i % 2;
            garbage[11] = (uint8_t)((n - 13) >> 8);
            garbage[12] = (uint8_t)(n - 13);
        }
        dtls_receive(server.dtls, garbage, n);
    }
    assert_true(dtls_is_done(server.dtls));
    assert_false(server.is_failed || server.is_closed);
    dtls_close(client.dtls);
    deliver();
    assert_true(server.is_closed); /* and it still hears its peer */
}

/* The library is gone, and with it the keys. */
static bool is_settled(const struct end *end)
{
    struct dtls_keys keys;
    bool is_gone = dtls_export_keys(end->dtls, &keys) != 0;

    memset(&keys, 0, sizeof(keys));
    return is_gone;
}

static void test_settled_association_takes_nothing_and_says_goodbye(void **state)
{
    static const uint8_t record[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0};

    shake_hands();
    dtls_settle(client.dtls, false); /* as the client it has nothing to repeat */
    rig_until(is_settled(&client));
    assert_true(dtls_is_done(client.dtls));
    assert_false(server.is_closed);
    dtls_receive(client.dtls, record, sizeof(record));
    dtls_close(client.dtls);
    deliver();
    assert_true(server.is_closed);
}

static void test_server_stays_for_its_last_flight_until_the_peer_is_proved(void **state)
{
    unsigned sent_count;

    greet();
    deliver();
    deliver();
    server.lose_count = 10;
    deliver();
    assert_true(server.is_done && !client.is_done);
    dtls_settle(server.dtls, false);
    server.lose_count = 0;
    rig_until((deliver(), client.is_done)); /* it was asked again */
    assert_false(is_settled(&server));
    dtls_settle(server.dtls, true);
    rig_until(is_settled(&server));
    sent_count = server.sent_count;
    dtls_close(server.dtls);
    assert_int_equal(server.sent_count, sent_count + 1);
    deliver();
    assert_true(client.is_closed);
}

static void test_handshake_without_an_answer_ends_after_15_s(void **state)
{
    client.lose_count = 1000;
    greet();
    for (unsigned i = 0; i < 160 && !client.is_failed; i++)
        rig_leap(100);
    assert_true(client.is_failed);
    assert_string_equal(client.why, "the DTLS handshake did not end within 15 s");
}

static void test_garbage_instead_of_a_hello_fails_or_waits(void **state)
{
    uint8_t bytes[64] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 51, 99};

    dtls_receive(server.dtls, bytes, sizeof(bytes));
    assert_false(dtls_is_done(server.dtls));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_both_ends_have_the_same_keys_crosswise),
        EACH(test_a_peer_may_have_an_rsa_certificate),
        EACH(test_fingerprint_tells_the_peer),
        EACH(test_fingerprint_texts),
        EACH(test_lost_hello_is_repeated_after_100_ms),
        EACH(test_lost_last_flight_is_repeated),
        EACH(test_garbage_does_not_end_an_association),
        EACH(test_settled_association_takes_nothing_and_says_goodbye),
        EACH(test_server_stays_for_its_last_flight_until_the_peer_is_proved),
        EACH(test_handshake_without_an_answer_ends_after_15_s),
        EACH(test_garbage_instead_of_a_hello_fails_or_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
