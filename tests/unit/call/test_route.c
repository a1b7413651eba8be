/* SPDX-License-Identifier: Apache-2.0 */
/* The dial plan: who may call what, and who gets it. */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "call/route.h"

static const char yaml[] =
    "domain: sip.example.com\n"
    "accounts:\n"
    "  - {name: alice, password: a, numbers: [\"+12025550123\"]}\n"
    "  - {name: bob, password: b, routes: [national]}\n"
    "  - {name: carol, password: c, numbers: [\"500\"]}\n"
    "trunks:\n"
    "  - {name: carrier, uri: \"sip:192.0.2.1\"}\n"
    "  - {name: backup, uri: \"sip:192.0.2.2\"}\n"
    "  - {name: pbx, uri: \"sip:192.0.2.3\"}\n"
    "routes:\n"
    "  - {name: emergency, to: \"^(112|911)$\", from: any, trunks: [carrier]}\n"
    "  - {name: national, to: \"^0([1-9][0-9]{5,})$\", trunks: [carrier, backup], number: \"+49\\\\1\"}\n"
    "  - {name: swap, to: \"^7([0-9])([0-9])$\", trunks: [pbx], number: \"\\\\2x\\\\1\"}\n"
    "  - {name: again, to: \"^0[1-9]\", trunks: [pbx]}\n"
    "  - {name: in, from: \"trunk:carrier\", to: \"^\\\\+?12025550123$\", account: alice}\n"
    "  - {name: ext, from: \"trunk:pbx\", to: \"^ext-([a-z0-9]+)$\", account: \"\\\\1\"}\n"
    "  - {name: only-carol, from: \"account:carol\", to: \"^\\\\*9$\", account: alice}\n";

static struct conf *conf;
static struct directory *directory;

static int setup(void **state)
{
    struct text errors;

    text_init(&errors, 10000);
    if (conf_parse(&conf, "t", span_of(yaml), &errors))
        fail_msg("%s", errors.data);
    text_free(&errors);
    return directory_new(&directory, conf);
}

static int teardown(void **state)
{
    mem_unref(directory);
    conf_unref(conf);
    return 0;
}

static struct route_pick pick;

static int from_account(const char *name, const char *dialled)
{
    struct route_caller caller = {.account = directory_account(directory, span_of(name))};

    assert_non_null(caller.account);
    return route_pick(&pick, directory, &caller, span_of(dialled));
}

static int from_trunk(const char *name, const char *dialled)
{
    struct route_caller caller = {.trunk = directory_trunk(directory, span_of(name))};

    assert_non_null(caller.trunk);
    return route_pick(&pick, directory, &caller, span_of(dialled));
}

static void test_the_first_rule_that_matches_wins(void **state)
{
    assert_int_equal(from_account("alice", "0301234567"), 0);
    assert_string_equal(pick.route->name, "national");
    assert_int_equal(pick.trunks->count, 2);
    assert_string_equal(pick.trunks->items[0], "carrier");
    assert_string_equal(pick.trunks->items[1], "backup");
    assert_null(pick.account);
    assert_int_equal(from_account("alice", "03012"), 0); /* too short for it: the next one */
    assert_string_equal(pick.route->name, "again");
    assert_string_equal(pick.number, "03012"); /* without number: as dialled */
}

static void test_groups_are_put_into_the_number(void **state)
{
    assert_int_equal(from_account("alice", "0301234567"), 0);
    assert_string_equal(pick.number, "+49301234567");
    assert_int_equal(from_account("alice", "712"), 0);
    assert_string_equal(pick.number, "2x1");
}

static void test_groups_are_put_into_the_account(void **state)
{
    assert_int_equal(from_trunk("pbx", "ext-carol"), 0);
    assert_string_equal(pick.account->name, "carol");
    assert_int_equal(from_trunk("pbx", "ext-nobody"), -ENOENT);
    assert_int_equal(from_trunk("pbx", "ext-500"), 0); /* or one of its numbers */
    assert_string_equal(pick.account->name, "carol");
}

static void test_a_rule_counts_only_for_its_callers(void **state)
{
    assert_int_equal(from_trunk("carrier", "+12025550123"), 0);
    assert_string_equal(pick.account->name, "alice");
    assert_int_equal(from_trunk("pbx", "+12025550123"), -ENOENT);
    assert_int_equal(from_account("carol", "*9"), 0);
    assert_int_equal(from_account("alice", "*9"), -ENOENT);
    assert_int_equal(from_trunk("pbx", "0301234567"),
                     -ENOENT);                     /* no toll fraud through a trunk: from is accounts by default */
    assert_int_equal(from_trunk("pbx", "112"), 0); /* any */
    assert_int_equal(route_pick(&pick, directory, &(struct route_caller){0}, SPAN("112")), -ENOENT); /* not anybody */
}

static void test_an_account_with_a_list_uses_only_these_routes(void **state)
{
    assert_int_equal(from_account("bob", "0301234567"), 0);
    assert_string_equal(pick.route->name, "national");
    assert_int_equal(from_account("bob", "03012"), -EACCES);
    assert_int_equal(from_account("bob", "112"), -EACCES);
}

static void test_unknown_numbers_are_404(void **state)
{
    assert_int_equal(from_account("alice", "99999"), -ENOENT);
    assert_int_equal(from_account("alice", ""), -ENOENT);
    assert_int_equal(from_trunk("carrier", "alice"), -ENOENT); /* names are for accounts */
}

static void test_accounts_call_each_other_by_name_or_number_without_a_rule(void **state)
{
    assert_int_equal(from_account("alice", "carol"), 0);
    assert_string_equal(pick.account->name, "carol");
    assert_null(pick.route);
    assert_int_equal(from_account("carol", "+12025550123"), 0);
    assert_string_equal(pick.account->name, "alice");
    assert_int_equal(from_account("carol", "12025550123"), 0);
    assert_string_equal(pick.account->name, "alice");
    assert_int_equal(from_account("bob", "500"), 0); /* also one with a list of routes */
}

static void test_a_number_that_is_too_long_is_unknown(void **state)
{
    char dialled[ROUTE_NUMBER_MAX + 20];

    memset(dialled, '1', sizeof(dialled) - 1);
    dialled[0] = '0';
    dialled[sizeof(dialled) - 1] = '\0';
    assert_int_equal(from_account("alice", dialled), -ENOENT);
    dialled[ROUTE_NUMBER_MAX - 1] = '\0'; /* fits, but with +49 it does not */
    assert_int_equal(from_account("alice", dialled), -ENOENT);
}

static void test_a_number_that_is_part_of_a_longer_text_does_not_match_an_anchored_rule(void **state)
{
    assert_int_equal(from_account("alice", "x112"), -ENOENT);
    assert_int_equal(from_account("alice", "1120"), -ENOENT);
    assert_int_equal(from_account("alice", "112\n"), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_rule_that_matches_wins),
        cmocka_unit_test(test_groups_are_put_into_the_number),
        cmocka_unit_test(test_groups_are_put_into_the_account),
        cmocka_unit_test(test_a_rule_counts_only_for_its_callers),
        cmocka_unit_test(test_an_account_with_a_list_uses_only_these_routes),
        cmocka_unit_test(test_unknown_numbers_are_404),
        cmocka_unit_test(test_accounts_call_each_other_by_name_or_number_without_a_rule),
        cmocka_unit_test(test_a_number_that_is_too_long_is_unknown),
        cmocka_unit_test(test_a_number_that_is_part_of_a_longer_text_does_not_match_an_anchored_rule),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
