/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <limits.h>
#include <stdio.h>

#include "base/print.h"

/* Whatever is asked, it is what snprintf() would have written, into any room. */
#define assert_same(...)                                                                                               \
    do {                                                                                                               \
        for (size_t room = 0; room < 80; room++) {                                                                     \
            char ours[80], theirs[80];                                                                                 \
            int n;                                                                                                     \
                                                                                                                       \
            memset(ours, '#', sizeof(ours));                                                                           \
            memset(theirs, '#', sizeof(theirs));                                                                       \
            n = snprintf(theirs, room, __VA_ARGS__);                                                                   \
            assert_int_equal(print_into(ours, room, __VA_ARGS__), n);                                                  \
            assert_memory_equal(ours, theirs, sizeof(ours));                                                           \
        }                                                                                                              \
    } while (0)

static void test_strings_are_printed_as_stdio_does(void **state)
{
    assert_same("plain");
    assert_same("%s", "");
    assert_same("<%s|%.*s|%.3s|%.*s>", "abc", 2, "xyz", "abcdef", -1, "all");
    assert_same("%.*s", 0, "");
    assert_same("%8s|%2s|%c|%3c|%%", "right", "over", 'x', 'y');
}

static void test_numbers_are_printed_as_stdio_does(void **state)
{
    assert_same("%d %d %d %i", 0, -1, INT_MIN, INT_MAX);
    assert_same("%u %lu %llu %zu", UINT_MAX, ULONG_MAX, ULLONG_MAX, SIZE_MAX);
    assert_same("%ld %lld %zd", LONG_MIN, LLONG_MIN, (ssize_t)-5);
    assert_same("%x %X %08x %02X %016llx %zx", 0xbeefu, 0xbeefu, 0x1fu, 7u, 0x123456789abcdefull, (size_t)255);
    assert_same("%02d|%04d|%3d|%03d|%03u", 5, -7, 4, 12345, 9u);
}

static void test_what_it_does_not_know_is_left_to_stdio(void **state)
{
    assert_same("%.3f s, %-5s|%+d|%#x %s", 1.25, "ab", 3, 255u, "end");
    assert_same("%p %.2d %40d", (void *)0, 7, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_printed_as_stdio_does),
        cmocka_unit_test(test_numbers_are_printed_as_stdio_does),
        cmocka_unit_test(test_what_it_does_not_know_is_left_to_stdio),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
