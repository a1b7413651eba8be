/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.c: findings on a screen and as JSON: the same words, whatever a peer put into them. */
#include "probe/report.h"

#include <jansson.h>
#include <stdlib.h>

#include "../unit.h"
#include "base/mem.h"

static struct report *new_report(const char *name)
{
    struct report *report = mem_new(sizeof(*report), NULL);

    snprintf(report->name, sizeof(report->name), "%s", name);
    snprintf(report->uri, sizeof(report->uri), "sip:%s.example.net", name);
    return report;
}

static char *screen(const struct report *report, unsigned columns)
{
    struct text text;

    text_init(&text, 1 << 20);
    report_write_screen(&text, report, columns);
    return text_take(&text);
}

static void test_exit_code_is_1_when_anything_has_failed(void **state)
{
    struct report *reports[] = {new_report("one"), new_report("two")};

    report_add(reports[0], FINDING_OK, "DNS", "fine");
    report_add(reports[1], FINDING_WARN, "NAT", "odd");
    assert_int_equal(report_exit(reports, 2), 0);
    report_add(reports[1], FINDING_FAIL, "media", "nothing");
    assert_int_equal(report_exit(reports, 2), 1);
    assert_int_equal(report_exit(reports, 1), 0);
    mem_unref(reports[0]);
    mem_unref(reports[1]);
}

static void test_screen_has_a_line_per_finding_and_says_what_to_do(void **state)
{
    struct report *report = new_report("one");
    char *text;

    report_add(report, FINDING_OK, "DNS", "%s is %d", "here", 1);
    report_add(report, FINDING_FAIL, "call", "refused");
    report_advise(report, "ask %s", "them");
    text = screen(report, 100);
    assert_string_equal(text, "trunk \"one\" (sip:one.example.net)\n"
                              "  ok    DNS           here is 1\n"
                              "  FAIL  call          refused\n"
                              "                      -> ask them\n");
    mem_unref(text);
    mem_unref(report);
}

static void test_long_sentences_are_wrapped_between_words(void **state)
{
    struct report *report = new_report("one");
    char *text, *line, *rest = NULL;

    report_add(report, FINDING_WARN, "NAT", "%s",
               "a sentence of many words that does not fit on one line of a narrow terminal, and goes on and on");
    text = screen(report, 60);
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        assert_in_range(strlen(line), 1, 60);
    mem_unref(text);
    mem_unref(report);
}

static void test_control_bytes_of_a_peer_do_not_reach_the_terminal(void **state)
{
    struct report *report = new_report("one");
    char *text;

    report_add(report, FINDING_FAIL, "call", "refused: 403 %s", "\033[2J\r\nNo\x80");
    text = screen(report, 100);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    assert_non_null(strstr(text, "403 ?[2J??No?"));
    mem_unref(text);
    mem_unref(report);
}

static json_t *parsed(struct report **reports, unsigned count)
{
    struct text text;
    json_t *json;

    text_init(&text, 1 << 20);
    assert_int_equal(report_write_json(&text, "a.yaml", reports, count), 0);
    json = json_loadb(text.data, text.len, 0, NULL);
    assert_non_null(json);
    text_free(&text);
    return json;
}

static void test_json_holds_each_finding_with_its_values(void **state)
{
    struct report *report = new_report("one");
    json_t *json, *finding;

    report_add(report, FINDING_FAIL, "media", "\"loss\" of %d %%", 10);
    report_advise(report, "look");
    report_value(report, "lost_percent", 10);
    report_add(report, FINDING_OK, "DNS", "fine");
    json = parsed(&report, 1);
    finding = json_array_get(json_object_get(json_array_get(json_object_get(json, "trunks"), 0), "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "check")), "media");
    assert_string_equal(json_string_value(json_object_get(finding, "result")), "FAIL");
    assert_string_equal(json_string_value(json_object_get(finding, "text")), "\"loss\" of 10 %");
    assert_string_equal(json_string_value(json_object_get(finding, "advice")), "look");
    assert_true(json_real_value(json_object_get(finding, "lost_percent")) == 10.0);
    assert_int_equal(json_integer_value(json_object_get(json, "failed")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "ok")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "exit")), 1);
    json_decref(json);
    mem_unref(report);
}

static void test_more_findings_than_fit_are_dropped(void **state)
{
    struct report *report = new_report("one");

    for (unsigned i = 0; i < 2 * REPORT_MAX; i++)
        report_add(report, FINDING_OK, "DNS", "%u", i);
    for (unsigned i = 0; i < 2 * FINDING_VALUE_MAX; i++)
        report_value(report, "n", i);
    assert_int_equal(report->count, REPORT_MAX);
    assert_int_equal(report_count(report, FINDING_OK), REPORT_MAX);
    mem_unref(report);
}

static void test_sum_says_ready_or_not(void **state)
{
    struct report *report = new_report("one");
    struct text text;

    text_init(&text, 1000);
    report_add(report, FINDING_WARN, "NAT", "odd");
    report_write_sum(&text, &report, 1);
    assert_string_equal(text.data, "ready: 0 ok, 1 to look at, 0 failed\n");
    text_reset(&text);
    report_add(report, FINDING_FAIL, "call", "no");
    report_write_sum(&text, &report, 1);
    assert_string_equal(text.data, "NOT READY: 0 ok, 1 to look at, 1 failed\n");
    text_free(&text);
    mem_unref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_code_is_1_when_anything_has_failed),
        cmocka_unit_test(test_screen_has_a_line_per_finding_and_says_what_to_do),
        cmocka_unit_test(test_long_sentences_are_wrapped_between_words),
        cmocka_unit_test(test_control_bytes_of_a_peer_do_not_reach_the_terminal),
        cmocka_unit_test(test_json_holds_each_finding_with_its_values),
        cmocka_unit_test(test_more_findings_than_fit_are_dropped),
        cmocka_unit_test(test_sum_says_ready_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
