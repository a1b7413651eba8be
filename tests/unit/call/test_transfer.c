/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer by the clock: who talks to whom, and what is told, whoever answers, refuses, hangs up, or does nothing. */
#include "../sip/invite_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../oom.h"
#include "base/mem.h"
#include "call/call_private.h"
#include "call/calls.h"
#include "call/directory.h"
#include "call/negotiate_private.h"
#include "call/trunk_limit.h"
#include "sip/invite_private.h"
#include "store/store.h"

/* The target is not looked for: the test says who rings. */
static void route(struct call *call, const struct route_caller *caller);
#define call_route route
#include "call/transfer.c"

static const char yaml[] = "domain: example.com\nsip: {ring_timeout: 20s}\naccounts:\n"
                           "  - {name: alice, password: secret, max_calls: 1}\n"
                           "  - {name: bob, password: secret}\n";

static struct calls calls;

/* ---- legs that write down what is asked of them ---- */

struct mock {
    struct leg leg;
    unsigned end_count, end_status;
};

static void mock_progress(struct leg *leg, unsigned status, struct span sdp)
{
}

static int mock_answer(struct leg *leg, struct span sdp)
{
    return 0;
}

static void mock_end(struct leg *leg, unsigned status, unsigned cause, const char *why)
{
    struct mock *mock = container_of(leg, struct mock, leg);

    if (leg->is_over)
        return;
    leg->is_over = true;
    mock->end_count++;
    mock->end_status = status;
}

static int mock_modify(struct leg *leg, struct span sdp)
{
    return 0;
}

static void mock_destroy(struct leg *leg)
{
    list_remove(&leg->link);
    leg->media = mem_unref(leg->media);
    leg->call = NULL;
}

static const struct leg_ops mock_ops = {.name = "mock",
                                        .progress = mock_progress,
                                        .answer = mock_answer,
                                        .end = mock_end,
                                        .modify = mock_modify,
                                        .destroy = mock_destroy};

static struct mock alice, other, target;

static void begin_leg(struct mock *mock, struct call *call, const char *peer, const char *account)
{
    *mock = (struct mock){.leg = {.ops = &mock_ops, .call = call, .is_answered = mock != &target}};
    snprintf(mock->leg.peer, sizeof(mock->leg.peer), "%s", peer);
    snprintf(mock->leg.account, sizeof(mock->leg.account), "%s", account);
    assert_int_equal(leg_media_new(&mock->leg.media, &(struct leg_media_options){.conf = rig.conf}), 0);
    mock->leg.media->our_text = mem_text("v=0", 3);
    mock->leg.media->peer_text = mem_text("v=0", 3); /* both are said: nothing is opened */
}

/* ---- the call in which it is asked ---- */

static struct call *call, *made; /* made: the one to the target */
static struct invite *invite;
static struct invite_user user;

static void route(struct call *it, const struct route_caller *caller)
{
    made = it;
    assert_string_equal(caller->account->name, "alice");
    begin_leg(&target, it, "carol", "carol");
    list_append(&it->out_legs, &target.leg.link);
    it->out_count++;
    call_await_answer(it);
}

static void on_refer(struct invite *of, struct server_tx *tx, void *arg)
{
    struct refer *refer;

    if (refer_new(&refer, of, tx))
        return;
    call_event(&(struct leg_news){.leg = &alice.leg, .event = LEG_REFER, .why = "", .refer = refer});
    mem_unref(refer);
}

static void begin_call(void)
{
    assert_int_equal(call_new(&call, &calls), 0);
    begin_leg(&alice, call, "alice", "alice");
    begin_leg(&other, call, "+1202", "");
    call->in = &alice.leg;
    call->out = &other.leg;
    list_append(&call->out_legs, &other.leg.link);
    call->state = CALL_TALKING;
    call->answered_us = call->began_us;
    snprintf(call->counted_account, sizeof(call->counted_account), "alice");
    assert_null(account_limit_enter(calls.store, directory_account(calls.directory, SPAN("alice"))));
}

