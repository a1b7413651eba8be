/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <string.h>

#include "base/clock.h"
#include "base/rand.h"

static void test_texts_have_their_length_and_letters(void **state)
{
    char buf[100];

    memset(buf, '#', sizeof(buf));
    rand_text(buf, 90);
    assert_int_equal(strlen(buf), 90);
    assert_int_equal(strspn(buf, "abcdefghijklmnopqrstuvwxyz0123456789"), 90);
    assert_int_equal(buf[91], '#');
    rand_text(buf, 0);
    assert_string_equal(buf, "");
}

static void test_two_draws_differ(void **state)
{
    unsigned char first[600], second[600];

    rand_bytes(first, sizeof(first)); /* larger than a block */
    rand_bytes(second, sizeof(second));
    assert_memory_not_equal(first, second, sizeof(first));
    rand_bytes(first, 16);
    rand_bytes(second, 16);
    assert_memory_not_equal(first, second, 16);
    assert_true(rand_u64() != rand_u64());
}

static void test_a_seed_repeats(void **state)
{
    char first[21], second[21];

    rand_set_test(7);
    rand_text(first, 20);
    rand_set_test(7);
    rand_text(second, 20);
    rand_set_test(0);
    assert_string_equal(first, second);
    rand_text(second, 20);
    assert_string_not_equal(first, second);
}

static void test_the_clock_stands_where_the_test_sets_it(void **state)
{
    uint64_t real_us = clock_now_us();

    clock_set_test(5000);
    assert_int_equal(clock_now_us(), 5000);
    assert_int_equal(clock_now_ms(), 5);
    assert_int_equal(clock_wall_us(), 5000);
    clock_set_test(0);
    assert_true(clock_now_us() >= real_us);
    assert_true(clock_wall_us() > 1700000000000000u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_have_their_length_and_letters),
        cmocka_unit_test(test_two_draws_differ),
        cmocka_unit_test(test_a_seed_repeats),
        cmocka_unit_test(test_the_clock_stands_where_the_test_sets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
