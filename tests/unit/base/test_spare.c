/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <malloc.h>

#include "base/spare.h"

static void test_a_large_block_is_used_again(void **state)
{
    void *block = spare_malloc(16500), *next;

    memset(block, 1, 16500);
    spare_free(block);
    next = spare_malloc(22000); /* another size of the same kind fits too */
    assert_ptr_equal(next, block);
    assert_true(malloc_usable_size(next) >= 22000);
    spare_free(next);
    spare_drop();
}

static void test_other_sizes_are_mallocs_own(void **state)
{
    void *small = spare_malloc(100), *huge = spare_malloc(100000), *block;

    spare_free(small);
    spare_free(huge);
    spare_free(NULL);
    block = spare_malloc(20000);
    assert_true(malloc_usable_size(block) >= 20000 && malloc_usable_size(block) < 40000); /* neither of the two */
    block = spare_realloc(block, 30000);
    assert_true(malloc_usable_size(block) >= 30000);
    spare_free(block);
    spare_drop();
}

static void test_only_a_few_blocks_are_kept(void **state)
{
    void *blocks[40];
    struct mallinfo2 before = mallinfo2(), after;

    for (unsigned i = 0; i < 40; i++)
        blocks[i] = spare_malloc(20000);
    for (unsigned i = 0; i < 40; i++)
        spare_free(blocks[i]);
    after = mallinfo2();
    assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + 20 * 30000);
    spare_drop();
    after = mallinfo2();
    assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + 20000); /* nothing is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_large_block_is_used_again),
        cmocka_unit_test(test_other_sizes_are_mallocs_own),
        cmocka_unit_test(test_only_a_few_blocks_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