static int setup(void **state)
{
    rig_open(yaml);
    calls = (struct calls){.conf = rig.conf, .stack = rig.stack};
    map_init(&calls.by_id);
    list_init(&calls.history);
    list_init(&calls.listeners);
    assert_int_equal(directory_new(&calls.directory, rig.conf), 0);
    assert_int_equal(store_local_new(&calls.store, 10000), 0);
    invite = rig_called(&rig.udp, "z9hG4bKin");
    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP));
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    user = invite_rig_user;
    user.on_refer = on_refer;
    invite->user = &user;
    rig_forget();
    made = NULL;
    begin_call();
    return 0;
}

/* Alice may call again: her only place is free. */
static bool has_place(void)
{
    const struct conf_account *account = directory_account(calls.directory, SPAN("alice"));

    if (account_limit_enter(calls.store, account))
        return false;
    account_limit_leave(calls.store, account->name);
    return true;
}

static int teardown(void **state)
{
    struct list *link;

    call_end(call, 503, "gateway", "the test is over");
    if (made)
        call_end(made, 503, "gateway", "the test is over");
    rig_advance(3000);
    assert_true(has_place());
    while ((link = list_first(&calls.history))) {
        mem_unref(container_of(link, struct call, link));
    }
    invite_end(invite, &(struct invite_end){.cause = 200});
    invite = mem_unref(invite);
    map_free(&calls.by_id);
    mem_unref(calls.directory);
    mem_unref(calls.store);
    return rig_teardown(state);
}

static unsigned cseq = 1;

static void refer_to(const char *uri)
{
    char branch[32], lines[200];

    snprintf(branch, sizeof(branch), "z9hG4bKr%u", ++cseq);
    snprintf(lines, sizeof(lines), "Refer-To: <%s>\n\n", uri);
    rig_within_more(&rig.udp, "REFER", branch, cseq, lines);
}

static void notified(unsigned status)
{
    struct rig_sent *sent = rig_expect_request(SIP_NOTIFY);
    char head[24];

    snprintf(head, sizeof(head), "SIP/2.0 %u ", status);
    assert_true(span_starts(sent->msg.body, span_of(head)));
    rig_respond(sent, 200, NULL, NULL);
}

static void ring(void)
{
    refer_to("sip:carol@example.com");
    rig_expect_status(202);
    notified(100);
    assert_non_null(made);
    assert_string_equal(made->dialled, "carol");
    assert_string_equal(made->referrer, "alice");
    assert_string_equal(made->caller, "+1202");
    assert_int_equal(made->state, CALL_RINGING);
}

static void say(struct mock *mock, enum leg_event event, unsigned status)
{
    if (event == LEG_ANSWERED)
        mock->leg.is_answered = true;
    call_event(&(struct leg_news){.leg = &mock->leg, .event = event, .status = status, .why = "so"});
}

static void still_talk(void)
{
    assert_int_equal(call->state, CALL_TALKING);
    assert_null(call->transfer);
    assert_true(call->in == &alice.leg && call->out == &other.leg);
    assert_int_equal(alice.end_count + other.end_count, 0);
}

/* ---- what happens ---- */

static void test_answered_the_other_one_goes_over_and_who_asked_may_hang_up_itself(void **state)
{
    ring();
    say(&target, LEG_PROGRESS, 180);
    notified(180);
    say(&target, LEG_ANSWERED, 200);
    notified(200);
    assert_int_equal(call->state, CALL_OVER);
    assert_int_equal(made->state, CALL_TALKING);
    assert_true(made->in == &other.leg && made->out == &target.leg && other.leg.call == made);
    assert_int_equal(alice.end_count, 0);
    assert_false(has_place()); /* it goes on in her name */
    rig_advance(1999);
    assert_int_equal(alice.end_count, 0);
    rig_advance(1);
    assert_int_equal(alice.end_count, 1);
    assert_int_equal(other.end_count, 0);
    say(&target, LEG_HUNG_UP, 0);
    assert_int_equal(other.end_count, 1);
}

