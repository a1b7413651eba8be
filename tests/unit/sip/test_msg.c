/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sip/msg.h"

#define VIA  "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKm\r\n"
#define FROM "From: <sip:+12025550199@192.0.2.10>;tag=m1\r\n"
#define TO   "To: <sip:+12025550123@203.0.113.10>\r\n"
#define CALL "Call-ID: m1@192.0.2.10\r\n"
#define CSEQ "CSeq: 1 OPTIONS\r\n"
#define LINE "OPTIONS sip:203.0.113.10 SIP/2.0\r\n"
#define HEAD LINE VIA FROM TO CALL CSEQ

static struct {
    char *bytes;
    struct sip_msg msg;
    unsigned status;
    const char *why;
} seen;

/* Parses an exact-size copy, so that the sanitizers watch its end. */
static int parse(struct span message)
{
    free(seen.bytes);
    seen.bytes = malloc(message.n ? message.n : 1);
    assert_non_null(seen.bytes);
    if (message.n)
        memcpy(seen.bytes, message.p, message.n);
    return sip_msg_parse(&seen.msg, seen.bytes, message.n, &seen.status, &seen.why);
}

static void assert_refused(struct span message, unsigned status)
{
    if (parse(message) != -EBADMSG || seen.status != status)
        fail_msg("status %u (%s) for\n%.*s", seen.status, seen.why, SPAN_ARG(message));
}

static int teardown(void **state)
{
    free(seen.bytes);
    seen.bytes = NULL;
    return 0;
}

/* -- the table of headers -- */

struct row {
    enum sip_header_id id;
    const char *name, *compact;
};
static const struct row rows[] = {
#define HEADER(id, name, compact, kind) {SIP_H_##id, name, compact},
#include "sip/headers.def"
#undef HEADER
};

static void flip_case(char *text)
{
    for (; *text; text++) {
        if ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z')
            *text ^= 0x20;
    }
}

static void test_every_header_is_found_by_its_names_in_any_case(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s", rows[i].name);
        assert_int_equal(sip_header_find(span_of(name)), rows[i].id);
        flip_case(name);
        assert_int_equal(sip_header_find(span_of(name)), rows[i].id);
        assert_string_equal(sip_header_name(rows[i].id), rows[i].name);
        if (!rows[i].compact[0])
            continue;
        snprintf(name, sizeof(name), "%s", rows[i].compact);
        assert_int_equal(sip_header_find(span_of(name)), rows[i].id);
        flip_case(name);
        assert_int_equal(sip_header_find(span_of(name)), rows[i].id);
    }
    assert_int_equal(sip_header_find(SPAN("Vja")), SIP_H_OTHER);
    assert_int_equal(sip_header_find(SPAN("Call-IDs")), SIP_H_OTHER);
    assert_int_equal(sip_header_find(SPAN("z")), SIP_H_OTHER);
    assert_int_equal(sip_header_find(SPAN("{")), SIP_H_OTHER);
    assert_int_equal(sip_header_find(SPAN("6")), SIP_H_OTHER);
    assert_int_equal(sip_header_find(SPAN_NULL), SIP_H_OTHER);
    assert_string_equal(sip_header_name(SIP_H_OTHER), "");
}

static void test_all_registered_short_forms_are_known(void **state)
{
    for (const char *letter = "abcdefijklmnorstuvxy"; *letter; letter++) /* IANA SIP header fields */
        assert_int_not_equal(sip_header_find(span_make(letter, 1)), SIP_H_OTHER);
}

static void test_methods_are_found_with_case(void **state)
{
    for (unsigned i = 0; i < SIP_METHOD_OTHER; i++)
        assert_int_equal(sip_method_find(span_of(sip_method_text((enum sip_method)i))), i);
    assert_int_equal(sip_method_find(SPAN("invite")), SIP_METHOD_OTHER);
    assert_string_equal(sip_method_text(SIP_METHOD_OTHER), "");
}

/* -- short and long names give the same message -- */

