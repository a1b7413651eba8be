/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets in, and what everybody else learns: nothing. SECURITY: dialog binding apart, all rules about new requests.
 * Case 07 e, f. */
#include "guard_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "call/directory.h"
#include "call/guard.h"
#include "call/guesses.h"
#include "sip/held.h"

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

/* A wrong password after the challenge; what comes back is not looked at. */
static void guess(const struct sip_flow *flow, const char *user)
{
    guard_send(flow, &(struct guard_try){.user = user});
    guard_take(401);
    guard_send(flow, &(struct guard_try){.user = user, .password = "wrong"});
}

/* So many that each further one is held for the longest time. */
static void guess_until_slow(const struct sip_flow *flow, const char *user)
{
    for (unsigned i = 0; i < 12; i++)
        guesses_note_wrong(guard_calls.guesses, &flow->remote, span_of(user));
}

/* The next connection of the same address. */
static struct sip_flow neighbour(void)
{
    static unsigned serial = 50;
    struct sip_flow flow = rig.ws;

    flow.serial = ++serial;
    return flow;
}

static void assert_gets_in(const struct sip_flow *flow, const char *user, const char *password)
{
    struct rig_sent *sent =
        guard_prove(flow, &(struct guard_try){.user = user, .password = password, .headers = CONTACT});

    assert_non_null(sent);
    assert_int_equal(sent->msg.status, 200);
}

static void test_the_right_password_gets_in_however_many_wrong_ones_came_from_its_address(void **state)
{
    struct sip_flow other = neighbour();

    guess_until_slow(&rig.ws, "alice");
    guess(&rig.ws, "alice");
    rig_expect_nothing();
    assert_gets_in(&other, "alice", "secret");
}

static void test_five_wrong_passwords_are_refused_at_once_then_each_takes_twice_as_long(void **state)
{
    for (unsigned i = 0; i < 5; i++) {
        guess(&rig.ws, "alice");
        rig_expect_status(403);
    }
    for (unsigned held_ms = 500; held_ms <= 4000; held_ms *= 2) {
        guess(&rig.ws, "alice");
        rig_advance(held_ms - 1);
        rig_expect_nothing();
        rig_advance(1);
        rig_expect_status(403);
    }
}

static void test_a_new_connection_is_no_fresh_start_for_a_guesser(void **state)
{
    struct sip_flow other = neighbour();

    guess_until_slow(&rig.ws, "alice");
    guess(&other, "alice");
    rig_advance(7999);
    rig_expect_nothing();
    rig_advance(1);
    rig_expect_status(403);
}

static void test_while_a_refusal_is_held_no_other_guess_on_its_connection_is_looked_at(void **state)
{
    guess_until_slow(&rig.ws, "alice");
    guess(&rig.ws, "alice");
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .nc = 2});
    assert_non_null(strstr(rig_expect_status(503)->bytes, "Retry-After: "));
    assert_int_equal(rig.request_count, 0);
    rig_advance(8000);
    rig_expect_status(403);
    assert_gets_in(&rig.ws, "alice", "secret");
}

static void test_who_guesses_on_is_cut_off_but_not_a_connection_that_somebody_has_proved(void **state)
{
    guess_until_slow(&rig.ws, "alice");
    guess(&rig.ws, "alice");
    rig_advance(8000);
    rig_expect_status(403);
    assert_int_equal(rig.closed_count, 1);
    assert_gets_in(&rig.ws, "bob", "hidden");
    guess_until_slow(&rig.ws, "alice");
    guess(&rig.ws, "alice");
    rig_advance(8000);
    rig_expect_status(403);
    assert_int_equal(rig.closed_count, 1);
}

static void test_a_refusal_that_cannot_be_held_costs_the_connection_instead_of_the_waiting(void **state)
{
    for (size_t i = 1; i <= HELD_MAX; i++)
        held_send(rig.stack, &rig.ws, &(struct sip_hold){.ms = 60000, .whose = i}, SPAN("a refusal"));
    guess_until_slow(&rig.ws, "alice");
    guess(&rig.ws, "alice");
    rig_advance(8000);
    rig_expect_nothing();
    assert_int_equal(rig.closed_count, 1);
}

static void test_a_guesser_slows_nobody_else_at_his_address(void **state)
{
    struct sip_flow other = neighbour();

    guess_until_slow(&rig.ws, "alice");
    guess(&other, "bob"); /* who mistypes is told so at once */
    rig_expect_status(403);
    assert_gets_in(&other, "bob", "hidden");
}

