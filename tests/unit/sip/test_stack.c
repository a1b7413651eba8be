/* SPDX-License-Identifier: Apache-2.0 */
/* Whose message is it: malformed, stray, refused and steered ones; and what a stranger gets. RFC 3261 8.2, 18; issue 4
 * point 11. */
#include "invite_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/stats.h"

#define INVITE                                                                                                         \
    "INVITE sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKst;rport\nMax-Forwards: 70\n" \
    "From: <sip:a@192.0.2.10>;tag=f1\nTo: <sip:100@203.0.113.10>\nCall-ID: c1@192.0.2.10\nCSeq: 1 INVITE\n"            \
    "Contact: <sip:a@192.0.2.10>\n\n"

static void test_a_refused_request_leaves_no_state_and_gets_one_answer(void **state)
{
    rig.verdict = (struct sip_verdict){.status = 403, .why = "neither an account nor a trunk of this gateway"};
    rig_receive(&rig.stranger, INVITE);
    assert_non_null(strstr(rig_expect_status(403)->bytes, "Warning: 399 "));
    assert_int_equal(rig.request_count, 0);
    assert_int_equal(rig.stack->server_txs.count, 0);
    rig_advance(64000);
    rig_expect_nothing();
}

static void test_a_repeated_refused_request_sees_the_same_to_tag(void **state)
{
    struct span first;

    rig.verdict = (struct sip_verdict){.status = 401};
    rig_receive(&rig.stranger, INVITE);
    rig_receive(&rig.stranger, INVITE);
    first = rig_expect_status(401)->msg.to_tag;
    assert_true(first.n > 0);
    assert_true(span_eq(rig_expect_status(401)->msg.to_tag, first));
}

static void test_the_ack_of_a_refusal_is_swallowed(void **state)
{
    struct rig_sent *sent;

    rig.verdict = (struct sip_verdict){.status = 401};
    rig_receive(&rig.stranger, INVITE);
    sent = rig_expect_status(401);
    rig_receivef(
        &rig.stranger,
        "ACK sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKst;rport\nMax-Forwards: 70\n"
        "From: <sip:a@192.0.2.10>;tag=f1\nTo: <sip:100@203.0.113.10>;tag=%.*s\nCall-ID: c1@192.0.2.10\nCSeq: 1 ACK\n\n",
        SPAN_ARG(sent->msg.to_tag));
    rig_expect_nothing();
    assert_int_equal(rig.admit_count, 1);
}

static void test_a_silent_verdict_is_silence(void **state)
{
    rig.verdict = (struct sip_verdict){.is_silent = true};
    rig_receive(&rig.stranger, INVITE);
    rig_expect_nothing();
    assert_int_equal(rig.stack->server_txs.count, 0);
}

static void test_the_proved_account_reaches_the_user(void **state)
{
    snprintf(rig.verdict.account, sizeof(rig.verdict.account), "alice");
    rig_receive(&rig.udp, INVITE);
    assert_string_equal(rig.account, "alice");
}

/* Not one of these may be answered more than once, make state, or disturb a call that runs. */
static void test_malformed_messages_get_one_answer_or_none_and_disturb_nothing(void **state)
{
    static const struct {
        const char *text;
        unsigned status; /* 0: silence */
    } rows[] = {
        {"", 0},
        {"hello\n\n", 0},
        {"INVITE\n\n", 0},
        {"SIP/2.0 200 OK\n\n", 0},
        {"INVITE sip:a@b SIP/2.0\nTo: <sip:a@b>\n\n", 0}, /* no Via: nowhere to answer */
        {"INVITE sip:a@b SIP/3.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\nTo: <sip:a@b>\nCall-ID: "
         "m\nCSeq: 1 INVITE\n\n",
         505},
        {"INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\nTo: <sip:a@b>\nCall-ID: "
         "m\nCSeq: 1 BYE\n\n",
         400},
        {"INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\nTo: <sip:a@b>\nCall-ID: "
         "m\nCSeq: x INVITE\n\n",
         400},
        {"INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\nTo: <sip:a@b>\nCall-ID: "
         "m\nCSeq: 1 INVITE\nContent-Length: 99\n\nshort",
         400},
        {"INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:x@y>;tag=1\nTo: <sip:a@b>\nCall-ID: "
         "m\nCSeq: 1 INVITE\nContent-Length: 0\nContent-Length: 1\n\n",
         400},
    };
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        rig_receive(&rig.udp, rows[i].text);
        if (rows[i].status)
            rig_expect_status(rows[i].status);
        rig_expect_nothing();
    }
    assert_int_equal(rig.request_count, 1);
    assert_int_equal(rig.stack->server_txs.count, 1);
    assert_int_equal(invite_in_answer(invite, SPAN_NULL, SPAN_NULL, SPAN_NULL), 0);
    rig_expect_status(200);
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