static void test_short_and_long_names_give_equal_messages(void **state)
{
    static const char values[][2][64] = {{"From", "<sip:a@b>;tag=1"},
                                         {"To", "<sip:c@d>"},
                                         {"Call-ID", "x@y"},
                                         {"Via", "SIP/2.0/UDP h;branch=z9hG4bKq"},
                                         {"Content-Length", "0"}};
    static struct sip_msg first;
    char text[2][1024], *first_bytes = NULL;

    for (int form = 0; form < 2; form++) {
        int n = snprintf(text[form], sizeof(text[form]), "OPTIONS sip:x SIP/2.0\r\nCSeq: 1 OPTIONS\r\n");

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const char *value = NULL;

            for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++)
                value = strcmp(values[k][0], rows[i].name) ? value : values[k][1];
            if (rows[i].compact[0])
                n += snprintf(text[form] + n, sizeof(text[form]) - (size_t)n, "%s: %s\r\n",
                              form ? rows[i].compact : rows[i].name, value ? value : "some value");
        }
        n += snprintf(text[form] + n, sizeof(text[form]) - (size_t)n, "\r\n");
        assert_int_equal(parse(span_make(text[form], (size_t)n)), 0);
        if (form == 0) { /* its bytes stay alive beside the second message's */
            first = seen.msg;
            first_bytes = seen.bytes;
            seen.bytes = NULL;
        }
    }
    assert_int_equal(seen.msg.header_count, first.header_count);
    for (unsigned i = 0; i < first.header_count; i++) {
        assert_int_equal(seen.msg.header[i].id, first.header[i].id);
        assert_true(span_eq(seen.msg.header[i].value, first.header[i].value));
    }
    assert_true(span_eq(seen.msg.via.branch, first.via.branch));
    assert_true(span_eq(seen.msg.from_tag, first.from_tag));
    assert_true(span_eq(seen.msg.call_id, first.call_id));
    free(first_bytes);
}

/* -- what must be there, and what makes a 400 -- */

static void test_a_small_request_parses(void **state)
{
    assert_int_equal(parse(SPAN(HEAD "\r\n")), 0);
    assert_int_equal(seen.msg.method, SIP_OPTIONS);
    assert_int_equal(seen.msg.max_forwards, 70); /* RFC 2543 had none */
    assert_span_equal(seen.msg.from_tag, "m1");
    assert_false(seen.msg.has_content_length);
    assert_int_equal(seen.msg.body.n, 0);
}

