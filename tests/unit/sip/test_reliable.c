/* SPDX-License-Identifier: Apache-2.0 */
/* Provisional responses that are acknowledged, in both roles. RFC 3262. */
#include "invite_rig.h"

#include <errno.h>
#include <stdio.h>

#include "../oom.h"
#include "base/mem.h"

#define CONTACT "Contact: <sip:gw@192.0.2.10>\n"
#define SDP     "Content-Type: application/sdp\n\n" RIG_SDP

static void hang_up(struct invite *invite)
{
    invite_end(invite, &(struct invite_end){.status = 480, .cause = 200});
    mem_unref(invite);
}

/* ---- as caller ---- */

static void respond(const struct rig_sent *invite, unsigned status, const char *tag, unsigned rseq, const char *more)
{
    char text[1000];

    snprintf(text, sizeof(text), CONTACT "Require: 100rel\nRSeq: %u\n%s", rseq, more);
    rig_respond(invite, status, tag, text);
}

static struct rig_sent *expect_prack(unsigned rseq, const struct rig_sent *invite)
{
    struct rig_sent *prack = rig_expect_request(SIP_PRACK);
    char rack[60];

    snprintf(rack, sizeof(rack), "%u %u INVITE", rseq, invite->msg.cseq);
    assert_span_equal(sip_msg_value(&prack->msg, SIP_H_RACK), rack);
    return prack;
}

static void test_a_reliable_response_gets_its_prack_in_its_dialog(void **state)
{
    struct rig_sent *sent, *prack;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", 77, "Record-Route: <sip:192.0.2.40;lr>\n");
    prack = expect_prack(77, sent);
    assert_int_equal(prack->msg.cseq, sent->msg.cseq + 1);
    assert_span_equal(prack->msg.to_tag, "t1");
    assert_span_equal(prack->msg.request_uri, "sip:gw@192.0.2.10");
    assert_span_equal(sip_msg_value(&prack->msg, SIP_H_ROUTE), "<sip:192.0.2.40;lr>");
    assert_int_equal(prack->msg.body.n, 0);
    assert_int_equal(told.progress_count, 1);
    rig_respond(prack, 200, NULL, NULL);
    hang_up(invite);
}

static void test_a_repetition_is_told_once_and_gets_no_second_prack(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 183, "t1", 5, SDP);
    rig_respond(expect_prack(5, sent), 200, NULL, NULL);
    for (unsigned i = 0; i < 5; i++)
        respond(sent, 183, "t1", 5, SDP);
    rig_expect_nothing();
    assert_int_equal(told.progress_count, 1);
    hang_up(invite);
}

static void test_a_prack_without_answer_is_repeated_as_any_request(void **state)
{
    struct rig_sent *sent, *prack;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", 5, "");
    prack = expect_prack(5, sent);
    rig_advance(500);
    assert_int_equal(expect_prack(5, sent)->msg.cseq, prack->msg.cseq);
    rig_respond(prack, 200, NULL, NULL);
    rig_advance(8000);
    rig_expect_nothing();
    hang_up(invite);
}

static void test_a_gap_waits_until_it_is_filled(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", 10, "");
    rig_respond(expect_prack(10, sent), 200, NULL, NULL);
    respond(sent, 183, "t1", 12, "");
    rig_expect_nothing();
    assert_int_equal(told.progress_count, 1);
    respond(sent, 182, "t1", 11, "");
    rig_respond(expect_prack(11, sent), 200, NULL, NULL);
    respond(sent, 183, "t1", 12, "");
    rig_respond(expect_prack(12, sent), 200, NULL, NULL);
    assert_int_equal(told.progress_count, 3);
    assert_int_equal(told.progress[2], 183);
    hang_up(invite);
}