/* Every way of cutting a good message short ends in one answer or none. */
static void test_a_message_cut_anywhere_is_answered_at_most_once(void **state)
{
    for (size_t n = 0; n < strlen(INVITE); n++) {
        char *bytes = malloc(n + 1);

        memcpy(bytes, INVITE, n);
        sip_receive(rig.stack, &rig.udp, SPAN_NULL, bytes, n);
        free(bytes);
        assert_true(rig_unseen() <= 1);
        rig_forget();
        server_tx_end_all(rig.stack);
    }
}

static void test_keep_alives_are_answered_on_streams_only(void **state)
{
    char ping[] = "\r\n\r\n", pong[] = "\r\n";

    sip_receive(rig.stack, &rig.udp, SPAN_NULL, ping, 4);
    rig_expect_nothing();
    sip_receive(rig.stack, &rig.tcp, SPAN_NULL, pong, 2);
    rig_expect_nothing();
    sip_receive(rig.stack, &rig.tcp, SPAN_NULL, ping, 4);
    assert_string_equal(rig_next()->bytes, "\r\n");
    rig_expect_nothing();
}

static void test_requests_for_no_dialog_are_481_and_acks_are_silence(void **state)
{
    static const char *const methods[] = {"BYE", "INVITE", "INFO", "UPDATE", "NOTIFY", "CANCEL"};

    snprintf(rig_our_tag, sizeof(rig_our_tag), "w0.nobody");
    for (unsigned i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        rig_within(&rig.udp, methods[i], "z9hG4bKno", 2);
        rig_expect_status(481);
    }
    rig_within(&rig.udp, "ACK", "z9hG4bKno", 2);
    rig_expect_nothing();
    assert_int_equal(rig.stack->server_txs.count, 0);
    assert_int_equal(rig.admit_count, 0);
}

static void test_a_tag_of_a_worker_that_does_not_exist_is_481(void **state)
{
    snprintf(rig_our_tag, sizeof(rig_our_tag), "w17.nobody");
    rig_within(&rig.udp, "BYE", "z9hG4bKno", 2);
    rig_expect_status(481);
}

static void test_stray_responses_are_dropped(void **state)
{
    rig_receive(&rig.udp, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKw0.unknown\n"
                          "From: <sip:a@b>;tag=w0.x\nTo: <sip:c@d>;tag=1\nCall-ID: c\nCSeq: 1 INVITE\n\n");
    rig_expect_nothing();
}

static void test_a_response_that_is_too_long_for_any_key_is_dropped(void **state)
{
    char branch[400];

    memset(branch, 'x', sizeof(branch) - 1);
    branch[sizeof(branch) - 1] = '\0';
    rig_receivef(&rig.udp,
                 "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKw0.%s\nFrom: <sip:a@b>;tag=w0.x\n"
                 "To: <sip:c@d>;tag=1\nCall-ID: c\nCSeq: 1 INVITE\n\n",
                 branch);
    rig_expect_nothing();
}

static void test_what_the_sender_wrote_into_received_means_nothing(void **state)
{
    rig.verdict = (struct sip_verdict){.status = 403};
    rig_receive(&rig.udp,
                "OPTIONS sip:a@b SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKr;received=198.51.100.1\n"
                "From: <sip:a@b>;tag=1\nTo: <sip:a@b>\nCall-ID: r\nCSeq: 1 OPTIONS\n\n");
    assert_null(strstr(rig_expect_status(403)->bytes, "198.51.100.1"));
}

static void test_a_stack_that_goes_down_ends_what_runs(void **state)
{
    struct rig_sent *sent;
    struct invite *out = rig_call(&rig.udp, &sent);
    struct invite *in = rig_called(&rig.udp, "z9hG4bKin");

    rig_respond(sent, 180, "t1", NULL);
    invite_in_answer(in, SPAN_NULL, SPAN_NULL, SPAN_NULL);
    invite_end(in, &(struct invite_end){.cause = 200}); /* its BYE waits for an ACK */
    mem_unref(in);
    rig.tx = mem_unref(rig.tx);
    rig.stack = mem_unref(rig.stack);
    assert_int_equal(told.rejected_count, 1);
    mem_unref(out);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_refused_request_leaves_no_state_and_gets_one_answer),
        T(test_a_repeated_refused_request_sees_the_same_to_tag),
        T(test_the_ack_of_a_refusal_is_swallowed),
        T(test_a_silent_verdict_is_silence),
        T(test_the_proved_account_reaches_the_user),
        T(test_malformed_messages_get_one_answer_or_none_and_disturb_nothing),
        T(test_a_message_cut_anywhere_is_answered_at_most_once),
        T(test_keep_alives_are_answered_on_streams_only),
        T(test_requests_for_no_dialog_are_481_and_acks_are_silence),
        T(test_a_tag_of_a_worker_that_does_not_exist_is_481),
        T(test_stray_responses_are_dropped),
        T(test_a_response_that_is_too_long_for_any_key_is_dropped),
        T(test_what_the_sender_wrote_into_received_means_nothing),
        T(test_a_stack_that_goes_down_ends_what_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
