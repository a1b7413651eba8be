/* SPDX-License-Identifier: Apache-2.0 */
/* A subscription as its notifier sees it: answers, NOTIFYs one after the other, expiry, and every way to end. */
#include "sip_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sip/event_in.h"

static struct event_in *sub;
static unsigned fetch_count, ready_count, end_count;
static int new_err;

static void on_fetch(struct event_in *it, void *arg)
{
    fetch_count++;
}

static void on_ready(struct event_in *it, void *arg)
{
    ready_count++;
}

static void on_end(struct event_in *it, void *arg)
{
    end_count++;
    sub = mem_unref(sub);
}

static bool allows(struct event_in *it, const struct sip_flow *flow, struct span account, void *arg)
{
    return span_eq(account, SPAN("bob"));
}

static const struct event_in_user user = {
    .on_fetch = on_fetch, .on_ready = on_ready, .on_end = on_end, .allows = allows};

static void on_request(struct server_tx *tx)
{
    new_err = event_in_new(&sub, &(struct event_in_options){.tx = tx,
                                                            .event = event_package(server_tx_request(tx)),
                                                            .min_s = 60,
                                                            .max_s = 600,
                                                            .default_s = 300,
                                                            .user = &user});
}

static int setup(void **state)
{
    rig_setup(state);
    rig.on_request = on_request;
    sub = NULL;
    fetch_count = ready_count = end_count = 0;
    new_err = 1;
    return 0;
}

static int teardown(void **state)
{
    sub = mem_unref(sub);
    return rig_teardown(state);
}

static const char contact[] = "Contact: <sip:bob@192.0.2.10:5070>\n";

static void ask_over(const struct sip_flow *flow, const char *to_tag, unsigned cseq, const char *headers)
{
    rig_receivef(flow,
                 "SUBSCRIBE sip:alice@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKs%u\n"
                 "Max-Forwards: 70\nFrom: <sip:bob@example.com>;tag=b\nTo: <sip:alice@example.com>%s%s\n"
                 "Call-ID: s1\nCSeq: %u SUBSCRIBE\n%s\n",
                 cseq, to_tag ? ";tag=" : "", to_tag ? to_tag : "", cseq, headers);
}

static char tag[64];

/* Subscribe; the 200 has come. */
static void begin(const char *headers)
{
    struct rig_sent *sent;

    ask_over(&rig.udp, NULL, 1, headers);
    assert_int_equal(new_err, 0);
    sent = rig_expect_status(200);
    snprintf(tag, sizeof(tag), "%.*s", SPAN_ARG(sent->msg.to_tag));
    assert_non_null(sip_msg_header(&sent->msg, SIP_H_CONTACT));
    assert_int_equal(fetch_count, 1);
}

static struct rig_sent *notified(const char *body)
{
    struct rig_sent *sent;

    assert_int_equal(event_in_notify(sub, SPAN("text/x"), span_of(body)), 0);
    sent = rig_expect_request(SIP_NOTIFY);
    assert_span_equal(sent->msg.body, body);
    return sent;
}

static void test_it_is_granted_and_the_state_is_sent_to_where_it_came_from(void **state)
{
    struct rig_sent *sent;

    begin("Contact: <sip:bob@192.0.2.10:5070>\nEvent: x;id=7;shared\nExpires: 120\n");
    sent = notified("one");
    assert_true(sip_flow_same(&sent->flow, &rig.udp));
    assert_span_equal(sent->msg.request_uri, "sip:bob@192.0.2.10:5070");
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_EVENT), "x;id=7");
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_SUBSCRIPTION_STATE), "active;expires=120");
    assert_non_null(sip_msg_header(&sent->msg, SIP_H_CONTACT));
    assert_span_equal(sent->msg.from_tag, tag);
    assert_span_equal(sent->msg.to_tag, "b");
}

static void test_what_is_granted(void **state)
{
    ask_over(&rig.udp, NULL, 1, "Contact: <sip:b@x>\nEvent: x\nExpires: 59\n");
    assert_int_equal(new_err, -ERANGE);
    assert_span_equal(sip_msg_value(&rig_expect_status(423)->msg, SIP_H_MIN_EXPIRES), "60");
    ask_over(&rig.udp, NULL, 2, "Contact: <sip:b@x>\nEvent: x\nExpires: soon\n");
    rig_expect_status(400);
    ask_over(&rig.udp, NULL, 3, "Event: x\nExpires: 100\n");
    assert_int_equal(new_err, -EBADMSG);
    rig_expect_status(400);
    ask_over(&rig.udp, NULL, 4, "Contact: <sip:b@x>\nEvent: x\nExpires: 4000000000\n");
    assert_span_equal(sip_msg_value(&rig_expect_status(200)->msg, SIP_H_EXPIRES), "600");
    sub = mem_unref(sub);
    ask_over(&rig.udp, NULL, 5, "Contact: <sip:b@x>\nEvent: x\n");
    assert_span_equal(sip_msg_value(&rig_expect_status(200)->msg, SIP_H_EXPIRES), "300");
}