static void test_refused_nothing_has_changed(void **state)
{
    ring();
    say(&target, LEG_REFUSED, 486);
    notified(486);
    rig_expect_nothing();
    still_talk();
    rig_advance(1); /* the first target is forgotten */
    ring();
}

static void test_nobody_answers_nothing_has_changed(void **state)
{
    ring();
    rig_advance(19999);
    rig_expect_nothing();
    rig_advance(1);
    notified(480);
    still_talk();
    assert_int_equal(target.end_count, 1);
}

static void test_who_asked_hangs_up_the_other_one_waits_and_is_connected(void **state)
{
    ring();
    say(&alice, LEG_HUNG_UP, 0);
    assert_int_equal(call->state, CALL_OVER);
    assert_true(made->in == &other.leg);
    assert_int_equal(made->state, CALL_RINGING);
    say(&target, LEG_PROGRESS, 180);
    say(&target, LEG_ANSWERED, 200);
    rig_expect_nothing();
    assert_int_equal(made->state, CALL_TALKING);
    assert_int_equal(other.end_count, 0);
}

static void test_who_waits_alone_is_hung_up_when_the_target_refuses(void **state)
{
    ring();
    say(&alice, LEG_HUNG_UP, 0);
    say(&target, LEG_REFUSED, 486);
    assert_int_equal(made->state, CALL_OVER);
    assert_int_equal(other.end_count, 1);
    assert_int_equal(other.end_status, 486);
}

static void test_who_is_referred_hangs_up_all_is_over(void **state)
{
    ring();
    say(&other, LEG_HUNG_UP, 0);
    notified(487);
    assert_int_equal(call->state, CALL_OVER);
    assert_int_equal(made->state, CALL_OVER);
    assert_int_equal(target.end_count, 1);
    assert_int_equal(alice.end_count, 1);
}

static void test_one_at_a_time_and_not_for_ever(void **state)
{
    ring();
    refer_to("sip:bob@example.com");
    rig_expect_status(491);
    say(&target, LEG_REFUSED, 486);
    notified(486);
    call->transfer_count = 8;
    refer_to("sip:bob@example.com");
    rig_expect_status(603);
    still_talk();
}

static void test_a_leg_that_is_no_account_may_not(void **state)
{
    alice.leg.account[0] = '\0';
    refer_to("sip:bob@example.com");
    rig_expect_status(603);
    still_talk();
}

/* He was called: the call counts for somebody else, or nobody, but the one to the target is his. */
static void give_up_place(void)
{
    account_limit_leave(calls.store, call->counted_account);
    call->counted_account[0] = '\0';
}

static void test_who_was_called_has_one_call_more_while_the_target_is_there(void **state)
{
    give_up_place();
    assert_true(has_place());
    ring();
    assert_false(has_place());
    say(&target, LEG_REFUSED, 486);
    notified(486);
    assert_true(has_place());
    rig_advance(1);
    ring();
    say(&target, LEG_ANSWERED, 200);
    notified(200);
    assert_false(has_place());
    say(&target, LEG_HUNG_UP, 0);
    assert_true(has_place());
}

static void test_who_was_called_and_has_no_call_left_may_not(void **state)
{
    const struct conf_account *account = directory_account(calls.directory, SPAN("alice"));

    give_up_place();
    assert_null(account_limit_enter(calls.store, account)); /* another call of hers */
    refer_to("sip:carol@example.com");
    rig_expect_status(503);
    assert_null(made);
    still_talk();
    account_limit_leave(calls.store, account->name);
}

