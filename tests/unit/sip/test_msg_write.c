/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "../oom.h"
#include "sip/msg_write.h"

static struct text out;

static int setup(void **state)
{
    text_init(&out, SIP_MSG_MAX);
    return 0;
}

static int teardown(void **state)
{
    text_free(&out);
    return 0;
}

static struct sip_msg *parse(const char *message)
{
    static char bytes[4096];
    static struct sip_msg msg;
    unsigned status;
    const char *why;

    assert_true(strlen(message) < sizeof(bytes));
    memcpy(bytes, message, strlen(message));
    sip_msg_parse(&msg, bytes, strlen(message), &status, &why);
    return &msg;
}

#define REQUEST                                                                                                        \
    "INVITE sip:b@203.0.113.10 SIP/2.0\r\n"                                                                            \
    "v: SIP/2.0/UDP [2001:db8::7]:5070 ;branch=z9hG4bK1;rport;received=10.0.0.1;x=\"a;b\";flag, SIP/2.0/TCP "          \
    "h2;branch=z9hG4bK2\r\n"                                                                                           \
    "Via: SIP/2.0/UDP h3;branch=z9hG4bK3;received=192.0.2.3\r\n"                                                       \
    "Record-Route: <sip:192.0.2.11;lr>,\r\n <sip:192.0.2.10;lr>\r\n"                                                   \
    "Record-Route: <sip:192.0.2.9;lr>\r\n"                                                                             \
    "f: \"Doe, \\\"J\\\"\" <sip:a@192.0.2.10>;tag=f1;x=y\r\n"                                                          \
    "t: <sip:b@203.0.113.10>\r\n"                                                                                      \
    "i: w1\r\n"                                                                                                        \
    "CSeq: 007\r\n INVITE\r\n"                                                                                         \
    "Timestamp: 54\r\n"

static void test_a_response_mirrors_its_request(void **state)
{
    struct sip_msg *msg = parse(REQUEST "\r\n");

    msg->via.received = SPAN("2001:db8::99");
    msg->via.rport = 40000;
    sip_write_response_head(&out, msg, 183, NULL, SPAN("t1"));
    assert_span_equal(text_span(&out), "SIP/2.0 183 Session Progress\r\n"
                                       "Via: SIP/2.0/UDP [2001:db8::7]:5070;branch=z9hG4bK1;x=\"a;b\";flag;"
                                       "received=2001:db8::99;rport=40000\r\n"
                                       "Via: SIP/2.0/TCP h2;branch=z9hG4bK2\r\n"
                                       "Via: SIP/2.0/UDP h3;branch=z9hG4bK3;received=192.0.2.3\r\n"
                                       "From: \"Doe, \\\"J\\\"\" <sip:a@192.0.2.10>;tag=f1;x=y\r\n"
                                       "To: <sip:b@203.0.113.10>;tag=t1\r\n"
                                       "Call-ID: w1\r\n"
                                       "CSeq: 007 INVITE\r\n"
                                       "Record-Route: <sip:192.0.2.11;lr>, <sip:192.0.2.10;lr>\r\n"
                                       "Record-Route: <sip:192.0.2.9;lr>\r\n");
    assert_int_equal(text_err(&out), 0);
}

static void test_100_has_the_timestamp_and_no_tag_unless_given(void **state)
{
    sip_write_response_head(&out, parse(REQUEST "\r\n"), 100, NULL, SPAN_NULL);
    assert_non_null(strstr(out.data, "Timestamp: 54\r\n"));
    assert_non_null(strstr(out.data, "To: <sip:b@203.0.113.10>\r\n"));
    assert_null(strstr(out.data, "Record-Route"));
}

static void test_a_refusal_has_no_record_route(void **state)
{
    sip_write_response_head(&out, parse(REQUEST "\r\n"), 486, "Nobody home", SPAN("t1"));
    assert_true(span_starts(text_span(&out), SPAN("SIP/2.0 486 Nobody home\r\n")));
    assert_null(strstr(out.data, "Record-Route"));
    assert_null(strstr(out.data, "Timestamp"));
}

static void test_a_to_tag_that_is_there_stays(void **state)
{
    sip_write_response_head(
        &out,
        parse("BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a@b;tag=1\r\nTo: sip:c@d;tag=2\r\n"
              "Call-ID: x\r\nCSeq: 1 BYE\r\n\r\n"),
        481, NULL, SPAN("other"));
    assert_non_null(strstr(out.data, "To: sip:c@d;tag=2\r\n"));
}

