/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets in, and what everybody else learns: nothing. SECURITY: dialog binding apart, all rules about new requests.
 * Case 07 e, f. */
#include "guard_rig.h"

#include <stdio.h>
#include <string.h>

#define CONTACT "Contact: <sip:alice@client.invalid;transport=ws>\n"
#define ALICE                                                                                                          \
    &(struct guard_try)                                                                                                \
    {                                                                                                                  \
        .user = "alice", .password = "secret", .headers = CONTACT                                                      \
    }

static void test_the_right_password_is_in(void **state)
{
    struct rig_sent *sent = guard_prove(&rig.ws, ALICE);

    assert_int_equal(sent->msg.status, 200);
    assert_string_equal(rig.account, "alice");
    assert_string_equal(rig.proved, "alice");
}

/* Two answers without what differs in each message anyway. */
static void assert_same_answer(const struct rig_sent *one, const struct rig_sent *other)
{
    assert_int_equal(one->msg.status, other->msg.status);
    assert_int_equal(one->msg.header_count, other->msg.header_count);
    for (unsigned i = 0; i < one->msg.header_count; i++)
        assert_int_equal(one->msg.header[i].id, other->msg.header[i].id);
    assert_true(span_eq(sip_msg_value(&one->msg, SIP_H_WARNING), sip_msg_value(&other->msg, SIP_H_WARNING)));
    assert_true(span_eq(one->msg.reason, other->msg.reason));
}

static void test_unknown_accounts_and_wrong_passwords_get_the_same_answers(void **state)
{
    struct rig_sent *wrong, *unknown;

    guard_send(&rig.ws, &(struct guard_try){.user = "alice"});
    wrong = guard_take(401);
    guard_send(&rig.ws, &(struct guard_try){.user = "nobody"});
    unknown = guard_take(401);
    assert_same_answer(wrong, unknown);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "wrong"});
    wrong = guard_take(403);
    guard_send(&rig.ws, &(struct guard_try){.user = "nobody", .password = "wrong"});
    unknown = guard_take(403);
    assert_same_answer(wrong, unknown);
    guard_send(&rig.ws,
               &(struct guard_try){.user = "nobody", .password = "-"}); /* what unknown users are computed with */
    guard_take(403);
    assert_int_equal(rig.request_count, 0);
}

static void test_an_empty_password_is_no_way_in(void **state)
{
    assert_int_equal(guard_prove(&rig.ws, &(struct guard_try){.user = "alice", .password = ""})->msg.status, 403);
}

static void test_the_same_nc_is_a_replay(void **state)
{
    struct rig_sent *sent;

    assert_int_equal(guard_prove(&rig.ws, ALICE)->msg.status, 200);
    guard_send(&rig.ws, ALICE); /* caught and sent again */
    sent = rig_expect_status(401);
    assert_non_null(
        strstr(sent->bytes, "stale=true")); /* an honest client whose answer was lost gets in with the new one */
    assert_int_equal(rig.request_count, 1);
}

static void test_a_higher_nc_of_the_same_nonce_is_taken(void **state)
{
    assert_int_equal(guard_prove(&rig.ws, ALICE)->msg.status, 200);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .headers = CONTACT, .nc = 2});
    rig_expect_status(200);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .headers = CONTACT, .nc = 9});
    rig_expect_status(200);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .headers = CONTACT, .nc = 5});
    rig_expect_status(401);
}

static void test_an_expired_nonce_is_stale_only_with_the_right_password(void **state)
{
    struct rig_sent *sent;
    char old[sizeof(guard_nonce)];

    guard_send(&rig.ws, &(struct guard_try){.user = "alice"});
    guard_take(401);
    memcpy(old, guard_nonce, sizeof(old));
    rig_advance(62000);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "wrong", .nonce = old});
    assert_null(strstr(guard_take(403)->bytes, "stale"));
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .nonce = old, .headers = CONTACT});
    sent = guard_take(401);
    assert_non_null(strstr(sent->bytes, "stale=true"));
    assert_string_not_equal(guard_nonce, old);
    guard_send(&rig.ws, ALICE);
    rig_expect_status(200);
}

