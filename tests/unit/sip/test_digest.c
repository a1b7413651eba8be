/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../oom.h"
#include "base/rand.h"
#include "sip/digest.h"

static struct text out;

static int setup(void **state)
{
    text_init(&out, 4096);
    return 0;
}

static int teardown(void **state)
{
    text_free(&out);
    return 0;
}

/* -- computing -- */

#define MUFASA_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define MUFASA_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static void test_the_examples_of_rfc7616_come_out(void **state)
{
    struct digest_secret secret = {
        .username = SPAN("Mufasa"), .realm = SPAN("http-auth@example.org"), .password = SPAN("Circle of Life")};
    struct digest_input input = {.algorithm = DIGEST_MD5,
                                 .method = SPAN("GET"),
                                 .uri = SPAN("/dir/index.html"),
                                 .nonce = SPAN(MUFASA_NONCE),
                                 .cnonce = SPAN(MUFASA_CNONCE),
                                 .nc_text = SPAN("00000001"),
                                 .has_qop = true};
    char hex[DIGEST_HEX_MAX];

    assert_int_equal(digest_compute(hex, &secret, &input), 0);
    assert_string_equal(hex, "8ca523f5e9506fed4657c9700eebdbec");
    input.algorithm = DIGEST_SHA256;
    assert_int_equal(digest_compute(hex, &secret, &input), 0);
    assert_string_equal(hex, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

/* Computed beside with another library. */
static void test_all_algorithms_with_and_without_qop(void **state)
{
    static const char *const wanted[DIGEST_ALGORITHM_COUNT][2] = {
        {"e8426c4d16b03373c1d324966eeccbfa", "e03fc028afe20d2e0b4e4b14968b5546"},
        {"50cf6384687ae34f1ac6e20872a25ad952591b826a6fbb31fe82e3e1f87781f8",
         "480f5c90635c921b93a1b1bca8232654c68bf884b8d3c37510c90f9a3d121643"},
        {"fc706761e63071632537dd0aa55580640b85674a0933b963b427a30c27474d7c",
         "8919647032ebdae4299729b39a4dce62951da4c4c50a4186ba7c9fb8e4025ae0"},
    };
    struct digest_secret secret = {
        .username = SPAN("alice"), .realm = SPAN("carrier.example.com"), .password = SPAN("s3cret")};
    struct digest_input input = {.method = SPAN("REGISTER"),
                                 .uri = SPAN("sip:carrier.example.com"),
                                 .nonce = SPAN("n1"),
                                 .cnonce = SPAN("c1"),
                                 .nc_text = SPAN("00000002")};
    char hex[DIGEST_HEX_MAX];

    for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
        for (int has_qop = 0; has_qop < 2; has_qop++) {
            input.algorithm = (enum digest_algorithm)i;
            input.has_qop = has_qop;
            assert_int_equal(digest_compute(hex, &secret, &input), 0);
            assert_string_equal(hex, wanted[i][has_qop]);
        }
    }
}

static void test_a_stored_ha1_serves_for_md5_only(void **state)
{
    struct digest_secret secret = {.username = SPAN("Mufasa"),
                                   .realm = SPAN("testrealm@host.com"),
                                   .ha1 = SPAN("939E7578ed9e3c518a452acee763bce9")};
    struct digest_input input = {.algorithm = DIGEST_MD5,
                                 .method = SPAN("GET"),
                                 .uri = SPAN("/dir/index.html"),
                                 .nonce = SPAN("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
                                 .cnonce = SPAN("0a4f113b"),
                                 .nc_text = SPAN("00000001"),
                                 .has_qop = true};
    char hex[DIGEST_HEX_MAX];

    assert_int_equal(digest_compute(hex, &secret, &input), 0);
    assert_string_equal(hex, "6629fae49393a05397450978507c4ef1"); /* RFC 2617 section 3.5 */
    input.algorithm = DIGEST_SHA256;
    assert_int_equal(digest_compute(hex, &secret, &input), -EINVAL);
    input.algorithm = DIGEST_MD5;
    secret.ha1 = SPAN("939e7578ed9e3c518a452acee763bcg9");
    assert_int_equal(digest_compute(hex, &secret, &input), -EINVAL);
    secret.ha1 = SPAN_NULL;
    assert_int_equal(digest_compute(hex, &secret, &input), -EINVAL);
}

/* -- challenges -- */

static void test_a_challenge_is_read_in_any_order_and_case(void **state)
{
    struct digest_challenge challenge;

    assert_int_equal(
        digest_challenge_parse(&challenge, SPAN("digest realm=\"carrier.example.com\", nonce=\"Zm9sZGVk\", "
                                                "opaque=\"op-1\", algorithm=MD5,  qop=\"auth\"")),
        0);
    assert_span_equal(challenge.realm, "carrier.example.com");
    assert_span_equal(challenge.nonce, "Zm9sZGVk");
    assert_span_equal(challenge.opaque, "op-1");
    assert_int_equal(challenge.algorithm, DIGEST_MD5);
    assert_true(challenge.has_qop_auth);
    assert_false(challenge.is_stale);
    assert_int_equal(digest_challenge_parse(&challenge, SPAN("Digest QOP=\"auth-int, auth\" ,Nonce=\"a,b=\\\"c\", "
                                                             "ALGORITHM=\"sha-256\",x=y,realm=\"\",stale=TRUE")),
                     0);
    assert_int_equal(challenge.algorithm, DIGEST_SHA256);
    assert_span_equal(challenge.nonce, "a,b=\\\"c");
    assert_true(challenge.has_qop_auth);
    assert_true(challenge.is_stale);
}

static void test_challenges_that_we_cannot_serve_are_told_from_broken_ones(void **state)
{
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {"Digest realm=\"r\",nonce=\"n\",algorithm=MD5-sess", -EPROTO},
        {"Digest realm=\"r\",nonce=\"n\",algorithm=AKAv1-MD5", -EPROTO},
        {"Digest realm=\"r\",nonce=\"n\",qop=\"auth-int\"", -EPROTO},
        {"Basic realm=\"r\"", -EPROTO},
        {"NoOneKnowsThisScheme opaque-data=here", -EPROTO},
        {"", -EPROTO},
        {"Digest", -EBADMSG},
        {"Digest realm=\"r\"", -EBADMSG},
        {"Digest nonce=\"n\"", -EBADMSG},
        {"Digest realm=\"r,nonce=\"n\"", -EBADMSG},
        {"Digest realm=\"r\"x,nonce=\"n\"", -EBADMSG},
        {"Digest realm,nonce=\"n\"", -EBADMSG},
        {"Digest,realm=\"r\",nonce=\"n\"", -EBADMSG},
        {"Digest realm=\"r\",nonce=\"n\"", 0},
        {"Digest realm=\"r\",nonce=\"n\",qop=\"\"", 0},
        {"Digest realm = \"r\" , nonce = \"n\" ,", 0},
    };
    struct digest_challenge challenge;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (digest_challenge_parse(&challenge, span_of(rows[i].text)) != rows[i].err)
            fail_msg("%s", rows[i].text);
    }
}

