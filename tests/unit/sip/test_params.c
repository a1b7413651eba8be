/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <ctype.h>
#include <errno.h>

#include "sip/grammar.h"
#include "sip/params.h"

/* RFC 3261 section 25.1, written down a second time, byte by byte. */
static bool is_in(int c, const char *marks)
{
    return c < 128 && c > 0 && (isalnum(c) || strchr(marks, c));
}

static void test_classes_are_those_of_the_grammar(void **state)
{
    for (int c = 0; c < 256; c++) {
        assert_int_equal(grammar_is((char)c, GRAMMAR_TOKEN), is_in(c, "-.!%*_+`'~"));
        assert_int_equal(grammar_is((char)c, GRAMMAR_USER), is_in(c, "-_.!~*'()&=+$,;?/#"));
        assert_int_equal(grammar_is((char)c, GRAMMAR_PASSWORD), is_in(c, "-_.!~*'()&=+$,"));
        assert_int_equal(grammar_is((char)c, GRAMMAR_PARAM), is_in(c, "-_.!~*'()[]/:&+$;="));
        assert_int_equal(grammar_is((char)c, GRAMMAR_HEADER), is_in(c, "-_.!~*'()[]/?:+$&="));
        assert_int_equal(grammar_is((char)c, GRAMMAR_HOST), is_in(c, "-._"));
        assert_int_equal(grammar_is((char)c, GRAMMAR_BLANK), c == ' ' || c == '\t');
        assert_true(!grammar_is((char)c, GRAMMAR_DISPLAY) || !strchr("\r\n\"<>,;:@\\", c) || c == 0);
    }
    assert_false(grammar_is('\0', 0xff));
}

static void test_parameters_come_in_order_with_blanks_eaten(void **state)
{
    struct span rest = SPAN("; lr ;tag\t= 12x; q=0.5;x=\"a;b=c, \\\"d\\\"\";e="), name, value;

    assert_true(params_next(&rest, &name, &value));
    assert_span_equal(name, "lr");
    assert_null(value.p);
    assert_true(params_next(&rest, &name, &value));
    assert_span_equal(name, "tag");
    assert_span_equal(value, "12x");
    assert_true(params_next(&rest, &name, &value));
    assert_span_equal(value, "0.5");
    assert_true(params_next(&rest, &name, &value));
    assert_span_equal(name, "x");
    assert_span_equal(value, "a;b=c, \\\"d\\\"");
    assert_true(params_next(&rest, &name, &value));
    assert_span_equal(name, "e");
    assert_int_equal(value.n, 0);
    assert_non_null(value.p);
    assert_false(params_next(&rest, &name, &value));
    assert_int_equal(rest.n, 0);
}

static void test_what_cannot_be_read_ends_the_list_and_stays(void **state)
{
    static const char *const bad[] = {"x=\"no end", "x=\"a\"b", "=v", "a b=c", "x=a b", "a\"b\"", "x=\"a\\\""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct span rest = span_of(bad[i]), name, value;

        assert_false(params_next(&rest, &name, &value));
        assert_true(rest.n > 0);
        assert_false(params_are_readable(span_of(bad[i])));
    }
    assert_true(params_are_readable(SPAN("")));
    assert_true(params_are_readable(SPAN_NULL));
    assert_true(params_are_readable(SPAN(";;a;; ;b=1;")));
}

static void test_get_compares_names_without_case_and_takes_the_first(void **state)
{
    struct span value = SPAN("untouched");

    assert_true(params_get(SPAN("lr;Transport=WS;transport=udp"), SPAN("transport"), &value));
    assert_span_equal(value, "WS");
    assert_true(params_get(SPAN("lr;a=b"), SPAN("LR"), NULL));
    assert_false(params_get(SPAN("lrx;a=lr"), SPAN("lr"), &value));
    assert_span_equal(value, "WS");
}

static void test_a_list_is_cut_at_commas_outside_of_quotes_and_angles(void **state)
{
    struct span rest = SPAN("\"a,\\\"b\" <sip:c,d@e>;x=\"f,g\" , <sip:h>,, i,"), value;

    assert_true(list_next(&rest, &value));
    assert_span_equal(value, "\"a,\\\"b\" <sip:c,d@e>;x=\"f,g\"");
    assert_true(list_next(&rest, &value));
    assert_span_equal(value, "<sip:h>");
    assert_true(list_next(&rest, &value));
    assert_span_equal(value, "");
    assert_true(list_next(&rest, &value));
    assert_span_equal(value, "i");
    assert_false(list_next(&rest, &value));
    rest = SPAN("<a\"b>, c"); /* a quote within <> opens nothing */
    assert_true(list_next(&rest, &value));
    assert_span_equal(value, "<a\"b>");
    rest = SPAN("\"ends in a backslash\\");
    assert_true(list_next(&rest, &value));
    assert_false(list_next(&rest, &value));
}

static void test_a_token_is_found_whole_only(void **state)
{
    assert_true(list_has_token(SPAN("timer, replaces"), SPAN("Replaces")));
    assert_true(list_has_token(SPAN(" 100rel"), SPAN("100rel")));
    assert_false(list_has_token(SPAN("timers,replac"), SPAN("timer")));
    assert_false(list_has_token(SPAN(""), SPAN("timer")));
}

static void test_ports_are_1_to_65535(void **state)
{
    static const struct {
        const char *text;
        int err;
        unsigned port;
    } rows[] = {{"", 0, 0},         {":5060", 0, 5060},      {" : 5060 ", 0, 5060}, {":0", -EBADMSG, 0},
                {":", -EBADMSG, 0}, {":65536", -EBADMSG, 0}, {":x", -EBADMSG, 0},   {";x", 0, 0},
                {":00080", 0, 80},  {":65535", 0, 65535},    {":-1", -EBADMSG, 0},  {":99999999999", -EBADMSG, 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span rest = span_of(rows[i].text);
        uint16_t port;

        assert_int_equal(grammar_take_port(&rest, &port), rows[i].err);
        assert_int_equal(port, rows[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes_are_those_of_the_grammar),
        cmocka_unit_test(test_parameters_come_in_order_with_blanks_eaten),
        cmocka_unit_test(test_what_cannot_be_read_ends_the_list_and_stays),
        cmocka_unit_test(test_get_compares_names_without_case_and_takes_the_first),
        cmocka_unit_test(test_a_list_is_cut_at_commas_outside_of_quotes_and_angles),
        cmocka_unit_test(test_a_token_is_found_whole_only),
        cmocka_unit_test(test_ports_are_1_to_65535),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
