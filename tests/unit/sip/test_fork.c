/* SPDX-License-Identifier: Apache-2.0 */
/* An INVITE of ours that is forked on its way: a dialog per To tag. RFC 3261 12.1.2, 13.2.2.4. */
#include "invite_rig.h"

#include <stdio.h>

#include "base/mem.h"
#include "sip/invite_private.h"

#define SDP "Content-Type: application/sdp\n\n" RIG_SDP

static void hang_up(struct invite *invite)
{
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void respond(const struct rig_sent *sent, unsigned status, const char *tag, const char *more)
{
    char text[1000];

    snprintf(text, sizeof(text), "Contact: <sip:%s@192.0.2.10>\n%s", tag, more);
    rig_respond(sent, status, tag, text);
}

static void within(const struct rig_sent *sent, const char *method, const char *tag, unsigned cseq, const char *more)
{
    rig_receivef(&rig.udp,
                 "%s sip:us@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK%s%u\n"
                 "Max-Forwards: 70\nFrom: <sip:100@192.0.2.10>;tag=%s\nTo: <sip:us@sip.example.com>;tag=%.*s\n"
                 "Call-ID: %.*s\nCSeq: %u %s\nContact: <sip:%s@192.0.2.10>\n%s%s",
                 method, tag, cseq, tag, SPAN_ARG(sent->msg.from_tag), SPAN_ARG(sent->msg.call_id), cseq, method, tag,
                 more, strstr(more, "\n\n") ? "" : "\n");
}

static void test_the_dialog_of_the_2xx_is_the_sessions_whoever_rang_last(void **state)
{
    struct rig_sent *sent, *ack, *bye;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", "");
    respond(sent, 180, "t2", "");
    respond(sent, 180, "t3", "");
    respond(sent, 200, "t2", "Record-Route: <sip:192.0.2.50;lr>\n");
    ack = rig_expect_request(SIP_ACK);
    assert_span_equal(ack->msg.to_tag, "t2");
    assert_span_equal(ack->msg.request_uri, "sip:t2@192.0.2.10");
    assert_int_equal(ack->msg.cseq, sent->msg.cseq);
    assert_int_equal(told.answered_count, 1);
    hang_up(invite);
    bye = rig_expect_request(SIP_BYE);
    assert_span_equal(bye->msg.to_tag, "t2");
    assert_span_equal(sip_msg_value(&bye->msg, SIP_H_ROUTE), "<sip:192.0.2.50;lr>");
}

static void test_a_second_2xx_is_acked_each_time_and_gets_one_bye(void **state)
{
    struct rig_sent *sent, *bye;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", "");
    respond(sent, 180, "t2", "");
    respond(sent, 200, "t1", "");
    rig_expect_request(SIP_ACK);
    for (unsigned i = 0; i < 3; i++) {
        respond(sent, 200, "t2", "");
        assert_span_equal(rig_expect_request(SIP_ACK)->msg.to_tag, "t2");
        if (i)
            continue;
        bye = rig_expect_request(SIP_BYE);
        assert_span_equal(bye->msg.to_tag, "t2");
        assert_true(bye->msg.cseq > sent->msg.cseq);
    }
    rig_respond(bye, 200, NULL, NULL);
    assert_int_equal(told.answered_count, 1);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static void test_the_bye_of_a_fork_stands_behind_its_prack(void **state)
{
    struct rig_sent *sent, *prack;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 200, "t1", "");
    rig_expect_request(SIP_ACK);
    respond(sent, 200, "t2", "");
    rig_expect_request(SIP_ACK);
    rig_expect_request(SIP_BYE);
    hang_up(invite);
    rig_forget();

    invite = rig_call(&rig.udp, &sent);
    respond(sent, 180, "t1", "");
    respond(sent, 180, "t2", "Require: 100rel\nRSeq: 9\n");
    prack = rig_expect_request(SIP_PRACK);
    respond(sent, 200, "t1", "");
    rig_expect_request(SIP_ACK);
    respond(sent, 200, "t2", "");
    assert_int_equal(rig_expect_request(SIP_ACK)->msg.cseq, sent->msg.cseq);
    assert_int_equal(rig_expect_request(SIP_BYE)->msg.cseq, prack->msg.cseq + 1);
    hang_up(invite);
}

static void test_each_fork_is_found_by_its_requests(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", "Require: 100rel\nRSeq: 1\n" SDP);
    respond(sent, 180, "t2", "Require: 100rel\nRSeq: 1\n" SDP);
    rig_forget();
    within(sent, "UPDATE", "t1", 7, SDP);
    assert_int_equal(told.modify_count, 1);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    assert_span_equal(rig_expect_status(200)->msg.from_tag, "t1");
    within(sent, "UPDATE", "t2", 3, SDP);
    assert_int_equal(told.modify_count, 2);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    rig_expect_status(200);
    within(sent, "OPTIONS", "t9", 3, "");
    rig_expect_status(481);
    hang_up(invite);
}

static void test_what_a_lost_fork_says_does_not_touch_the_session(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", "");
    respond(sent, 180, "t2", "");
    within(sent, "BYE", "t2", 1, ""); /* it may not do this (RFC 3261 15), and some do */
    rig_expect_status(200);
    respond(sent, 200, "t1", "");
    rig_expect_request(SIP_ACK);
    within(sent, "UPDATE", "t2", 2, SDP);
    rig_expect_status(481);
    within(sent, "BYE", "t2", 3, "");
    rig_expect_status(200);
    assert_int_equal(told.ended_count, 0);
    assert_true(invite_is_confirmed(invite));
    within(sent, "BYE", "t1", 1, "");
    rig_expect_status(200);
    assert_int_equal(told.ended_count, 1);
    mem_unref(invite);
}

static void test_the_description_of_the_winner_is_kept_from_its_ringing(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 183, "t1", "Content-Type: application/sdp\n\none");
    respond(sent, 183, "t2", "Content-Type: application/sdp\n\ntwo");
    assert_span_equal(invite_early_sdp(invite), "two");
    assert_string_equal(invite_dialog(invite)->remote_tag, "t2");
    respond(sent, 180, "t1", "");
    assert_string_equal(invite_dialog(invite)->remote_tag, "t2");
    respond(sent, 200, "t1", "");
    assert_span_equal(invite_early_sdp(invite), "one");
    rig_expect_request(SIP_ACK);
    hang_up(invite);
}

