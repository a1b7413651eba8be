/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"

static void test_each_thread_counts_on_its_block(void **state)
{
    static struct stats block;

    stats_bind(&block);
    assert_ptr_equal(stats_block(), &block);
    stats_count(STAT_CALLS_STARTED);
    stats_add(STAT_CALLS_STARTED, 2);
    stats_bind(NULL);
    stats_count(STAT_CALLS_STARTED);
    assert_int_equal(block.value[STAT_CALLS_STARTED], 3);
    assert_int_equal(stats_block()->value[STAT_CALLS_STARTED], 1);
}

static void test_observations_fall_into_the_bucket_of_their_upper_bound(void **state)
{
    static struct stats block;

    stats_bind(&block);
    stats_observe(HIST_LOOP_US, 0);
    stats_observe(HIST_LOOP_US, 1);
    stats_observe(HIST_LOOP_US, 2);
    stats_observe(HIST_LOOP_US, 3);
    stats_observe(HIST_LOOP_US, 50000);
    stats_observe(HIST_LOOP_US, 50001);
    stats_bind(NULL);
    assert_int_equal(block.hist[HIST_LOOP_US].bucket[0], 2);
    assert_int_equal(block.hist[HIST_LOOP_US].bucket[1], 1);
    assert_int_equal(block.hist[HIST_LOOP_US].bucket[2], 1);
    assert_int_equal(block.hist[HIST_LOOP_US].bucket[HIST_BUCKET_COUNT - 2], 1);
    assert_int_equal(block.hist[HIST_LOOP_US].bucket[HIST_BUCKET_COUNT - 1], 1);
    assert_int_equal(block.hist[HIST_LOOP_US].sum, 100007);
}

static void test_the_page_shows_sums_in_prometheus_form(void **state)
{
    static struct stats first, second, sum;
    struct stats *blocks[] = {&first, &second};
    struct text text;

    stats_bind(&first);
    stats_add(STAT_CALLS, 3);
    stats_add(STAT_CALLS_STARTED, 5);
    stats_observe(HIST_LOOP_US, 10);
    stats_bind(&second);
    stats_add(STAT_CALLS, -1); /* a call that the first one counted */
    stats_add(STAT_CALLS_STARTED, 7);
    stats_observe(HIST_LOOP_US, 11);
    stats_bind(NULL);
    stats_sum(&sum, blocks, 2);

    text_init(&text, 100000);
    stats_write(&text, &sum);
    assert_int_equal(text_err(&text), 0);
    assert_non_null(strstr(text.data, "# TYPE sipway_calls gauge\nsipway_calls 2\n"));
    assert_non_null(strstr(text.data, "# HELP sipway_calls_started_total calls started\n"
                                      "# TYPE sipway_calls_started_total counter\nsipway_calls_started_total 12\n"));
    assert_non_null(strstr(text.data, "# TYPE sipway_loop_turn_us histogram\n"));
    assert_non_null(strstr(text.data, "sipway_loop_turn_us_bucket{le=\"10\"} 1\n"));
    assert_non_null(strstr(text.data, "sipway_loop_turn_us_bucket{le=\"20\"} 2\n"));
    assert_non_null(strstr(text.data, "sipway_loop_turn_us_bucket{le=\"+Inf\"} 2\n"));
    assert_non_null(strstr(text.data, "sipway_loop_turn_us_sum 21\nsipway_loop_turn_us_count 2\n"));
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_thread_counts_on_its_block),
        cmocka_unit_test(test_observations_fall_into_the_bucket_of_their_upper_bound),
        cmocka_unit_test(test_the_page_shows_sums_in_prometheus_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
