/* SPDX-License-Identifier: Apache-2.0 */
/* One request outside of dialogs: as it is written, its challenge, its answer, and none. */
#include "sip_rig.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "sip/errand.h"

static struct errand *errand;
static unsigned done_count, last_status;

static void on_done(struct errand *it, unsigned status, struct span reason, void *arg)
{
    done_count++;
    last_status = status;
}

static int setup(void **state)
{
    done_count = last_status = 0;
    errand = NULL;
    return rig_setup(state);
}

static int teardown(void **state)
{
    errand = mem_unref(errand);
    return rig_teardown(state);
}

static struct errand_options wish(void)
{
    return (struct errand_options){.head = {.stack = rig.stack,
                                            .flow = rig.udp,
                                            .method = SIP_MESSAGE,
                                            .uri = SPAN("sip:bob@192.0.2.10"),
                                            .from = SPAN("<sip:alice@example.com>"),
                                            .to = SPAN("<sip:bob@example.com>"),
                                            .has_no_contact = true},
                                   .headers = SPAN("Subject: x\r\n"),
                                   .content_type = SPAN("text/plain"),
                                   .body = SPAN("hi"),
                                   .done = on_done};
}

static struct rig_sent *begin(const struct errand_options *options)
{
    assert_int_equal(errand_send(&errand, options), 0);
    return rig_expect_request(SIP_MESSAGE);
}

static void test_it_is_written_whole_and_answered_once(void **state)
{
    struct errand_options options = wish();
    struct rig_sent *sent = begin(&options);

    assert_span_equal(sent->msg.request_uri, "sip:bob@192.0.2.10");
    assert_span_equal(sent->msg.body, "hi");
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_SUBJECT), "x");
    assert_null(sip_msg_header(&sent->msg, SIP_H_CONTACT));
    rig_respond(sent, 100, NULL, NULL);
    assert_int_equal(done_count, 0);
    rig_respond(sent, 202, "t", NULL);
    rig_respond(sent, 202, "t", NULL);
    assert_int_equal(done_count, 1);
    assert_int_equal(last_status, 202);
}

static void test_a_challenge_is_answered_with_the_credentials_once(void **state)
{
    static const char challenge[] = "WWW-Authenticate: Digest realm=\"r\",nonce=\"n\",algorithm=MD5,qop=\"auth\"\n";
    struct errand_options options = wish();
    struct rig_sent *first, *second;

    options.username = "acme";
    options.password = "secret";
    first = begin(&options);
    rig_respond(first, 401, "t", challenge);
    second = rig_expect_request(SIP_MESSAGE);
    assert_non_null(strstr(second->bytes, "username=\"acme\""));
    assert_int_equal(second->msg.cseq, first->msg.cseq + 1);
    assert_true(span_eq(second->msg.call_id, first->msg.call_id));
    assert_span_equal(second->msg.body, "hi");
    rig_respond(second, 401, "t", challenge);
    assert_int_equal(last_status, 401);
    rig_expect_nothing();
}

static void test_without_credentials_a_challenge_is_the_answer(void **state)
{
    struct errand_options options = wish();

    rig_respond(begin(&options), 407, "t", "Proxy-Authenticate: Digest realm=\"r\",nonce=\"n\"\n");
    assert_int_equal(last_status, 407);
    rig_expect_nothing();
}

static void test_no_answer_is_408(void **state)
{
    struct errand_options options = wish();

    begin(&options);
    rig_advance(32001);
    assert_int_equal(last_status, 408);
}

static void test_left_alone_it_is_sent_all_the_same_and_nobody_hears(void **state)
{
    struct errand_options options = wish();
    struct rig_sent *sent = begin(&options);

    errand = mem_unref(errand);
    rig_respond(sent, 200, "t", NULL);
    assert_int_equal(done_count, 0);
}

static void test_the_same_names_at_each_try(void **state)
{
    struct errand_options options = wish();
    struct rig_sent *sent;

    options.head.call_id = "w0.kept";
    options.head.tag = "w0.tag";
    options.head.cseq = 1;
    sent = begin(&options);
    assert_span_equal(sent->msg.call_id, "w0.kept");
    assert_span_equal(sent->msg.from_tag, "w0.tag");
}

static void test_a_line_end_in_a_name_is_not_sent(void **state)
{
    struct errand_options options = wish();

    options.head.from = SPAN("<sip:alice@example.com>\r\nEvil: 1");
    assert_int_equal(errand_send(&errand, &options), -EBADMSG);
    rig_expect_nothing();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_written_whole_and_answered_once),
        TEST(test_a_challenge_is_answered_with_the_credentials_once),
        TEST(test_without_credentials_a_challenge_is_the_answer),
        TEST(test_no_answer_is_408),
        TEST(test_left_alone_it_is_sent_all_the_same_and_nobody_hears),
        TEST(test_the_same_names_at_each_try),
        TEST(test_a_line_end_in_a_name_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
