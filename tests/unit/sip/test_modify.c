/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a session, of either side and of both at once. RFC 3261 14, RFC 3311. */
#include "invite_rig.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"

/* A call of the peer, confirmed: the Call-ID is the peer's. */
static struct invite *call_in(void)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP));
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    rig_forget();
    return invite;
}

/* A call of ours, confirmed: the Call-ID is ours. */
static struct invite *call_out(void)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 200, "t1", "Contact: <sip:gw@192.0.2.10>\n");
    rig_forget();
    return invite;
}

static struct rig_sent *modify(struct invite *invite)
{
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    return rig_expect_request(SIP_INVITE);
}

static void hang_up(struct invite *invite)
{
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_our_reinvite_is_acked_each_time_its_2xx_comes_and_told_once(void **state)
{
    struct invite *invite = call_out();
    struct rig_sent *sent = modify(invite), *ack;

    assert_span_equal(sent->msg.to_tag, "t1");
    assert_true(invite_is_modifying(invite));
    assert_int_equal(invite_modify(invite, SPAN("a/b"), SPAN("x")), -EBUSY);
    rig_respond(sent, 200, NULL, "Contact: <sip:moved@192.0.2.31>\n");
    ack = rig_expect_request(SIP_ACK);
    assert_int_equal(ack->msg.cseq, sent->msg.cseq);
    assert_span_equal(ack->msg.request_uri, "sip:moved@192.0.2.31");
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 200);
    rig_respond(sent, 200, NULL, "Contact: <sip:moved@192.0.2.31>\n");
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.modified_count, 1);
    assert_false(invite_is_modifying(invite));
    hang_up(invite);
}

static void test_a_refused_reinvite_leaves_the_call(void **state)
{
    struct invite *invite = call_out();

    rig_respond(modify(invite), 488, NULL, NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 488);
    assert_int_equal(told.ended_count, 0);
    assert_true(invite_is_confirmed(invite));
    hang_up(invite);
}

static void test_a_reinvite_answered_481_ends_the_call(void **state)
{
    struct invite *invite = call_out();

    rig_respond(modify(invite), 481, NULL, NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.ended_count, 1);
    assert_int_equal(told.cause, INVITE_END_FAILED);
    rig_expect_nothing();
    mem_unref(invite);
}

static void test_a_reinvite_without_answer_ends_the_call_with_bye(void **state)
{
    struct invite *invite = call_out();

    modify(invite);
    rig_advance(31999);
    rig_forget();
    rig_advance(1);
    rig_expect_request(SIP_BYE);
    assert_int_equal(told.cause, INVITE_END_FAILED);
    mem_unref(invite);
}

/* The wait after 491, in ms; the re-INVITE is sent again by then. */
static uint64_t glare_wait_ms(struct invite *invite)
{
    struct rig_sent *sent = modify(invite), *again;

    rig_respond(sent, 491, NULL, NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.modified_count, 0);
    rig_advance(4001);
    again = rig_expect_request(SIP_INVITE);
    assert_true(again->msg.cseq > sent->msg.cseq);
    assert_int_equal(again->msg.body.n, strlen(RIG_SDP));
    rig_forget();
    rig_respond(again, 200, NULL, NULL);
    assert_int_equal(told.modified_count, 1);
    return again->at_ms - sent->at_ms;
}

static void test_after_491_the_owner_of_the_call_id_waits_2100_to_4000_ms(void **state)
{
    struct invite *invite = call_out();
    uint64_t wait_ms = glare_wait_ms(invite);

    assert_in_range(wait_ms, 2100, 4000);
    hang_up(invite);
}

static void test_after_491_the_other_side_waits_0_to_2000_ms(void **state)
{
    struct invite *invite = call_in();
    uint64_t wait_ms = glare_wait_ms(invite);

    assert_in_range(wait_ms, 0, 2000);
    hang_up(invite);
}

static void test_491_for_ever_is_given_up(void **state)
{
    struct invite *invite = call_out();
    struct rig_sent *sent = modify(invite);
    unsigned tries = 0;

    while (sent && tries < 20) {
        rig_respond(sent, 491, NULL, NULL);
        rig_expect_request(SIP_ACK);
        tries++;
        rig_advance(told.modified_count ? 0 : 4001);
        sent = rig_next();
        rig_forget();
    }
    assert_in_range(tries, 2, 10);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 491);
    hang_up(invite);
}

static void test_a_reinvite_of_the_peer_during_ours_is_491_and_its_ack_ends_that(void **state)
{
    struct invite *invite = call_in();
    struct rig_sent *sent = modify(invite);

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    rig_expect_status(491);
    rig_within(&rig.udp, "ACK", "z9hG4bKre", 2);
    assert_int_equal(told.modify_count, 0);
    rig_respond(sent, 200, NULL, NULL);
    rig_forget();
    rig_advance(32000);
    rig_expect_nothing(); /* above all no further 491 */
    hang_up(invite);
}

