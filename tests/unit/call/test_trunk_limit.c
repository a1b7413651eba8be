/* SPDX-License-Identifier: Apache-2.0 */
/* Places of trunks and accounts: so many at once, so many new ones a second. */
#include "../unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "call/trunk_limit.h"

static struct store *store;
static char name[] = "carrier", other_name[] = "backup";

static int setup(void **state)
{
    clock_set_test(1700000000ull * 1000000);
    return store_local_new(&store, 1000);
}

static int teardown(void **state)
{
    store = mem_unref(store);
    clock_set_test(0);
    return 0;
}

static void test_no_limit_is_no_limit(void **state)
{
    struct conf_trunk trunk = {.name = name};

    for (unsigned i = 0; i < 1000; i++)
        assert_null(trunk_limit_enter(store, &trunk));
}

static void test_a_trunk_takes_so_many_calls_and_again_when_one_leaves(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_calls = 2}, other = {.name = other_name, .max_calls = 1};

    assert_null(trunk_limit_enter(store, &trunk));
    assert_null(trunk_limit_enter(store, &trunk));
    assert_non_null(trunk_limit_enter(store, &trunk));
    assert_non_null(trunk_limit_enter(store, &trunk)); /* a refusal takes no place */
    assert_null(trunk_limit_enter(store, &other));
    trunk_limit_leave(store, &trunk);
    assert_null(trunk_limit_enter(store, &trunk));
    assert_non_null(trunk_limit_enter(store, &trunk));
}

static void test_a_trunk_takes_so_many_new_calls_a_second(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_cps = 3};

    for (unsigned second = 0; second < 3; second++) {
        for (unsigned i = 0; i < 3; i++)
            assert_null(trunk_limit_enter(store, &trunk));
        assert_non_null(trunk_limit_enter(store, &trunk));
        clock_set_test(clock_now_us() + 1000000);
    }
}

static void test_leaving_more_often_than_entering_gives_nothing(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_calls = 1};

    trunk_limit_leave(store, &trunk);
    trunk_limit_leave(store, &trunk);
    assert_null(trunk_limit_enter(store, &trunk));
    assert_non_null(trunk_limit_enter(store, &trunk));
}

/* As long as a name may be, and different at the end. */
static void test_long_names_have_places_of_their_own(void **state)
{
    char long_name[129], other_long_name[129];
    struct conf_trunk trunk = {.name = long_name, .max_calls = 1}, other = {.name = other_long_name, .max_calls = 1};

    memset(long_name, 'n', 128);
    long_name[128] = '\0';
    memcpy(other_long_name, long_name, sizeof(long_name));
    other_long_name[127] = 'm';
    assert_null(trunk_limit_enter(store, &trunk));
    assert_non_null(trunk_limit_enter(store, &trunk));
    assert_null(trunk_limit_enter(store, &other));
}

static void test_an_account_has_its_own_places(void **state)
{
    struct conf_account account = {.name = name, .max_calls = 1};
    struct conf_trunk trunk = {.name = name, .max_calls = 1}; /* of the same name */

    assert_null(account_limit_enter(store, &account));
    assert_non_null(account_limit_enter(store, &account));
    assert_null(trunk_limit_enter(store, &trunk));
    account_limit_leave(store, account.name);
    assert_null(account_limit_enter(store, &account));
}

/* Of a store with room for one count: who cannot be counted is let through, and takes no place of others. */
static void test_a_store_that_is_full_stops_no_call(void **state)
{
    struct conf_trunk trunk = {.name = name, .max_calls = 1}, other = {.name = other_name, .max_calls = 1};
    struct conf_account account = {.name = name, .max_calls = 1};
    struct store *small;

    assert_int_equal(store_local_new(&small, 1), 0);
    assert_null(trunk_limit_enter(small, &trunk));
    for (unsigned i = 0; i < 3; i++) {
        assert_null(trunk_limit_enter(small, &other));
        assert_null(account_limit_enter(small, &account));
    }
    assert_non_null(trunk_limit_enter(small, &trunk));
    trunk_limit_leave(small, &other);
    account_limit_leave(small, account.name);
    assert_non_null(trunk_limit_enter(small, &trunk));
    trunk_limit_leave(small, &trunk);
    assert_null(trunk_limit_enter(small, &trunk));
    mem_unref(small);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_no_limit_is_no_limit),
        T(test_a_trunk_takes_so_many_calls_and_again_when_one_leaves),
        T(test_a_trunk_takes_so_many_new_calls_a_second),
        T(test_leaving_more_often_than_entering_gives_nothing),
        T(test_long_names_have_places_of_their_own),
        T(test_an_account_has_its_own_places),
        T(test_a_store_that_is_full_stops_no_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
