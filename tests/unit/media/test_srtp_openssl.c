/* SPDX-License-Identifier: Apache-2.0 */
/* Our SRTP, which is libsrtp2 on OpenSSL's ciphers, against libsrtp2 on the ciphers it was built with: packet by
 * packet, both ways, byte for byte. */
#include "../unit.h"

#include <errno.h>
#include <pthread.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/stats.h"
#include "base/warm.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp_ctx.h"
#include "media/srtp_openssl.h"

/* The library's own: exported, but in none of its headers. */
extern const srtp_cipher_type_t srtp_aes_gcm_128, srtp_aes_gcm_256, srtp_aes_icm_128, srtp_aes_icm_256;
extern const srtp_auth_type_t srtp_hmac;
extern const srtp_cipher_type_t *srtp_crypto_kernel_get_cipher_type(srtp_cipher_type_id_t id);
extern const srtp_auth_type_t *srtp_crypto_kernel_get_auth_type(srtp_auth_type_id_t id);

#define SUITE_COUNT 3
static const struct {
    const char *name;
    void (*set_policy)(srtp_crypto_policy_t *policy);
    size_t key_bytes;
} suites[SUITE_COUNT] = {{"AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth, 44},
                         {"AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth, 28},
                         {"AES_CM_128_HMAC_SHA1_80", srtp_crypto_policy_set_rtp_default, 30}};

static struct srtp_ctx *ours;
static srtp_t their_in, their_out, their_twin; /* the twin sends with our key */
static struct pkt pkt;

static void take_their_own_ciphers(void)
{
    srtp_ctx_start_library();
    assert_int_equal(srtp_replace_cipher_type(&srtp_aes_gcm_128, SRTP_AES_GCM_128), 0);
    assert_int_equal(srtp_replace_cipher_type(&srtp_aes_gcm_256, SRTP_AES_GCM_256), 0);
    assert_int_equal(srtp_replace_cipher_type(&srtp_aes_icm_128, SRTP_AES_ICM_128), 0);
    assert_int_equal(srtp_replace_cipher_type(&srtp_aes_icm_256, SRTP_AES_ICM_256), 0);
    assert_int_equal(srtp_replace_auth_type(&srtp_hmac, SRTP_HMAC_SHA1), 0);
}

static srtp_t their_session(unsigned i, srtp_ssrc_type_t type, uint8_t *key)
{
    srtp_policy_t policy = {.ssrc.type = type, .window_size = 1024, .allow_repeat_tx = 1, .key = key};
    srtp_t session;

    suites[i].set_policy(&policy.rtp);
    suites[i].set_policy(&policy.rtcp);
    assert_int_equal(srtp_create(&session, &policy), 0);
    return session;
}

static void open_both(unsigned i)
{
    static uint8_t keys[2][SRTP_KEY_MAX];

    rand_bytes(keys, sizeof(keys));
    take_their_own_ciphers();
    their_in = their_session(i, ssrc_any_inbound, keys[0]);
    their_twin = their_session(i, ssrc_any_outbound, keys[0]);
    their_out = their_session(i, ssrc_any_outbound, keys[1]);
    assert_int_equal(srtp_openssl_install(), 0);
    assert_int_equal(srtp_ctx_new(&ours, &(struct srtp_keys){suites[i].name, span_make(keys[0], suites[i].key_bytes),
                                                             span_make(keys[1], suites[i].key_bytes)}),
                     0);
    pkt.data = pkt.buf + PKT_HEAD_ROOM;
}

static void close_both(void)
{
    ours = mem_unref(ours);
    srtp_dealloc(their_in);
    srtp_dealloc(their_out);
    srtp_dealloc(their_twin);
}

/* What they do to the packet. */
static int they(srtp_err_status_t (*work)(srtp_t session, void *bytes, int *n), srtp_t session)
{
    int n = pkt.len, status = (int)work(session, pkt.data, &n);

    pkt.len = (uint16_t)n;
    return status;
}

/* A packet with CSRCs and an extension now and then, and a payload that tells its number. */
static void make(uint16_t seq, size_t payload_bytes)
{
    size_t at = RTP_HEADER_BYTES;

    rtp_write(pkt.data, &(struct rtp){.seq = seq, .timestamp = 160u * seq, .ssrc = 0xabcd0000 + seq % 2});
    if (seq % 3 == 1) {
        pkt.data[0] |= 2;
        memset(pkt.data + at, 7, 8);
        at += 8;
    }
    if (seq % 5 == 1) {
        pkt.data[0] |= 0x10;
        memcpy(pkt.data + at, "\xbe\xde\x00\x01\x10\x21\x00\x00", 8);
        at += 8;
    }
    memset(pkt.data + at, (uint8_t)seq, payload_bytes);
    pkt.len = (uint16_t)(at + payload_bytes);
}

static void check(uint16_t seq, size_t payload_bytes)
{
    uint8_t seen[PKT_DATA_MAX];
    size_t seen_bytes = pkt.len;

    memcpy(seen, pkt.data, pkt.len);
    make(seq, payload_bytes);
    assert_int_equal(seen_bytes, pkt.len);
    assert_memory_equal(seen, pkt.data, pkt.len);
}

static void test_the_gateway_runs_on_openssl(void **state)
{
    static const srtp_cipher_type_id_t ids[] = {SRTP_AES_GCM_128, SRTP_AES_GCM_256, SRTP_AES_ICM_128, SRTP_AES_ICM_256};

    srtp_ctx_start_library();
    for (unsigned i = 0; i < 4; i++)
        assert_non_null(strstr(srtp_crypto_kernel_get_cipher_type(ids[i])->description, "OpenSSL"));
    assert_non_null(strstr(srtp_crypto_kernel_get_auth_type(SRTP_HMAC_SHA1)->description, "OpenSSL"));
}

static void test_the_first_cipher_of_a_session_is_that_of_rtp(void **state)
{
    uint8_t key[SRTP_KEY_MAX] = {1};
    srtp_policy_t policy = {.ssrc.type = ssrc_any_outbound, .key = key};
    struct warm warm = {0};
    const srtp_cipher_t *cipher;
    srtp_t session;

    srtp_ctx_start_library();
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    srtp_openssl_first();
    assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
    cipher = srtp_openssl_first();
    assert_non_null(cipher);
    assert_null(srtp_openssl_first());
    assert_int_equal(cipher->key_len, policy.rtp.cipher_key_len);
    srtp_openssl_warm(cipher, &warm);
    assert_int_equal(warm.count, 3); /* it, OpenSSL's context, and where OpenSSL keeps the key */
    srtp_openssl_warm(NULL, &warm);
    assert_int_equal(warm.count, 3);
    srtp_dealloc(session);
}

static void test_each_reads_what_the_other_wrote(void **state)
{
    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        open_both(i);
        for (unsigned k = 0; k < 70000; k += 1 + k % 13) { /* over one rollover, with gaps */
            uint16_t seq = (uint16_t)(20000 + k);
            size_t payload_bytes = k % 1200;

            make(seq, payload_bytes);
            assert_int_equal(srtp_ctx_protect(ours, &pkt), 0);
            assert_int_equal(they(srtp_unprotect, their_in), 0);
            check(seq, payload_bytes);
            make(seq, payload_bytes);
            assert_int_equal(they(srtp_protect, their_out), 0);
            assert_int_equal(srtp_ctx_unprotect(ours, &pkt), 0);
            check(seq, payload_bytes);
        }
        close_both();
    }
}

static void test_both_write_the_same_bytes(void **state)
{
    static struct pkt copy;

    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        open_both(i);
        for (unsigned k = 0; k < 600; k++) {
            make((uint16_t)(65300 + k), k);
            assert_int_equal(srtp_ctx_protect(ours, &pkt), 0);
            copy = pkt;
            make((uint16_t)(65300 + k), k);
            assert_int_equal(they(srtp_protect, their_twin), 0);
            assert_int_equal(pkt.len, copy.len);
            assert_memory_equal(pkt.data, copy.buf + PKT_HEAD_ROOM, pkt.len);
        }
        close_both();
    }
}

