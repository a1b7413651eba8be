/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../unit.h"

#include <errno.h>

#include "base/conf.h"
#include "base/mem.h"

/* conf_case.h: a configuration that is accepted, and one that is refused with these texts; nothing leaks. */

static struct text errors;
static size_t live_count;

static inline int setup(void **state)
{
    live_count = mem_live_count();
    text_init(&errors, 100000);
    return 0;
}

static inline int teardown(void **state)
{
    text_free(&errors);
    assert_int_equal(mem_live_count(), live_count);
    return 0;
}

static inline struct conf *parse_ok(const char *yaml)
{
    struct conf *conf = NULL;
    int err = conf_parse(&conf, "t", span_of(yaml), &errors);

    if (err)
        fail_msg("%d: %s", err, errors.data ? errors.data : "");
    assert_int_equal(errors.len, 0);
    return conf;
}

/* The file is refused, and these are all the texts. */
static inline void refuse(const char *yaml, const char *wanted)
{
    struct conf *conf = NULL;

    text_reset(&errors);
    assert_int_equal(conf_parse(&conf, "t", span_of(yaml), &errors), -EINVAL);
    assert_null(conf);
    assert_string_equal(errors.data, wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