/* -- our answer to a challenge, and theirs to ours -- */

static void answer(enum digest_algorithm algorithm, const char *password, struct digest_response *response)
{
    struct digest_secret secret = {.username = SPAN("alice"), .password = span_of(password)};
    struct digest_challenge challenge;
    struct text text;

    text_init(&text, 1000);
    digest_write_challenge(&text, SPAN("example.com"), algorithm, SPAN("nonce-1"), false);
    assert_int_equal(digest_challenge_parse(&challenge, text_span(&text)), 0);
    assert_int_equal(challenge.algorithm, algorithm);
    text_reset(&out);
    assert_int_equal(digest_write_response(&out, &challenge, &secret, SPAN("REGISTER"), SPAN("sip:example.com"), 0x1a),
                     0);
    text_free(&text);
    assert_int_equal(digest_response_parse(response, text_span(&out)), 0);
}

static void test_what_we_write_we_verify(void **state)
{
    const struct digest_secret secret = {
        .username = SPAN("alice"), .realm = SPAN("example.com"), .password = SPAN("s3cret")};
    struct digest_secret other;
    struct digest_response response;

    for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
        answer((enum digest_algorithm)i, "s3cret", &response);
        assert_int_equal(response.nc, 0x1a);
        assert_span_equal(response.nc_text, "0000001a");
        assert_int_equal(response.cnonce.n, 16);
        assert_span_equal(response.qop, "auth");
        assert_true(digest_verify(&response, &secret, SPAN("REGISTER")));
        assert_false(digest_verify(&response, &secret, SPAN("INVITE")));
        other = secret;
        other.password = SPAN("s3cres");
        assert_false(digest_verify(&response, &other, SPAN("REGISTER")));
        other = secret;
        other.username = SPAN("bob");
        assert_false(digest_verify(&response, &other, SPAN("REGISTER")));
        other = secret;
        other.realm = SPAN("example.org");
        assert_false(digest_verify(&response, &other, SPAN("REGISTER")));
        response.uri = SPAN("sip:other");
        assert_false(digest_verify(&response, &secret, SPAN("REGISTER")));
    }
}

