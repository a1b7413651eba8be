/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/mem.h"
#include "base/warm.h"

static _Alignas(WARM_LINE) char lines[4 * WARM_LINE];

static void test_an_object_is_listed_by_its_lines(void **state)
{
    struct warm warm = {0};

    warm_add(&warm, lines, 1);
    warm_add(&warm, lines + WARM_LINE - 1, 2);
    warm_add(&warm, lines + 5, sizeof(lines) - 5);
    assert_int_equal(warm.count, 3);
    assert_int_equal(warm.entries[0], (uintptr_t)lines);
    assert_int_equal(warm.entries[1], (uintptr_t)lines + 1);
    assert_int_equal(warm.entries[2], (uintptr_t)lines + 3);
}

static void test_what_is_not_there_or_does_not_fit_is_left_out(void **state)
{
    struct warm warm = {0};

    warm_add(&warm, NULL, 8);
    warm_add(&warm, lines, 0);
    warm_add(&warm, lines, (WARM_LINES + 2) * WARM_LINE);
    assert_int_equal(warm.count, 0);
    for (unsigned i = 0; i < WARM_MAX + 5; i++)
        warm_add(&warm, lines, 8);
    assert_int_equal(warm.count, WARM_MAX);
}

static void test_fetching_what_is_gone_does_no_harm(void **state)
{
    struct warm warm = {0};
    char *gone = mem_bytes(1000);

    warm_add(&warm, gone, 1000);
    warm_add(&warm, (void *)WARM_LINE, 200);
    mem_unref(gone);
    warm_fetch(&warm);
    warm_fetch(NULL);
    warm_fetch_object(NULL, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_object_is_listed_by_its_lines),
        cmocka_unit_test(test_what_is_not_there_or_does_not_fit_is_left_out),
        cmocka_unit_test(test_fetching_what_is_gone_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
