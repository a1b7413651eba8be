/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/name_addr.h"
#include "sip/params.h"

#define FIELD_CASE                                                                                                     \
    "\"Doe, Jane <js@example.org>; \\\"JD\\\" \\\\ tag=no\" <sip:+12025550199@192.0.2.10;user=phone>;tag=c03"
#define FIELD_NAME "Doe, Jane <js@example.org>; \"JD\" \\ tag=no"

static void test_commas_angles_and_escapes_in_quotes_are_text(void **state)
{
    struct name_addr addr;
    char display[100];

    assert_int_equal(name_addr_parse(&addr, SPAN(FIELD_CASE)), 0);
    assert_true(name_addr_display(&addr, display, sizeof(display)) > 0);
    assert_string_equal(display, FIELD_NAME);
    assert_span_equal(addr.uri_text, "sip:+12025550199@192.0.2.10;user=phone");
    assert_span_equal(addr.uri.params, "user=phone");
    assert_span_equal(addr.params, "tag=c03");
    assert_span_equal(name_addr_tag(&addr), "c03");
}

static void test_parse_write_parse_is_the_same(void **state)
{
    struct name_addr addr, again;
    char display[100];
    struct text out;

    assert_int_equal(name_addr_parse(&addr, SPAN(FIELD_CASE)), 0);
    assert_true(name_addr_display(&addr, display, sizeof(display)) > 0);
    text_init(&out, 1000);
    name_addr_write_display(&out, span_of(display));
    text_addf(&out, "<%.*s>;%.*s", SPAN_ARG(addr.uri_text), SPAN_ARG(addr.params));
    assert_span_equal(text_span(&out), FIELD_CASE);
    assert_int_equal(name_addr_parse(&again, text_span(&out)), 0);
    assert_true(uri_same(&addr.uri, &again.uri));
    assert_true(span_eq(name_addr_tag(&addr), name_addr_tag(&again)));
    text_free(&out);
}

static void test_no_prefix_is_read_past_its_end(void **state)
{
    for (size_t n = 0; n < sizeof(FIELD_CASE); n++) {
        char *exact = malloc(n ? n : 1), display[100];
        struct name_addr addr;

        assert_non_null(exact);
        memcpy(exact, FIELD_CASE, n);
        if (name_addr_parse(&addr, span_make(exact, n)) == 0)
            name_addr_display(&addr, display, sizeof(display));
        free(exact);
    }
}

static void test_without_angles_parameters_belong_to_the_header(void **state)
{
    struct name_addr addr;

    assert_int_equal(name_addr_parse(&addr, SPAN("sip:a@b ; tag = x;lr")), 0);
    assert_span_equal(addr.uri_text, "sip:a@b");
    assert_int_equal(addr.uri.params.n, 0);
    assert_span_equal(name_addr_tag(&addr), "x");
    assert_int_equal(name_addr_parse(&addr, SPAN("<sip:a@b;tag=inside>")), 0);
    assert_int_equal(name_addr_tag(&addr).n, 0);
}