/* A kept HA1 does not hash the name again, so the name must be compared. */
static void test_a_stored_ha1_is_good_for_its_own_user_only(void **state)
{
    struct digest_secret secret = {.username = SPAN("Mufasa"),
                                   .realm = SPAN("testrealm@host.com"),
                                   .ha1 = SPAN("939e7578ed9e3c518a452acee763bce9")};
    struct digest_response response = {.username = SPAN("Mufasa"),
                                       .realm = SPAN("testrealm@host.com"),
                                       .nonce = SPAN("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
                                       .uri = SPAN("/dir/index.html"),
                                       .cnonce = SPAN("0a4f113b"),
                                       .nc_text = SPAN("00000001"),
                                       .qop = SPAN("auth"),
                                       .response = SPAN("6629FAE49393a05397450978507c4ef1")};

    assert_true(digest_verify(&response, &secret, SPAN("GET")));
    response.username = SPAN("Scar");
    assert_false(digest_verify(&response, &secret, SPAN("GET")));
}

static void test_nonce_and_opaque_are_repeated_unchanged(void **state)
{
    struct digest_secret secret = {.username = SPAN("alice"), .password = SPAN("x")};
    struct digest_challenge challenge;
    struct digest_response response;

    assert_int_equal(
        digest_challenge_parse(&challenge, SPAN("Digest realm=\"a \\\"b\\\"\",nonce=\"bjI=\",opaque=\"\"")), 0);
    assert_int_equal(digest_write_response(&out, &challenge, &secret, SPAN("REGISTER"), SPAN("sip:x"), 1), 0);
    assert_int_equal(digest_response_parse(&response, text_span(&out)), 0);
    assert_span_equal(response.realm, "a \\\"b\\\"");
    assert_span_equal(response.nonce, "bjI=");
    assert_non_null(response.opaque.p);
    assert_int_equal(response.opaque.n, 0);
    assert_int_equal(response.qop.n, 0); /* none was offered, so RFC 2069 */
    assert_null(strstr(out.data, "nc="));
}

static void test_a_name_that_would_leave_its_quotes_is_refused(void **state)
{
    struct digest_challenge challenge = {.realm = SPAN("r"), .nonce = SPAN("n")};
    static const char *const bad[] = {"a\", nc=\"", "a\r\nVia: x", "a\\"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct digest_secret secret = {.username = span_of(bad[i]), .password = SPAN("x")};

        assert_int_equal(digest_write_response(&out, &challenge, &secret, SPAN("BYE"), SPAN("sip:x"), 1), -EINVAL);
        assert_int_equal(out.len, 0);
    }
}

#define CREDENTIALS "Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"sip:x\",response=\"00\""

static void test_credentials_that_cannot_be_read_are_refused(void **state)
{
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {CREDENTIALS, 0},
        {CREDENTIALS ",qop=auth,nc=00000001,cnonce=\"c\"", 0},
        {CREDENTIALS ",qop=\"auth\",nc=\"00000001\",cnonce=c", 0},
        {CREDENTIALS ",qop=auth,nc=00000001", -EBADMSG},
        {CREDENTIALS ",qop=auth,cnonce=\"c\"", -EBADMSG},
        {CREDENTIALS ",qop=auth,nc=1,cnonce=\"c\"", -EBADMSG},
        {CREDENTIALS ",qop=auth,nc=0000000g,cnonce=\"c\"", -EBADMSG},
        {CREDENTIALS ",qop=auth-int,nc=00000001,cnonce=\"c\"", -EPROTO},
        {CREDENTIALS ",algorithm=MD5-sess", -EPROTO},
        {CREDENTIALS ",username=\"b\"", -EBADMSG},
        {CREDENTIALS ",nonce=\"n2\"", -EBADMSG},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"sip:x\"", -EBADMSG},
        {"Digest username=\"a\",realm=\"r\",nonce=\"n\",response=\"00\"", -EBADMSG},
        {"Digest realm=\"r\",nonce=\"n\",uri=\"sip:x\",response=\"00\"", -EBADMSG},
        {"Bearer abc", -EPROTO},
    };
    struct digest_response response;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (digest_response_parse(&response, span_of(rows[i].text)) != rows[i].err)
            fail_msg("%s", rows[i].text);
    }
}