static void test_a_request_without_from_and_to_still_gets_its_400(void **state)
{
    sip_write_response_head(&out, parse("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nCSeq: 1 OPTIONS\r\n\r\n"), 400,
                            NULL, SPAN("t"));
    assert_span_equal(text_span(&out), "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h\r\nCSeq: 1 OPTIONS\r\n");
}

static void test_a_value_that_would_break_its_line_fails_the_message(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {{"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"\r\nVia: x", 8}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        text_reset(&out);
        sip_write_header(&out, "Subject", span_make(bad[i].bytes, bad[i].n));
        assert_int_equal(text_err(&out), -EBADMSG);
        text_reset(&out);
        sip_write_request_line(&out, "INVITE", span_make(bad[i].bytes, bad[i].n));
        assert_int_equal(text_err(&out), -EBADMSG);
    }
    text_reset(&out);
    sip_write_headerf(&out, "Subject", "%s", "a\r\nb");
    assert_int_equal(text_err(&out), -EBADMSG);
    text_reset(&out);
    sip_write_status_line(&out, 200, "O\nK");
    assert_int_equal(text_err(&out), -EBADMSG);
    text_reset(&out);
    sip_write_warning(&out, "gw", "a\nb");
    assert_int_equal(text_err(&out), -EBADMSG);
    text_reset(&out);
    sip_write_request_line(&out, "INVITE", SPAN("sip:a b"));
    assert_int_equal(text_err(&out), -EBADMSG);
}

static void test_lines_and_bodies_are_written_flat(void **state)
{
    sip_write_request_line(&out, "INVITE", SPAN("sip:b@h"));
    sip_write_header(&out, "To", SPAN("<sip:b@h>"));
    sip_write_headerf(&out, "CSeq", "%u %s", 5, "INVITE");
    sip_write_warning(&out, "gw.example.com", "no \"codec\" \\ left");
    sip_write_reason(&out, 486, "Busy \"here\"");
    sip_write_reason(&out, 200, NULL);
    sip_write_body(&out, SPAN("text/plain"), span_make("a\0b", 3));
    assert_int_equal(text_err(&out), 0);
    assert_true(span_eq(text_span(&out), SPAN("INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>\r\nCSeq: 5 INVITE\r\n"
                                              "Warning: 399 gw.example.com \"no \\\"codec\\\" \\\\ left\"\r\n"
                                              "Reason: SIP;cause=486;text=\"Busy \\\"here\\\"\"\r\n"
                                              "Reason: SIP;cause=200\r\n"
                                              "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\na\0b")));
}

static void test_an_empty_body_has_no_type(void **state)
{
    sip_write_body(&out, SPAN("text/plain"), SPAN_NULL);
    assert_span_equal(text_span(&out), "Content-Length: 0\r\n\r\n");
}

static void test_every_status_has_a_phrase(void **state)
{
    assert_string_equal(sip_status_text(480), "Temporarily Unavailable");
    assert_string_equal(sip_status_text(499), sip_status_text(400));
    assert_string_equal(sip_status_text(699), sip_status_text(600));
    assert_string_equal(sip_status_text(0), "Unknown");
    assert_string_equal(sip_status_text(799), "Unknown");
}

static int write_some(void *arg)
{
    struct text text;
    int err;

    text_init(&text, SIP_MSG_MAX);
    sip_write_response_head(&text, arg, 183, NULL, SPAN("t1"));
    sip_write_warning(&text, "gw", "x");
    sip_write_headerf(&text, "X", "%0300d", 1);
    sip_write_body(&text, SPAN("text/plain"), SPAN("body"));
    err = text_err(&text);
    text_free(&text);
    return err;
}

static void test_out_of_memory_is_only_enomem(void **state)
{
    assert_true(oom_run(write_some, parse(REQUEST "\r\n")) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_response_mirrors_its_request),
        TEST(test_100_has_the_timestamp_and_no_tag_unless_given),
        TEST(test_a_refusal_has_no_record_route),
        TEST(test_a_to_tag_that_is_there_stays),
        TEST(test_a_request_without_from_and_to_still_gets_its_400),
        TEST(test_a_value_that_would_break_its_line_fails_the_message),
        TEST(test_lines_and_bodies_are_written_flat),
        TEST(test_an_empty_body_has_no_type),
        TEST(test_every_status_has_a_phrase),
        TEST(test_out_of_memory_is_only_enomem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
