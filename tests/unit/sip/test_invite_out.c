/* SPDX-License-Identifier: Apache-2.0 */
/* An INVITE of ours: answers, ACK, forks, CANCEL and what crosses it, digest on the way. RFC 3261 9.1, 13.2, 22; cases
 * 07, 10, 12. */
#include "invite_rig.h"

#include <errno.h>
#include <stdio.h>

#include "../oom.h"
#include "base/mem.h"

#define ANSWER "Contact: <sip:gw@192.0.2.10>\nContent-Type: application/sdp\n\n" RIG_SDP

static struct invite *answered_call(struct rig_sent **invitep)
{
    struct invite *invite = rig_call(&rig.udp, invitep);

    rig_respond(*invitep, 180, "t1", "Contact: <sip:gw@192.0.2.10>\n");
    rig_respond(*invitep, 200, "t1", ANSWER);
    assert_int_equal(told.answered_count, 1);
    return invite;
}

static void challenge(const struct rig_sent *request, unsigned status, const char *nonce, const char *more)
{
    char lines[400];

    snprintf(lines, sizeof(lines),
             "%s-Authenticate: Digest realm=\"carrier\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s\n",
             status == 407 ? "Proxy" : "WWW", nonce, more);
    rig_respond(request, status, "auth", lines);
}

static void hang_up(struct invite *invite)
{
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_the_invite_holds_what_rfc_3261_8_1_1_wants(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    assert_span_equal(sent->msg.request_uri, "sip:100@192.0.2.10");
    assert_int_equal(sent->msg.max_forwards, 70);
    assert_int_equal(sip_tag_worker(sent->msg.from_tag), 0);
    assert_int_equal(sip_branch_worker(sent->msg.via.branch), 0);
    assert_int_equal(sent->msg.to_tag.n, 0);
    assert_true(sent->msg.cseq > 0 && sent->msg.cseq < 0x7fffffff);
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_CONTACT), "<sip:us@203.0.113.10:5060>");
    assert_non_null(strstr(sent->bytes, "From: \"Us\" <sip:us@sip.example.com>;tag="));
    assert_int_equal(sent->msg.body.n, strlen(RIG_SDP));
    hang_up(invite);
}

static void test_every_provisional_is_told_in_the_order_of_its_coming(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 100, NULL, NULL);
    rig_respond(sent, 183, "t1", ANSWER);
    rig_respond(sent, 180, "t1", "Contact: <sip:gw@192.0.2.10>\n");
    assert_int_equal(told.progress_count, 2); /* 100 is hop by hop */
    assert_int_equal(told.progress[0], 183);
    assert_int_equal(told.progress[1], 180);
    hang_up(invite);
}

static void test_the_2xx_is_acked_at_once_on_a_new_branch_with_the_cseq_of_the_invite(void **state)
{
    struct rig_sent *sent, *ack;
    struct invite *invite = answered_call(&sent);

    ack = rig_expect_request(SIP_ACK);
    assert_int_equal(ack->msg.cseq, sent->msg.cseq);
    assert_false(span_eq(ack->msg.via.branch, sent->msg.via.branch));
    assert_span_equal(ack->msg.request_uri, "sip:gw@192.0.2.10");
    assert_span_equal(ack->msg.to_tag, "t1");
    rig_respond(sent, 200, "t1", ANSWER); /* the ACK was lost */
    assert_string_equal(rig_expect_request(SIP_ACK)->bytes, ack->bytes);
    assert_int_equal(told.answered_count, 1);
    hang_up(invite);
    assert_int_equal(rig_expect_request(SIP_BYE)->msg.cseq, sent->msg.cseq + 1);
}

