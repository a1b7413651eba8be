/* SPDX-License-Identifier: Apache-2.0 */
/* The client transaction keeps RFC 3261 17.1, 9.1 and RFC 6026 by the clock. */
#include "sip_rig.h"

#include <errno.h>
#include <stdio.h>

#include "../oom.h"
#include "base/mem.h"

static struct {
    unsigned response_count, last_status, fail_count, fail_status;
} seen;

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    seen.response_count++;
    seen.last_status = response->status;
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    seen.fail_count++;
    seen.fail_status = status;
    assert_true(why && why[0]);
}

static const struct client_tx_user user = {.on_response = on_response, .on_fail = on_fail};

static int send_on(struct client_tx **txp, const struct sip_flow *flow, enum sip_method method)
{
    char request[1024];
    int n =
        snprintf(request, sizeof(request),
                 "%s sip:100@192.0.2.10;x=y SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKw0.client\r\n"
                 "Max-Forwards: 70\r\nRoute: <sip:p1.example.com;lr>\r\nRoute: <sip:p2.example.com;lr>\r\n"
                 "From: <sip:us@203.0.113.10>;tag=w0.us\r\nTo: <sip:100@192.0.2.10>\r\nCall-ID: c1\r\nCSeq: 7 %s\r\n"
                 "Content-Length: 0\r\n\r\n",
                 sip_method_text(method), sip_method_text(method));

    return client_tx_new(txp, &(struct client_tx_options){.stack = rig.stack,
                                                          .flow = *flow,
                                                          .method = method,
                                                          .branch = "z9hG4bKw0.client",
                                                          .user = &user,
                                                          .request = span_make(request, (size_t)n)});
}

static struct client_tx *start(const struct sip_flow *flow, enum sip_method method)
{
    struct client_tx *tx = NULL;

    memset(&seen, 0, sizeof(seen));
    assert_int_equal(send_on(&tx, flow, method), 0);
    return tx;
}

static void expect_times(enum sip_method method, const uint64_t *times_ms, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(rig_expect_request(method)->at_ms, times_ms[i]);
    rig_expect_nothing();
}

static void test_an_invite_is_repeated_at_timer_a_and_fails_408_at_timer_b(void **state)
{
    static const uint64_t times_ms[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);

    rig_advance(31999);
    assert_int_equal(seen.fail_count, 0);
    rig_advance(1);
    assert_int_equal(seen.fail_count, 1);
    assert_int_equal(seen.fail_status, 408);
    expect_times(SIP_INVITE, times_ms, 7);
    assert_true(client_tx_is_over(tx));
    mem_unref(tx);
}

static void test_another_request_is_repeated_at_timer_e_and_fails_408_at_timer_f(void **state)
{
    static const uint64_t times_ms[] = {0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    struct client_tx *tx = start(&rig.udp, SIP_OPTIONS);

    rig_advance(32000);
    assert_int_equal(seen.fail_status, 408);
    expect_times(SIP_OPTIONS, times_ms, 11);
    mem_unref(tx);
}

static void test_over_tcp_nothing_is_repeated_and_timers_b_and_f_still_hold(void **state)
{
    struct client_tx *tx = start(&rig.tcp, SIP_INVITE);

    rig_advance(32000);
    assert_int_equal(seen.fail_status, 408);
    rig_expect_request(SIP_INVITE);
    rig_expect_nothing();
    mem_unref(tx);
}

static void test_a_provisional_answer_stops_repetition_and_timer_b(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);
    struct rig_sent *invite = rig_expect_request(SIP_INVITE);

    rig_respond(invite, 100, NULL, NULL);
    rig_respond(invite, 180, "t1", NULL);
    rig_advance(170000); /* how long it may ring is not the transaction's business */
    rig_expect_nothing();
    assert_int_equal(seen.response_count, 2);
    assert_int_equal(seen.fail_count, 0);
    rig_respond(invite, 486, "t1", NULL);
    assert_int_equal(seen.last_status, 486);
    mem_unref(tx);
}

static void test_after_a_provisional_other_requests_are_repeated_every_t2(void **state)
{
    static const uint64_t times_ms[] = {0, 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500};
    struct client_tx *tx = start(&rig.udp, SIP_OPTIONS);

    rig_advance(100);
    rig_respond(rig.sent[0], 100, NULL, NULL);
    rig_advance(31900);
    assert_int_equal(seen.fail_status, 408);
    expect_times(SIP_OPTIONS, times_ms, 9);
    mem_unref(tx);
}

