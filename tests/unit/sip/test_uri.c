/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/uri.h"

static void assert_same_text(const char *text, const char *wanted)
{
    struct uri left, right;

    assert_int_equal(uri_parse(&left, span_of(text)), 0);
    assert_int_equal(uri_parse(&right, span_of(wanted)), 0);
    if (!uri_same(&left, &right))
        fail_msg("%s is not %s", text, wanted);
}

static void assert_other_text(const char *text, const char *other)
{
    struct uri left, right;

    assert_int_equal(uri_parse(&left, span_of(text)), 0);
    assert_int_equal(uri_parse(&right, span_of(other)), 0);
    if (uri_same(&left, &right))
        fail_msg("%s is taken for %s", text, other);
}

static void test_all_parts_are_found(void **state)
{
    struct span value;
    struct uri uri;

    assert_int_equal(
        uri_parse(&uri, SPAN("SIPS:al%69ce;day=tue:p%20w@example.com:5061;transport=TCP;lr?subject=a%20b&x=")), 0);
    assert_int_equal(uri.scheme, URI_SIPS);
    assert_span_equal(uri.user, "al%69ce;day=tue");
    assert_span_equal(uri.password, "p%20w");
    assert_span_equal(uri.host, "example.com");
    assert_int_equal(uri.port, 5061);
    assert_span_equal(uri.params, "transport=TCP;lr");
    assert_span_equal(uri.headers, "subject=a%20b&x=");
    assert_true(uri_param(&uri, SPAN("Transport"), &value));
    assert_span_equal(value, "TCP");
    assert_false(uri_param(&uri, SPAN("maddr"), &value));
}

static void test_ipv6_literals_lose_their_brackets(void **state)
{
    struct uri uri;

    assert_int_equal(uri_parse(&uri, SPAN("sip:+1@[2001:db8:0:5::192]:5062;transport=tcp")), 0);
    assert_true(uri.is_ipv6);
    assert_span_equal(uri.host, "2001:db8:0:5::192");
    assert_int_equal(uri.port, 5062);
    /* RFC 5118 section 4.3: inside of the brackets 5070 is a part of the address */
    assert_int_equal(uri_parse(&uri, SPAN("sip:[2001:db8::10:5070]")), 0);
    assert_int_equal(uri.port, 0);
    assert_int_equal(uri_parse(&uri, SPAN("sip:[::ffff:192.0.2.10]:5070")), 0);
    assert_int_equal(uri.port, 5070);
}

static void test_tel_uris_have_a_number_and_parameters(void **state)
{
    struct uri uri;

    assert_int_equal(uri_parse(&uri, SPAN("tel:+1-201-555-0123;ext=12")), 0);
    assert_int_equal(uri.scheme, URI_TEL);
    assert_span_equal(uri.user, "+1-201-555-0123");
    assert_span_equal(uri.params, "ext=12");
    assert_int_equal(uri_parse(&uri, SPAN("tel:*21%23;phone-context=+1")), 0);
    assert_int_equal(uri_parse(&uri, SPAN("tel:")), -EBADMSG);
    assert_int_equal(uri_parse(&uri, SPAN("tel:+-()")), -EBADMSG);
    assert_int_equal(uri_parse(&uri, SPAN("tel:12+3")), -EBADMSG);
    assert_int_equal(uri_parse(&uri, SPAN("tel:1 2")), -EBADMSG);
}

static void test_an_unknown_scheme_is_other_and_kept_whole(void **state)
{
    struct uri uri;

    assert_int_equal(uri_parse(&uri, SPAN("nobodyKnowsThis:entirely=opaque")), 0);
    assert_int_equal(uri.scheme, URI_OTHER);
    assert_span_equal(uri.text, "nobodyKnowsThis:entirely=opaque");
    assert_int_equal(uri.host.n, 0);
    assert_int_equal(uri_parse(&uri, SPAN("soap.beep://192.0.2.103:3002")), 0);
    assert_int_equal(uri_parse(&uri, SPAN("1x:y")), -EBADMSG);
    assert_int_equal(uri_parse(&uri, SPAN("<sip:a@b>")), -EBADMSG);
}

static void test_what_the_grammar_forbids_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      ":",
                                      "sip",
                                      "sip:",
                                      "sip:@b",
                                      "sip:a@",
                                      "sip:a@b@c",
                                      "sip:a b@c",
                                      "sip:a@b c",
                                      "sip:a@b:",
                                      "sip:a@b:0",
                                      "sip:a@b:65536",
                                      "sip:a@b:x",
                                      "sip:a%2@b",
                                      "sip:a%zz@b",
                                      "sip:a%@b",
                                      "sip:a\"@b",
                                      "sip:a<@b",
                                      "sip:\xc3\xa9@b",
                                      "sip:a@b\xc3\xa9",
                                      "sip:a@[::1",
                                      "sip:a@[]",
                                      "sip:a@[fe80::1%eth0]",
                                      "sip:a@[1.2.3.4]",
                                      "sip:a@::1",
                                      "sip:a@2001:db8::10",
                                      "sip:a@b;x=\"y\"",
                                      "sip:a@b;x=%4",
                                      "sip:a@b?x= y",
                                      "sip:a@b?x=%",
                                      "sip:a@b;x=y@z",
                                      "sip:a:p w@b",
                                      "sip:a@b/c",
                                      "sip:a@[::1]x",
                                      "sip:a\r\n@b",
                                      "sip:a@[2001:db8:::192.0.2.1]"};
    struct uri uri;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (uri_parse(&uri, span_of(bad[i])) != -EBADMSG)
            fail_msg("%s is taken", bad[i]);
    }
    assert_int_equal(uri_parse(&uri, SPAN("sip:a\0b@c")), -EBADMSG);
    assert_int_equal(uri_parse(&uri, SPAN_NULL), -EBADMSG);
}

