/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>

#include "../oom.h"
#include "base/text.h"

static void test_pieces_come_out_in_order(void **state)
{
    struct text text;

    text_init(&text, 1000);
    text_add(&text, SPAN("a"));
    text_add_str(&text, "b");
    text_add_str(&text, NULL);
    text_add_char(&text, 'c');
    text_add_u64(&text, 18446744073709551615ull);
    text_add_u64(&text, 0);
    text_addf(&text, "<%s %d>", "x", -1);
    assert_int_equal(text_err(&text), 0);
    assert_span_equal(text_span(&text), "abc184467440737095516150<x -1>");
    assert_int_equal(text.data[text.len], 0);
    text_free(&text);
    assert_int_equal(text_span(&text).n, 0);
}

static void test_the_maximum_is_exact_and_the_error_sticks(void **state)
{
    struct text text;

    text_init(&text, 10);
    text_add(&text, SPAN("0123456789"));
    assert_int_equal(text_err(&text), 0);
    text_add_char(&text, 'x');
    assert_int_equal(text_err(&text), -ENOSPC);
    text_reset(&text);
    text_addf(&text, "%s", "0123456789");
    assert_int_equal(text_err(&text), 0);
    text_reset(&text);
    text_add(&text, SPAN("01234567"));
    text_addf(&text, "%s", "890");
    assert_int_equal(text_err(&text), -ENOSPC);
    text_add_char(&text, '8'); /* would fit, but the error sticks */
    assert_span_equal(text_span(&text), "01234567");
    assert_string_equal(text.data, "01234567");
    assert_null(text_take(&text));
    text_free(&text);
}

static void test_long_texts_grow(void **state)
{
    struct text text;

    text_init(&text, 100000);
    for (int i = 0; i < 10000; i++)
        text_addf(&text, "%05d,", i);
    assert_int_equal(text_err(&text), 0);
    assert_int_equal(text.len, 60000);
    assert_memory_equal(text.data + 6 * 1234, "01234,", 6);
    text_free(&text);
}

static void test_a_fixed_text_stays_in_its_buffer(void **state)
{
    char buf[8];
    struct text text;
    char *taken;

    text_init_fixed(&text, buf, sizeof(buf));
    text_addf(&text, "%d", 1234567);
    assert_string_equal(buf, "1234567");
    text_add_char(&text, 'x');
    assert_int_equal(text_err(&text), -ENOSPC);
    text_reset(&text);
    text_add_str(&text, "ab");
    taken = text_take(&text);
    assert_string_equal(taken, "ab");
    mem_unref(taken);
    text_free(&text);
}

static void test_json_escapes_and_repairs(void **state)
{
    struct text text;

    text_init(&text, 1000);
    text_add_json(&text, SPAN("a\"\\/\b\f\n\r\t\v\x01\x7f \xc3\xb6 \xff\xe2\x82"));
    assert_span_equal(
        text_span(&text),
        "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u0001\\u007f \xc3\xb6 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    text_free(&text);
}

static void test_log_escapes_leave_printable_ascii_only(void **state)
{
    struct text text;

    text_init(&text, 1000);
    text_add_escaped(&text, SPAN("a\r\n\x1b[0m\\ \xc3\xb6~"));
    assert_span_equal(text_span(&text), "a\\x0d\\x0a\\x1b[0m\\\\ \\xc3\\xb6~");
    text_free(&text);
}

static void test_take_hands_over_and_resets(void **state)
{
    struct text text;
    char *taken;

    text_init(&text, 100);
    text_add_str(&text, "hello");
    taken = text_take(&text);
    assert_string_equal(taken, "hello");
    assert_int_equal(text.len, 0);
    text_add_str(&text, "again");
    assert_string_equal(taken, "hello");
    mem_unref(taken);
    text_free(&text);
    taken = text_take(&text);
    assert_string_equal(taken, "");
    mem_unref(taken);
}

static int build(void *arg)
{
    struct text text;
    int err;

    text_init(&text, 10000);
    for (int i = 0; i < 100; i++)
        text_addf(&text, "%s", "0123456789");
    text_add_json(&text, SPAN("x"));
    err = text_err(&text);
    text_free(&text);
    return err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    assert_true(oom_run(build, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_come_out_in_order),
        cmocka_unit_test(test_the_maximum_is_exact_and_the_error_sticks),
        cmocka_unit_test(test_long_texts_grow),
        cmocka_unit_test(test_a_fixed_text_stays_in_its_buffer),
        cmocka_unit_test(test_json_escapes_and_repairs),
        cmocka_unit_test(test_log_escapes_leave_printable_ascii_only),
        cmocka_unit_test(test_take_hands_over_and_resets),
        cmocka_unit_test(test_no_memory_is_an_error_that_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