static void test_another_forks_2xx_is_acked_and_ended_and_the_call_stays(void **state)
{
    struct rig_sent *sent, *message;
    struct invite *invite = answered_call(&sent);

    rig_expect_request(SIP_ACK);
    rig_respond(sent, 200, "t2", "Contact: <sip:other@192.0.2.44>\n");
    message = rig_expect_request(SIP_ACK);
    assert_span_equal(message->msg.to_tag, "t2");
    assert_span_equal(message->msg.request_uri, "sip:other@192.0.2.44");
    assert_int_equal(message->msg.cseq, sent->msg.cseq);
    message = rig_expect_request(SIP_BYE);
    assert_span_equal(message->msg.to_tag, "t2");
    assert_int_equal(message->msg.cseq, sent->msg.cseq + 1);
    rig_respond(message, 200, NULL, NULL);
    rig_expect_nothing();
    assert_true(invite_is_confirmed(invite));
    hang_up(invite);
    assert_span_equal(rig_expect_request(SIP_BYE)->msg.to_tag, "t1");
}

static void test_a_2xx_without_to_tag_is_no_answer(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 200, NULL, ANSWER);
    assert_int_equal(told.answered_count, 0);
    rig_expect_nothing();
    hang_up(invite);
}

static void test_an_error_or_silence_is_a_rejection_told_once(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 486, "t1", NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(told.rejected_count, 1);
    assert_int_equal(told.status, 486);
    rig_respond(sent, 486, "t1", NULL);
    assert_int_equal(told.rejected_count, 1);
    mem_unref(invite);
    rig_forget();
    invite = rig_call(&rig.tcp, &sent);
    rig_advance(32000);
    assert_int_equal(told.rejected_count, 1);
    assert_int_equal(told.status, 408);
    mem_unref(invite);
}

static void test_cancel_goes_out_only_after_a_provisional(void **state)
{
    struct rig_sent *sent, *cancel;
    struct invite *invite = rig_call(&rig.tcp, &sent);

    invite_end(invite, &(struct invite_end){.cause = 487, .why = "the caller hung up"});
    rig_advance(1000);
    rig_expect_nothing();
    rig_respond(sent, 180, "t1", NULL);
    cancel = rig_expect_request(SIP_CANCEL);
    assert_non_null(strstr(cancel->bytes, "Reason: SIP;cause=487;text=\"the caller hung up\"\r\n"));
    rig_respond(cancel, 200, "t1", NULL);
    rig_respond(sent, 487, "t1", NULL);
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    assert_int_equal(told.rejected_count + told.progress_count, 0); /* who ended it hears nothing more */
    mem_unref(invite);
}

static void cross(unsigned cancel_status)
{
    struct rig_sent *sent, *cancel, *bye;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 180, "t1", "Contact: <sip:gw@192.0.2.10>\n");
    hang_up(invite);
    cancel = rig_expect_request(SIP_CANCEL);
    rig_respond(sent, 200, "t1", ANSWER);
    assert_span_equal(rig_expect_request(SIP_ACK)->msg.to_tag, "t1");
    bye = rig_expect_request(SIP_BYE);
    assert_span_equal(bye->msg.to_tag, "t1");
    assert_int_equal(bye->msg.cseq, sent->msg.cseq + 1);
    rig_respond(cancel, cancel_status, "t1", NULL);
    rig_respond(sent, 200, "t1", ANSWER);
    rig_expect_request(SIP_ACK);
    rig_respond(bye, 200, NULL, NULL);
    rig_expect_nothing(); /* no second BYE */
    assert_int_equal(told.answered_count, 0);
    rig_advance(32000);
    assert_int_equal(rig.stack->client_txs.count, 0);
    assert_int_equal(rig.stack->dialogs.count, 0);
}

static void test_an_answer_that_crosses_cancel_is_acked_then_ended(void **state)
{
    cross(481);
}

static void test_an_answer_that_crosses_cancel_is_ended_once_when_cancel_is_200(void **state)
{
    cross(200);
}

static void test_a_cancelled_invite_without_final_answer_leaves_nothing_behind(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 180, "t1", NULL);
    hang_up(invite);
    rig_respond(rig_expect_request(SIP_CANCEL), 200, "t1", NULL);
    rig_advance(32000);
    rig_expect_nothing();
    assert_int_equal(rig.stack->client_txs.count, 0);
    assert_int_equal(rig.stack->dialogs.count, 0);
}