static void test_an_error_is_acked_on_the_same_branch_and_route_each_time_it_comes(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);
    struct rig_sent *invite = rig_expect_request(SIP_INVITE), *ack;

    rig_respond(invite, 486, "t1", NULL);
    ack = rig_expect_request(SIP_ACK);
    assert_true(span_eq(ack->msg.via.branch, invite->msg.via.branch));
    assert_span_equal(ack->msg.request_uri, "sip:100@192.0.2.10;x=y");
    assert_span_equal(ack->msg.to_tag, "t1");
    assert_span_equal(ack->msg.from_tag, "w0.us");
    assert_int_equal(ack->msg.cseq, 7);
    assert_non_null(strstr(ack->bytes, "Route: <sip:p1.example.com;lr>\r\nRoute: <sip:p2.example.com;lr>\r\n"));
    rig_advance(31999); /* timer D */
    rig_respond(invite, 486, "t1", NULL);
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    assert_int_equal(seen.response_count, 1);
    rig_advance(1);
    assert_int_equal(rig.stack->client_txs.count, 0);
    rig_respond(invite, 486, "t1", NULL);
    rig_expect_nothing();
    mem_unref(tx);
}

static void test_over_tcp_an_error_ends_the_transaction_at_once(void **state)
{
    struct client_tx *tx = start(&rig.tcp, SIP_INVITE);

    rig_respond(rig_expect_request(SIP_INVITE), 486, "t1", NULL);
    rig_expect_request(SIP_ACK);
    rig_advance(1);
    assert_int_equal(rig.stack->client_txs.count, 0);
    mem_unref(tx);
}

static void test_every_2xx_is_passed_up_for_64_t1_and_an_error_after_it_is_not(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);
    struct rig_sent *invite = rig_expect_request(SIP_INVITE);

    rig_respond(invite, 200, "t1", NULL);
    rig_advance(31999);
    rig_respond(invite, 200, "t1", NULL);
    rig_respond(invite, 200, "t2", NULL);
    assert_int_equal(seen.response_count, 3);
    rig_respond(invite, 486, "t3", NULL);
    rig_respond(invite, 180, "t3", NULL);
    assert_int_equal(seen.response_count, 3);
    rig_expect_nothing(); /* the ACK of a 2xx is the dialog's */
    rig_advance(1);       /* timer M */
    assert_int_equal(rig.stack->client_txs.count, 0);
    assert_int_equal(seen.fail_count, 0);
    mem_unref(tx);
}

static void test_a_final_answer_of_another_request_is_passed_up_once(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_OPTIONS);
    struct rig_sent *options = rig_expect_request(SIP_OPTIONS);

    rig_respond(options, 200, "t1", NULL);
    rig_respond(options, 200, "t1", NULL);
    assert_int_equal(seen.response_count, 1);
    rig_advance(4999);
    assert_int_equal(rig.stack->client_txs.count, 1);
    rig_advance(1); /* timer K */
    assert_int_equal(rig.stack->client_txs.count, 0);
    rig_expect_nothing();
    mem_unref(tx);
}

static void test_cancel_waits_for_a_provisional_answer(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);
    struct rig_sent *invite = rig_expect_request(SIP_INVITE), *cancel;

    client_tx_cancel(tx, SPAN("Reason: SIP;cause=200;text=\"elsewhere\"\r\n"));
    rig_advance(400);
    rig_expect_nothing();
    rig_respond(invite, 100, NULL, NULL);
    cancel = rig_expect_request(SIP_CANCEL);
    assert_true(span_eq(cancel->msg.via.branch, invite->msg.via.branch));
    assert_true(span_eq(cancel->msg.request_uri, invite->msg.request_uri));
    assert_int_equal(cancel->msg.cseq, 7);
    assert_int_equal(cancel->msg.to_tag.n, 0);
    assert_non_null(strstr(cancel->bytes, "Route: <sip:p1.example.com;lr>\r\nRoute: <sip:p2.example.com;lr>\r\n"));
    assert_non_null(strstr(cancel->bytes, "Reason: SIP;cause=200;text=\"elsewhere\"\r\n"));
    rig_respond(invite, 180, "t1", NULL);
    client_tx_cancel(tx, SPAN_NULL);
    rig_expect_nothing(); /* one CANCEL */
    rig_respond(cancel, 200, "t1", NULL);
    rig_respond(invite, 487, "t1", NULL);
    assert_int_equal(rig_expect_request(SIP_ACK)->msg.cseq, 7);
    assert_int_equal(seen.last_status, 487);
    mem_unref(tx);
}

