/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar keeps the bindings of RFC 3261 10.3 and RFC 5626 6, and says what it keeps. Case 08 d. */
#include "guard_rig.h"

#include <stdio.h>
#include <string.h>

#include "call/location.h"

static struct bindings bindings;

static void see(int err, const struct bindings *found, void *arg)
{
    assert_int_equal(err, 0);
    bindings = *found;
}

static unsigned bound(void)
{
    location_find(guard_calls.store, SPAN("alice"), see, NULL);
    return bindings.count;
}

/* Everything alice sends after the first challenge comes over her proved connection. */
static struct rig_sent *enlist(const char *headers)
{
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .headers = headers});
    return rig_next();
}

static int setup(void **state)
{
    guard_setup(state);
    snprintf(rig.proved, sizeof(rig.proved), "alice");
    return 0;
}

static unsigned contacts_in(const struct rig_sent *sent)
{
    struct sip_walk walk = {0};
    struct name_addr addr;
    unsigned n = 0;

    while (sip_msg_next_addr(&sent->msg, SIP_H_CONTACT, &walk, &addr) > 0)
        n++;
    return n;
}

static void test_a_register_binds_and_is_answered_with_every_binding(void **state)
{
    struct rig_sent *sent = enlist("Contact: <sip:one@x.invalid>;expires=600\n");

    assert_int_equal(sent->msg.status, 200);
    assert_non_null(strstr(sent->bytes, "Contact: <sip:one@x.invalid>;expires=600\r\n"));
    sent = enlist("Contact: <sip:two@x.invalid>;expires=300\n");
    assert_int_equal(contacts_in(sent), 2);
    rig_advance(10000);
    sent = enlist(""); /* only asks */
    assert_non_null(strstr(sent->bytes, "<sip:one@x.invalid>;expires=590"));
    assert_non_null(strstr(sent->bytes, "<sip:two@x.invalid>;expires=290"));
    assert_int_equal(bound(), 2);
    assert_true(sip_flow_same(&bindings.items[0].flow, &rig.ws));
}

static void test_the_same_contact_is_refreshed_not_added(void **state)
{
    enlist("Contact: <sip:one@X.invalid;transport=ws>;expires=600\n");
    enlist("Contact: <sip:one@x.INVALID;transport=ws>;expires=300\n"); /* equal by RFC 3261 19.1.4 */
    assert_int_equal(bound(), 1);
    rig_advance(301000);
    assert_int_equal(bound(), 0);
}

static void test_an_outbound_client_replaces_its_contact_by_instance_and_reg_id(void **state)
{
    struct rig_sent *sent;

    enlist("Contact: <sip:one@x.invalid>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\n");
    sent = enlist("Contact: <sip:other@y.invalid>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\n");
    assert_int_equal(bound(), 1);
    assert_string_equal(bindings.items[0].contact, "sip:other@y.invalid");
    assert_non_null(strstr(sent->bytes, "Require: outbound\r\n")); /* RFC 5626 6 */
    enlist("Contact: <sip:third@y.invalid>;reg-id=2;+sip.instance=\"<urn:uuid:1>\"\n");
    sent = enlist("Contact: <sip:fourth@y.invalid>;reg-id=1;+sip.instance=\"<urn:uuid:2>\"\n");
    assert_int_equal(contacts_in(sent), 3);
    assert_int_equal(bound(), 2); /* to ring, one flow of each device is enough: RFC 5626 7 */
    assert_true(!strcmp(bindings.items[0].contact, "sip:third@y.invalid") ||
                !strcmp(bindings.items[1].contact, "sip:third@y.invalid"));
}

static void test_expires_0_removes_one_and_a_star_all(void **state)
{
    enlist("Contact: <sip:one@x.invalid>, <sip:two@x.invalid>, <sip:three@x.invalid>\n");
    assert_int_equal(bound(), 3);
    assert_int_equal(contacts_in(enlist("Contact: <sip:two@x.invalid>;expires=0\n")), 2);
    assert_int_equal(enlist("Contact: <sip:unknown@x.invalid>;expires=0\n")->msg.status, 200);
    assert_int_equal(bound(), 2);
    assert_int_equal(contacts_in(enlist("Contact: *\nExpires: 0\n")), 0);
    assert_int_equal(bound(), 0);
}

static void test_too_brief_is_423_with_min_expires_and_binds_nothing(void **state)
{
    struct rig_sent *sent = enlist("Contact: <sip:one@x.invalid>;expires=5\n");

    assert_int_equal(sent->msg.status, 423);
    assert_non_null(strstr(sent->bytes, "Min-Expires: 60\r\n"));
    assert_int_equal(bound(), 0);
}

static void test_a_late_register_changes_nothing(void **state)
{
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .headers = "Contact: <sip:one@x.invalid>\n", .cseq = 10});
    guard_send(&rig.ws,
               &(struct guard_try){.user = "alice", .headers = "Contact: <sip:one@x.invalid>;expires=0\n", .cseq = 9});
    rig_expect_status(200);
    rig_expect_status(500);
    assert_int_equal(bound(), 1);
}