static void test_reordered_packets_around_a_rollover_are_read(void **state)
{
    static const uint16_t order[] = {65530, 65534, 65532, 0, 65534 + 0, 2, 65528, 4};
    static struct pkt wire[8];

    for (unsigned suite = 0; suite < SUITE_COUNT; suite++) {
        open_both(suite);
        for (unsigned i = 0; i < 8; i++) { /* sent in the right order, of one SSRC: even numbers */
            make((uint16_t)(65526 + 2 * i), 100);
            assert_int_equal(they(srtp_protect, their_out), 0);
            wire[i] = pkt;
        }
        for (unsigned i = 0; i < 8; i++) {
            unsigned at = (uint16_t)(order[i] - 65526) / 2;
            int wanted = i == 4 ? -EALREADY : 0; /* 65534 comes twice */

            wire[at].data = wire[at].buf + PKT_HEAD_ROOM;
            pkt.len = wire[at].len;
            memcpy(pkt.data, wire[at].data, pkt.len);
            assert_int_equal(srtp_ctx_unprotect(ours, &pkt), wanted);
        }
        close_both();
    }
}

static void make_rtcp(unsigned k)
{
    struct rtcp_writer writer;

    rtcp_writer_init(&writer, pkt.data, 500);
    rtcp_write_rr(&writer, 5 + k % 3, k % 2 ? &(struct rtcp_report){.ssrc = k} : NULL);
    if (k % 4)
        rtcp_write_cname(&writer, 5 + k % 3, SPAN("somebody"));
    pkt.len = (uint16_t)writer.len;
}

