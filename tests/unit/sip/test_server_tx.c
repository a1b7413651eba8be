/* SPDX-License-Identifier: Apache-2.0 */
/* The server transaction keeps RFC 3261 17.2, RFC 6026 and RFC 4320 by the clock. */
#include "sip_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../oom.h"
#include "base/mem.h"

#define HEAD(method, branch, to_tag, cseq)                                                                             \
    method " sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=" branch ";rport\n"                 \
           "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=f1\nTo: <sip:100@203.0.113.10>" to_tag "\n"                 \
           "Call-ID: c1@192.0.2.10\nCSeq: " cseq "\nContact: <sip:a@192.0.2.10>\n\n"
#define INVITE  HEAD("INVITE", "z9hG4bKs1", "", "1 INVITE")
#define OPTIONS HEAD("OPTIONS", "z9hG4bKs2", "", "2 OPTIONS")

static void reply(unsigned status)
{
    assert_int_equal(server_tx_reply(rig.tx, &(struct sip_reply){.status = status}), 0);
}

/* The unseen messages all have this status and came at these times. */
static void expect_times(unsigned status, const uint64_t *times_ms, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(rig_expect_status(status)->at_ms, times_ms[i]);
    rig_expect_nothing();
}

static void test_an_invite_gets_100_after_200_ms_and_not_before(void **state)
{
    rig_receive(&rig.udp, INVITE);
    rig_advance(199);
    rig_expect_nothing();
    rig_advance(1);
    assert_int_equal(rig_expect_status(100)->msg.to_tag.n, 0);
    rig_advance(5000);
    rig_expect_nothing();
    assert_int_equal(rig.request_count, 1);
    reply(486);
}

static void test_an_invite_that_rings_at_once_gets_no_100(void **state)
{
    rig_receive(&rig.udp, INVITE);
    reply(180);
    rig_advance(1000);
    assert_true(rig_expect_status(180)->msg.to_tag.n > 0);
    rig_expect_nothing();
    reply(486);
}

static void test_a_request_that_is_not_an_invite_gets_no_100(void **state)
{
    rig_receive(&rig.udp, OPTIONS);
    rig_advance(1000);
    rig_expect_nothing();
    reply(200);
    rig_expect_status(200);
}

static void test_a_repeated_invite_gets_the_last_provisional_again(void **state)
{
    rig_receive(&rig.udp, INVITE);
    rig_receive(&rig.udp, INVITE); /* nothing to repeat yet */
    rig_expect_nothing();
    reply(183);
    reply(180);
    rig_forget();
    rig_receive(&rig.udp, INVITE);
    rig_expect_status(180);
    rig_expect_nothing();
    assert_int_equal(rig.request_count, 1);
    reply(486);
}

static void test_an_invite_repeated_after_the_2xx_is_absorbed_for_64_t1(void **state)
{
    rig_receive(&rig.udp, INVITE);
    reply(200);
    rig_forget();
    rig_advance(31999);
    rig_receive(&rig.udp, INVITE);
    rig_expect_nothing();
    assert_int_equal(rig.request_count, 1);
    rig_advance(1); /* timer L */
    assert_int_equal(rig.stack->server_txs.count, 0);
    rig_receive(&rig.udp, INVITE);
    assert_int_equal(rig.request_count, 2);
    reply(486);
}

static void test_an_error_is_repeated_over_udp_at_timer_g_until_timer_h(void **state)
{
    static const uint64_t times_ms[] = {0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};

    rig_receive(&rig.udp, INVITE);
    reply(486);
    rig_advance(40000);
    expect_times(486, times_ms, 11);
    assert_int_equal(rig.stack->server_txs.count, 0);
}

static void test_an_error_is_sent_once_over_tcp(void **state)
{
    rig_receive(&rig.tcp, INVITE);
    reply(486);
    rig_advance(31999);
    rig_expect_status(486);
    rig_expect_nothing();
    assert_int_equal(rig.stack->server_txs.count, 1);
    rig_advance(1);
    assert_int_equal(rig.stack->server_txs.count, 0);
}

static void test_the_ack_of_an_error_ends_its_repetition_and_timer_i_the_rest(void **state)
{
    rig_receive(&rig.udp, INVITE);
    reply(486);
    rig_forget();
    rig_receive(&rig.udp, HEAD("ACK", "z9hG4bKs1", ";tag=any", "1 ACK"));
    rig_advance(4999);
    rig_receive(&rig.udp, INVITE); /* a straggler is absorbed in Confirmed */
    rig_expect_nothing();
    assert_int_equal(rig.stack->server_txs.count, 1);
    rig_advance(1);
    assert_int_equal(rig.stack->server_txs.count, 0);
    assert_int_equal(rig.request_count, 1);
}

static void test_the_ack_of_an_error_over_tcp_ends_the_transaction(void **state)
{
    rig_receive(&rig.tcp, INVITE);
    reply(486);
    rig_receive(&rig.tcp, HEAD("ACK", "z9hG4bKs1", ";tag=any", "1 ACK"));
    rig_advance(1);
    assert_int_equal(rig.stack->server_txs.count, 0);
}

