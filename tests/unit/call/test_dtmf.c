/* SPDX-License-Identifier: Apache-2.0 */
/* A pressed key in an INFO: what phones and carriers write. */
#include "../unit.h"

#include "call/dtmf.h"

static void test_what_is_written_by_whom_is_understood(void **state)
{
    static const struct {
        const char *type, *body;
        unsigned event, duration_ms;
    } known[] = {
        {"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 5, 160},
        {"application/dtmf-relay", "Signal= 5\r\nDuration= 300", 5, 300},
        {"Application/DTMF-Relay; charset=utf-8", "signal=*\nduration=100\n", 10, 100},
        {"application/dtmf-relay", "Duration=80\r\nSignal=#\r\n", 11, 80},
        {"application/dtmf-relay", "Signal=11\r\n", 11, 160},
        {"application/dtmf-relay", "Signal=d", 15, 160},
        {"application/dtmf", "7", 7, 160},
        {"application/dtmf", " A\r\n", 12, 160},
    };
    struct dtmf dtmf;

    for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
        assert_true(dtmf_parse(&dtmf, span_of(known[i].type), span_of(known[i].body)));
        assert_int_equal(dtmf.event, known[i].event);
        assert_int_equal(dtmf.duration_ms, known[i].duration_ms);
    }
}

static void test_anything_else_is_no_key(void **state)
{
    static const char *const bodies[] = {"",          "Signal=",      "Signal=16", "Signal=%",
                                         "Signal=55", "Duration=100", "=5",        "5"};
    struct dtmf dtmf;

    for (unsigned i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
        assert_false(dtmf_parse(&dtmf, SPAN("application/dtmf-relay"), span_of(bodies[i])));
    assert_false(dtmf_parse(&dtmf, SPAN("text/plain"), SPAN("Signal=5")));
    assert_false(dtmf_parse(&dtmf, SPAN_NULL, SPAN("5")));
}

static void test_what_is_written_is_read_again(void **state)
{
    for (unsigned event = 0; event < 16; event++) {
        struct dtmf dtmf;
        struct text body;

        text_init(&body, 100);
        dtmf_write(&body, &(struct dtmf){.event = event, .duration_ms = 70 + event});
        assert_true(dtmf_parse(&dtmf, DTMF_TYPE, text_span(&body)));
        assert_int_equal(dtmf.event, event);
        assert_int_equal(dtmf.duration_ms, 70 + event);
        text_free(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_by_whom_is_understood),
        cmocka_unit_test(test_anything_else_is_no_key),
        cmocka_unit_test(test_what_is_written_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