static void test_a_nonce_of_another_address_or_of_nobody_is_foreign(void **state)
{
    struct sip_flow other = rig.ws;

    guard_send(&rig.ws, &(struct guard_try){.user = "alice"});
    guard_take(401);
    addr_parse(&other.remote, SPAN("198.51.100.8"), 5060);
    guard_send(&other, ALICE);
    assert_null(strstr(rig_expect_status(401)->bytes, "stale"));
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .nonce = "0123456789abcdef"});
    rig_expect_status(401);
    assert_int_equal(rig.request_count, 0);
}

static void test_the_digest_user_has_to_be_the_from_user(void **state)
{
    struct rig_sent *sent = guard_prove(
        &rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .from = "bob", .headers = CONTACT});

    assert_int_equal(sent->msg.status, 403);
}

static void test_the_digest_uri_has_to_be_the_request_uri(void **state)
{
    assert_int_equal(
        guard_prove(&rig.ws,
                    &(struct guard_try){.user = "alice", .password = "secret", .uri = "sip:elsewhere.example.com"})
            ->msg.status,
        403);
    assert_int_equal(
        guard_prove(&rig.ws, &(struct guard_try){.user = "alice",
                                                 .password = "secret",
                                                 .headers = CONTACT,
                                                 .uri = "sip:SIP.example.com"}) /* equal by RFC 3261 19.1.4 */
            ->msg.status,
        200);
}

static void test_credentials_that_cannot_be_read_are_400(void **state)
{
    struct guard_try wish = {.user = "alice", .password = "secret", .method = "MESSAGE"};
    char line[400];

    guard_send(&rig.ws, &wish);
    guard_take(401);
    snprintf(line, sizeof(line),
             "Authorization: Digest username=\"alice\", realm=\"sip.example.com\", nonce=\"%s\", "
             "uri=\"sip:sip.example.com\"\n",
             guard_nonce);
    wish.password = NULL;
    wish.headers = line; /* without response and qop: unreadable */
    guard_send(&rig.ws, &wish);
    rig_expect_status(400);
    assert_int_equal(rig.request_count, 0);
}

static void test_after_ten_failures_an_address_is_slowed_and_others_are_not(void **state)
{
    struct sip_flow other = rig.ws;

    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(guard_prove(&rig.ws, &(struct guard_try){.user = "alice", .password = "wrong"})->msg.status,
                         403);
    assert_int_equal(guard_prove(&rig.ws, ALICE)->msg.status, 403); /* not even with the right one */
    assert_int_equal(rig.request_count, 0);
    addr_parse(&other.remote, SPAN("198.51.100.8"), 5060);
    assert_int_equal(guard_prove(&other, ALICE)->msg.status, 200); /* the account is not locked */
    rig.proved[0] = '\0';
    rig_advance(61000);
    assert_int_equal(guard_prove(&rig.ws, ALICE)->msg.status, 200);
}

static void test_over_udp_a_slowed_address_gets_silence(void **state)
{
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(
            guard_prove(&rig.stranger, &(struct guard_try){.user = "alice", .password = "wrong"})->msg.status, 403);
    guard_send(&rig.stranger, ALICE);
    rig_expect_nothing();
}

static void test_failures_do_not_count_where_nobody_failed(void **state)
{
    for (unsigned i = 0; i < 30; i++) { /* honest clients need two requests each time */
        assert_int_equal(guard_prove(&rig.ws, ALICE)->msg.status, 200);
        rig.proved[0] = '\0'; /* a new connection each time */
    }
}

static void test_a_stranger_gets_one_403_and_no_state(void **state)
{
    rig_receive(&rig.stranger,
                "INVITE sip:100@sip.example.com SIP/2.0\nVia: SIP/2.0/UDP 198.51.100.66;branch=z9hG4bKx\n"
                "Max-Forwards: 70\nFrom: <sip:x@evil.example>;tag=1\nTo: <sip:100@sip.example.com>\n"
                "Call-ID: x\nCSeq: 1 INVITE\nContact: <sip:x@198.51.100.66>\n\n");
    rig_expect_status(403);
    guard_send(&rig.stranger, &(struct guard_try){.user = "x", .method = "OPTIONS"});
    rig_expect_status(403);
    assert_int_equal(rig.stack->server_txs.count, 0);
    rig_advance(40000);
    rig_expect_nothing();
}