static void test_all_of_a_register_or_nothing_of_it(void **state)
{
    char lines[1024] = "";

    enlist("Contact: <sip:one@x.invalid>\n");
    for (unsigned i = 0; i < BINDING_MAX; i++)
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "Contact: <sip:new%u@x.invalid>\n", i);
    assert_int_equal(enlist(lines)->msg.status, 403); /* one more than fits */
    assert_int_equal(bound(), 1);
}

static void test_an_account_has_at_most_so_many_bindings(void **state)
{
    for (unsigned i = 0; i < rig.conf->sip.max_bindings; i++) {
        char line[80];

        snprintf(line, sizeof(line), "Contact: <sip:c%u@x.invalid>\n", i);
        assert_int_equal(enlist(line)->msg.status, 200);
    }
    assert_int_equal(enlist("Contact: <sip:more@x.invalid>\n")->msg.status, 403);
    assert_int_equal(enlist("Contact: <sip:c0@x.invalid>\n")->msg.status, 200); /* refreshing goes on */
    assert_int_equal(enlist("Contact: <sip:c0@x.invalid>;expires=0\n")->msg.status, 200);
    assert_int_equal(enlist("Contact: <sip:more@x.invalid>\n")->msg.status, 200);
}

static void test_nobody_registers_for_somebody_else(void **state)
{
    rig_receive(
        &rig.ws,
        "REGISTER sip:sip.example.com SIP/2.0\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKother\nMax-Forwards: 70\n"
        "From: <sip:alice@sip.example.com>;tag=1\nTo: <sip:bob@sip.example.com>\nCall-ID: x\nCSeq: 1 REGISTER\n"
        "Contact: <sip:alice@x.invalid>\n\n");
    rig_expect_status(403);
    location_find(guard_calls.store, SPAN("bob"), see, NULL);
    assert_int_equal(bindings.count, 0);
}

static void test_a_contact_that_is_too_long_is_refused_and_binds_nothing(void **state)
{
    char line[BINDING_CONTACT_MAX + 100], user[BINDING_CONTACT_MAX];

    memset(user, 'u', sizeof(user) - 1);
    user[sizeof(user) - 1] = '\0';
    snprintf(line, sizeof(line), "Contact: <sip:%s@x.invalid>\n", user);
    assert_int_equal(enlist(line)->msg.status, 400);
    assert_int_equal(bound(), 0);
}

static void test_a_star_that_comes_late_changes_nothing(void **state)
{
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .headers = "Contact: <sip:one@x.invalid>\n", .cseq = 10});
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .headers = "Contact: *\nExpires: 0\n", .cseq = 9});
    rig_expect_status(200);
    rig_expect_status(500); /* RFC 3261 10.3 step 6 */
    assert_int_equal(bound(), 1);
}

static struct rig_sent *enlist_over(const struct sip_flow *flow, const char *headers)
{
    guard_send(flow, &(struct guard_try){.user = "alice", .headers = headers});
    return rig_next();
}

static struct rig_sent *prove_over(const struct sip_flow *flow, const char *headers)
{
    struct rig_sent *sent =
        guard_prove(flow, &(struct guard_try){.user = "alice", .password = "secret", .headers = headers});

    assert_int_equal(sent->msg.status, 200);
    return sent;
}

static void test_a_phone_that_restarted_on_another_port_replaces_its_contact(void **state)
{
    enlist("Contact: <sip:alice@10.0.0.5:40000>;+sip.instance=\"<urn:uuid:1>\"\n");
    enlist("Contact: <sip:alice@10.0.0.5:50000>;+sip.instance=\"<urn:uuid:1>\"\n");
    assert_int_equal(bound(), 1);
    assert_string_equal(bindings.items[0].contact, "sip:alice@10.0.0.5:50000");
    enlist("Contact: <sip:alice@10.0.0.5:60000>, <sip:alice@10.0.0.5:60001;transport=tcp>\n"); /* tells no instance */
    assert_int_equal(bound(), 3);
}

static void test_two_phones_with_the_same_private_address_are_two(void **state)
{
    enlist("Contact: <sip:alice@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:1>\"\n");
    enlist("Contact: <sip:alice@192.168.1.10:5060>;+sip.instance=\"<urn:uuid:2>\"\n");
    assert_int_equal(bound(), 2);
}

static void test_several_contacts_of_one_phone_in_one_register_all_stay(void **state)
{
    struct rig_sent *sent = enlist("Contact: <sip:alice@10.0.0.5:40000>;+sip.instance=\"<urn:uuid:1>\", "
                                   "<sip:alice@10.0.0.5:40001;transport=tcp>;+sip.instance=\"<urn:uuid:1>\"\n");

    assert_int_equal(contacts_in(sent), 2);
    assert_int_equal(bound(), 1); /* one of them is rung */
}

