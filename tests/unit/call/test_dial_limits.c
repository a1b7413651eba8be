/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the routes say: no destination that costs extra without `premium`, only the account's prefixes, so many
 * calls a day. */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"
#include "call/dial_limits.h"

static struct store *store;
static char premium_texts[3][8] = {"+1900", "+979", "0900"}, allowed_texts[2][8] = {"+49", "110"};
static char *premium[] = {premium_texts[0], premium_texts[1], premium_texts[2]};
static char *allowed[] = {allowed_texts[0], allowed_texts[1]};
static char alice_name[] = "alice";
static struct conf conf = {.dialling.premium = {premium, 3}};
static struct conf_account alice;
static struct conf_route plain, costly = {.is_premium = true};

static int setup(void **state)
{
    clock_set_test(5000000);
    alice = (struct conf_account){.name = alice_name};
    return store_local_new(&store, 1000);
}

static int teardown(void **state)
{
    store = mem_unref(store);
    clock_set_test(0);
    return 0;
}

static const char *dial_by(const struct conf_route *route, const char *number)
{
    struct route_pick pick = {.route = route};

    strcpy(pick.number, number);
    return dial_limits_enter(store, &conf, &(struct route_caller){.account = &alice}, &pick);
}

static const char *dial(const char *number)
{
    return dial_by(&plain, number);
}

#define assert_refused(why, part)                                                                                      \
    do {                                                                                                               \
        const char *why_ = (why);                                                                                      \
        assert_non_null(why_);                                                                                         \
        assert_non_null(strstr(why_, part));                                                                           \
    } while (0)

static void a_number_has_one_form(void **state)
{
    static const char *const rows[][2] = {{"+49 (30) 123-456", "+4930123456"},
                                          {"004930123456", "+4930123456"},
                                          {"0114930123456", "+4930123456"},
                                          {"00123", "00123"},
                                          {"030123456", "030123456"},
                                          {"110", "110"},
                                          {"*21#", "*21#"}};
    char out[40];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(dial_normal(out, sizeof(out), span_of(rows[i][0])), strlen(rows[i][1]));
        assert_string_equal(out, rows[i][1]);
    }
    assert_int_equal(dial_normal(out, 4, SPAN("1234")), 0);
}

static void what_costs_extra_wants_a_route_that_says_so(void **state)
{
    assert_null(dial("+12025550123"));
    assert_refused(dial("+19005550123"), "begin with +1900 cost extra");
    assert_refused(dial("0019005550123"), "+1900");
    assert_refused(dial("+1-900-555-0123"), "+1900");
    assert_refused(dial("0900123456"), "0900");
    assert_null(dial_by(&costly, "+19005550123"));
}

static void an_account_keeps_to_its_prefixes(void **state)
{
    alice.allowed = (struct conf_strings){allowed, 2};
    assert_null(dial("+4930123456"));
    assert_null(dial("004930123456"));
    assert_null(dial("110"));
    assert_refused(dial("+12025550123"), "account alice may only dial");
    assert_refused(dial(""), "empty");
}

static void a_day_has_so_many_calls(void **state)
{
    alice.calls_per_day = 2;
    assert_null(dial("+1"));
    assert_refused(dial("+19005550123"), "+1900"); /* refused, so not counted */
    assert_null(dial("+1"));
    assert_refused(dial("+1"), "calls_per_day");
    clock_set_test(5000000 + 86400ull * 1000000);
    assert_null(dial("+1"));
}

static void trunks_are_bound_by_premium_too(void **state)
{
    struct route_pick pick = {.route = &plain, .number = "+97912345"};

    assert_refused(dial_limits_enter(store, &conf, &(struct route_caller){0}, &pick), "+979");
}

/* What numbers_out of a trunk made of the number is looked at once more. */
static void a_number_is_looked_at_again_as_it_leaves(void **state)
{
    uint64_t before = stats_block()->value[STAT_DIAL_REFUSED];
    char too_long[ROUTE_NUMBER_MAX + 1];

    assert_int_equal(dial_costs_extra(&conf, &plain, "+19005550123"), -EACCES);
    assert_int_equal(dial_costs_extra(&conf, &plain, "0019005550123"), -EACCES);
    assert_int_equal(dial_costs_extra(&conf, NULL, "0900123"), -EACCES); /* without a route, too */
    assert_int_equal(stats_block()->value[STAT_DIAL_REFUSED] - before, 3);
    assert_int_equal(dial_costs_extra(&conf, &costly, "+19005550123"), 0);
    assert_int_equal(dial_costs_extra(&conf, &plain, "+12025550123"), 0);
    assert_int_equal(dial_costs_extra(&conf, &plain, "19005550123"), 0); /* not international */
    memset(too_long, '1', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(dial_costs_extra(&conf, &plain, too_long), 0);
    assert_int_equal(stats_block()->value[STAT_DIAL_REFUSED] - before, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_number_has_one_form),
        TEST(what_costs_extra_wants_a_route_that_says_so),
        TEST(an_account_keeps_to_its_prefixes),
        TEST(a_day_has_so_many_calls),
        TEST(trunks_are_bound_by_premium_too),
        TEST(a_number_is_looked_at_again_as_it_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
