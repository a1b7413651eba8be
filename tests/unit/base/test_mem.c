/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "../oom.h"
#include "base/mem.h"

static int destroyed_count;

static void count_destroyed(void *self)
{
    (void)self;
    destroyed_count++;
}

static void test_the_last_reference_destroys_once(void **state)
{
    size_t before = mem_live_count();
    char *object = mem_new(100, count_destroyed);

    for (int i = 0; i < 100; i++)
        assert_int_equal(object[i], 0);
    assert_int_equal((uintptr_t)object % 16, 0);
    assert_ptr_equal(mem_ref(object), object);
    assert_int_equal(mem_live_count(), before + 1);
    assert_null(mem_unref(object));
    assert_int_equal(destroyed_count, 0);
    assert_null(mem_unref(object));
    assert_int_equal(destroyed_count, 1);
    assert_int_equal(mem_live_count(), before);
}

static void test_null_is_welcome(void **state)
{
    assert_null(mem_ref(NULL));
    assert_null(mem_unref(NULL));
    mem_wipe(NULL, 3);
}

static void test_a_text_is_a_nul_ended_copy(void **state)
{
    char *text = mem_text("abcdef", 3);

    assert_string_equal(text, "abc");
    mem_unref(text);
    text = mem_text(NULL, 0);
    assert_string_equal(text, "");
    mem_unref(text);
}

static void test_the_nth_allocation_fails_and_all_later_ones(void **state)
{
    void *first;

    mem_fail_after(1);
    first = mem_new(1, NULL);
    assert_non_null(first);
    assert_null(mem_new(1, NULL));
    assert_null(mem_text("x", 1));
    mem_fail_after(-1);
    mem_unref(first);
}

static void test_absurd_sizes_fail(void **state)
{
    assert_null(mem_new(SIZE_MAX - 8, NULL));
    assert_null(mem_text("x", SIZE_MAX));
}

static int build_two(void *arg)
{
    void *first = mem_new(1, NULL);
    void *second = first ? mem_new(1, NULL) : NULL;

    mem_unref(first);
    mem_unref(second);
    return second ? 0 : -ENOMEM;
}

static void test_oom_run_counts_allocations(void **state)
{
    assert_int_equal(oom_run(build_two, NULL), 2);
}

static void test_wipe_leaves_zeros(void **state)
{
    char key[4] = "abc";

    mem_wipe(key, sizeof(key));
    assert_memory_equal(key, "\0\0\0\0", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_reference_destroys_once),
        cmocka_unit_test(test_null_is_welcome),
        cmocka_unit_test(test_a_text_is_a_nul_ended_copy),
        cmocka_unit_test(test_the_nth_allocation_fails_and_all_later_ones),
        cmocka_unit_test(test_absurd_sizes_fail),
        cmocka_unit_test(test_oom_run_counts_allocations),
        cmocka_unit_test(test_wipe_leaves_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