/* What the configuration says by now has no say in what is given back. */
static void test_a_place_is_given_back_by_who_has_one_alone(void **state)
{
    struct conf_account *account = (struct conf_account *)directory_account(calls.directory, SPAN("alice"));

    account->max_calls = 0;
    ring();
    say(&target, LEG_ANSWERED, 200);
    notified(200);
    account->max_calls = 1;
    assert_false(has_place());
    account->max_calls = 0;
    say(&target, LEG_HUNG_UP, 0);
    account->max_calls = 1;
    assert_true(has_place());
    give_up_place(); /* that has none: nothing is given back twice */
    assert_null(account_limit_enter(calls.store, account));
    assert_false(has_place());
    account_limit_leave(calls.store, account->name);
}

/* Wherever it ends: no call is left behind, and the two talk as before. */
static void test_without_memory_it_is_refused_and_nothing_is_kept(void **state)
{
    unsigned failed_count = 0;
    int err;

    for (int n = 0; !made; n++) {
        struct leg_news news = {.leg = &alice.leg, .event = LEG_REFER, .why = ""};
        struct refer_target wanted = {.has_replaces = false};
        struct transfer *transfer;
        struct refer *refer = mem_new(4096, NULL); /* looked at for its target alone */

        assert_int_equal(name_addr_parse(&wanted.to, SPAN("<sip:carol@example.com>")), 0);
        *(struct refer_target *)refer_target(refer) = wanted;
        news.refer = refer;
        mem_fail_after(n);
        err = transfer_new(&transfer, &news);
        mem_fail_after(-1);
        mem_unref(refer);
        if (err) {
            failed_count++;
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(calls.by_id.count, 1);
            still_talk();
            continue;
        }
        call->transfer = transfer;
        made = transfer->target;
    }
    assert_true(failed_count > 3);
    begin_leg(&target, made, "carol", "carol");
    target.leg.media = mem_unref(target.leg.media);
}

/* Whichever of the two calls is taken down first. */
static void test_a_worker_is_torn_down_with_a_transfer_under_way(void **state)
{
    call_end(call, 503, "gateway", "another one is looked at");
    rig_advance(3000);
    for (unsigned round = 0; round < 16; round++) { /* the order is that of their ids */
        struct leg_news news = {.leg = &alice.leg, .event = LEG_REFER, .why = ""};
        struct refer_target wanted = {.has_replaces = false};
        struct refer *refer = mem_new(4096, NULL); /* looked at for its target alone */
        struct calls *house;
        struct call *its;

        assert_int_equal(calls_new(&house, &(struct calls_options){.conf = rig.conf, .store = calls.store}), 0);
        house->stack = rig.stack;
        assert_int_equal(call_new(&its, house), 0);
        begin_leg(&alice, its, "alice", "alice");
        begin_leg(&other, its, "+1202", "");
        its->in = &alice.leg;
        its->out = &other.leg;
        list_append(&its->out_legs, &other.leg.link);
        assert_int_equal(name_addr_parse(&wanted.to, SPAN("<sip:carol@example.com>")), 0);
        *(struct refer_target *)refer_target(refer) = wanted;
        news.refer = refer;
        assert_int_equal(transfer_new(&its->transfer, &news), 0);
        mem_unref(refer);
        mem_unref(house);
        assert_null(alice.leg.call);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_answered_the_other_one_goes_over_and_who_asked_may_hang_up_itself),
        T(test_refused_nothing_has_changed),
        T(test_nobody_answers_nothing_has_changed),
        T(test_who_asked_hangs_up_the_other_one_waits_and_is_connected),
        T(test_who_waits_alone_is_hung_up_when_the_target_refuses),
        T(test_who_is_referred_hangs_up_all_is_over),
        T(test_one_at_a_time_and_not_for_ever),
        T(test_a_leg_that_is_no_account_may_not),
        T(test_who_was_called_has_one_call_more_while_the_target_is_there),
        T(test_who_was_called_and_has_no_call_left_may_not),
        T(test_a_place_is_given_back_by_who_has_one_alone),
        T(test_a_worker_is_torn_down_with_a_transfer_under_way),
        T(test_without_memory_it_is_refused_and_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