static void test_no_prefix_is_read_past_its_end(void **state)
{
    static const char *const texts[] = {"sips:u%23;x:p@[2001:db8::1]:5061;lr;a=b?h=%20", "tel:*21%23;ext=1"};

    for (size_t i = 0; i < 2; i++) {
        for (size_t n = 0; n <= strlen(texts[i]); n++) {
            char *exact = malloc(n ? n : 1); /* the sanitizers watch its end */
            struct uri uri;

            assert_non_null(exact);
            memcpy(exact, texts[i], n);
            uri_parse(&uri, span_make(exact, n));
            free(exact);
        }
    }
}

static void test_a_raw_hash_in_a_user_is_taken_as_its_escape(void **state)
{
    struct uri uri;
    char user[32];

    assert_int_equal(uri_parse(&uri, SPAN("sip:#123@203.0.113.10:5061;user=phone;transport=tls")), 0);
    assert_span_equal(uri.host, "203.0.113.10");
    assert_int_equal(uri_decode(uri.user, user, sizeof(user)), 4);
    assert_string_equal(user, "#123");
    assert_same_text("sip:#123@b", "sip:%23123@b");
}

static void test_star_codes_are_escaped_once_and_decoded_once(void **state)
{
    struct text out;
    char user[64];
    struct uri uri;

    assert_int_equal(uri_parse(&uri, SPAN("sip:*21*+12025550177%23@example.com")), 0);
    assert_int_equal(uri_decode(uri.user, user, sizeof(user)), 17);
    assert_string_equal(user, "*21*+12025550177#");
    text_init(&out, 100);
    uri_write_user(&out, span_of(user));
    assert_span_equal(text_span(&out), "*21*+12025550177%23");
    text_free(&out);
}

static void test_every_byte_survives_writing_and_decoding(void **state)
{
    for (int c = 1; c < 256; c++) {
        char byte = (char)c, decoded[8], whole[32];
        struct text out;
        struct uri uri;

        text_init(&out, 100);
        uri_write_user(&out, span_make(&byte, 1));
        assert_int_equal(uri_decode(text_span(&out), decoded, sizeof(decoded)), 1);
        assert_int_equal(decoded[0], byte);
        snprintf(whole, sizeof(whole), "sip:%s@b", out.data);
        assert_int_equal(uri_parse(&uri, span_of(whole)), 0);
        assert_true(span_eq(uri.user, text_span(&out)));
        text_free(&out);
    }
}

static void test_bad_escapes_nul_and_small_buffers_are_errors(void **state)
{
    char buf[4];

    assert_int_equal(uri_decode(SPAN("a%2"), buf, sizeof(buf)), -EBADMSG);
    assert_int_equal(uri_decode(SPAN("a%"), buf, sizeof(buf)), -EBADMSG);
    assert_int_equal(uri_decode(SPAN("%zz"), buf, sizeof(buf)), -EBADMSG);
    assert_int_equal(uri_decode(SPAN("a%00b"), buf, sizeof(buf)), -EBADMSG);
    assert_string_equal(buf, "");
    assert_int_equal(uri_decode(SPAN("abcd"), buf, sizeof(buf)), -ENOSPC);
    assert_int_equal(uri_decode(SPAN("abc"), buf, sizeof(buf)), 3);
    assert_int_equal(uri_decode(SPAN(""), buf, 0), -ENOSPC);
}

static void test_hosts_are_written_with_brackets_where_they_need_them(void **state)
{
    struct text out;

    text_init(&out, 200);
    uri_write_host(&out, SPAN("2001:db8::1"));
    uri_write_host(&out, SPAN("192.0.2.1"));
    uri_write_host(&out, SPAN("[::1]"));
    assert_span_equal(text_span(&out), "[2001:db8::1]192.0.2.1[::1]");
    text_free(&out);
}

static void test_equality_follows_rfc3261_19_1_4(void **state)
{
    assert_same_text("sip:%61lice@AtLanTa.CoM;transport=TCP", "SIP:alice@atlanta.com;transport=udp");
    assert_same_text("sip:a@[2001:db8::10]", "sip:a@[2001:DB8:0::10]");
    assert_same_text("sip:a%2fb@c", "sip:a%2Fb@c");
    assert_other_text("sip:ALICE@atlanta.com", "sip:alice@atlanta.com");
    assert_other_text("sip:a@b", "sip:a@b:5060");
    assert_other_text("sip:a@b", "sips:a@b");
    assert_other_text("sip:a@b", "sip:b");
    assert_other_text("sip:ab@c", "sip:a@c");
    assert_other_text("sip:a@[2001:db8::10]", "sip:a@[2001:db8::11]");
    assert_other_text("isbn:1", "isbn:2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_parts_are_found),
        cmocka_unit_test(test_ipv6_literals_lose_their_brackets),
        cmocka_unit_test(test_tel_uris_have_a_number_and_parameters),
        cmocka_unit_test(test_an_unknown_scheme_is_other_and_kept_whole),
        cmocka_unit_test(test_what_the_grammar_forbids_is_refused),
        cmocka_unit_test(test_no_prefix_is_read_past_its_end),
        cmocka_unit_test(test_a_raw_hash_in_a_user_is_taken_as_its_escape),
        cmocka_unit_test(test_star_codes_are_escaped_once_and_decoded_once),
        cmocka_unit_test(test_every_byte_survives_writing_and_decoding),
        cmocka_unit_test(test_bad_escapes_nul_and_small_buffers_are_errors),
        cmocka_unit_test(test_hosts_are_written_with_brackets_where_they_need_them),
        cmocka_unit_test(test_equality_follows_rfc3261_19_1_4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
