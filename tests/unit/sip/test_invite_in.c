/* SPDX-License-Identifier: Apache-2.0 */
/* An INVITE of the peer: answers, the 2xx until its ACK, CANCEL, BYE, and strangers. RFC 3261 9.2, 13.3, 15; cases 10,
 * 11, 14. */
#include "invite_rig.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"

static struct invite *answered_call(const struct sip_flow *flow)
{
    struct invite *invite = rig_called(flow, "z9hG4bKin");

    assert_int_equal(invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    return invite;
}

static struct invite *confirmed_call(void)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    assert_int_equal(told.confirmed_count, 1);
    rig_forget();
    return invite;
}

/* The 200s came at T1, 2*T1, ... T2 until 64*T1; then one BYE. */
static void expect_200s_then_bye(void)
{
    static const uint64_t times_ms[] = {0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    struct rig_sent *first = rig.sent[rig.next_sent], *bye;

    for (unsigned i = 0; i < sizeof(times_ms) / sizeof(*times_ms); i++) {
        struct rig_sent *sent = rig_expect_status(200);

        assert_int_equal(sent->at_ms, times_ms[i]);
        assert_string_equal(sent->bytes, first->bytes);
    }
    bye = rig_expect_request(SIP_BYE);
    assert_int_equal(bye->at_ms, 32000);
    assert_non_null(strstr(bye->bytes, "Reason: SIP"));
}

static void test_the_2xx_is_repeated_until_64_t1_then_bye(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_advance(31999);
    assert_int_equal(told.ended_count, 0);
    rig_advance(1);
    expect_200s_then_bye();
    rig_expect_nothing();
    assert_int_equal(told.ended_count, 1);
    assert_int_equal(told.cause, INVITE_END_NO_ACK);
    assert_non_null(strstr(told.why, "ACK"));
    mem_unref(invite);
}

static void test_the_2xx_is_repeated_over_tcp_too(void **state)
{
    struct invite *invite = answered_call(&rig.tcp);

    rig_advance(32000);
    expect_200s_then_bye();
    mem_unref(invite);
}

static void test_an_ack_after_20_s_is_in_time(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_advance(20000);
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    rig_forget();
    assert_int_equal(told.confirmed_count, 1);
    assert_true(invite_is_confirmed(invite));
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1); /* a copy of it */
    rig_advance(60000);
    rig_expect_nothing();
    assert_int_equal(told.confirmed_count, 1);
    assert_int_equal(told.ended_count, 0);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_an_ack_with_the_branch_of_the_invite_is_taken(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_within(&rig.udp, "ACK", "z9hG4bKin", 1);
    assert_int_equal(told.confirmed_count, 1);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_an_ack_with_another_to_tag_or_cseq_is_ignored(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_forget();
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 2);
    rig_our_tag[strlen(rig_our_tag) - 1] ^= 1;
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    assert_int_equal(told.confirmed_count, 0);
    rig_expect_nothing(); /* an ACK is never answered */
    rig_advance(500);
    rig_expect_status(200);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_copies_of_the_invite_make_one_call_and_one_tag(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    invite_in_progress(invite, &(struct sip_reply){.status = 180});
    rig_invite(&rig.udp, "z9hG4bKin");
    assert_true(span_eq(rig_expect_status(180)->msg.to_tag, rig_expect_status(180)->msg.to_tag));
    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP));
    assert_span_equal(rig_expect_status(200)->msg.to_tag, rig_our_tag);
    rig_invite(&rig.udp, "z9hG4bKin");
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    rig_invite(&rig.udp, "z9hG4bKin"); /* neither 481 nor a new call */
    rig_expect_nothing();
    assert_int_equal(rig.request_count, 1);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_a_bye_before_the_ack_ends_the_call_and_the_repetition(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_advance(5000);
    rig_forget();
    rig_within(&rig.udp, "BYE", "z9hG4bKbye", 2);
    rig_expect_status(200);
    assert_int_equal(told.ended_count, 1);
    assert_int_equal(told.cause, INVITE_END_BYE);
    rig_advance(60000);
    rig_expect_nothing();
    mem_unref(invite);
}

static void test_our_bye_is_held_until_the_ack(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_advance(3000);
    invite_end(invite, &(struct invite_end){.cause = 200, .why = "the browser hung up"});
    rig_forget();
    rig_advance(1000);
    assert_int_equal(rig_expect_status(200)->at_ms, 3500);
    rig_expect_nothing();
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    assert_non_null(strstr(rig_expect_request(SIP_BYE)->bytes, "Reason: SIP;cause=200;text=\"the browser hung up\""));
    mem_unref(invite);
}

/* The rule that a user leaves behind: rig.ws is another address of the same peer. */
static bool allows_second_address(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg)
{
    return sip_flow_same(flow, arg);
}

static void test_while_ending_the_ack_may_come_from_whom_the_rule_allows(void **state)
{
    struct sip_flow *second = mem_new(sizeof(*second), NULL);
    struct invite *invite = answered_call(&rig.udp);

    *second = rig.ws;
    invite_end(invite, &(struct invite_end){.cause = 200, .allows = allows_second_address, .allows_arg = second});
    mem_unref(second); /* the usage holds it */
    mem_unref(invite);
    rig_forget();
    rig_within(&rig.stranger, "ACK", "z9hG4bKack1", 1);
    rig_within(&rig.stranger, "BYE", "z9hG4bKbye1", 2);
    rig_expect_status(481);
    rig_within(&rig.ws, "ACK", "z9hG4bKack2", 1);
    rig_expect_request(SIP_BYE);
}

static void test_while_ending_the_bye_may_come_from_whom_the_rule_allows(void **state)
{
    struct sip_flow *second = mem_new(sizeof(*second), NULL);
    struct invite *invite = answered_call(&rig.udp);

    *second = rig.ws;
    invite_end(invite, &(struct invite_end){.cause = 200, .allows = allows_second_address, .allows_arg = second});
    mem_unref(second);
    mem_unref(invite);
    rig_forget();
    rig_within(&rig.ws, "BYE", "z9hG4bKbye", 2);
    rig_expect_status(200);
    rig_advance(32000);
    rig_expect_nothing();
}

static void test_our_bye_is_held_no_longer_than_64_t1(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_advance(3000);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
    rig_advance(29000);
    expect_200s_then_bye();
    rig_expect_nothing();
    assert_int_equal(told.ended_count, 0); /* who ended it hears nothing more */
}

static void cancel_from(const struct sip_flow *flow, const char *branch)
{
    rig_receivef(flow,
                 "CANCEL sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=%s;rport\n"
                 "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                 "Call-ID: in1@192.0.2.10\nCSeq: 1 CANCEL\n\n",
                 branch);
}

static void test_cancel_is_answered_200_and_the_invite_487(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");
    struct rig_sent *ok;

    invite_in_progress(invite, &(struct sip_reply){.status = 180});
    rig_forget();
    cancel_from(&rig.udp, "z9hG4bKin");
    ok = rig_expect_status(200);
    assert_int_equal(ok->msg.method, SIP_CANCEL);
    assert_true(span_eq(rig_expect_status(487)->msg.to_tag, ok->msg.to_tag)); /* RFC 3261 9.2: the same tag */
    assert_int_equal(told.cancelled_count, 1);
    mem_unref(invite);
}

static void test_cancel_after_the_answer_leaves_the_call_alone(void **state)
{
    struct invite *invite = answered_call(&rig.udp);

    rig_forget();
    cancel_from(&rig.udp, "z9hG4bKin");
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_CANCEL);
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    assert_int_equal(told.cancelled_count, 0);
    assert_int_equal(told.confirmed_count, 1);
    assert_true(invite_is_confirmed(invite));
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_cancel_from_a_stranger_or_for_nothing_is_481(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    cancel_from(&rig.stranger, "z9hG4bKin");
    rig_expect_status(481);
    cancel_from(&rig.udp, "z9hG4bKanother");
    rig_expect_status(481);
    assert_int_equal(told.cancelled_count, 0);
    invite_end(invite, &(struct invite_end){.status = 486});
    rig_expect_status(486);
    mem_unref(invite);
}

static void test_the_ack_of_an_error_ends_its_repetition_while_the_call_is_still_held(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    invite_end(invite, &(struct invite_end){.status = 486, .why = "busy"});
    rig_expect_status(486);
    rig_within(&rig.udp, "ACK", "z9hG4bKin", 1);
    rig_advance(32000);
    rig_expect_nothing();
    mem_unref(invite);
}

static void test_a_request_in_the_dialog_from_a_foreign_flow_is_481_and_the_call_lives(void **state)
{
    struct invite *invite = confirmed_call();

    rig_within(&rig.stranger, "BYE", "z9hG4bKevil", 2);
    rig_expect_status(481);
    rig_within(&rig.stranger, "INVITE", "z9hG4bKevil2", 3);
    rig_expect_status(481);
    rig_within(&rig.stranger, "ACK", "z9hG4bKevil3", 3);
    rig_expect_nothing();
    assert_int_equal(told.ended_count, 0);
    assert_int_equal(told.modify_count, 0);
    rig_within(&rig.udp, "BYE", "z9hG4bKbye", 2); /* the stranger's CSeq did not count */
    rig_expect_status(200);
    assert_int_equal(told.ended_count, 1);
    mem_unref(invite);
}

static void test_both_tags_have_to_be_right(void **state)
{
    struct invite *invite = confirmed_call();

    rig_receivef(&rig.udp,
                 "BYE sip:us@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKb;rport\n"
                 "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=another\nTo: <sip:100@203.0.113.10>;tag=%s\n"
                 "Call-ID: in1@192.0.2.10\nCSeq: 2 BYE\n\n",
                 rig_our_tag);
    rig_expect_status(481);
    assert_int_equal(told.ended_count, 0);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_a_cseq_that_is_not_higher_is_500(void **state)
{
    struct invite *invite = confirmed_call();

    rig_within(&rig.udp, "INFO", "z9hG4bKi1", 10);
    rig_expect_status(200);
    rig_within(&rig.udp, "INFO", "z9hG4bKi2", 9);
    rig_expect_status(500);
    rig_within(&rig.udp, "BYE", "z9hG4bKi3", 10);
    rig_expect_status(500);
    assert_int_equal(told.info_count, 1);
    assert_int_equal(told.ended_count, 0);
    rig_within(&rig.udp, "BYE", "z9hG4bKi4", 2000000000u); /* gaps are legal */
    rig_expect_status(200);
    mem_unref(invite);
}

static void test_options_is_answered_and_an_unknown_method_is_405_with_allow(void **state)
{
    struct invite *invite = confirmed_call();

    rig_within(&rig.udp, "OPTIONS", "z9hG4bKo", 2);
    rig_expect_status(200);
    rig_within(&rig.udp, "PUBLISH", "z9hG4bKp", 3);
    assert_non_null(strstr(rig_expect_status(405)->bytes, "Allow: INVITE"));
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_a_bye_before_the_answer_ends_the_invite_with_487(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    invite_in_progress(invite, &(struct sip_reply){.status = 180});
    rig_forget();
    rig_within(&rig.udp, "BYE", "z9hG4bKbye", 2);
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_BYE);
    assert_int_equal(rig_expect_status(487)->msg.method, SIP_INVITE);
    assert_int_equal(told.ended_count, 1);
    mem_unref(invite);
}

static void test_a_merged_invite_is_482_and_the_first_one_goes_on(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    rig_invite(&rig.udp, "z9hG4bKinx");
    rig_expect_status(482);
    assert_int_equal(rig.request_count, 1);
    assert_int_equal(invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    rig_expect_status(200);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_after_our_bye_the_peer_gets_481(void **state)
{
    struct invite *invite = confirmed_call();

    invite_end(invite, &(struct invite_end){.cause = 200});
    rig_respond(rig_expect_request(SIP_BYE), 200, NULL, NULL);
    mem_unref(invite);
    rig_within(&rig.udp, "INFO", "z9hG4bKlate", 9);
    rig_expect_status(481);
}

static void test_an_invite_without_contact_is_refused(void **state)
{
    struct invite *invite = NULL;

    rig_receive(&rig.udp,
                "INVITE sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKin;rport\n"
                "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                "Call-ID: in1@192.0.2.10\nCSeq: 1 INVITE\n\n");
    assert_int_equal(invite_in_new(&invite, rig.tx, &invite_rig_user, NULL, SPAN("us")), -EBADMSG);
    assert_null(invite);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_2xx_is_repeated_until_64_t1_then_bye),
        T(test_the_2xx_is_repeated_over_tcp_too),
        T(test_an_ack_after_20_s_is_in_time),
        T(test_an_ack_with_the_branch_of_the_invite_is_taken),
        T(test_an_ack_with_another_to_tag_or_cseq_is_ignored),
        T(test_copies_of_the_invite_make_one_call_and_one_tag),
        T(test_a_bye_before_the_ack_ends_the_call_and_the_repetition),
        T(test_our_bye_is_held_until_the_ack),
        T(test_while_ending_the_ack_may_come_from_whom_the_rule_allows),
        T(test_while_ending_the_bye_may_come_from_whom_the_rule_allows),
        T(test_our_bye_is_held_no_longer_than_64_t1),
        T(test_cancel_is_answered_200_and_the_invite_487),
        T(test_cancel_after_the_answer_leaves_the_call_alone),
        T(test_cancel_from_a_stranger_or_for_nothing_is_481),
        T(test_the_ack_of_an_error_ends_its_repetition_while_the_call_is_still_held),
        T(test_a_request_in_the_dialog_from_a_foreign_flow_is_481_and_the_call_lives),
        T(test_both_tags_have_to_be_right),
        T(test_a_cseq_that_is_not_higher_is_500),
        T(test_options_is_answered_and_an_unknown_method_is_405_with_allow),
        T(test_a_bye_before_the_answer_ends_the_invite_with_487),
        T(test_a_merged_invite_is_482_and_the_first_one_goes_on),
        T(test_after_our_bye_the_peer_gets_481),
        T(test_an_invite_without_contact_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
