/* SPDX-License-Identifier: Apache-2.0 */
/* Who sent a call on: Diversion and History-Info, read and written anew. RFC 5806, RFC 7044, RFC 7544. */
#include "../unit.h"

#include <string.h>

#include "call/diversion.h"
#include "message_of.h"

static const struct conf_rules none;

static void assert_written(enum conf_diversion policy, const char *lines, const char *wanted)
{
    struct text out;

    text_init(&out, 16384);
    diversion_write(&out, message_of("<sip:1@x>", lines),
                    &(struct diversion_options){
                        .policy = policy, .in = &none, .out = &none, .domain = "example.com", .target = "100"});
    assert_int_equal(text_err(&out), 0);
    assert_string_equal(out.data ? out.data : "", wanted);
    text_free(&out);
}

#define TWO                                                                                                            \
    "Diversion: \"Second\" <sip:200@10.0.0.2:5099;x=y>;reason=user-busy;counter=2;privacy=full;limit=5\r\n"            \
    "Diversion: <tel:+49300>;reason=\"unconditional\";screen=yes;x-host=10.0.0.3\r\n"

static void test_a_diversion_keeps_number_reason_and_count_but_no_address(void **state)
{
    assert_written(CONF_DIVERSION_PASS, TWO,
                   "Diversion: \"Second\" <sip:200@example.com>;reason=user-busy;counter=2;privacy=full\r\n"
                   "Diversion: <sip:+49300@example.com>;reason=unconditional;privacy=off\r\n");
}

static void test_a_diversion_becomes_history(void **state)
{
    assert_written(CONF_DIVERSION_HISTORY, TWO,
                   "History-Info: <sip:+49300@example.com>;index=1\r\n"
                   "History-Info: \"Second\" <sip:200@example.com;cause=302?Privacy=history>;index=1.1;mp=1\r\n"
                   "History-Info: <sip:100@example.com;cause=486>;index=1.1.1;mp=1.1\r\n");
}

static void test_history_stays_history(void **state)
{
    assert_written(CONF_DIVERSION_PASS,
                   "History-Info: <sip:300@10.0.0.3>;index=1, <sip:200@10.0.0.2;cause=408>;index=1.1;mp=1\r\n",
                   "History-Info: <sip:300@example.com>;index=1\r\n"
                   "History-Info: <sip:100@example.com;cause=408>;index=1.1;mp=1\r\n");
    assert_written(
        CONF_DIVERSION_PASS,
        "History-Info: <sip:300@10.0.0.3?Reason=SIP%3Bcause%3D486>;index=1, <sip:200@10.0.0.2>;index=1.1\r\n",
        "History-Info: <sip:300@example.com>;index=1\r\n"
        "History-Info: <sip:100@example.com;cause=486>;index=1.1;mp=1\r\n");
}

static void test_off_and_nothing_write_nothing(void **state)
{
    assert_written(CONF_DIVERSION_OFF, TWO, "");
    assert_written(CONF_DIVERSION_PASS, "", "");
    assert_written(CONF_DIVERSION_HISTORY, "History-Info: <sip:100@x>;index=1\r\n", ""); /* nobody sent it on */
}

static void test_what_is_no_number_or_no_reason_does_not_cross(void **state)
{
    assert_written(CONF_DIVERSION_PASS,
                   "Diversion: <sip:2%0d%0aX-Evil:1@x>;reason=away\r\nDiversion: <mailto:a@x>\r\n"
                   "Diversion: <sip:300@x>;reason=\"me; evil\";counter=99999999999\r\n",
                   "Diversion: <sip:300@example.com>;reason=unknown;privacy=off\r\n");
}

static void test_there_is_an_end_to_it(void **state)
{
    char lines[8192] = "", wanted[8192] = "";

    for (unsigned i = 0; i < 60; i++)
        strcat(lines, "Diversion: <sip:300@x>\r\n");
    for (unsigned i = 0; i < 10; i++)
        strcat(wanted, "Diversion: <sip:300@example.com>;reason=unknown;privacy=off\r\n");
    assert_written(CONF_DIVERSION_PASS, lines, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_diversion_keeps_number_reason_and_count_but_no_address),
        cmocka_unit_test(test_a_diversion_becomes_history),
        cmocka_unit_test(test_history_stays_history),
        cmocka_unit_test(test_off_and_nothing_write_nothing),
        cmocka_unit_test(test_what_is_no_number_or_no_reason_does_not_cross),
        cmocka_unit_test(test_there_is_an_end_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