static void test_a_challenge_is_answered_once_with_the_next_cseq(void **state)
{
    static const unsigned statuses[] = {401, 407};

    for (unsigned i = 0; i < 2; i++) {
        struct rig_sent *first, *second, *ack;
        struct invite *invite = rig_call_as(&rig.udp, "alice", "secret", &first);

        assert_null(strstr(first->bytes, "uthorization:"));
        challenge(first, statuses[i], "n1", "");
        rig_expect_request(SIP_ACK);
        second = rig_expect_request(SIP_INVITE);
        assert_int_equal(second->msg.cseq, first->msg.cseq + 1);
        assert_true(span_eq(second->msg.call_id, first->msg.call_id));
        assert_true(span_eq(second->msg.from_tag, first->msg.from_tag));
        assert_int_equal(second->msg.to_tag.n, 0);
        assert_non_null(strstr(second->bytes, i ? "\r\nProxy-Authorization: Digest" : "\r\nAuthorization: Digest"));
        assert_non_null(strstr(second->bytes, "uri=\"sip:100@192.0.2.10\""));
        assert_non_null(strstr(second->bytes, "nc=00000001"));
        rig_respond(second, 200, "t1", ANSWER);
        ack = rig_expect_request(SIP_ACK);
        assert_int_equal(ack->msg.cseq, second->msg.cseq);
        assert_non_null(strstr(ack->bytes, "uthorization: Digest")); /* RFC 3261 22.1 */
        assert_int_equal(told.rejected_count, 0);
        hang_up(invite);
        rig_forget();
    }
}

static void test_a_wrong_password_ends_after_one_try(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call_as(&rig.udp, "alice", "wrong", &sent);

    challenge(sent, 401, "n1", "");
    rig_expect_request(SIP_ACK);
    challenge(rig_expect_request(SIP_INVITE), 401, "n2", "");
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    assert_int_equal(told.rejected_count, 1);
    assert_int_equal(told.status, 401);
    mem_unref(invite);
}

static void test_a_stale_nonce_is_tried_again_and_the_tries_are_bounded(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call_as(&rig.udp, "alice", "secret", &sent);
    unsigned tries = 1;

    challenge(sent, 401, "n0", "");
    rig_expect_request(SIP_ACK);
    while ((sent = rig_next()) && sent->msg.method == SIP_INVITE) {
        char nonce[8];

        snprintf(nonce, sizeof(nonce), "n%u", tries++);
        challenge(sent, 401, nonce, ", stale=TRUE");
        rig_expect_request(SIP_ACK);
        assert_true(tries < 8);
    }
    assert_true(tries >= 3); /* a stale one was tried again */
    assert_int_equal(told.rejected_count, 1);
    mem_unref(invite);
}

static void test_a_stale_nonce_that_is_the_old_one_is_not_tried_again(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call_as(&rig.udp, "alice", "secret", &sent);

    challenge(sent, 401, "n1", "");
    rig_expect_request(SIP_ACK);
    challenge(rig_expect_request(SIP_INVITE), 401, "n1", ", stale=true");
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    assert_int_equal(told.rejected_count, 1);
    mem_unref(invite);
}

static void test_without_credentials_a_challenge_is_the_answer(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    challenge(sent, 407, "n1", "");
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    assert_int_equal(told.status, 407);
    mem_unref(invite);
}

static void test_a_challenge_after_the_hang_up_is_not_answered(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call_as(&rig.udp, "alice", "secret", &sent);

    hang_up(invite);
    challenge(sent, 407, "n1", "");
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    rig_advance(64000);
    rig_expect_nothing();
    assert_int_equal(rig.stack->client_txs.count, 0);
}

