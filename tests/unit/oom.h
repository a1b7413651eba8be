/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* oom.h: run a body with our allocation 1, 2, 3, ... failing until it succeeds. Include after cmocka.h. */

#include <errno.h>

#include "base/mem.h"

#define OOM_TRIES_MAX 10000

/** The body builds something, takes it down again, and returns the first error. Until it succeeds its only error may be
 *  -ENOMEM, and it must leave no object behind. @return how many allocations it needs */
static inline int oom_run(int (*body)(void *arg), void *arg)
{
    for (int n = 0; n < OOM_TRIES_MAX; n++) {
        size_t before = mem_live_count();
        int err;

        mem_fail_after(n);
        err = body(arg);
        mem_fail_after(-1);
        assert_int_equal(mem_live_count(), before);
        if (err == 0)
            return n;
        assert_int_equal(err, -ENOMEM);
    }
    fail_msg("never succeeds");
    return -1;
}