static void test_the_peers_reinvite_is_answered_with_contact_and_repeated_until_its_ack(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    assert_int_equal(told.modify_count, 1);
    assert_int_equal(invite_modify(invite, SPAN("a/b"), SPAN("x")), -EBUSY);
    assert_int_equal(
        invite_modify_reply(
            invite, &(struct sip_reply){.status = 200, .content_type = SPAN("application/sdp"), .body = SPAN(RIG_SDP)}),
        0);
    assert_true(sip_msg_value(&rig_expect_status(200)->msg, SIP_H_CONTACT).n > 0);
    rig_advance(500);
    rig_expect_status(200);
    rig_within(&rig.udp, "ACK", "z9hG4bKreack", 2);
    rig_advance(32000);
    rig_expect_nothing();
    assert_int_equal(told.confirmed_count, 1); /* that was the first ACK */
    assert_false(invite_is_modifying(invite));
    hang_up(invite);
}

static void test_a_second_reinvite_while_one_is_unanswered_is_500_with_retry_after(void **state)
{
    struct invite *invite = call_in();
    struct rig_sent *sent;

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    rig_within(&rig.udp, "INVITE", "z9hG4bKre2", 3);
    sent = rig_expect_status(500);
    assert_non_null(strstr(sent->bytes, "Retry-After: "));
    assert_int_equal(told.modify_count, 1);
    invite_modify_reply(invite, &(struct sip_reply){.status = 488});
    rig_expect_status(488);
    hang_up(invite);
}

static void test_a_reinvite_before_the_first_ack_is_500(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    invite_in_answer(invite, SPAN_NULL, SPAN_NULL, SPAN_NULL);
    rig_forget();
    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    rig_expect_status(500);
    assert_int_equal(told.modify_count, 0);
    hang_up(invite);
}

static void test_an_update_is_answered_once(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "UPDATE", "z9hG4bKup", 2);
    assert_int_equal(told.modify_count, 1);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    rig_expect_status(200);
    rig_advance(32000);
    rig_expect_nothing();
    hang_up(invite);
}

static void test_cancel_of_a_reinvite_gives_487_and_the_call_lives(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    rig_within(&rig.udp, "CANCEL", "z9hG4bKre", 2);
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_CANCEL);
    assert_int_equal(rig_expect_status(487)->msg.method, SIP_INVITE);
    assert_int_equal(told.modify_cancelled_count, 1);
    assert_int_equal(invite_modify_reply(invite, &(struct sip_reply){.status = 200}), -EPROTO);
    rig_expect_nothing();
    assert_int_equal(told.cancelled_count + told.ended_count, 0);
    assert_true(invite_is_confirmed(invite));
    assert_false(invite_is_modifying(invite));
    hang_up(invite);
}

static void test_hanging_up_during_changes_answers_and_forgets_them(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    hang_up(invite);
    rig_expect_status(487);
    rig_respond(rig_expect_request(SIP_BYE), 200, NULL, NULL);
    rig_within(&rig.udp, "ACK", "z9hG4bKre", 2);
    invite = call_out();
    rig_respond(modify(invite), 491, NULL, NULL);
    hang_up(invite);
    rig_expect_request(SIP_ACK);
    rig_respond(rig_expect_request(SIP_BYE), 200, NULL, NULL);
    rig_advance(5000);
    rig_expect_nothing(); /* no re-INVITE after the wait */
    assert_int_equal(told.modified_count, 0);
}

static void test_the_peers_bye_during_its_reinvite_answers_both(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    rig_within(&rig.udp, "BYE", "z9hG4bKbye", 3);
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_BYE);
    assert_int_equal(rig_expect_status(487)->msg.method, SIP_INVITE);
    assert_int_equal(told.ended_count, 1);
    mem_unref(invite);
}

static void test_cancel_after_the_answer_of_a_reinvite_changes_nothing(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    rig_expect_status(200);
    rig_within(&rig.udp, "CANCEL", "z9hG4bKre", 2);
    assert_int_equal(rig_expect_status(200)->msg.method, SIP_CANCEL);
    rig_expect_nothing();
    assert_int_equal(told.modify_cancelled_count, 0);
    rig_within(&rig.udp, "ACK", "z9hG4bKreack", 2);
    hang_up(invite);
}