static void test_a_challenge_of_the_bye_is_answered(void **state)
{
    struct rig_sent *sent, *bye;
    struct invite *invite = rig_call_as(&rig.udp, "alice", "secret", &sent);

    rig_respond(sent, 200, "t1", ANSWER);
    rig_expect_request(SIP_ACK);
    hang_up(invite);
    bye = rig_expect_request(SIP_BYE);
    challenge(bye, 407, "n1", "");
    sent = rig_expect_request(SIP_BYE);
    assert_int_equal(sent->msg.cseq, bye->msg.cseq + 1);
    rig_respond(sent, 200, NULL, NULL);
    rig_advance(32000);
    assert_int_equal(rig.stack->client_txs.count, 0);
}

static void test_the_peers_bye_ends_the_call(void **state)
{
    struct rig_sent *sent, *ok;
    struct invite *invite = answered_call(&sent);

    rig_expect_request(SIP_ACK);
    rig_receivef(
        &rig.udp,
        "BYE sip:us@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKbye\nMax-Forwards: 70\n"
        "From: <sip:100@192.0.2.10>;tag=t1\nTo: <sip:us@sip.example.com>;tag=%.*s\nCall-ID: %.*s\nCSeq: 1 BYE\n\n",
        SPAN_ARG(sent->msg.from_tag), SPAN_ARG(sent->msg.call_id));
    ok = rig_expect_status(200);
    assert_int_equal(ok->msg.method, SIP_BYE);
    assert_int_equal(told.ended_count, 1);
    assert_int_equal(told.cause, INVITE_END_BYE);
    hang_up(invite); /* too late, and harmless */
    rig_expect_nothing();
}

static void test_a_lost_connection_rejects_a_call_that_rings(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.tcp, &sent);

    rig_respond(sent, 180, "t1", NULL);
    sip_stack_flow_lost(rig.stack, &rig.tcp, "");
    rig_advance(1);
    assert_int_equal(told.rejected_count, 1);
    assert_int_equal(told.status, 503);
    mem_unref(invite);
}

static int call_and_hang_up(void *arg)
{
    struct invite *invite;
    int err = invite_out_new(&invite, &(struct invite_out_options){.stack = rig.stack,
                                                                   .user = &invite_rig_user,
                                                                   .flow = rig.udp,
                                                                   .request_uri = SPAN("sip:1@192.0.2.10"),
                                                                   .from = SPAN("<sip:a@b>"),
                                                                   .to = SPAN("<sip:1@c>"),
                                                                   .username = "u",
                                                                   .password = "p"});

    if (err)
        return err;
    mem_fail_after(-1);
    client_tx_end_all(rig.stack);
    mem_unref(invite);
    return 0;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    memset(&told, 0, sizeof(told));
    call_and_hang_up(NULL); /* the first arrays of the tables */
    assert_true(oom_run(call_and_hang_up, NULL) > 8);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_invite_holds_what_rfc_3261_8_1_1_wants),
        T(test_every_provisional_is_told_in_the_order_of_its_coming),
        T(test_the_2xx_is_acked_at_once_on_a_new_branch_with_the_cseq_of_the_invite),
        T(test_another_forks_2xx_is_acked_and_ended_and_the_call_stays),
        T(test_a_2xx_without_to_tag_is_no_answer),
        T(test_an_error_or_silence_is_a_rejection_told_once),
        T(test_cancel_goes_out_only_after_a_provisional),
        T(test_an_answer_that_crosses_cancel_is_acked_then_ended),
        T(test_an_answer_that_crosses_cancel_is_ended_once_when_cancel_is_200),
        T(test_a_cancelled_invite_without_final_answer_leaves_nothing_behind),
        T(test_a_challenge_is_answered_once_with_the_next_cseq),
        T(test_a_wrong_password_ends_after_one_try),
        T(test_a_stale_nonce_is_tried_again_and_the_tries_are_bounded),
        T(test_a_stale_nonce_that_is_the_old_one_is_not_tried_again),
        T(test_without_credentials_a_challenge_is_the_answer),
        T(test_a_challenge_after_the_hang_up_is_not_answered),
        T(test_a_challenge_of_the_bye_is_answered),
        T(test_the_peers_bye_ends_the_call),
        T(test_a_lost_connection_rejects_a_call_that_rings),
        T(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