static void test_no_prefix_is_read_past_its_end(void **state)
{
    static const char text[] = CREDENTIALS ",qop=auth,nc=00000001,cnonce=\"c\\\"\",opaque=\"o\"";

    for (size_t n = 0; n < sizeof(text); n++) {
        char *exact = malloc(n ? n : 1);
        struct digest_challenge challenge;
        struct digest_response response;

        assert_non_null(exact);
        memcpy(exact, text, n);
        digest_response_parse(&response, span_make(exact, n));
        digest_challenge_parse(&challenge, span_make(exact, n));
        free(exact);
    }
}

/* -- nonces -- */

static void test_a_nonce_is_good_for_its_life_and_stale_after(void **state)
{
    char nonce[DIGEST_NONCE_TEXT_MAX], second[DIGEST_NONCE_TEXT_MAX];
    struct span address = SPAN("\x02\x13\xc4\xc0\x00\x02\x0a");

    digest_nonce_make(nonce, 1800000000, address);
    digest_nonce_make(second, 1800000000, address);
    assert_string_not_equal(nonce, second); /* two browsers behind one address have an nc each */
    assert_int_equal(digest_nonce_check(span_of(nonce), 1800000000, 60, address), NONCE_GOOD);
    assert_int_equal(digest_nonce_check(span_of(nonce), 1800000060, 60, address), NONCE_GOOD);
    assert_int_equal(digest_nonce_check(span_of(nonce), 1800000061, 60, address), NONCE_STALE);
}

static void test_a_nonce_of_another_address_or_with_a_byte_changed_is_foreign(void **state)
{
    char nonce[DIGEST_NONCE_TEXT_MAX];
    size_t n;

    digest_nonce_make(nonce, 1800000000, SPAN("192.0.2.10"));
    n = strlen(nonce);
    assert_int_equal(digest_nonce_check(span_of(nonce), 1800000000, 60, SPAN("192.0.2.11")), NONCE_FOREIGN);
    assert_int_equal(digest_nonce_check(span_of(nonce), 1800000000, 60, SPAN("")), NONCE_FOREIGN);
    for (size_t i = 0; i < n; i++) {
        char kept = nonce[i];

        nonce[i] = kept == '0' ? '1' : '0';
        assert_int_equal(digest_nonce_check(span_of(nonce), 1800000000, 60, SPAN("192.0.2.10")), NONCE_FOREIGN);
        nonce[i] = '\x10'; /* differs from '0' in the bit that makes letters small */
        assert_int_equal(digest_nonce_check(span_of(nonce), 1800000000, 60, SPAN("192.0.2.10")), NONCE_FOREIGN);
        nonce[i] = kept;
        assert_int_equal(digest_nonce_check(span_make(nonce, i), 1800000000, 60, SPAN("192.0.2.10")), NONCE_FOREIGN);
    }
    assert_int_equal(digest_nonce_check(span_of(nonce), 1800000000, 60, SPAN("192.0.2.10")), NONCE_GOOD);
}