static void test_a_trunk_is_known_by_its_address_and_may_not_register(void **state)
{
    guard_send(&rig.udp, &(struct guard_try){.user = "anybody", .method = "OPTIONS"});
    rig_expect_status(200);
    assert_string_equal(rig.account, "");
    guard_send(&rig.udp, &(struct guard_try){.user = "alice"});
    guard_take(401);
}

static void test_a_websocket_from_a_trunks_address_is_an_accounts(void **state)
{
    struct sip_flow web = rig.ws;

    web.remote = rig.udp.remote;
    guard_send(&web, &(struct guard_try){.user = "anybody", .method = "INVITE"});
    guard_take(401);
    assert_int_equal(rig.request_count, 0);
}

static void test_a_proved_connection_is_its_accounts_and_nobody_elses(void **state)
{
    guard_prove(&rig.ws, ALICE);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .method = "OPTIONS"});
    rig_expect_status(200);
    assert_string_equal(rig.account, "alice");
    guard_send(&rig.ws, &(struct guard_try){.user = "bob", .method = "MESSAGE"});
    guard_take(401);
    assert_int_equal(rig.request_count, 2);
}

static void test_the_shape_is_checked_after_who_it_is(void **state)
{
    guard_send(&rig.udp,
               &(struct guard_try){.user = "a", .method = "OPTIONS", .headers = "Require: 100rel, replaces\n"});
    assert_non_null(strstr(rig_expect_status(420)->bytes, "Unsupported: "));
    guard_send(&rig.udp, &(struct guard_try){.user = "a", .method = "FROBNICATE"});
    assert_non_null(strstr(rig_expect_status(501)->bytes, "Allow: "));
    guard_send(&rig.stranger, &(struct guard_try){.user = "a", .method = "FROBNICATE"}); /* learns nothing of that */
    guard_take(401);
    assert_int_equal(rig.request_count, 0);
}

static void test_max_forwards_zero_is_483(void **state)
{
    rig_receive(&rig.udp, "INVITE sip:100@sip.example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx\n"
                          "Max-Forwards: 0\nFrom: <sip:x@192.0.2.10>;tag=1\nTo: <sip:100@sip.example.com>\n"
                          "Call-ID: x\nCSeq: 1 INVITE\nContact: <sip:x@192.0.2.10>\n\n");
    rig_expect_status(483);
    assert_int_equal(rig.request_count, 0);
}

static void test_an_invite_with_no_hop_left_is_483(void **state)
{
    rig_receive(&rig.udp, "INVITE sip:100@sip.example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx\n"
                          "Max-Forwards: 1\nFrom: <sip:x@192.0.2.10>;tag=1\nTo: <sip:100@sip.example.com>\n"
                          "Call-ID: x\nCSeq: 1 INVITE\nContact: <sip:x@192.0.2.10>\n\n");
    rig_expect_status(483);
    assert_int_equal(rig.request_count, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, guard_setup, guard_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_the_right_password_is_in),
        T(test_unknown_accounts_and_wrong_passwords_get_the_same_answers),
        T(test_an_empty_password_is_no_way_in),
        T(test_the_same_nc_is_a_replay),
        T(test_a_higher_nc_of_the_same_nonce_is_taken),
        T(test_an_expired_nonce_is_stale_only_with_the_right_password),
        T(test_a_nonce_of_another_address_or_of_nobody_is_foreign),
        T(test_the_digest_user_has_to_be_the_from_user),
        T(test_the_digest_uri_has_to_be_the_request_uri),
        T(test_credentials_that_cannot_be_read_are_400),
        T(test_after_ten_failures_an_address_is_slowed_and_others_are_not),
        T(test_over_udp_a_slowed_address_gets_silence),
        T(test_failures_do_not_count_where_nobody_failed),
        T(test_a_stranger_gets_one_403_and_no_state),
        T(test_a_trunk_is_known_by_its_address_and_may_not_register),
        T(test_a_websocket_from_a_trunks_address_is_an_accounts),
        T(test_a_proved_connection_is_its_accounts_and_nobody_elses),
        T(test_the_shape_is_checked_after_who_it_is),
        T(test_max_forwards_zero_is_483),
        T(test_an_invite_with_no_hop_left_is_483),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