static void test_the_ack_of_a_reinvite_is_handed_up_with_its_body_once(void **state)
{
    struct invite *invite = call_in();

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 2);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    rig_within_more(&rig.udp, "ACK", "z9hG4bKreack", 2, "Content-Type: application/sdp\n\nv=0\n");
    assert_int_equal(told.modify_confirmed_count, 1);
    assert_string_equal(told.ack_body, "v=0\n");
    rig_within_more(&rig.udp, "ACK", "z9hG4bKreack", 2, "Content-Type: application/sdp\n\nv=1\n");
    assert_int_equal(told.modify_confirmed_count, 1);
    assert_int_equal(told.confirmed_count, 1);
    hang_up(invite);
}

/* 100 after a second; given up 64*T1 later. */
static struct rig_sent *give_up(struct invite *invite)
{
    struct rig_sent *sent = modify(invite);

    rig_respond(sent, 100, NULL, NULL);
    rig_advance(31999);
    rig_expect_nothing();
    assert_int_equal(told.modified_count, 0);
    rig_respond(sent, 183, NULL, NULL); /* does not make it longer */
    rig_advance(1);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 408);
    assert_int_equal(told.ended_count, 0);
    assert_int_equal(rig_expect_request(SIP_CANCEL)->msg.cseq, sent->msg.cseq);
    return sent;
}

static void test_a_reinvite_that_gets_100_and_nothing_more_is_given_up_after_64_t1(void **state)
{
    struct invite *invite = call_out();

    give_up(invite);
    assert_false(invite_is_modifying(invite));
    rig_forget();
    rig_respond(modify(invite), 200, NULL, NULL); /* the next one is not hindered */
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.modified_count, 2);
    assert_int_equal(told.status, 200);
    rig_advance(64000);
    assert_int_equal(told.modified_count, 2);
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static void test_a_2xx_of_a_reinvite_that_was_given_up_is_acked_and_told_as_late(void **state)
{
    struct invite *invite = call_out();
    struct rig_sent *sent = give_up(invite);

    for (unsigned i = 0; i < 2; i++) {
        rig_respond(sent, 200, NULL, NULL);
        assert_int_equal(rig_expect_request(SIP_ACK)->msg.cseq, sent->msg.cseq);
    }
    assert_int_equal(told.modified_late_count, 1);
    assert_int_equal(told.modified_count, 1);
    hang_up(invite);
}

static void test_a_change_of_ours_that_is_taken_back_is_cancelled_and_its_487_told(void **state)
{
    struct invite *invite = call_out();
    struct rig_sent *sent = modify(invite);

    rig_respond(sent, 100, NULL, NULL);
    invite_modify_cancel(invite);
    rig_respond(rig_expect_request(SIP_CANCEL), 200, NULL, NULL);
    assert_int_equal(told.modified_count, 0);
    rig_respond(sent, 487, NULL, NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 487);
    hang_up(invite);
}

static void test_a_change_of_ours_that_is_taken_back_while_it_waits_is_not_sent_again(void **state)
{
    struct invite *invite = call_out();

    rig_respond(modify(invite), 491, NULL, NULL);
    rig_expect_request(SIP_ACK);
    invite_modify_cancel(invite);
    assert_int_equal(told.modified_count, 0); /* never from within */
    rig_advance(1);
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 487);
    rig_advance(5000);
    rig_expect_nothing();
    hang_up(invite);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_our_reinvite_is_acked_each_time_its_2xx_comes_and_told_once),
        T(test_a_refused_reinvite_leaves_the_call),
        T(test_a_reinvite_answered_481_ends_the_call),
        T(test_a_reinvite_without_answer_ends_the_call_with_bye),
        T(test_after_491_the_owner_of_the_call_id_waits_2100_to_4000_ms),
        T(test_after_491_the_other_side_waits_0_to_2000_ms),
        T(test_491_for_ever_is_given_up),
        T(test_a_reinvite_of_the_peer_during_ours_is_491_and_its_ack_ends_that),
        T(test_the_peers_reinvite_is_answered_with_contact_and_repeated_until_its_ack),
        T(test_a_second_reinvite_while_one_is_unanswered_is_500_with_retry_after),
        T(test_a_reinvite_before_the_first_ack_is_500),
        T(test_an_update_is_answered_once),
        T(test_cancel_of_a_reinvite_gives_487_and_the_call_lives),
        T(test_cancel_after_the_answer_of_a_reinvite_changes_nothing),
        T(test_the_ack_of_a_reinvite_is_handed_up_with_its_body_once),
        T(test_a_reinvite_that_gets_100_and_nothing_more_is_given_up_after_64_t1),
        T(test_a_2xx_of_a_reinvite_that_was_given_up_is_acked_and_told_as_late),
        T(test_a_change_of_ours_that_is_taken_back_is_cancelled_and_its_487_told),
        T(test_a_change_of_ours_that_is_taken_back_while_it_waits_is_not_sent_again),
        T(test_hanging_up_during_changes_answers_and_forgets_them),
        T(test_the_peers_bye_during_its_reinvite_answers_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