static void test_a_trunk_that_forks_without_end_is_bounded(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);
    char tag[20];

    for (unsigned i = 0; i < 100; i++) {
        snprintf(tag, sizeof(tag), "t%u", i);
        respond(sent, 180, tag, "");
    }
    assert_int_equal(told.progress_count, 9);
    respond(sent, 200, "t50", ""); /* not heard of, and the winner all the same */
    assert_span_equal(rig_expect_request(SIP_ACK)->msg.to_tag, "t50");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(tag, sizeof(tag), "a%u", i);
        respond(sent, 200, tag, "");
    }
    assert_true(rig.stack->dialogs.count <= 17);
    hang_up(invite);
    rig_forget();
}

static void test_nothing_is_left_of_forks_after_a_refusal(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 183, "t1", SDP);
    respond(sent, 183, "t2", SDP);
    rig_respond(sent, 486, "t1", NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.rejected_count, 1);
    mem_unref(invite);
    rig_advance(32000);
    assert_int_equal(rig.stack->dialogs.count, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_dialog_of_the_2xx_is_the_sessions_whoever_rang_last),
        T(test_a_second_2xx_is_acked_each_time_and_gets_one_bye),
        T(test_the_bye_of_a_fork_stands_behind_its_prack),
        T(test_each_fork_is_found_by_its_requests),
        T(test_what_a_lost_fork_says_does_not_touch_the_session),
        T(test_the_description_of_the_winner_is_kept_from_its_ringing),
        T(test_a_trunk_that_forks_without_end_is_bounded),
        T(test_nothing_is_left_of_forks_after_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
