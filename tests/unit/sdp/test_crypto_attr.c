/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp_test.h"

#define KEY "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5" /* "012345678901234567890123456789" */

/* Index of the line that is picked among those given, each without "a=crypto:". */
static int pick(const char *line, const char *next)
{
    char text[2048];

    snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/SAVP 8\r\na=crypto:%s\r\n%s%s\r\n", line,
             next ? "a=crypto:" : "", next ? next : "");
    return sdp_pick_crypto(parse_one(text));
}

static void test_unknown_suites_and_parameters_are_passed_over(void **state)
{
    assert_int_equal(pick("1 AES_CM_999_UNKNOWN inline:" KEY, "2 AES_CM_128_HMAC_SHA1_80 inline:" KEY), 1);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTCP", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " WSH=64 -X_MAY=1", NULL), 0);
    assert_int_equal(pick("1 aes_cm_128_hmac_sha1_80 INLINE:" KEY, NULL), 0);
}

static void test_lifetimes_are_read_and_mkis_are_not_supported(void **state)
{
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31", NULL), 0);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1048576", NULL), 0);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^99", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|0", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|x", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1:1", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31|1:1", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4;inline:" KEY "|2^20|2:4", NULL), -ENOENT);
}

static void test_the_key_has_exactly_the_length_of_its_suite(void **state)
{
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmM=", NULL), -ENOENT);
    assert_int_equal(pick("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "AAAA", NULL), -ENOENT);
    assert_int_equal(pick("1 AEAD_AES_128_GCM inline:" KEY, NULL), -ENOENT);
    assert_int_equal(pick("1 AEAD_AES_128_GCM inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nw==", NULL), 0);
    assert_int_equal(pick("1 AEAD_AES_128_GCM inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nw", NULL), 0);
    assert_int_equal(
        pick("1 AEAD_AES_256_GCM inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM=", NULL), 0);
}

static int key_of(uint8_t key[static 64], const char *keys)
{
    struct sdp_crypto crypto = {1, SPAN("AES_CM_128_HMAC_SHA1_80"), span_of(keys), SPAN_NULL};

    return sdp_crypto_key(key, &crypto);
}

static void test_a_key_is_decoded_and_bad_base64_is_refused(void **state)
{
    uint8_t key[64];

    assert_int_equal(key_of(key, "inline:" KEY "|2^31"), 30);
    assert_memory_equal(key, "012345678901234567890123456789", 30);
    assert_int_equal(key_of(key, "inline:/+8="), 2);
    assert_memory_equal(key, "\xff\xef", 2);
    assert_int_equal(key_of(key, "inline:"), -EBADMSG);
    assert_int_equal(key_of(key, "prompt:" KEY), -EBADMSG);
    assert_int_equal(key_of(key, "inline:ab-d"), -EBADMSG);
    assert_int_equal(key_of(key, "inline:abcde"), -EBADMSG);
    assert_int_equal(key_of(key, "inline:" KEY KEY KEY), -EBADMSG);
}

static void test_a_written_key_reads_back_the_same(void **state)
{
    uint8_t key[64], back[64];
    char text[80];
    int length;

    for (size_t n = 1; n <= 44; n++) {
        for (size_t i = 0; i < n; i++)
            key[i] = (uint8_t)(251 * i + n);
        length = sdp_crypto_write_key(text, sizeof(text), key, n);
        assert_int_equal(length, strlen(text));
        assert_int_equal(key_of(back, text), n);
        assert_memory_equal(back, key, n);
    }
    assert_int_equal(sdp_crypto_write_key(text, sizeof(text), (const uint8_t *)"012345678901234567890123456789", 30),
                     47);
    assert_string_equal(text, "inline:" KEY);
    assert_int_equal(sdp_crypto_write_key(text, 47, key, 30), -ENOSPC);
    assert_int_equal(sdp_crypto_write_key(text, 48, key, 30), 47);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_suites_and_parameters_are_passed_over),
        cmocka_unit_test(test_lifetimes_are_read_and_mkis_are_not_supported),
        cmocka_unit_test(test_the_key_has_exactly_the_length_of_its_suite),
        cmocka_unit_test(test_a_key_is_decoded_and_bad_base64_is_refused),
        cmocka_unit_test(test_a_written_key_reads_back_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
