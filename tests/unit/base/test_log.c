/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"

#define TIME_US 1764064800123456u /* 2025-11-25T10:00:00.123Z */

static char lines[32][16384];
static int line_count;

static void keep(enum log_level level, const char *line)
{
    if (line_count < 32)
        snprintf(lines[line_count], sizeof(lines[0]), "%s", line);
    line_count++;
}

static int setup(void **state)
{
    line_count = 0;
    log_set(LOG_INFO, LOG_TEXT);
    log_set_sink(keep);
    clock_set_test(TIME_US);
    return 0;
}

static int teardown(void **state)
{
    log_set_sink(NULL);
    clock_set_test(0);
    return 0;
}

static void test_a_line_has_utc_time_level_and_message(void **state)
{
    log_info("call 7f3a: trunk \"%s\" rejected (status=%d)", "acme", 486);
    assert_string_equal(lines[0], "2025-11-25T10:00:00.123Z info  call 7f3a: trunk \"acme\" rejected (status=486)");
}

static void test_levels_below_the_wanted_are_silent(void **state)
{
    log_debug("no");
    assert_int_equal(line_count, 0);
    log_set(LOG_WARN, LOG_TEXT);
    log_info("no");
    log_peer("no");
    log_warn("yes");
    assert_int_equal(line_count, 1);
}

static void test_control_bytes_cannot_forge_a_line(void **state)
{
    log_info("name=%s", "a\r\n2025 error forged\x1b[0m\x7f \xc2\x9b J\xc3\xb6rg \xff");
    assert_string_equal(lines[0] + 31, "name=a\\x0d\\x0a2025 error forged\\x1b[0m\\x7f \\xc2\\x9b J\xc3\xb6rg \\xff");
}

static void test_json_is_one_object_per_line(void **state)
{
    log_set(LOG_INFO, LOG_JSON);
    log_warn("a \"quoted\"\nthing");
    assert_string_equal(
        lines[0],
        "{\"time\":\"2025-11-25T10:00:00.123Z\",\"level\":\"warn\",\"message\":\"a \\\"quoted\\\"\\nthing\"}");
}

static void test_overlong_messages_are_cut_with_a_mark(void **state)
{
    static char flood[10000];

    memset(flood, '\x01', sizeof(flood) - 1);
    log_set(LOG_INFO, LOG_JSON);
    log_info("%s", flood);
    assert_true(strlen(lines[0]) > 2000);
    assert_non_null(strstr(lines[0], "...\"}"));
}

static void test_peers_get_ten_lines_a_second(void **state)
{
    uint64_t before = stats_block()->value[STAT_LOG_SUPPRESSED];

    clock_set_test(TIME_US + 10000000);
    for (int i = 0; i < 1000; i++)
        log_peer("bad packet %d", i);
    assert_int_equal(line_count, 10);
    assert_int_equal(stats_block()->value[STAT_LOG_SUPPRESSED] - before, 990);
    clock_set_test(TIME_US + 11000000);
    log_info("own line");
    assert_int_equal(line_count, 12);
    assert_non_null(strstr(lines[10], "lines about peers held back (count=990)"));
    assert_non_null(strstr(lines[11], "own line"));
    log_peer("bad packet");
    assert_int_equal(line_count, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_line_has_utc_time_level_and_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels_below_the_wanted_are_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control_bytes_cannot_forge_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_is_one_object_per_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlong_messages_are_cut_with_a_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peers_get_ten_lines_a_second, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