static void test_a_cancelled_invite_without_final_answer_is_given_up_after_64_t1(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);
    struct rig_sent *invite = rig_expect_request(SIP_INVITE);

    rig_respond(invite, 180, "t1", NULL);
    rig_advance(60000);
    client_tx_cancel(tx, SPAN_NULL);
    rig_respond(rig_expect_request(SIP_CANCEL), 200, "t1", NULL);
    rig_respond(invite, 180, "t1", NULL); /* and goes on ringing */
    rig_advance(31999);
    assert_int_equal(seen.fail_count, 0);
    rig_advance(1);
    assert_int_equal(seen.fail_count, 1);
    assert_int_equal(seen.fail_status, 487);
    rig_advance(32000);
    assert_int_equal(rig.stack->client_txs.count, 0);
    mem_unref(tx);
}

static void test_cancel_after_the_answer_does_nothing(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);

    rig_respond(rig_expect_request(SIP_INVITE), 200, "t1", NULL);
    client_tx_cancel(tx, SPAN_NULL);
    rig_advance(1000);
    rig_expect_nothing();
    mem_unref(tx);
}

static void test_a_send_error_is_503_and_never_from_within_the_call(void **state)
{
    struct client_tx *tx;

    rig.send_err = -ENOTCONN;
    tx = start(&rig.tcp, SIP_INVITE);
    assert_int_equal(seen.fail_count, 0);
    rig_advance(1);
    assert_int_equal(seen.fail_status, 503);
    assert_int_equal(rig.stack->client_txs.count, 0);
    mem_unref(tx);
}

static void test_a_lost_flow_fails_what_waits_on_it_and_nothing_else(void **state)
{
    struct client_tx *tx = start(&rig.tcp, SIP_INVITE);

    sip_stack_flow_lost(rig.stack, &rig.ws, "");
    rig_advance(1);
    assert_int_equal(seen.fail_count, 0);
    sip_stack_flow_lost(rig.stack, &rig.tcp, "");
    rig_advance(1);
    assert_int_equal(seen.fail_status, 503);
    assert_int_equal(rig.lost_count, 2);
    mem_unref(tx);
}

static void test_a_response_with_two_vias_is_not_for_us(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_OPTIONS);

    rig_respond(rig_expect_request(SIP_OPTIONS), 200, "t1", "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKother\n");
    assert_int_equal(seen.response_count, 0);
    mem_unref(tx);
}

static void test_after_detach_nobody_is_called_and_the_error_is_still_acked(void **state)
{
    struct client_tx *tx = start(&rig.udp, SIP_INVITE);

    client_tx_detach(tx);
    mem_unref(tx);
    rig_respond(rig_expect_request(SIP_INVITE), 486, "t1", NULL);
    rig_expect_request(SIP_ACK);
    assert_int_equal(seen.response_count, 0);
}

static int send_and_end(void *arg)
{
    struct client_tx *tx;
    int err = send_on(&tx, &rig.udp, SIP_INVITE);

    if (err)
        return err;
    mem_fail_after(-1);
    client_tx_detach(tx);
    mem_unref(tx);
    client_tx_end_all(rig.stack);
    return 0;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    mem_unref(start(&rig.udp, SIP_OPTIONS)); /* the first array of the table */
    client_tx_end_all(rig.stack);
    oom_run(send_and_end, NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_an_invite_is_repeated_at_timer_a_and_fails_408_at_timer_b),
        T(test_another_request_is_repeated_at_timer_e_and_fails_408_at_timer_f),
        T(test_over_tcp_nothing_is_repeated_and_timers_b_and_f_still_hold),
        T(test_a_provisional_answer_stops_repetition_and_timer_b),
        T(test_after_a_provisional_other_requests_are_repeated_every_t2),
        T(test_an_error_is_acked_on_the_same_branch_and_route_each_time_it_comes),
        T(test_over_tcp_an_error_ends_the_transaction_at_once),
        T(test_every_2xx_is_passed_up_for_64_t1_and_an_error_after_it_is_not),
        T(test_a_final_answer_of_another_request_is_passed_up_once),
        T(test_cancel_waits_for_a_provisional_answer),
        T(test_a_cancelled_invite_without_final_answer_is_given_up_after_64_t1),
        T(test_cancel_after_the_answer_does_nothing),
        T(test_a_send_error_is_503_and_never_from_within_the_call),
        T(test_a_lost_flow_fails_what_waits_on_it_and_nothing_else),
        T(test_a_response_with_two_vias_is_not_for_us),
        T(test_after_detach_nobody_is_called_and_the_error_is_still_acked),
        T(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
