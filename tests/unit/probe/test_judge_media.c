/* SPDX-License-Identifier: Apache-2.0 */
/* test_judge_media.c: which numbers of a media test are fine, which are to be looked at, and which are a failure. */
#include "probe/judge_media.h"

#include "../unit.h"
#include "base/mem.h"

static struct conf conf;
static struct report report;

/* A call that is well: 200 packets out, all back. */
static struct media_result well(void)
{
    struct media_result result = {.sent = 200,
                                  .received = 200,
                                  .expected = 200,
                                  .echoed = 200,
                                  .echo_wanted = 200,
                                  .echo_ms = 40,
                                  .jitter_ms = 2,
                                  .level_dbov = -21,
                                  .dscp = 46,
                                  .is_dscp_set = true,
                                  .report_ms = -1};

    addr_parse(&result.source, SPAN("192.0.2.1"), 4000);
    return result;
}

static const struct finding *judged(const struct media_result *result, const char *words)
{
    struct judge_media about = {.conf = &conf};

    conf.media.dscp_audio = 46;
    conf.media.rtp_port_min = 20000;
    conf.media.rtp_port_max = 29999;
    addr_parse(&about.told, SPAN("192.0.2.1"), 4000);
    memset(&report, 0, sizeof(report));
    judge_media(&report, result, &about);
    for (unsigned i = 0; words && i < report.count; i++)
        if (strstr(report.findings[i].text, words))
            return &report.findings[i];
    return NULL;
}

static void test_a_good_call_has_nothing_to_complain_of(void **state)
{
    struct media_result result = well();

    judged(&result, NULL);
    assert_int_equal(report_count(&report, FINDING_OK), report.count);
    assert_true(report.count >= 4);
}

static void test_nothing_received_is_one_way_and_names_the_ports(void **state)
{
    struct media_result result = well();
    const struct finding *finding;

    result.received = result.expected = result.echoed = 0;
    finding = judged(&result, "one-way");
    assert_non_null(finding);
    assert_int_equal(finding->level, FINDING_FAIL);
    assert_non_null(strstr(finding->advice, "20000-29999"));
    assert_int_equal(report.count, 1);
}

static void test_loss_is_judged_by_its_share(void **state)
{
    static const struct {
        unsigned received;
        enum finding_level level;
    } rows[] = {{200, FINDING_OK}, {198, FINDING_WARN}, {190, FINDING_FAIL}};

    for (unsigned i = 0; i < 3; i++) {
        struct media_result result = well();

        result.received = result.echoed = rows[i].received;
        assert_int_equal(judged(&result, "lost on the way to us")->level, rows[i].level);
    }
}

static void test_loss_that_only_the_echo_shows_is_found(void **state)
{
    struct media_result result = well();

    result.received = result.expected = result.echoed = 180; /* renumbered by the far end */
    assert_int_equal(judged(&result, "lost on the way to us")->level, FINDING_OK);
    assert_int_equal(judged(&result, "did not come back")->level, FINDING_FAIL);
}

static void test_loss_on_the_way_in_is_not_told_twice(void **state)
{
    struct media_result result = well();

    result.received = result.echoed = 180;
    assert_null(judged(&result, "did not come back"));
}

static void test_the_trunks_own_report_counts(void **state)
{
    struct media_result result = well();

    result.has_report = true;
    result.report_lost = 0.05;
    assert_int_equal(judged(&result, "of ours were lost")->level, FINDING_FAIL);
    result.report_lost = 0;
    assert_int_equal(judged(&result, "of ours were lost")->level, FINDING_OK);
}

static void test_time_and_jitter(void **state)
{
    struct media_result result = well();

    result.echo_ms = 400;
    result.jitter_ms = 50;
    assert_int_equal(judged(&result, "round trip")->level, FINDING_WARN);
    assert_int_equal(judged(&result, "jitter")->level, FINDING_WARN);
    result.echo_ms = 900;
    result.jitter_ms = 120;
    assert_int_equal(judged(&result, "round trip")->level, FINDING_FAIL);
    assert_int_equal(judged(&result, "jitter")->level, FINDING_FAIL);
}

static void test_round_trip_by_rtcp_where_nothing_echoes(void **state)
{
    struct media_result result = well();

    result.echoed = 0;
    assert_non_null(judged(&result, "round trip not known"));
    result.report_ms = 80;
    assert_non_null(strstr(judged(&result, "round trip")->text, "80.0 ms (by RTCP)"));
}

static void test_silence_another_source_and_no_mark_are_told(void **state)
{
    struct media_result result = well();

    result.level_dbov = -127;
    assert_int_equal(judged(&result, "silence")->level, FINDING_WARN);
    result = well();
    addr_parse(&result.source, SPAN("198.51.100.9"), 777);
    assert_int_equal(judged(&result, "198.51.100.9:777")->level, FINDING_WARN);
    result = well();
    result.is_dscp_set = false;
    assert_int_equal(judged(&result, "does not let us mark")->level, FINDING_WARN);
    result = well();
    result.dscp = 0;
    assert_int_equal(judged(&result, "arrive with 0")->level, FINDING_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_call_has_nothing_to_complain_of),
        cmocka_unit_test(test_nothing_received_is_one_way_and_names_the_ports),
        cmocka_unit_test(test_loss_is_judged_by_its_share),
        cmocka_unit_test(test_loss_that_only_the_echo_shows_is_found),
        cmocka_unit_test(test_loss_on_the_way_in_is_not_told_twice),
        cmocka_unit_test(test_the_trunks_own_report_counts),
        cmocka_unit_test(test_time_and_jitter),
        cmocka_unit_test(test_round_trip_by_rtcp_where_nothing_echoes),
        cmocka_unit_test(test_silence_another_source_and_no_mark_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
