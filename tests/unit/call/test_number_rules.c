/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers written anew by the rules of a trunk. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call/number_rules.h"

static struct conf *conf;

static const struct conf_rules *rules_of(const char *items)
{
    char yaml[4096];
    struct text errors;

    text_init(&errors, 10000);
    snprintf(yaml, sizeof(yaml), "trunks: [{name: t, uri: \"sip:t\", numbers_out: [%s]}]\n", items);
    conf_unref(conf);
    conf = NULL;
    if (conf_parse(&conf, "t", span_of(yaml), &errors))
        fail_msg("%s", errors.data);
    text_free(&errors);
    return &conf->trunks[0].numbers_out;
}

static int teardown(void **state)
{
    conf_unref(conf);
    conf = NULL;
    return 0;
}

static char number[ROUTE_NUMBER_MAX];

static int apply(const struct conf_rules *rules, const char *text)
{
    snprintf(number, sizeof(number), "%s", text);
    return number_rules_apply(rules, number);
}

static void test_without_rules_and_without_a_match_a_number_stays(void **state)
{
    assert_int_equal(apply(rules_of(""), "+12025550123"), 0);
    assert_string_equal(number, "+12025550123");
    assert_int_equal(apply(rules_of("\"^0 => 1\""), "+12025550123"), 0);
    assert_string_equal(number, "+12025550123");
}

static void test_the_first_rule_that_matches_wins(void **state)
{
    const struct conf_rules *rules =
        rules_of("\"^\\\\+49(.*)$ => 0\\\\1\", \"^\\\\+(.*)$ => 00\\\\1\", \"^0 => never\"");

    assert_int_equal(apply(rules, "+4930123"), 0);
    assert_string_equal(number, "030123");
    assert_int_equal(apply(rules, "+12025550123"), 0);
    assert_string_equal(number, "0012025550123");
}

static void test_groups_come_in_any_order_and_may_be_empty(void **state)
{
    assert_int_equal(apply(rules_of("\"^(1)?(2)(3)$ => \\\\3x\\\\2\\\\1\""), "23"), 0);
    assert_string_equal(number, "3x2");
}

static void test_a_rule_that_leaves_no_number_says_so(void **state)
{
    char longest[ROUTE_NUMBER_MAX];

    assert_int_equal(apply(rules_of("\"^(x)?1$ => \\\\1\""), "1"), -ENOENT);
    assert_string_equal(number, "1");
    memset(longest, '7', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(apply(rules_of("\"^(7+)$ => \\\\1\""), longest), 0);
    assert_string_equal(number, longest);
    assert_int_equal(apply(rules_of("\"^(7+)$ => 0\\\\1\""), longest), -ENOENT);
    assert_string_equal(number, longest);
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_without_rules_and_without_a_match_a_number_stays),
        T(test_the_first_rule_that_matches_wins),
        T(test_groups_come_in_any_order_and_may_be_empty),
        T(test_a_rule_that_leaves_no_number_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