static void test_rtcp_goes_both_ways(void **state)
{
    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        open_both(i);
        for (unsigned k = 0; k < 100; k++) {
            static struct pkt again;

            make_rtcp(k);
            assert_int_equal(srtp_ctx_protect_rtcp(ours, &pkt), 0);
            assert_int_equal(they(srtp_unprotect_rtcp, their_in), 0);
            assert_int_equal(rtcp_check(pkt.data, pkt.len), 0);
            make_rtcp(k);
            assert_int_equal(they(srtp_protect_rtcp, their_out), 0);
            again = pkt;
            again.data = again.buf + PKT_HEAD_ROOM;
            assert_int_equal(srtp_ctx_unprotect_rtcp(ours, &pkt), 0);
            assert_int_equal(rtcp_check(pkt.data, pkt.len), 0);
            assert_int_equal(srtp_ctx_unprotect_rtcp(ours, &again), -EALREADY);
        }
        close_both();
    }
}

static void test_every_changed_or_missing_byte_is_noticed(void **state)
{
    static struct pkt whole, copy;

    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        open_both(i);
        make(6, 50);
        assert_int_equal(they(srtp_protect, their_out), 0);
        whole = pkt;
        for (unsigned at = 0; at < 2u * whole.len; at++) {
            copy = whole;
            copy.data = copy.buf + PKT_HEAD_ROOM;
            if (at < whole.len)
                copy.data[at] ^= 0x40;
            else
                copy.len = (uint16_t)(at - whole.len);
            assert_true(srtp_ctx_unprotect(ours, &copy) < 0);
        }
        assert_int_equal(srtp_ctx_unprotect(ours, &pkt), 0); /* and nothing of it was learned */
        close_both();
    }
}

static void test_changed_or_short_rtcp_is_refused(void **state)
{
    static struct pkt whole, copy;

    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        open_both(i);
        make_rtcp(1);
        assert_int_equal(they(srtp_protect_rtcp, their_out), 0);
        whole = pkt;
        for (unsigned at = 0; at < 2u * whole.len; at++) {
            copy = whole;
            copy.data = copy.buf + PKT_HEAD_ROOM;
            if (at < whole.len)
                copy.data[at] ^= 0x80; /* of the index's first byte this is the E flag */
            else
                copy.len = (uint16_t)(at - whole.len);
            assert_true(srtp_ctx_unprotect_rtcp(ours, &copy) < 0);
        }
        assert_int_equal(srtp_ctx_unprotect_rtcp(ours, &pkt), 0);
        close_both();
    }
}

/* A peer with the right key that leaves its reports in the clear. RFC 4568 6.3.2 */
static void test_authentic_but_unencrypted_rtcp_is_refused(void **state)
{
    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        static uint8_t key[SRTP_KEY_MAX];
        struct span same = span_make(key, suites[i].key_bytes);
        srtp_policy_t policy = {.ssrc.type = ssrc_any_outbound, .key = key};
        srtp_t clear;

        assert_int_equal(srtp_ctx_new(&ours, &(struct srtp_keys){suites[i].name, same, same}), 0);
        suites[i].set_policy(&policy.rtp);
        suites[i].set_policy(&policy.rtcp);
        policy.rtcp.sec_serv = sec_serv_auth;
        assert_int_equal(srtp_create(&clear, &policy), 0);
        pkt.data = pkt.buf + PKT_HEAD_ROOM;
        make_rtcp(1);
        assert_int_equal(they(srtp_protect_rtcp, clear), 0);
        assert_int_equal(srtp_ctx_unprotect_rtcp(ours, &pkt), -EACCES);
        srtp_dealloc(clear);
        ours = mem_unref(ours);
    }
}

