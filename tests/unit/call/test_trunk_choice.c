/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a route's trunks are tried. */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "call/trunk_choice.h"

#define DRAWS 10000

static struct conf *conf;
static const char *down_names = "";

static const struct conf_route *route_of(const char *items)
{
    char yaml[1024];
    struct text errors;

    text_init(&errors, 10000);
    snprintf(yaml, sizeof(yaml),
             "trunks: [{name: a, uri: \"sip:a\"}, {name: b, uri: \"sip:b\"}, {name: c, uri: \"sip:c\"}]\n"
             "routes: [{trunks: [%s]}]\n",
             items);
    conf_unref(conf);
    conf = NULL;
    if (conf_parse(&conf, "t", span_of(yaml), &errors))
        fail_msg("%s", errors.data);
    text_free(&errors);
    return &conf->routes[0];
}

static int setup(void **state)
{
    rand_set_test(4711);
    down_names = "";
    return 0;
}

static int teardown(void **state)
{
    rand_set_test(0);
    conf_unref(conf);
    conf = NULL;
    return 0;
}

static bool is_down(struct span trunk, void *arg)
{
    return strchr(down_names, trunk.p[0]) != NULL;
}

/* All of them one after the other, as one text. */
static const char *order(const struct conf_route *route)
{
    static char text[8];
    uint64_t tried = 0;
    size_t n = 0;
    int at;

    while ((at = trunk_choose(route, tried, is_down, NULL)) >= 0) {
        tried |= UINT64_C(1) << at;
        text[n++] = route->trunks.items[at][0];
    }
    text[n] = '\0';
    return text;
}

/* In how many of DRAWS it comes first. */
static unsigned first_count(const struct conf_route *route, char name)
{
    unsigned count = 0;

    for (unsigned i = 0; i < DRAWS; i++)
        count += order(route)[0] == name;
    return count;
}

static void test_plain_names_keep_their_order(void **state)
{
    const struct conf_route *route = route_of("b, a, c");

    for (unsigned i = 0; i < 50; i++)
        assert_string_equal(order(route), "bac");
    assert_int_equal(first_count(route_of("a"), 'a'), DRAWS);
}

static void test_the_lowest_priority_comes_first_wherever_it_stands(void **state)
{
    const struct conf_route *route = route_of("a/20, b/0, c/7/100");

    for (unsigned i = 0; i < 50; i++)
        assert_string_equal(order(route), "bca");
}

static void test_calls_are_shared_by_weight(void **state)
{
    const struct conf_route *route = route_of("a/1/70, b/1/30, c/2");
    unsigned count = first_count(route, 'a');

    assert_in_range(count, DRAWS * 67 / 100, DRAWS * 73 / 100);
    assert_int_equal(first_count(route, 'c'), 0);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(order(route)[2], 'c');
}

static void test_one_without_weight_is_seldom_first(void **state)
{
    const struct conf_route *route = route_of("a/1/99, b/1/0");
    unsigned count = first_count(route, 'b');

    assert_in_range(count, 1, DRAWS * 3 / 100);
    assert_in_range(first_count(route_of("a/1/0, b/1/0"), 'a'), 1, DRAWS);
}

static void test_down_trunks_come_last_among_them_by_priority(void **state)
{
    const struct conf_route *route = route_of("a/1, b/2, c/3");

    down_names = "ab";
    assert_string_equal(order(route), "cab");
    down_names = "abc";
    assert_string_equal(order(route), "abc");
}

static void test_answers_that_fail_over(void **state)
{
    struct conf_trunk trunk = {.failover = {.items = {{404, 404}, {500, 599}}, .count = 2}};

    assert_true(trunk_fails_over(&trunk, 404));
    assert_true(trunk_fails_over(&trunk, 500));
    assert_true(trunk_fails_over(&trunk, 599));
    assert_false(trunk_fails_over(&trunk, 403));
    assert_false(trunk_fails_over(&trunk, 486));
    assert_false(trunk_fails_over(&trunk, 200));
    assert_false(trunk_fails_over(&trunk, 603));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_plain_names_keep_their_order),
        T(test_the_lowest_priority_comes_first_wherever_it_stands),
        T(test_calls_are_shared_by_weight),
        T(test_one_without_weight_is_seldom_first),
        T(test_down_trunks_come_last_among_them_by_priority),
        T(test_answers_that_fail_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