static void test_each_mandatory_header_is_missed(void **state)
{
    assert_refused(SPAN(LINE FROM TO CALL CSEQ "\r\n"), 0); /* no Via: nowhere to answer to */
    assert_refused(SPAN(LINE VIA TO CALL CSEQ "\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM CALL CSEQ "\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CSEQ "\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "\r\n"), 400);
    assert_refused(SPAN(LINE "Via: \r\n" FROM TO CALL CSEQ "\r\n"), 0);
}

static void test_headers_that_may_stand_once_are_refused_twice(void **state)
{
    assert_refused(SPAN(HEAD FROM "\r\n"), 400);
    assert_refused(SPAN(HEAD TO "\r\n"), 400);
    assert_refused(SPAN(HEAD CALL "\r\n"), 400);
    assert_refused(SPAN(HEAD CSEQ "\r\n"), 400);
    assert_refused(SPAN(HEAD "Max-Forwards: 70\r\nMax-Forwards: 70\r\n\r\n"), 400);
    assert_int_equal(parse(SPAN(HEAD "Expires: 1\r\nExpires: 2\r\n\r\n")), 0);
    assert_span_equal(sip_msg_value(&seen.msg, SIP_H_EXPIRES), "1");
}

static void test_bytes_that_no_header_may_hold_are_400(void **state)
{
    assert_refused(SPAN(HEAD "Subject: a\rb\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Subject: a\nb: c\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Subject: a\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Subject: a\0b\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Subject: a\xff\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Subject: \xc3\r\n \xa9\r\n\r\n"), 400); /* a character cut by a fold */
    assert_refused(SPAN(HEAD "Subject: \xed\xa0\x80\r\n\r\n"), 400);
    assert_refused(SPAN("OPTIONS sip:a\0b@c SIP/2.0\r\n" VIA FROM TO CALL CSEQ "\r\n"), 400);
    assert_refused(SPAN("OPTIONS sip:x SIP/2.0\n" VIA FROM TO CALL CSEQ "\r\n"), 400);
    assert_int_equal(parse(SPAN(HEAD "Subject: caf\xc3\xa9\r\n\r\n")), 0);
}

static void test_a_dirty_line_is_never_kept_for_an_answer(void **state)
{
    assert_refused(SPAN(LINE VIA "From: \"\xff\" <sip:a@b>;tag=1\r\n" TO CALL CSEQ "\r\n"), 400);
    assert_null(sip_msg_header(&seen.msg, SIP_H_FROM));
    assert_refused(SPAN(LINE "Via: SIP/2.0/UDP h;branch=z9hG4bK\xff\r\n" FROM TO CALL CSEQ "\r\n"), 0);
}

static void test_bodies_hold_any_bytes(void **state)
{
    assert_int_equal(parse(SPAN(HEAD "Content-Length: 6\r\n\r\n\0\r\n\xff\n\rtail")), 0);
    assert_int_equal(seen.msg.body.n, 6);
    assert_memory_equal(seen.msg.body.p, "\0\r\n\xff\n\r", 6);
}

static void test_content_length_cuts_or_refuses(void **state)
{
    assert_int_equal(parse(SPAN(HEAD "\r\nthe rest is body")), 0);
    assert_span_equal(seen.msg.body, "the rest is body");
    assert_int_equal(parse(SPAN(HEAD "l: 3\r\n\r\nthe rest is not")), 0);
    assert_span_equal(seen.msg.body, "the");
    assert_int_equal(parse(SPAN(HEAD "l: 3\r\nContent-Length: 0003\r\n\r\nabc")), 0);
    assert_refused(SPAN(HEAD "l: 4\r\n\r\nabc"), 400);
    assert_refused(SPAN(HEAD "l: 3\r\nContent-Length: 2\r\n\r\nabc"), 400);
    assert_refused(SPAN(HEAD "l: -1\r\n\r\nabc"), 400);
    assert_refused(SPAN(HEAD "l: 3a\r\n\r\nabc"), 400);
    assert_refused(SPAN(HEAD "l: \r\n\r\nabc"), 400);
    assert_refused(SPAN(HEAD "l: 1, 1\r\n\r\nabc"), 400);
    assert_refused(SPAN(HEAD "l: 4294967296\r\n\r\nabc"), 400);
}

static void test_cseq_is_a_number_below_2_31_and_the_method(void **state)
{
    assert_int_equal(parse(SPAN(LINE VIA FROM TO CALL "CSeq: 2147483647 OPTIONS\r\n\r\n")), 0);
    assert_int_equal(parse(SPAN(LINE VIA FROM TO CALL "CSeq: 0009\r\n  OPTIONS\r\n\r\n")), 0);
    assert_int_equal(seen.msg.cseq, 9);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: 2147483648 OPTIONS\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: 36893488147419103232 OPTIONS\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: 1 INVITE\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: 1 options\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: 1\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: OPTIONS\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: -1 OPTIONS\r\n\r\n"), 400);
    assert_refused(SPAN(LINE VIA FROM TO CALL "CSeq: 1 OPTIONS x\r\n\r\n"), 400);
}

static void test_max_forwards_is_0_to_255(void **state)
{
    assert_int_equal(parse(SPAN(HEAD "Max-Forwards: 0\r\n\r\n")), 0);
    assert_int_equal(seen.msg.max_forwards, 0);
    assert_int_equal(parse(SPAN(HEAD "Max-Forwards: 0068\r\n\r\n")), 0);
    assert_int_equal(seen.msg.max_forwards, 68);
    assert_refused(SPAN(HEAD "Max-Forwards: 256\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Max-Forwards: x\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Max-Forwards:\r\n\r\n"), 400);
}

static void test_request_lines_get_the_status_they_deserve(void **state)
{
#define REST VIA FROM TO CALL CSEQ "\r\n"
    assert_refused(SPAN("OPTIONS sip:x SIP/7.0\r\n" REST), 505);
    assert_refused(SPAN("OPTIONS sip:x SIP/2.00\r\n" REST), 505);
    assert_refused(SPAN("OPTIONS sip:x SIP/2\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x HTTP/1.1\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS isbn:123 SIP/2.0\r\n" REST), 416);
    assert_refused(SPAN("OPTIONS <sip:x> SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x; lr SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS  sip:x SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x  SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x SIP/2.0 \r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x\r\n ;lr SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS sip:x?Route=y SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN("OPTIONS alice SIP/2.0\r\n" REST), 400);
    assert_refused(SPAN(" OPTIONS sip:x SIP/2.0\r\n" REST), 0);
    assert_refused(SPAN("OPTIONS\r\n" REST), 0);
    assert_int_equal(parse(SPAN("OPTIONS tel:+1 sip/2.0\r\n" REST)), 0);
    assert_int_equal(parse(SPAN("\r\n\r\nOPTIONS sip:x SIP/2.0\r\n" REST)), 0); /* RFC 3261 section 7.5 */
    assert_span_equal(span_sub(seen.msg.raw, 0, 7), "OPTIONS");
#undef REST
}

static void test_a_very_long_request_uri_is_414(void **state)
{
    struct text message;

    text_init(&message, 10000);
    text_add_str(&message, "OPTIONS sip:");
    for (int i = 0; i < 3000; i++)
        text_add_char(&message, 'x');
    text_add_str(&message, " SIP/2.0\r\n" VIA FROM TO CALL CSEQ "\r\n");
    assert_refused(text_span(&message), 414);
    text_free(&message);
}

static void test_an_ack_is_never_answered(void **state)
{
    assert_refused(SPAN("ACK sip:x SIP/2.0\r\n" VIA FROM TO CALL "CSeq: x ACK\r\n\r\n"), 0);
}

static void test_too_many_header_lines_and_bytes_are_refused(void **state)
{
    struct text message;

    text_init(&message, 2 * SIP_MSG_MAX);
    text_add_str(&message, HEAD);
    for (int i = 5; i < SIP_HEADER_MAX; i++)
        text_add_str(&message, "X: y\r\n");
    text_add_str(&message, "\r\n");
    assert_int_equal(parse(text_span(&message)), 0);
    assert_int_equal(seen.msg.header_count, SIP_HEADER_MAX);
    message.len -= 2;
    text_add_str(&message, "X: y\r\n\r\n");
    assert_refused(text_span(&message), 400);
    assert_string_equal(seen.why, "Too many header lines");
    text_reset(&message);
    text_add_str(&message, HEAD "\r\n");
    while (message.len <= SIP_MSG_MAX)
        text_add_str(&message, "body body body ");
    assert_refused(text_span(&message), 513);
    text_free(&message);
}

static void test_lines_without_a_name_and_a_missing_end_are_400(void **state)
{
    assert_refused(SPAN(HEAD "no colon\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD ": no name\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "a b: c\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD "Subject\r\n : folded before the colon\r\n\r\n"), 400);
    assert_refused(SPAN(HEAD), 400);
    assert_refused(SPAN(HEAD "Subject: cut"), 400);
    assert_refused(SPAN(HEAD "Subject: cut\r"), 400);
}

/* -- responses -- */

static void test_a_response_has_status_reason_and_the_method_of_its_cseq(void **state)
{
    assert_int_equal(parse(SPAN("SIP/2.0 486 Busy  Here\r\n" VIA FROM TO CALL CSEQ "\r\n")), 0);
    assert_false(seen.msg.is_request);
    assert_int_equal(seen.msg.status, 486);
    assert_span_equal(seen.msg.reason, "Busy  Here");
    assert_int_equal(seen.msg.method, SIP_OPTIONS);
    assert_int_equal(parse(SPAN("SIP/2.0 200 \r\n" VIA FROM TO CALL CSEQ "\r\n")), 0);
    assert_int_equal(seen.msg.reason.n, 0);
}

static void test_malformed_responses_are_dropped(void **state)
{
    assert_refused(SPAN("SIP/2.0 99 X\r\n" VIA FROM TO CALL CSEQ "\r\n"), 0);
    assert_refused(SPAN("SIP/2.0 700 X\r\n" VIA FROM TO CALL CSEQ "\r\n"), 0);
    assert_refused(SPAN("SIP/2.0 4294967301 X\r\n" VIA FROM TO CALL CSEQ "\r\n"), 0);
    assert_refused(SPAN("SIP/2.0 0200 OK\r\n" VIA FROM TO CALL CSEQ "\r\n"), 0);
    assert_refused(SPAN("SIP/7.0 200 OK\r\n" VIA FROM TO CALL CSEQ "\r\n"), 0);
    assert_refused(SPAN("SIP/2.0 200 OK\r\n" VIA FROM TO CALL "\r\n"), 0);
    assert_refused(SPAN("SIP/2.0 200 OK\r\n" VIA FROM TO CALL CSEQ "l: 9\r\n\r\n"), 0);
    assert_refused(SPAN("SIP/2.0\r\n" VIA FROM TO CALL CSEQ "\r\n"), 0);
    assert_refused(SPAN("\r\n\r\n"), 0);
    assert_refused(SPAN(""), 0);
    assert_refused(SPAN("\0\0\0\0"), 0);
}

/* -- folding -- */

static void test_a_fold_is_one_blank(void **state)
{
    assert_int_equal(parse(SPAN(HEAD "Subject: about\r\n  the \r\n\torder\r\n\r\nbody")), 0);
    assert_span_equal(sip_msg_value(&seen.msg, SIP_H_SUBJECT), "about the order");
    assert_span_equal(seen.msg.body, "body");
    assert_int_equal(parse(SPAN(HEAD "Subject:\r\n x\r\n\r\n")), 0);
    assert_span_equal(sip_msg_value(&seen.msg, SIP_H_SUBJECT), "x");
}

static void test_a_fold_of_blanks_and_one_at_the_end_are_read(void **state)
{
    assert_int_equal(parse(SPAN(HEAD "Subject: a\r\n   \r\n b\r\n \r\n\r\nbody")), 0);
    assert_span_equal(sip_msg_value(&seen.msg, SIP_H_SUBJECT), "a b");
    assert_span_equal(seen.msg.body, "body");
}

/* -- walks -- */

static void test_walks_go_over_all_lines_of_a_kind(void **state)
{
    struct sip_walk walk = {0};
    struct name_addr addr;
    char hosts[8] = "";

    assert_int_equal(parse(SPAN(HEAD "Contact: <sip:a>, \"b,c\" <sip:d>\r\nSubject: x\r\nm:\r\nContact: <sip:e>\r\n"
                                     "Supported: timer, Path\r\nk: 100rel\r\nX-One: 1\r\n\r\n")),
                     0);
    while (sip_msg_next_addr(&seen.msg, SIP_H_CONTACT, &walk, &addr) == 1)
        strncat(hosts, addr.uri.host.p, addr.uri.host.n);
    assert_string_equal(hosts, "ade");
    assert_true(sip_msg_has_token(&seen.msg, SIP_H_SUPPORTED, SPAN("100rel")));
    assert_true(sip_msg_has_token(&seen.msg, SIP_H_SUPPORTED, SPAN("path")));
    assert_false(sip_msg_has_token(&seen.msg, SIP_H_SUPPORTED, SPAN("gruu")));
    assert_span_equal(sip_msg_other(&seen.msg, SPAN("x-one"))->value, "1");
    assert_null(sip_msg_other(&seen.msg, SPAN("X-Two")));
    assert_null(sip_msg_header(&seen.msg, SIP_H_EVENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_header_is_found_by_its_names_in_any_case),
        cmocka_unit_test(test_all_registered_short_forms_are_known),
        cmocka_unit_test(test_methods_are_found_with_case),
        cmocka_unit_test_teardown(test_short_and_long_names_give_equal_messages, teardown),
        cmocka_unit_test_teardown(test_a_small_request_parses, teardown),
        cmocka_unit_test_teardown(test_each_mandatory_header_is_missed, teardown),
        cmocka_unit_test_teardown(test_headers_that_may_stand_once_are_refused_twice, teardown),
        cmocka_unit_test_teardown(test_bytes_that_no_header_may_hold_are_400, teardown),
        cmocka_unit_test_teardown(test_a_dirty_line_is_never_kept_for_an_answer, teardown),
        cmocka_unit_test_teardown(test_bodies_hold_any_bytes, teardown),
        cmocka_unit_test_teardown(test_content_length_cuts_or_refuses, teardown),
        cmocka_unit_test_teardown(test_cseq_is_a_number_below_2_31_and_the_method, teardown),
        cmocka_unit_test_teardown(test_max_forwards_is_0_to_255, teardown),
        cmocka_unit_test_teardown(test_request_lines_get_the_status_they_deserve, teardown),
        cmocka_unit_test_teardown(test_a_very_long_request_uri_is_414, teardown),
        cmocka_unit_test_teardown(test_an_ack_is_never_answered, teardown),
        cmocka_unit_test_teardown(test_too_many_header_lines_and_bytes_are_refused, teardown),
        cmocka_unit_test_teardown(test_lines_without_a_name_and_a_missing_end_are_400, teardown),
        cmocka_unit_test_teardown(test_a_response_has_status_reason_and_the_method_of_its_cseq, teardown),
        cmocka_unit_test_teardown(test_malformed_responses_are_dropped, teardown),
        cmocka_unit_test_teardown(test_a_fold_is_one_blank, teardown),
        cmocka_unit_test_teardown(test_a_fold_of_blanks_and_one_at_the_end_are_read, teardown),
        cmocka_unit_test_teardown(test_walks_go_over_all_lines_of_a_kind, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
