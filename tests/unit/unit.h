/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* unit.h: what every unit test of ours includes first: cmocka needs these four before it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

/** The bytes of a span are exactly this text. */
#define assert_span_equal(seen, wanted)                                                                                \
    do {                                                                                                               \
        struct span seen_ = (seen);                                                                                    \
        struct span wanted_ = span_of(wanted);                                                                         \
        if (!span_eq(seen_, wanted_))                                                                                  \
            fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARG(seen_), wanted_.p);                                            \
    } while (0)