static void test_each_fork_counts_for_itself(void **state)
{
    struct rig_sent *sent, *prack;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", 10, "");
    assert_span_equal(expect_prack(10, sent)->msg.to_tag, "t1");
    respond(sent, 180, "t2", 400, "");
    prack = expect_prack(400, sent);
    assert_span_equal(prack->msg.to_tag, "t2");
    assert_int_equal(prack->msg.cseq, sent->msg.cseq + 1);
    respond(sent, 183, "t1", 11, "");
    assert_span_equal(expect_prack(11, sent)->msg.to_tag, "t1");
    assert_int_equal(told.progress_count, 3);
    hang_up(invite);
}

static void test_what_is_not_whole_is_an_ordinary_response(void **state)
{
    static const char *const lines[] = {"Require: 100rel\n", "Require: 100rel\nRSeq: 0\n", "Require: 100rel\nRSeq: x\n",
                                        "RSeq: 5\n", "Require: 100rel\nRSeq: 4294967296\n"};
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        rig_respond(sent, 180, "t1", lines[i]);
    respond(sent, 180, NULL, 5, ""); /* no tag: no dialog to acknowledge it in */
    rig_expect_nothing();
    assert_int_equal(told.progress_count, 6);
    hang_up(invite);
}

static void test_a_refused_prack_leaves_the_call(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 180, "t1", 5, "");
    rig_respond(expect_prack(5, sent), 481, NULL, NULL);
    respond(sent, 183, "t1", 6, "");
    expect_prack(6, sent);
    rig_advance(32000); /* and nobody answers this one */
    rig_forget();
    rig_respond(sent, 200, "t1", CONTACT);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.answered_count, 1);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static void test_the_early_dialog_takes_update_only_after_a_reliable_description(void **state)
{
    struct rig_sent *sent, *update;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 183, "t1", CONTACT "Allow: INVITE, UPDATE\n" SDP);
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), -EPROTO);
    respond(sent, 183, "t1", 5, "Allow: INVITE, UPDATE\n" SDP);
    expect_prack(5, sent);
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    update = rig_expect_request(SIP_UPDATE);
    assert_int_equal(update->msg.cseq, sent->msg.cseq + 2);
    assert_span_equal(update->msg.body, RIG_SDP);
    rig_respond(update, 200, NULL, CONTACT SDP);
    rig_expect_nothing();
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 200);
    hang_up(invite);
}

static void test_an_update_that_crosses_another_is_491_and_one_refused_leaves_the_call(void **state)
{
    struct rig_sent *sent, *update;
    struct invite *invite = rig_call(&rig.udp, &sent);

    respond(sent, 183, "t1", 5, "Allow: UPDATE\n" SDP);
    expect_prack(5, sent);
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    update = rig_expect_request(SIP_UPDATE);
    rig_receivef(&rig.udp,
                 "UPDATE sip:us@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKup\n"
                 "Max-Forwards: 70\nFrom: <sip:100@192.0.2.10>;tag=t1\nTo: <sip:us@sip.example.com>;tag=%.*s\n"
                 "Call-ID: %.*s\nCSeq: 1 UPDATE\n" CONTACT SDP,
                 SPAN_ARG(sent->msg.from_tag), SPAN_ARG(sent->msg.call_id));
    rig_expect_status(491);
    rig_respond(update, 488, NULL, NULL);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 488);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

/* ---- as callee ---- */

static struct invite *called(const char *extension)
{
    struct invite *invite = NULL;

    memset(&told, 0, sizeof(told));
    rig_receivef(&rig.udp,
                 "INVITE sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKin;rport\n"
                 "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                 "Call-ID: in1@192.0.2.10\nCSeq: 1 INVITE\nContact: <sip:a@192.0.2.10:5060>\n%s" SDP,
                 extension);
    assert_int_equal(invite_in_new(&invite, rig.tx, &invite_rig_user, NULL, SPAN("us")), 0);
    span_copy(server_tx_tag(rig.tx), rig_our_tag, sizeof(rig_our_tag));
    return invite;
}

#define NEEDS "Require: 100rel\nAllow: INVITE, UPDATE, PRACK\n"

static int ring(struct invite *invite, unsigned status, const char *sdp)
{
    return invite_in_progress(invite, &(struct sip_reply){.status = status,
                                                          .has_contact = true,
                                                          .content_type = SPAN("application/sdp"),
                                                          .body = span_of(sdp)});
}

