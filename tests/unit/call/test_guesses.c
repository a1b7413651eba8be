/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of wrong passwords: what a flood of them changes, and for whom. */
#include "../unit.h"

#include <stdio.h>

#include "../oom.h"
#include "base/clock.h"
#include "call/guesses.h"

static struct guesses *guesses;

static int setup(void **state)
{
    clock_set_test(1000000);
    return guesses_new(&guesses);
}

static int teardown(void **state)
{
    guesses = mem_unref(guesses);
    clock_set_test(0);
    return 0;
}

static struct addr address(unsigned i)
{
    struct addr addr;
    char text[32];

    snprintf(text, sizeof(text), "198.51.%u.%u", i / 250, i % 250 + 1);
    addr_parse(&addr, span_of(text), 5060);
    return addr;
}

static struct guess_price wrong(unsigned from, const char *account)
{
    struct addr addr = address(from);

    return guesses_note_wrong(guesses, &addr, span_of(account));
}

static bool may(unsigned from, const char *account)
{
    struct addr addr = address(from);

    return guesses_may_try(guesses, &addr, span_of(account));
}

static void right(unsigned from, const char *account)
{
    struct addr addr = address(from);

    guesses_note_right(guesses, &addr, span_of(account));
}

static void test_a_flood_on_one_account_stops_only_those_whom_the_account_never_proved(void **state)
{
    right(1, "alice");
    for (unsigned i = 0; i < 60; i++)
        wrong(1, "alice");
    assert_true(may(1, "alice"));
    for (unsigned i = 0; i < 60; i++)
        wrong(2, "bob");
    assert_false(may(2, "bob"));
    assert_true(may(2, "carol"));
}

static void test_one_guesser_cannot_close_an_account_for_other_addresses(void **state)
{
    for (unsigned s = 0; s < 60; s++) {
        for (unsigned i = 0; i < 40 && may(1, "alice"); i++)
            wrong(1, "alice");
        clock_set_test(clock_now_us() + 1000000);
        assert_true(may(2, "alice"));
    }
}

static void test_nor_can_one_behind_the_address_that_the_account_itself_has(void **state)
{
    right(1, "alice"); /* a proxy */
    for (unsigned s = 0; s < 60; s++) {
        for (unsigned i = 0; i < 100 && may(1, "alice"); i++)
            wrong(1, "alice");
        assert_true(may(2, "alice"));
        clock_set_test(clock_now_us() + 1000000);
    }
}

static void test_guesses_from_everywhere_are_bounded_for_each_account(void **state)
{
    unsigned looked_at = 0;

    right(9999 % 500, "alice");
    for (unsigned s = 0; s < 60; s++) {
        for (unsigned i = 0; i < 400; i++)
            if (may(i, "alice")) {
                wrong(i, "alice");
                looked_at += i != 9999 % 500;
            }
        clock_set_test(clock_now_us() + 1000000);
    }
    assert_in_range(looked_at, 60 * 19, 60 * 22 + 41);
    assert_true(may(9999 % 500, "alice")); /* where it has been before */
    assert_true(may(1, "bob"));
}

static void test_one_address_is_bounded_over_all_accounts(void **state)
{
    unsigned looked_at = 0;
    char name[16];

    for (unsigned s = 0; s < 60; s++) {
        for (unsigned i = 0; i < 500; i++) {
            snprintf(name, sizeof(name), "u%u", s * 500 + i);
            if (may(1, name)) {
                wrong(1, name);
                looked_at++;
            }
        }
        clock_set_test(clock_now_us() + 1000000);
    }
    assert_in_range(looked_at, 60 * 49, 60 * 51 + 101);
    assert_true(may(2, "u1"));
}

static void test_a_spray_over_accounts_slows_the_address_but_little(void **state)
{
    unsigned held_ms = 0;
    char name[16];

    for (unsigned i = 0; i < 90; i++) {
        snprintf(name, sizeof(name), "u%u", i);
        assert_int_equal(wrong(1, name).hold_ms, 0);
    }
    for (unsigned i = 90; i < 130; i++) {
        snprintf(name, sizeof(name), "u%u", i);
        held_ms = wrong(1, name).hold_ms;
    }
    assert_int_equal(held_ms, 2000);
    assert_false(wrong(1, "bob").closes);
}

static void test_no_number_of_names_and_addresses_makes_it_larger_or_forgets_who_guesses_most(void **state)
{
    char name[16];

    for (unsigned i = 0; i < 11; i++)
        wrong(1, "alice");
    for (unsigned i = 0; i < 200000; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        wrong(2 + i % 10000, name);
    }
    assert_true(wrong(1, "alice").hold_ms >= 8000);
}

static void test_without_memory_there_is_none(void **state)
{
    struct guesses *made;

    mem_fail_after(0);
    assert_int_equal(guesses_new(&made), -ENOMEM);
    mem_fail_after(-1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_flood_on_one_account_stops_only_those_whom_the_account_never_proved),
        T(test_one_guesser_cannot_close_an_account_for_other_addresses),
        T(test_nor_can_one_behind_the_address_that_the_account_itself_has),
        T(test_guesses_from_everywhere_are_bounded_for_each_account),
        T(test_one_address_is_bounded_over_all_accounts),
        T(test_a_spray_over_accounts_slows_the_address_but_little),
        T(test_no_number_of_names_and_addresses_makes_it_larger_or_forgets_who_guesses_most),
        T(test_without_memory_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
