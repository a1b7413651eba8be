/* SPDX-License-Identifier: Apache-2.0 */
/* Where requests within a dialog go: remote target, route set, loose and strict routers. RFC 3261 12.1, 12.2; case 09.
 */
#include "invite_rig.h"

#include <stdio.h>

#include "../oom.h"
#include "base/mem.h"

#define TARGET    "sip:gw7;x=1@192.0.2.30:5080;line=a1"
#define CONTACT   "Contact: <" TARGET "?ignored=1>\n"
#define R12       "sip:192.0.2.12:5070;lr;ftag=x"
#define R11       "sip:192.0.2.11;transport=udp;lr;r2=on"
#define LOOSE     "Record-Route: <" R12 ">, <" R11 ">\nRecord-Route: <sip:192.0.2.10;lr;r2=on>\n"
#define STRICT    "Record-Route: <" R12 ">, <" R11 ">\nRecord-Route: <sip:192.0.2.10>\n"
#define ROUTES    "Route: <sip:192.0.2.10;lr;r2=on>\r\nRoute: <" R11 ">\r\nRoute: <" R12 ">\r\n"
#define OF_STRICT "Route: <" R11 ">\r\nRoute: <" R12 ">\r\nRoute: <" TARGET ">\r\n"

static struct invite *answered_call(const char *headers, struct rig_sent **invitep)
{
    struct invite *invite = rig_call(&rig.udp, invitep);

    rig_respond(*invitep, 200, "c09", headers);
    assert_int_equal(told.answered_count, 1);
    return invite;
}

static void hang_up(struct invite *invite)
{
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

/* Both the ACK and the BYE have this Request-URI and these Route lines. */
static void expect_ack_and_bye(struct invite *invite, const char *request_uri, const char *routes)
{
    static const enum sip_method methods[] = {SIP_ACK, SIP_BYE};

    for (unsigned i = 0; i < 2; i++) {
        struct rig_sent *sent = rig_expect_request(methods[i]);

        assert_span_equal(sent->msg.request_uri, request_uri);
        if (routes)
            assert_non_null(strstr(sent->bytes, routes));
        else
            assert_null(strstr(sent->bytes, "Route:"));
        if (i == 0)
            hang_up(invite);
    }
}

static void test_the_route_set_is_the_record_route_of_the_2xx_reversed(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = answered_call(LOOSE CONTACT, &sent);

    assert_string_equal(told.next_hop, "sip:192.0.2.10;lr;r2=on");
    expect_ack_and_bye(invite, TARGET, ROUTES);
}

static void test_a_strict_router_gets_the_request_uri_and_the_target_is_the_last_route(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = answered_call(STRICT CONTACT, &sent);

    assert_string_equal(told.next_hop, "sip:192.0.2.10");
    expect_ack_and_bye(invite, "sip:192.0.2.10", OF_STRICT);
}

static void test_without_record_route_requests_go_to_the_contact(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = answered_call(CONTACT, &sent);

    assert_string_equal(told.next_hop, TARGET);
    expect_ack_and_bye(invite, TARGET, NULL);
}

static void test_the_2xx_computes_the_route_set_of_a_180_again(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    rig_respond(sent, 180, "c09", "Record-Route: <sip:192.0.2.99;lr>\nContact: <sip:early@192.0.2.30>\n");
    assert_int_equal(invite_dialog(invite)->route_count, 1);
    rig_respond(sent, 200, "c09", LOOSE CONTACT);
    expect_ack_and_bye(invite, TARGET, ROUTES);
}

static void test_the_chosen_flow_carries_the_ack_and_what_follows(void **state)
{
    struct sip_flow other = rig.tcp;
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);

    told.choice = &other;
    rig_respond(sent, 200, "c09", CONTACT);
    assert_int_equal(rig_expect_request(SIP_ACK)->flow.transport, SIP_TCP);
    hang_up(invite);
    sent = rig_expect_request(SIP_BYE);
    assert_int_equal(sent->flow.transport, SIP_TCP);
    assert_non_null(strstr(sent->bytes, "Via: SIP/2.0/TCP "));
}