static void test_all_legal_shapes_are_read(void **state)
{
    static const struct {
        const char *text, *display, *uri;
    } rows[] = {
        {"caller<sip:c@d>;tag=1", "caller", "sip:c@d"},
        {"token1~` token2'+_ token3*%!.- <sip:m@d>", "token1~` token2'+_ token3*%!.-", "sip:m@d"},
        {"\"\" <sip:c@d>", "", "sip:c@d"},
        {"\"x\"<sip:c@d>", "x", "sip:c@d"},
        {"J\xc3\xb6rg <sip:c@d>", "J\xc3\xb6rg", "sip:c@d"},
        {"<tel:+1>", "", "tel:+1"},
        {"<sip:c@d?Route=%3Csip:e%3E>", "", "sip:c@d?Route=%3Csip:e%3E"},
        {"isbn:2983792873", "", "isbn:2983792873"},
        {"\"a\\\tb\\\\\" <sip:c@d>", "a b\\", "sip:c@d"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct name_addr addr;
        char display[100];

        if (name_addr_parse(&addr, span_of(rows[i].text)))
            fail_msg("%s is refused", rows[i].text);
        assert_true(name_addr_display(&addr, display, sizeof(display)) >= 0);
        assert_string_equal(display, rows[i].display);
        assert_span_equal(addr.uri_text, rows[i].uri);
    }
}

static void test_what_the_grammar_forbids_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "\"no end <sip:a@b>",
                                      "\"x\" sip:a@b",
                                      "\"x\"",
                                      "<sip:a@b",
                                      "sip:a@b>",
                                      "Bell, Alexander <sip:a@b>",
                                      "\"W\" < sip:a@b >",
                                      "<sip:a@b>x",
                                      "<sip:a@b>;x=\"",
                                      "sip:a@b?Route=x",
                                      "sip:a,b@c",
                                      "<>",
                                      "x",
                                      "<sip:a@b> <sip:c@d>",
                                      "sip:a@b c",
                                      "\"x\" y <sip:a@b>",
                                      "* ;x=y",
                                      "\"a\\\" <sip:a@b>"};
    struct name_addr addr;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (name_addr_parse(&addr, span_of(bad[i])) != -EBADMSG)
            fail_msg("%s is taken", bad[i]);
    }
}

static void test_a_star_is_a_contact_of_its_own(void **state)
{
    struct name_addr addr;

    assert_int_equal(name_addr_parse(&addr, SPAN(" * ")), 0);
    assert_true(addr.is_star);
}

static void test_a_list_gives_one_value_after_the_other(void **state)
{
    struct span rest = SPAN("\"Doe, Jane\" <sip:+1@b>;x=\"a,b;c\", <tel:+1> ,sip:c@d;q=1"), value;
    struct name_addr addr;

    assert_int_equal(name_addr_next(&addr, &rest), 1);
    assert_span_equal(addr.display, "Doe, Jane");
    assert_true(params_get(addr.params, SPAN("x"), &value));
    assert_span_equal(value, "a,b;c");
    assert_int_equal(name_addr_next(&addr, &rest), 1);
    assert_int_equal(addr.uri.scheme, URI_TEL);
    assert_int_equal(name_addr_next(&addr, &rest), 1);
    assert_span_equal(addr.uri.host, "d");
    assert_int_equal(name_addr_next(&addr, &rest), 0);
    rest = SPAN("<sip:a@b>,,<sip:c@d>");
    assert_int_equal(name_addr_next(&addr, &rest), 1);
    assert_int_equal(name_addr_next(&addr, &rest), -EBADMSG);
    rest = SPAN_NULL;
    assert_int_equal(name_addr_next(&addr, &rest), 0);
}

static void test_display_refuses_controls_bad_utf8_and_small_buffers(void **state)
{
    struct name_addr addr = {0};
    char display[8];

    addr.display = SPAN("a\x07z");
    assert_int_equal(name_addr_display(&addr, display, sizeof(display)), -EBADMSG);
    addr.display = SPAN("a\\\x7f");
    assert_int_equal(name_addr_display(&addr, display, sizeof(display)), -EBADMSG);
    addr.display = SPAN("a\xc3");
    assert_int_equal(name_addr_display(&addr, display, sizeof(display)), -EBADMSG);
    addr.display = SPAN("12345678");
    assert_int_equal(name_addr_display(&addr, display, sizeof(display)), -ENOSPC);
    assert_string_equal(display, "");
    addr.display = SPAN("1234567");
    assert_int_equal(name_addr_display(&addr, display, sizeof(display)), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_angles_and_escapes_in_quotes_are_text),
        cmocka_unit_test(test_parse_write_parse_is_the_same),
        cmocka_unit_test(test_no_prefix_is_read_past_its_end),
        cmocka_unit_test(test_without_angles_parameters_belong_to_the_header),
        cmocka_unit_test(test_all_legal_shapes_are_read),
        cmocka_unit_test(test_what_the_grammar_forbids_is_refused),
        cmocka_unit_test(test_a_star_is_a_contact_of_its_own),
        cmocka_unit_test(test_a_list_gives_one_value_after_the_other),
        cmocka_unit_test(test_display_refuses_controls_bad_utf8_and_small_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