static void test_the_same_contact_over_another_flow_is_rung_there_alone(void **state)
{
    struct sip_flow other = rig.ws;

    other.serial++;
    enlist_over(&rig.ws, "Contact: <sip:alice@10.0.0.5:5060>\n");
    enlist_over(&other, "Contact: <sip:alice@10.0.0.5:5060>\n");
    assert_int_equal(bound(), 1);
    assert_true(sip_flow_same(&bindings.items[0].flow, &other));
}

static void test_who_knows_flows_is_told_how_often_to_keep_a_connection_alive(void **state)
{
    static const char contact[] = "Contact: <sip:one@x.invalid>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\n";
    static const char supported[] = "Supported: path, outbound\n"
                                    "Contact: <sip:one@x.invalid>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\n";

    assert_null(strstr(enlist_over(&rig.ws, supported)->bytes, "Flow-Timer")); /* we ping those ourselves */
    assert_null(strstr(prove_over(&rig.udp, supported)->bytes, "Flow-Timer")); /* and those */
    assert_null(strstr(prove_over(&rig.tcp, contact)->bytes, "Flow-Timer"));
    assert_int_equal(rig.silent_ms, 0);
    assert_non_null(strstr(prove_over(&rig.tcp, supported)->bytes, "Flow-Timer: 120\r\n"));
    assert_int_equal(rig.silent_ms, 180000);
}

/* How many pings of four bytes left for it? Everything else is a failure. */
static unsigned pings(void)
{
    struct rig_sent *sent;
    unsigned count = 0;

    while ((sent = rig_next())) {
        assert_string_equal(sent->bytes, "\r\n\r\n");
        assert_true(addr_eq(&sent->flow.remote, &rig.udp.remote));
        count++;
    }
    return count;
}

static void test_a_phone_behind_a_nat_is_pinged_as_long_as_it_is_registered(void **state)
{
    prove_over(&rig.udp, "Contact: <sip:alice@10.0.0.5:5060>;expires=600\n");
    rig_advance(250100);
    assert_int_equal(pings(), 10);
    prove_over(&rig.udp, "Contact: <sip:alice@10.0.0.5:5060>;expires=600\n");
    rig_advance(500000);
    assert_int_equal(pings(), 20);
    prove_over(&rig.udp, "Contact: <sip:alice@10.0.0.5:5060>;expires=0\n");
    rig_advance(100000);
    assert_int_equal(pings(), 0);
    prove_over(&rig.udp, "Contact: <sip:alice@10.0.0.5:5060>;expires=60\n");
    rig_advance(1000000);
    assert_int_equal(pings(), 2); /* it ran out */
}

static void test_a_phone_with_an_address_of_its_own_is_not_pinged(void **state)
{
    prove_over(&rig.udp, "Contact: <sip:alice@" RIG_PEER ":5060>;expires=600\n");
    rig_advance(100000);
    assert_int_equal(pings(), 0);
}

static void test_stun_is_answered_to_registered_phones_only(void **state)
{
    static const char request[20] = "\x00\x01\x00\x00\x21\x12\xa4\x42transaction-";
    char bytes[20];

    memcpy(bytes, request, sizeof(bytes));
    sip_receive(rig.stack, &rig.udp, SPAN_NULL, bytes, sizeof(bytes));
    rig_expect_nothing();
    prove_over(&rig.udp, "Contact: <sip:alice@10.0.0.5:5060>;expires=600\n");
    sip_receive(rig.stack, &rig.stranger, SPAN_NULL, bytes, sizeof(bytes));
    rig_expect_nothing();
    sip_receive(rig.stack, &rig.udp, SPAN_NULL, bytes, sizeof(bytes));
    assert_int_equal(rig.sent_count, rig.next_sent + 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, guard_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_register_binds_and_is_answered_with_every_binding),
        T(test_the_same_contact_is_refreshed_not_added),
        T(test_an_outbound_client_replaces_its_contact_by_instance_and_reg_id),
        T(test_expires_0_removes_one_and_a_star_all),
        T(test_too_brief_is_423_with_min_expires_and_binds_nothing),
        T(test_a_late_register_changes_nothing),
        T(test_all_of_a_register_or_nothing_of_it),
        T(test_an_account_has_at_most_so_many_bindings),
        T(test_nobody_registers_for_somebody_else),
        T(test_a_contact_that_is_too_long_is_refused_and_binds_nothing),
        T(test_a_star_that_comes_late_changes_nothing),
        T(test_a_phone_that_restarted_on_another_port_replaces_its_contact),
        T(test_two_phones_with_the_same_private_address_are_two),
        T(test_several_contacts_of_one_phone_in_one_register_all_stay),
        T(test_the_same_contact_over_another_flow_is_rung_there_alone),
        T(test_who_knows_flows_is_told_how_often_to_keep_a_connection_alive),
        T(test_a_phone_behind_a_nat_is_pinged_as_long_as_it_is_registered),
        T(test_a_phone_with_an_address_of_its_own_is_not_pinged),
        T(test_stun_is_answered_to_registered_phones_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