static unsigned rseq_of(const struct rig_sent *sent)
{
    uint32_t rseq = 0;

    assert_true(sip_msg_has_token(&sent->msg, SIP_H_REQUIRE, SPAN("100rel")));
    assert_int_equal(span_to_u32(sip_msg_value(&sent->msg, SIP_H_RSEQ), INT32_MAX, &rseq), 0);
    return rseq;
}

static void prack(unsigned rseq, unsigned invite_cseq, unsigned cseq, const char *more)
{
    char text[1000], branch[40];

    snprintf(text, sizeof(text), "RAck: %u %u INVITE\n%s", rseq, invite_cseq, more);
    snprintf(branch, sizeof(branch), "z9hG4bKpr%u", cseq);
    rig_within_more(&rig.udp, "PRACK", branch, cseq, text);
}

static void test_ringing_is_repeated_until_prack_which_gets_200(void **state)
{
    static const unsigned at_ms[] = {500, 1500, 3500, 7500};
    struct invite *invite = called(NEEDS);
    struct rig_sent *sent;
    unsigned rseq;
    uint64_t began_ms;

    ring(invite, 180, "");
    sent = rig_expect_status(180);
    began_ms = sent->at_ms;
    rseq = rseq_of(sent);
    for (unsigned i = 0; i < 4; i++) {
        rig_advance((unsigned)(began_ms + at_ms[i] - rig_now_ms()));
        sent = rig_expect_status(180);
        assert_int_equal(sent->at_ms - began_ms, at_ms[i]);
        assert_int_equal(rseq_of(sent), rseq);
    }
    prack(rseq, 1, 2, "");
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_PRACK);
    rig_advance(40000);
    rig_expect_nothing();
    hang_up(invite);
}

static void test_without_prack_the_invite_is_refused_with_504(void **state)
{
    struct invite *invite = called(NEEDS);

    ring(invite, 180, "");
    rig_advance(31999);
    rig_forget();
    assert_int_equal(told.ended_count, 0);
    rig_advance(1);
    rig_expect_status(504);
    assert_int_equal(told.ended_count, 1);
    assert_int_equal(told.cause, INVITE_END_NO_PRACK);
    mem_unref(invite);
}

static void test_a_caller_that_only_supports_it_is_not_bothered_unless_asked(void **state)
{
    struct invite *invite = called("Supported: 100rel\n");

    ring(invite, 180, "");
    assert_null(sip_msg_header(&rig_expect_status(180)->msg, SIP_H_RSEQ));
    assert_int_equal(invite_in_use_100rel(invite), 0);
    ring(invite, 183, "");
    rseq_of(rig_expect_status(183));
    hang_up(invite);
}

static void test_a_prack_of_nothing_is_481(void **state)
{
    struct invite *invite = called(NEEDS);
    unsigned rseq;

    prack(1, 1, 2, "");
    rig_expect_status(481);
    ring(invite, 180, "");
    rseq = rseq_of(rig_expect_status(180));
    prack(rseq + 1, 1, 3, "");
    rig_expect_status(481);
    prack(rseq, 2, 4, "");
    rig_expect_status(481);
    rig_within_more(&rig.udp, "PRACK", "z9hG4bKno", 5, "");
    rig_expect_status(481);
    rig_within_more(&rig.udp, "PRACK", "z9hG4bKbad", 6, "RAck: 99999999999 INVITE 1\n");
    rig_expect_status(481);
    prack(rseq, 1, 7, "");
    rig_expect_status(200);
    prack(rseq, 1, 8, ""); /* twice */
    rig_expect_status(481);
    hang_up(invite);
}