static void test_the_account_is_not_locked_elsewhere(void **state)
{
    struct sip_flow other = neighbour();

    guess_until_slow(&rig.ws, "alice");
    addr_parse(&other.remote, SPAN("198.51.100.8"), 5060);
    guess(&other, "alice");
    rig_expect_status(403);
    assert_gets_in(&other, "alice", "secret");
}

static void test_after_a_quiet_minute_a_wrong_password_is_refused_at_once_again(void **state)
{
    guess_until_slow(&rig.ws, "alice");
    rig_advance(60000);
    guess(&rig.ws, "alice");
    rig_expect_status(403);
}

static void test_ipv6_is_counted_by_its_64(void **state)
{
    struct sip_flow first = neighbour(), second = neighbour(), stranger = neighbour();

    addr_parse(&first.remote, SPAN("2001:db8:1:2::1"), 5060);
    addr_parse(&second.remote, SPAN("2001:db8:1:2:ffff::2"), 5060);
    addr_parse(&stranger.remote, SPAN("2001:db8:1:3::1"), 5060);
    guess_until_slow(&first, "alice");
    guess(&second, "alice");
    rig_expect_nothing();
    guess(&stranger, "alice");
    rig_expect_status(403);
}

static void test_over_udp_a_repeat_of_a_held_guess_gets_silence_and_one_answer_in_all(void **state)
{
    guess_until_slow(&rig.stranger, "alice");
    guess(&rig.stranger, "alice");
    guard_send(&rig.stranger, &(struct guard_try){.user = "alice", .password = "wrong"});
    rig_advance(7999);
    rig_expect_nothing();
    rig_advance(1);
    rig_expect_status(403);
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

/* The gateway reads its configuration again. */
static void reload(const char *accounts)
{
    struct directory *former = guard_calls.directory;
    struct conf *conf;
    struct text errors;
    char yaml[300];

    snprintf(yaml, sizeof(yaml), "domain: sip.example.com\naccounts:\n%s", accounts);
    text_init(&errors, 1000);
    assert_int_equal(conf_parse(&conf, "new.yaml", span_of(yaml), &errors), 0);
    text_free(&errors);
    assert_int_equal(directory_new(&guard_calls.directory, conf), 0);
    conf_unref(conf);
    guard_review(&guard_calls, former);
    mem_unref(former);
}

static void test_a_changed_password_is_asked_for_on_open_connections(void **state)
{
    guard_prove(&rig.ws, ALICE);
    reload("  - {name: alice, password: secret}\n  - {name: bob, password: changed}\n");
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .method = "MESSAGE"});
    rig_expect_status(200);
    reload("  - {name: alice, password: renewed}\n");
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .method = "MESSAGE"});
    guard_take(401);
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .password = "secret", .headers = CONTACT});
    rig_expect_status(403);
    assert_gets_in(&rig.ws, "alice", "renewed");
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .method = "MESSAGE"});
    rig_expect_status(200);
}

static void test_a_removed_account_is_nobody_on_open_connections(void **state)
{
    guard_prove(&rig.ws, ALICE);
    reload("  - {name: bob, password: hidden}\n");
    guard_send(&rig.ws, &(struct guard_try){.user = "alice", .method = "MESSAGE"});
    guard_take(401);
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
        T(test_the_right_password_gets_in_however_many_wrong_ones_came_from_its_address),
        T(test_five_wrong_passwords_are_refused_at_once_then_each_takes_twice_as_long),
        T(test_a_new_connection_is_no_fresh_start_for_a_guesser),
        T(test_while_a_refusal_is_held_no_other_guess_on_its_connection_is_looked_at),
        T(test_who_guesses_on_is_cut_off_but_not_a_connection_that_somebody_has_proved),
        T(test_a_refusal_that_cannot_be_held_costs_the_connection_instead_of_the_waiting),
        T(test_a_guesser_slows_nobody_else_at_his_address),
        T(test_the_account_is_not_locked_elsewhere),
        T(test_after_a_quiet_minute_a_wrong_password_is_refused_at_once_again),
        T(test_ipv6_is_counted_by_its_64),
        T(test_over_udp_a_repeat_of_a_held_guess_gets_silence_and_one_answer_in_all),
        T(test_failures_do_not_count_where_nobody_failed),
        T(test_a_stranger_gets_one_403_and_no_state),
        T(test_a_trunk_is_known_by_its_address_and_may_not_register),
        T(test_a_websocket_from_a_trunks_address_is_an_accounts),
        T(test_a_proved_connection_is_its_accounts_and_nobody_elses),
        T(test_a_changed_password_is_asked_for_on_open_connections),
        T(test_a_removed_account_is_nobody_on_open_connections),
        T(test_the_shape_is_checked_after_who_it_is),
        T(test_max_forwards_zero_is_483),
        T(test_an_invite_with_no_hop_left_is_483),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