/* Case: an expired nonce is "stale" only when the digest for it was right (RFC 7616 section 3.3): both can be told
 * apart. */
static void test_right_and_wrong_passwords_differ_for_an_expired_nonce(void **state)
{
    const struct digest_secret secret = {
        .username = SPAN("alice"), .realm = SPAN("example.com"), .password = SPAN("right")};
    struct digest_response response;

    answer(DIGEST_SHA256, "right", &response);
    assert_true(digest_verify(&response, &secret, SPAN("REGISTER")));
    answer(DIGEST_SHA256, "wrong", &response);
    assert_false(digest_verify(&response, &secret, SPAN("REGISTER")));
}

static void test_a_challenge_of_ours_says_stale_when_it_is(void **state)
{
    digest_write_challenge(&out, SPAN("example.com"), DIGEST_SHA256, SPAN("n1"), false);
    assert_span_equal(text_span(&out), "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"");
    text_reset(&out);
    digest_write_challenge(&out, SPAN("example.com"), DIGEST_MD5, SPAN("n2"), true);
    assert_span_equal(text_span(&out),
                      "Digest realm=\"example.com\", nonce=\"n2\", algorithm=MD5, qop=\"auth\", stale=true");
    text_reset(&out);
    digest_write_challenge(&out, SPAN("a\"b"), DIGEST_MD5, SPAN("n2"), true);
    assert_int_equal(text_err(&out), -EBADMSG);
}

/* -- threads and memory -- */

static void *hash_in_a_thread(void *arg)
{
    struct digest_secret secret = {.username = SPAN("u"), .realm = SPAN("r"), .password = SPAN("p")};
    struct digest_input input = {
        .algorithm = DIGEST_SHA256, .method = SPAN("BYE"), .uri = SPAN("sip:x"), .nonce = SPAN("n")};

    for (int i = 0; i < 200; i++)
        digest_compute(arg, &secret, &input);
    return NULL;
}

static void test_threads_hash_side_by_side(void **state)
{
    static char hex[3][DIGEST_HEX_MAX];
    pthread_t thread[3];

    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hash_in_a_thread, hex[i]), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(strlen(hex[0]), 64);
    assert_string_equal(hex[0], hex[1]);
    assert_string_equal(hex[0], hex[2]);
}

static int write_a_response(void *arg)
{
    struct digest_secret secret = {.username = SPAN("alice"), .password = SPAN("x")};
    struct text text;
    int err;

    text_init(&text, 4096);
    err = digest_write_response(&text, arg, &secret, SPAN("REGISTER"), SPAN("sip:x"), 1);
    text_free(&text);
    return err;
}

static void test_out_of_memory_is_only_enomem(void **state)
{
    struct digest_challenge challenge = {.realm = SPAN("r"), .nonce = SPAN("n"), .has_qop = true, .has_qop_auth = true};

    assert_true(oom_run(write_a_response, &challenge) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_examples_of_rfc7616_come_out),
        TEST(test_all_algorithms_with_and_without_qop),
        TEST(test_a_stored_ha1_serves_for_md5_only),
        TEST(test_a_challenge_is_read_in_any_order_and_case),
        TEST(test_challenges_that_we_cannot_serve_are_told_from_broken_ones),
        TEST(test_what_we_write_we_verify),
        TEST(test_a_stored_ha1_is_good_for_its_own_user_only),
        TEST(test_nonce_and_opaque_are_repeated_unchanged),
        TEST(test_a_name_that_would_leave_its_quotes_is_refused),
        TEST(test_credentials_that_cannot_be_read_are_refused),
        TEST(test_no_prefix_is_read_past_its_end),
        TEST(test_a_nonce_is_good_for_its_life_and_stale_after),
        TEST(test_a_nonce_of_another_address_or_with_a_byte_changed_is_foreign),
        TEST(test_right_and_wrong_passwords_differ_for_an_expired_nonce),
        TEST(test_a_challenge_of_ours_says_stale_when_it_is),
        TEST(test_threads_hash_side_by_side),
        TEST(test_out_of_memory_is_only_enomem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
