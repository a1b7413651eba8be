/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and branches of ours name their worker, and nothing else does. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/worker.h"
#include "sip/stack.h"

static void test_what_we_make_names_its_worker(void **state)
{
    struct sip_stack *stack = calloc(1, sizeof(*stack));

    for (unsigned worker = 0; worker < WORKER_MAX; worker++) {
        char tag[SIP_TAG_MAX], branch[SIP_BRANCH_MAX];

        stack->worker = worker;
        sip_tag_make(tag, stack);
        sip_branch_make(branch, stack);
        assert_int_equal(sip_tag_worker(span_of(tag)), worker);
        assert_int_equal(sip_branch_worker(span_of(branch)), worker);
        assert_true(strlen(tag) >= 17 && strlen(branch) >= 30); /* enough that nobody guesses it: RFC 3261 19.3 */
    }
    free(stack);
}

static void test_two_are_never_the_same(void **state)
{
    struct sip_stack *stack = calloc(1, sizeof(*stack));
    char one[SIP_TAG_MAX], other[SIP_TAG_MAX];

    sip_tag_make(one, stack);
    sip_tag_make(other, stack);
    assert_string_not_equal(one, other);
    free(stack);
}

static void test_what_others_make_names_nobody(void **state)
{
    static const char *const tags[] = {"",        "w",       "w.",      "w0",      ".",       "x0.abc",
                                       "w64.abc", "w-1.abc", "w+1.abc", "w 1.abc", "w1x.abc", "w99999999999999999999.a",
                                       "W0.abc",  "0.w"};
    static const char *const branches[] = {"",          "z9hG4bK",      "w0.abc",      "Z9HG4BKw0.abc",
                                           "z9hG4bKw.", "z9hG4bK.w0.a", "z9hG4bKw64.a"};

    for (unsigned i = 0; i < sizeof(tags) / sizeof(*tags); i++)
        if (sip_tag_worker(span_of(tags[i])) != -1)
            fail_msg("%s", tags[i]);
    for (unsigned i = 0; i < sizeof(branches) / sizeof(*branches); i++)
        if (sip_branch_worker(span_of(branches[i])) != -1)
            fail_msg("%s", branches[i]);
    assert_int_equal(sip_tag_worker(SPAN_NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_we_make_names_its_worker),
        cmocka_unit_test(test_two_are_never_the_same),
        cmocka_unit_test(test_what_others_make_names_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