static void test_as_callee_the_route_set_keeps_the_order_of_the_invite(void **state)
{
    struct invite *invite = NULL;
    struct rig_sent *bye;

    memset(&told, 0, sizeof(told));
    rig_receive(&rig.udp, "INVITE sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKin\n"
                          "Record-Route: <" R12 ">\nRecord-Route: <" R11 ">\nMax-Forwards: 70\n"
                          "From: \"A, \\\"x\\\"\" <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                          "Call-ID: in1@192.0.2.10\nCSeq: 1 INVITE\nContact: <" TARGET ">\n\n");
    assert_int_equal(invite_in_new(&invite, rig.tx, &invite_rig_user, NULL, SPAN("us")), 0);
    span_copy(server_tx_tag(rig.tx), rig_our_tag, sizeof(rig_our_tag));
    invite_in_answer(invite, SPAN_NULL, SPAN_NULL, SPAN_NULL);
    assert_non_null(strstr(rig_expect_status(200)->bytes,
                           "Record-Route: <" R12 ">\r\nRecord-Route: <" R11 ">\r\n")); /* 12.1.1: mirrored */
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    hang_up(invite);
    bye = rig_expect_request(SIP_BYE);
    assert_span_equal(bye->msg.request_uri, TARGET);
    assert_non_null(strstr(bye->bytes, "Route: <" R12 ">\r\nRoute: <" R11 ">\r\n"));
    assert_non_null(strstr(bye->bytes, "To: \"A, \\\"x\\\"\" <sip:a@192.0.2.10>;tag=peer\r\n"));
}

static void test_a_route_set_without_end_is_refused(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);
    char lines[2000] = "";

    for (unsigned i = 0; i <= DIALOG_ROUTE_MAX; i++)
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "Record-Route: <sip:192.0.2.%u;lr>\n", i);
    strcat(lines, CONTACT);
    rig_respond(sent, 200, "c09", lines);
    assert_int_equal(told.answered_count, 0);
    hang_up(invite);
    rig_forget();
}

static void test_the_digest_uri_is_the_request_uri_with_a_strict_router(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call_as(&rig.udp, "alice", "secret", &sent);

    rig_respond(sent, 200, "c09", STRICT CONTACT);
    rig_expect_request(SIP_ACK);
    hang_up(invite);
    rig_respond(rig_expect_request(SIP_BYE), 407, "x",
                "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\n");
    sent = rig_expect_request(SIP_BYE);
    assert_span_equal(sent->msg.request_uri, "sip:192.0.2.10");
    assert_non_null(strstr(sent->bytes, "uri=\"sip:192.0.2.10\""));
}

static void test_a_reinvite_moves_the_target_and_not_the_routes(void **state)
{
    struct rig_sent *sent;
    struct invite *invite = answered_call(LOOSE CONTACT, &sent);

    rig_receivef(
        &rig.udp,
        "INVITE sip:us@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKre\n"
        "Record-Route: <sip:192.0.2.99;lr>\nMax-Forwards: 70\nFrom: <sip:100@192.0.2.10>;tag=c09\n"
        "To: <sip:us@sip.example.com>;tag=%.*s\nCall-ID: %.*s\nCSeq: 1 INVITE\nContact: <sip:moved@192.0.2.31>\n\n",
        SPAN_ARG(sent->msg.from_tag), SPAN_ARG(sent->msg.call_id));
    assert_int_equal(told.modify_count, 1);
    invite_modify_reply(invite, &(struct sip_reply){.status = 488});
    rig_forget();
    hang_up(invite);
    sent = rig_expect_request(SIP_BYE);
    assert_span_equal(sent->msg.request_uri, "sip:moved@192.0.2.31");
    assert_non_null(strstr(sent->bytes, ROUTES));
}

