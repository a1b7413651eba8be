/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>

static void test_case_matters_only_where_it_should(void **state)
{
    assert_true(span_eq(SPAN("Via"), SPAN("Via")));
    assert_false(span_eq(SPAN("Via"), SPAN("via")));
    assert_true(span_ieq(SPAN("Via"), SPAN("vIA")));
    assert_false(span_ieq(SPAN("[]"), SPAN("{}"))); /* 0x20 apart, but not letters */
    assert_true(span_eq(SPAN_NULL, SPAN("")));
    assert_true(span_starts(SPAN("sip:x"), SPAN("sip:")));
    assert_false(span_starts(SPAN("si"), SPAN("sip:")));
    assert_true(span_istarts(SPAN("SIP:x"), SPAN("sip:")));
    assert_true(span_ends(SPAN("a.pem"), SPAN(".pem")));
    assert_false(span_ends(SPAN("pem"), SPAN(".pem")));
}

static void test_trim_takes_blanks_of_both_ends(void **state)
{
    assert_span_equal(span_trim(SPAN(" \t a b\r\n")), "a b");
    assert_span_equal(span_trim(SPAN(" \r\n")), "");
    assert_span_equal(span_trim(SPAN_NULL), "");
}

static void test_find_tells_the_index_or_minus_one(void **state)
{
    assert_int_equal(span_find(SPAN("a;b"), ';'), 1);
    assert_int_equal(span_find(SPAN("a;b"), ','), -1);
    assert_int_equal(span_find(SPAN_NULL, ','), -1);
    assert_int_equal(span_find_span(SPAN("ab\r\n\r\nc"), SPAN("\r\n\r\n")), 2);
    assert_int_equal(span_find_span(SPAN("ab"), SPAN("abc")), -1);
    assert_int_equal(span_find_span(SPAN_NULL, SPAN("a")), -1);
}

static void test_cut_walks_a_list(void **state)
{
    struct span rest = SPAN("a,,b,");

    assert_span_equal(span_cut(&rest, ','), "a");
    assert_span_equal(span_cut(&rest, ','), "");
    assert_span_equal(span_cut(&rest, ','), "b");
    assert_int_equal(rest.n, 0);
    rest = SPAN_NULL;
    assert_span_equal(span_cut(&rest, ','), "");
}

static void test_sub_never_leaves_the_span(void **state)
{
    assert_span_equal(span_sub(SPAN("abc"), 1, 100), "bc");
    assert_span_equal(span_sub(SPAN("abc"), 3, 1), "");
    assert_span_equal(span_sub(SPAN("abc"), SIZE_MAX, SIZE_MAX), "");
    assert_span_equal(span_sub(SPAN("abc"), 1, 1), "b");
}

static void test_numbers_are_digits_within_the_limit(void **state)
{
    uint64_t value = 7;
    uint32_t small = 7;

    assert_int_equal(span_to_u64(SPAN("18446744073709551615"), UINT64_MAX, &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(span_to_u64(SPAN("18446744073709551616"), UINT64_MAX, &value), -EBADMSG);
    assert_int_equal(span_to_u64(SPAN("65536"), 65535, &value), -EBADMSG);
    assert_true(value == UINT64_MAX); /* unchanged */
    assert_int_equal(span_to_u64(SPAN("65535"), 65535, &value), 0);
    assert_int_equal(span_to_u64(SPAN("00065535"), 65535, &value), 0);
    assert_int_equal(span_to_u64(SPAN(""), 10, &value), -EBADMSG);
    assert_int_equal(span_to_u64(SPAN("-1"), 10, &value), -EBADMSG);
    assert_int_equal(span_to_u64(SPAN("+1"), 10, &value), -EBADMSG);
    assert_int_equal(span_to_u64(SPAN("1 "), 10, &value), -EBADMSG);
    assert_int_equal(span_to_u64(SPAN("6"), 5, &value), -EBADMSG);
    assert_int_equal(span_to_u32(SPAN("4294967295"), UINT32_MAX, &small), 0);
    assert_int_equal(small, UINT32_MAX);
    assert_int_equal(span_to_u32(SPAN("4294967296"), UINT32_MAX, &small), -EBADMSG);
}

static void test_copy_fits_whole_or_not_at_all(void **state)
{
    char buf[4] = "zzz";

    assert_int_equal(span_copy(SPAN("abcd"), buf, sizeof(buf)), -ENOSPC);
    assert_string_equal(buf, "");
    assert_int_equal(span_copy(SPAN("abc"), buf, sizeof(buf)), 3);
    assert_string_equal(buf, "abc");
    assert_int_equal(span_copy(SPAN_NULL, buf, sizeof(buf)), 0);
    assert_int_equal(span_copy(SPAN("a"), buf, 0), -ENOSPC);
}

static void test_utf8_refuses_what_rfc3629_refuses(void **state)
{
    assert_true(span_is_utf8(SPAN("plain")));
    assert_true(span_is_utf8(SPAN_NULL));
    assert_true(span_is_utf8(SPAN("J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x93\x9e \xf4\x8f\xbf\xbf")));
    assert_false(span_is_utf8(SPAN("\x80")));
    assert_false(span_is_utf8(SPAN("\xc0\x80")));
    assert_false(span_is_utf8(SPAN("\xc1\xbf")));
    assert_false(span_is_utf8(SPAN("\xe0\x9f\xbf")));
    assert_false(span_is_utf8(SPAN("\xed\xa0\x80"))); /* a surrogate */
    assert_false(span_is_utf8(SPAN("\xf0\x8f\xbf\xbf")));
    assert_false(span_is_utf8(SPAN("\xf4\x90\x80\x80"))); /* above U+10FFFF */
    assert_false(span_is_utf8(SPAN("\xf5\x80\x80\x80")));
    assert_false(span_is_utf8(SPAN("\xe2\x82"))); /* cut off */
    assert_false(span_is_utf8(SPAN("\xe2\x28\xa1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_matters_only_where_it_should),
        cmocka_unit_test(test_trim_takes_blanks_of_both_ends),
        cmocka_unit_test(test_find_tells_the_index_or_minus_one),
        cmocka_unit_test(test_cut_walks_a_list),
        cmocka_unit_test(test_sub_never_leaves_the_span),
        cmocka_unit_test(test_numbers_are_digits_within_the_limit),
        cmocka_unit_test(test_copy_fits_whole_or_not_at_all),
        cmocka_unit_test(test_utf8_refuses_what_rfc3629_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