static void test_a_repeated_other_request_gets_its_final_answer_again_until_timer_j(void **state)
{
    rig_receive(&rig.udp, OPTIONS);
    rig_receive(&rig.udp, OPTIONS);
    rig_expect_nothing();
    reply(200);
    rig_expect_status(200);
    rig_advance(31999);
    rig_receive(&rig.udp, OPTIONS);
    rig_expect_status(200);
    rig_expect_nothing();
    rig_advance(1);
    assert_int_equal(rig.stack->server_txs.count, 0);
    assert_int_equal(rig.request_count, 1);
}

static void test_over_tcp_another_request_is_over_with_its_answer(void **state)
{
    rig_receive(&rig.tcp, OPTIONS);
    reply(200);
    rig_advance(1);
    assert_int_equal(rig.stack->server_txs.count, 0);
}

static void test_there_is_one_final_answer(void **state)
{
    rig_receive(&rig.udp, OPTIONS);
    reply(200);
    assert_int_equal(server_tx_reply(rig.tx, &(struct sip_reply){.status = 486}), -EPROTO);
    assert_int_equal(server_tx_status(rig.tx), 200);
    rig_expect_status(200);
    rig_expect_nothing();
}

static void test_every_answer_has_the_same_to_tag_and_the_100_none(void **state)
{
    struct span tag;

    rig_receive(&rig.udp, INVITE);
    rig_advance(200);
    assert_int_equal(rig_expect_status(100)->msg.to_tag.n, 0);
    reply(180);
    tag = rig_expect_status(180)->msg.to_tag;
    assert_true(tag.n > 0 && sip_tag_worker(tag) == 0);
    reply(486);
    assert_true(span_eq(rig_expect_status(486)->msg.to_tag, tag));
}

static void test_answers_go_to_the_source_with_received_and_rport(void **state)
{
    struct sip_flow natted = rig.udp;
    struct rig_sent *sent;

    addr_parse(&natted.remote, SPAN("192.0.2.99"), 40404);
    rig_receive(&natted, OPTIONS);
    reply(200);
    sent = rig_expect_status(200);
    assert_true(addr_eq(&sent->flow.remote, &natted.remote));
    assert_span_equal(sent->msg.via.received, "192.0.2.99");
    assert_int_equal(sent->msg.via.rport, 40404);
}

static void test_requests_without_a_branch_are_told_apart_by_the_rest(void **state)
{
    const char *format =
        "OPTIONS sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060\nMax-Forwards: 70\n"
        "From: <sip:a@192.0.2.10>;tag=f1\nTo: <sip:100@203.0.113.10>\nCall-ID: %s\nCSeq: 1 OPTIONS\n\n";

    rig_receivef(&rig.udp, format, "old1");
    rig_receivef(&rig.udp, format, "old2");
    assert_int_equal(rig.request_count, 2);
    rig_receivef(&rig.udp, format, "old1"); /* a repetition is still one */
    assert_int_equal(rig.request_count, 2);
}

static void test_too_many_transactions_are_refused_with_503_and_no_state(void **state)
{
    rig.stack->tx_limit = 1;
    rig_receive(&rig.udp, INVITE);
    rig_receive(&rig.udp, OPTIONS);
    rig_expect_status(503);
    assert_int_equal(rig.request_count, 1);
    assert_int_equal(rig.stack->server_txs.count, 1);
    rig.stack->tx_limit = 10;
    rig_receive(&rig.udp, OPTIONS);
    assert_int_equal(rig.request_count, 2);
    rig_expect_nothing();
}

static int receive_and_reply(void *arg)
{
    struct server_tx *tx;
    int err = server_tx_new(&tx, rig.stack, arg, &rig.udp);

    if (err)
        return err;
    err = server_tx_reply(tx, &(struct sip_reply){.status = 200, .why = "because"});
    mem_fail_after(-1);
    server_tx_end_all(rig.stack);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    struct sip_msg *msg;

    rig_receive(&rig.udp, OPTIONS);
    msg = malloc(sizeof(*msg));
    memcpy(msg, server_tx_request(rig.tx),
           offsetof(struct sip_msg, header) + server_tx_request(rig.tx)->header_count * sizeof(msg->header[0]));
    reply(200);
    rig_advance(33000);
    assert_true(oom_run(receive_and_reply, msg) > 3);
    free(msg);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_an_invite_gets_100_after_200_ms_and_not_before),
        T(test_an_invite_that_rings_at_once_gets_no_100),
        T(test_a_request_that_is_not_an_invite_gets_no_100),
        T(test_a_repeated_invite_gets_the_last_provisional_again),
        T(test_an_invite_repeated_after_the_2xx_is_absorbed_for_64_t1),
        T(test_an_error_is_repeated_over_udp_at_timer_g_until_timer_h),
        T(test_an_error_is_sent_once_over_tcp),
        T(test_the_ack_of_an_error_ends_its_repetition_and_timer_i_the_rest),
        T(test_the_ack_of_an_error_over_tcp_ends_the_transaction),
        T(test_a_repeated_other_request_gets_its_final_answer_again_until_timer_j),
        T(test_over_tcp_another_request_is_over_with_its_answer),
        T(test_there_is_one_final_answer),
        T(test_every_answer_has_the_same_to_tag_and_the_100_none),
        T(test_answers_go_to_the_source_with_received_and_rport),
        T(test_requests_without_a_branch_are_told_apart_by_the_rest),
        T(test_too_many_transactions_are_refused_with_503_and_no_state),
        T(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