static void test_more_sources_than_allowed_are_refused(void **state)
{
    for (unsigned suite = 0; suite < SUITE_COUNT; suite++) {
        open_both(suite);
        for (uint32_t i = 0; i < 100; i++) {
            make(2, 10);
            rtp_put_u32(pkt.data + 8, i);
            assert_int_equal(they(srtp_protect, their_out), 0);
            assert_int_equal(srtp_ctx_unprotect(ours, &pkt), i < 64 ? 0 : -ENOMEM);
        }
        make_rtcp(1);
        rtp_put_u32(pkt.data + 4, 1000);
        assert_int_equal(they(srtp_protect_rtcp, their_out), 0);
        assert_int_equal(srtp_ctx_unprotect_rtcp(ours, &pkt), -ENOMEM);
        make(3, 10); /* who is known goes on */
        rtp_put_u32(pkt.data + 8, 20);
        assert_int_equal(they(srtp_protect, their_out), 0);
        assert_int_equal(srtp_ctx_unprotect(ours, &pkt), 0);
        close_both();
    }
}

static void test_forged_packets_take_no_source(void **state)
{
    open_both(0);
    for (uint32_t i = 0; i < 100; i++) {
        make(2, 30);
        rtp_put_u32(pkt.data + 8, i);
        assert_int_equal(srtp_ctx_unprotect(ours, &pkt), -EACCES);
    }
    make(2, 10);
    assert_int_equal(they(srtp_protect, their_out), 0);
    assert_int_equal(srtp_ctx_unprotect(ours, &pkt), 0);
    close_both();
}

static void test_replay_window_remembers_1024_packets(void **state)
{
    static struct pkt old, older;

    for (unsigned i = 0; i < SUITE_COUNT; i++) {
        open_both(i);
        for (unsigned seq = 5001; seq < 5001 + 2200; seq += 2) { /* odd: one SSRC */
            make((uint16_t)seq, 20);
            assert_int_equal(they(srtp_protect, their_out), 0);
            if (seq == 7199 - 1022)
                old = pkt;
            else if (seq == 7199 - 1024)
                older = pkt;
            else
                assert_int_equal(srtp_ctx_unprotect(ours, &pkt), 0);
        }
        old.data = old.buf + PKT_HEAD_ROOM;
        older.data = older.buf + PKT_HEAD_ROOM;
        assert_int_equal(srtp_ctx_unprotect(ours, &old), 0);
        assert_int_equal(srtp_ctx_unprotect(ours, &older), -EALREADY); /* too old to know */
        close_both();
    }
}

/* ---- two workers at once ---- */

static void *talk(void *arg)
{
    struct span key = span_make("0123456789012345678901234567890123456789ABCD", 44);
    struct pkt *mine = arg;
    struct srtp_ctx *ctx;
    intptr_t failed = srtp_ctx_new(&ctx, &(struct srtp_keys){"AEAD_AES_256_GCM", key, key}) != 0;

    for (uint16_t seq = 1; seq < 500 && !failed; seq++) {
        mine->data = mine->buf + PKT_HEAD_ROOM;
        rtp_write(mine->data, &(struct rtp){.seq = seq, .ssrc = 9});
        mine->len = RTP_HEADER_BYTES + 160;
        failed = srtp_ctx_protect(ctx, mine) || srtp_ctx_unprotect(ctx, mine);
    }
    if (!failed)
        mem_unref(ctx);
    return (void *)failed;
}

static void test_workers_do_not_disturb_each_other(void **state)
{
    static struct pkt pkts[3];
    pthread_t threads[3];

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &pkts[i]), 0);
    for (unsigned i = 0; i < 3; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers_do_not_disturb_each_other), /* first: the library starts in one of them */
        cmocka_unit_test(test_the_gateway_runs_on_openssl),
        cmocka_unit_test(test_the_first_cipher_of_a_session_is_that_of_rtp),
        cmocka_unit_test(test_each_reads_what_the_other_wrote),
        cmocka_unit_test(test_both_write_the_same_bytes),
        cmocka_unit_test(test_reordered_packets_around_a_rollover_are_read),
        cmocka_unit_test(test_rtcp_goes_both_ways),
        cmocka_unit_test(test_every_changed_or_missing_byte_is_noticed),
        cmocka_unit_test(test_changed_or_short_rtcp_is_refused),
        cmocka_unit_test(test_authentic_but_unencrypted_rtcp_is_refused),
        cmocka_unit_test(test_more_sources_than_allowed_are_refused),
        cmocka_unit_test(test_forged_packets_take_no_source),
        cmocka_unit_test(test_replay_window_remembers_1024_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