static void test_one_notify_at_a_time(void **state)
{
    struct rig_sent *sent;

    begin("Contact: <sip:b@x>\nEvent: x\n");
    sent = notified("one");
    assert_false(event_in_is_ready(sub));
    assert_int_equal(event_in_notify(sub, SPAN("text/x"), SPAN("two")), -EBUSY);
    rig_respond(sent, 200, NULL, NULL);
    assert_int_equal(ready_count, 1);
    assert_true(notified("two")->msg.cseq == sent->msg.cseq + 1);
}

static void test_who_refuses_or_does_not_answer_is_forgotten(void **state)
{
    begin("Contact: <sip:b@x>\nEvent: x\n");
    rig_respond(notified("one"), 481, NULL, NULL);
    assert_int_equal(end_count, 1);
    fetch_count = 0;
    ask_over(&rig.udp, NULL, 2, "Contact: <sip:b@x>\nEvent: x\n");
    rig_expect_status(200);
    notified("one");
    rig_advance(33000);
    assert_int_equal(end_count, 2);
}

static void test_a_refresh_gives_time_and_asks_for_the_state(void **state)
{
    begin("Contact: <sip:b@x>\nEvent: x\nExpires: 100\n");
    rig_advance(90000);
    ask_over(&rig.udp, tag, 2, "Contact: <sip:b@y>\nEvent: x\nExpires: 100\n");
    rig_expect_status(200);
    assert_int_equal(fetch_count, 2);
    rig_advance(90000);
    assert_int_equal(fetch_count, 2);
    assert_span_equal(notified("x")->msg.request_uri, "sip:b@y");
    ask_over(&rig.udp, tag, 3, "Contact: <sip:b@y>\nEvent: z\nExpires: 100\n");
    rig_expect_status(489);
    ask_over(&rig.udp, tag, 4, "Contact: <sip:b@y>\nEvent: x\nExpires: 10\n");
    rig_expect_status(423);
}

static void test_only_the_subscriber_refreshes(void **state)
{
    begin("Contact: <sip:b@x>\nEvent: x\n");
    ask_over(&rig.stranger, tag, 2, "Contact: <sip:evil@x>\nEvent: x\n");
    rig_expect_status(481);
    assert_int_equal(fetch_count, 1);
    assert_span_equal(notified("x")->msg.request_uri, "sip:b@x");
}

static void test_time_runs_out_with_the_last_state(void **state)
{
    struct rig_sent *sent;

    begin("Contact: <sip:b@x>\nEvent: x\nExpires: 100\n");
    rig_respond(notified("one"), 200, NULL, NULL);
    rig_advance(100001);
    assert_int_equal(fetch_count, 2);
    sent = notified("last");
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_SUBSCRIPTION_STATE), "terminated;reason=timeout");
    rig_respond(sent, 200, NULL, NULL);
    assert_int_equal(end_count, 1);
    ask_over(&rig.udp, tag, 2, contact);
    rig_expect_status(481);
}

static void test_an_unsubscribe_waits_for_the_notify_under_way(void **state)
{
    struct rig_sent *first, *last;

    begin("Contact: <sip:b@x>\nEvent: x\n");
    first = notified("one");
    ask_over(&rig.udp, tag, 2, "Contact: <sip:b@x>\nEvent: x\nExpires: 0\n");
    rig_expect_status(200);
    assert_int_equal(end_count, 0);
    rig_respond(first, 200, NULL, NULL);
    assert_int_equal(end_count, 0);
    assert_int_equal(ready_count, 1);
    last = notified("last");
    assert_span_equal(sip_msg_value(&last->msg, SIP_H_SUBSCRIPTION_STATE), "terminated;reason=timeout");
    ask_over(&rig.udp, tag, 3, "Contact: <sip:b@x>\nEvent: x\nExpires: 100\n");
    rig_expect_status(481);
    rig_respond(last, 200, NULL, NULL);
    assert_int_equal(end_count, 1);
}

static void test_a_fetch_is_one_notify(void **state)
{
    struct rig_sent *sent;

    begin("Contact: <sip:b@x>\nEvent: x\nExpires: 0\n");
    sent = notified("state");
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_SUBSCRIPTION_STATE), "terminated;reason=timeout");
    rig_respond(sent, 200, NULL, NULL);
    assert_int_equal(end_count, 1);
}

static void test_our_side_ends_it(void **state)
{
    struct rig_sent *sent;

    begin("Contact: <sip:b@x>\nEvent: x\n");
    notified("under way");
    event_in_end(sub, "probation", 30);
    sent = rig_expect_request(SIP_NOTIFY);
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_SUBSCRIPTION_STATE),
                      "terminated;reason=probation;retry-after=30");
    assert_int_equal(end_count, 0);
    sub = mem_unref(sub); /* its NOTIFYs are still on the wire */
    ask_over(&rig.udp, tag, 2, "Contact: <sip:b@x>\nEvent: x\n");
    rig_expect_status(481);
    rig_advance(40000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_granted_and_the_state_is_sent_to_where_it_came_from),
        TEST(test_what_is_granted),
        TEST(test_one_notify_at_a_time),
        TEST(test_who_refuses_or_does_not_answer_is_forgotten),
        TEST(test_a_refresh_gives_time_and_asks_for_the_state),
        TEST(test_only_the_subscriber_refreshes),
        TEST(test_time_runs_out_with_the_last_state),
        TEST(test_an_unsubscribe_waits_for_the_notify_under_way),
        TEST(test_a_fetch_is_one_notify),
        TEST(test_our_side_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