static void test_what_comes_meanwhile_waits_and_the_newest_goes_with_the_description(void **state)
{
    struct invite *invite = called(NEEDS);
    struct rig_sent *sent;
    unsigned rseq;

    ring(invite, 180, "");
    rseq = rseq_of(rig_expect_status(180));
    ring(invite, 183, RIG_SDP);
    ring(invite, 182, "");
    rig_expect_nothing();
    prack(rseq, 1, 2, "");
    rig_expect_status(200);
    sent = rig_expect_status(182);
    assert_int_equal(rseq_of(sent), rseq + 1);
    assert_span_equal(sent->msg.body, RIG_SDP);
    hang_up(invite);
}

static void test_the_answer_waits_for_the_prack_of_a_description(void **state)
{
    struct invite *invite = called(NEEDS);
    struct rig_sent *sent;
    unsigned rseq;

    ring(invite, 183, RIG_SDP);
    rseq = rseq_of(rig_expect_status(183));
    assert_int_equal(invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    rig_expect_nothing();
    prack(rseq, 1, 2, "");
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_PRACK);
    sent = rig_expect_status(200);
    assert_int_equal(sent->msg.method, SIP_INVITE);
    assert_span_equal(sent->msg.body, RIG_SDP);
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    assert_int_equal(told.confirmed_count, 1);
    hang_up(invite);
}

static void test_the_answer_does_not_wait_for_the_prack_of_mere_ringing(void **state)
{
    struct invite *invite = called(NEEDS);
    unsigned rseq;

    ring(invite, 180, "");
    rseq = rseq_of(rig_expect_status(180));
    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP));
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_INVITE);
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    prack(rseq, 1, 2, "");
    rig_expect_status(481); /* the 200 has ended it: nothing waits any more */
    hang_up(invite);
}

static void test_cancel_and_refusal_end_the_repetitions(void **state)
{
    struct invite *invite = called(NEEDS);

    ring(invite, 183, RIG_SDP);
    rig_expect_status(183);
    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP)); /* held */
    rig_receive(&rig.udp,
                "CANCEL sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKin;rport\n"
                "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                "Call-ID: in1@192.0.2.10\nCSeq: 1 CANCEL\n\n");
    rig_expect_status(200);
    rig_expect_status(487);
    assert_int_equal(told.cancelled_count, 1);
    rig_receive(&rig.udp, "ACK sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKin;rport\n"
                          "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>;tag=x\n"
                          "Call-ID: in1@192.0.2.10\nCSeq: 1 ACK\n\n");
    rig_advance(40000);
    rig_expect_nothing();
    mem_unref(invite);
}

static void test_an_offer_in_the_prack_is_a_change_and_is_answered_in_its_200(void **state)
{
    struct invite *invite = called(NEEDS);
    struct rig_sent *sent;
    unsigned rseq;

    ring(invite, 183, RIG_SDP);
    rseq = rseq_of(rig_expect_status(183));
    prack(rseq, 1, 2, SDP);
    assert_int_equal(told.modify_count, 1);
    rig_expect_nothing();
    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP)); /* after the change */
    rig_expect_nothing();
    invite_modify_reply(
        invite, &(struct sip_reply){.status = 200, .content_type = SPAN("application/sdp"), .body = SPAN(RIG_SDP)});
    sent = rig_expect_status(200);
    assert_int_equal(sent->msg.method, SIP_PRACK);
    assert_span_equal(sent->msg.body, RIG_SDP);
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_INVITE);
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    hang_up(invite);
}