static int new_uas(void *arg)
{
    struct dialog *dialog;
    int err = dialog_new_uas(&dialog, &(struct dialog_options){.stack = rig.stack, .contact_user = SPAN("us")},
                             server_tx_request(rig.tx), &rig.udp, SPAN("w0.tag"));

    if (!err)
        mem_unref(dialog);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    rig_receive(&rig.udp, "INVITE sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKin\n"
                          "Record-Route: <" R12 ">\nRecord-Route: <" R11 ">\nMax-Forwards: 70\n"
                          "From: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                          "Call-ID: in1@192.0.2.10\nCSeq: 1 INVITE\nContact: <" TARGET ">\n\n");
    assert_int_equal(new_uas(NULL), 0); /* the table's first array */
    assert_true(oom_run(new_uas, NULL) >= 9);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

static struct invite *answered_over_tcp(struct addr *to)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.tcp, &sent);

    rig_respond(sent, 200, "c09", CONTACT);
    rig_expect_request(SIP_ACK);
    addr_parse(to, SPAN("192.0.2.30"), 5080);
    return invite;
}

static void test_a_request_after_the_connection_has_closed_opens_another_one(void **state)
{
    struct addr to;
    struct invite *invite = answered_over_tcp(&to);
    struct rig_sent *sent;

    assert_int_equal(dialog_lose_flow(invite_dialog(invite), SIP_TCP, &to, &(struct sip_peer){"carrier.example", NULL}),
                     0);
    assert_true(sip_flow_is_gone(invite_flow(invite)));
    assert_int_equal(rig.opened_count, 0);
    hang_up(invite);
    sent = rig_expect_request(SIP_BYE);
    assert_int_equal(rig.opened_count, 1);
    assert_true(addr_eq(&sent->flow.remote, &to));
    assert_int_equal(sent->flow.transport, SIP_TCP);
    assert_false(sip_flow_is_gone(&sent->flow));
}

static void test_a_peer_that_is_back_spares_the_other_connection(void **state)
{
    struct addr to;
    struct invite *invite = answered_over_tcp(&to);

    dialog_lose_flow(invite_dialog(invite), SIP_TCP, &to, NULL);
    invite_set_flow(invite, &rig.tcp);
    hang_up(invite);
    assert_true(sip_flow_same(&rig_expect_request(SIP_BYE)->flow, &rig.tcp));
    assert_int_equal(rig.opened_count, 0);
}

static void test_a_lost_connection_may_be_followed_by_udp(void **state)
{
    struct addr to;
    struct invite *invite = answered_over_tcp(&to);
    struct rig_sent *sent;

    dialog_lose_flow(invite_dialog(invite), SIP_UDP, &to, NULL);
    hang_up(invite);
    sent = rig_expect_request(SIP_BYE);
    assert_int_equal(sent->flow.transport, SIP_UDP);
    assert_non_null(strstr(sent->bytes, "Via: SIP/2.0/UDP"));
    assert_true(addr_eq(&sent->flow.remote, &to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_route_set_is_the_record_route_of_the_2xx_reversed),
        T(test_a_strict_router_gets_the_request_uri_and_the_target_is_the_last_route),
        T(test_without_record_route_requests_go_to_the_contact),
        T(test_the_2xx_computes_the_route_set_of_a_180_again),
        T(test_the_chosen_flow_carries_the_ack_and_what_follows),
        T(test_as_callee_the_route_set_keeps_the_order_of_the_invite),
        T(test_a_route_set_without_end_is_refused),
        T(test_the_digest_uri_is_the_request_uri_with_a_strict_router),
        T(test_a_reinvite_moves_the_target_and_not_the_routes),
        T(test_a_request_after_the_connection_has_closed_opens_another_one),
        T(test_a_peer_that_is_back_spares_the_other_connection),
        T(test_a_lost_connection_may_be_followed_by_udp),
        T(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