static void test_update_before_anything_is_agreed_is_500_with_retry_after(void **state)
{
    struct invite *invite = called(NEEDS);
    unsigned rseq;

    ring(invite, 180, "");
    rseq = rseq_of(rig_expect_status(180));
    prack(rseq, 1, 2, "");
    rig_expect_status(200);
    rig_within_more(&rig.udp, "UPDATE", "z9hG4bKu1", 3, SDP);
    assert_true(sip_msg_value(&rig_expect_status(500)->msg, SIP_H_RETRY_AFTER).n > 0);
    assert_int_equal(told.modify_count, 0);
    ring(invite, 183, RIG_SDP);
    rseq = rseq_of(rig_expect_status(183));
    prack(rseq, 1, 4, "");
    rig_expect_status(200);
    rig_within_more(&rig.udp, "UPDATE", "z9hG4bKu2", 5, SDP);
    assert_int_equal(told.modify_count, 1);
    invite_modify_reply(invite, &(struct sip_reply){.status = 488});
    rig_expect_status(488);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static void test_an_update_that_nobody_replies_to_is_504_after_8_s_and_taken_back(void **state)
{
    struct invite *invite = called(NEEDS);
    unsigned rseq;

    ring(invite, 183, RIG_SDP);
    rseq = rseq_of(rig_expect_status(183));
    prack(rseq, 1, 2, "");
    rig_expect_status(200);
    rig_within_more(&rig.udp, "UPDATE", "z9hG4bKu1", 3, SDP);
    rig_advance(7999);
    rig_expect_nothing();
    rig_advance(1);
    rig_expect_status(504);
    assert_int_equal(told.modify_cancelled_count, 1);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static void test_our_update_to_a_caller_waits_until_its_prack(void **state)
{
    struct invite *invite = called(NEEDS);
    struct rig_sent *update;
    unsigned rseq;

    ring(invite, 183, RIG_SDP);
    rseq = rseq_of(rig_expect_status(183));
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), -EPROTO);
    prack(rseq, 1, 2, "");
    rig_expect_status(200);
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    update = rig_expect_request(SIP_UPDATE);
    rig_respond(update, 504, NULL, NULL);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static int ring_and_hold(void *arg)
{
    struct invite *invite = NULL;
    int err = -ENOMEM;

    rig.tx = mem_unref(rig.tx);
    rig_invite(&rig.udp, "z9hG4bKin");
    if (rig.tx)
        err = invite_in_new(&invite, rig.tx, &invite_rig_user, NULL, SPAN("us"));
    if (!err)
        err = invite_in_use_100rel(invite);
    if (!err)
        err = ring(invite, 183, RIG_SDP);
    if (!err)
        err = ring(invite, 180, "");
    if (!err)
        err = invite_in_answer(invite, SPAN("X: y\r\n"), SPAN("application/sdp"), SPAN(RIG_SDP));
    if (invite)
        invite_end(invite, &(struct invite_end){.status = 480});
    mem_unref(invite);
    server_tx_end_all(rig.stack);
    rig.tx = mem_unref(rig.tx);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    memset(&told, 0, sizeof(told));
    assert_int_equal(ring_and_hold(NULL), 0); /* the first arrays of the tables */
    assert_true(oom_run(ring_and_hold, NULL) > 10);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_reliable_response_gets_its_prack_in_its_dialog),
        T(test_a_repetition_is_told_once_and_gets_no_second_prack),
        T(test_a_prack_without_answer_is_repeated_as_any_request),
        T(test_a_gap_waits_until_it_is_filled),
        T(test_each_fork_counts_for_itself),
        T(test_what_is_not_whole_is_an_ordinary_response),
        T(test_a_refused_prack_leaves_the_call),
        T(test_the_early_dialog_takes_update_only_after_a_reliable_description),
        T(test_an_update_that_crosses_another_is_491_and_one_refused_leaves_the_call),
        T(test_ringing_is_repeated_until_prack_which_gets_200),
        T(test_without_prack_the_invite_is_refused_with_504),
        T(test_a_caller_that_only_supports_it_is_not_bothered_unless_asked),
        T(test_a_prack_of_nothing_is_481),
        T(test_what_comes_meanwhile_waits_and_the_newest_goes_with_the_description),
        T(test_the_answer_waits_for_the_prack_of_a_description),
        T(test_the_answer_does_not_wait_for_the_prack_of_mere_ringing),
        T(test_cancel_and_refusal_end_the_repetitions),
        T(test_an_offer_in_the_prack_is_a_change_and_is_answered_in_its_200),
        T(test_update_before_anything_is_agreed_is_500_with_retry_after),
        T(test_an_update_that_nobody_replies_to_is_504_after_8_s_and_taken_back),
        T(test_our_update_to_a_caller_waits_until_its_prack),
        T(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
