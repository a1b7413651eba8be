/* SPDX-License-Identifier: Apache-2.0 */
/* Who may watch whom, within which limits, and what watchers are told; publications and their names. */
#include "../sip/sip_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "call/directory.h"
#include "call/location.h"
#include "call/presence.h"
#include "store/store.h"

static const char yaml[] = "domain: example.com\n"
                           "presence: {max_subscriptions: 5, max_per_watcher: 3}\n"
                           "accounts:\n"
                           "  - {name: alice, password: x, numbers: ['+1202'], watchers: [bob]}\n"
                           "  - {name: bob, password: x, watchers: ['*']}\n"
                           "  - {name: carol, password: x}\n";

static struct calls calls;
static const char *asking;
static unsigned asked;

static void on_request(struct server_tx *tx)
{
    if (server_tx_request(tx)->method == SIP_SUBSCRIBE)
        presence_subscribe(calls.presence, tx, asking);
    else
        presence_publish(calls.presence, tx, asking);
}

static int setup(void **state)
{
    rig_open(yaml);
    calls = (struct calls){.conf = rig.conf, .stack = rig.stack};
    list_init(&calls.listeners);
    assert_int_equal(directory_new(&calls.directory, rig.conf), 0);
    assert_int_equal(store_local_new(&calls.store, 1000), 0);
    assert_int_equal(presence_new(&calls.presence, &calls), 0);
    rig.on_request = on_request;
    asked = 0;
    return 0;
}

static int teardown(void **state)
{
    mem_unref(calls.presence);
    mem_unref(calls.directory);
    mem_unref(calls.store);
    return rig_teardown(state);
}

static void ask(const char *who, const char *method, const char *target, const char *headers)
{
    asking = who;
    asked++;
    rig_receivef(&rig.udp,
                 "%s sip:%s@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKp%u\nMax-Forwards: 70\n"
                 "From: <sip:%s@example.com>;tag=t%u\nTo: <sip:%s@example.com>\nCall-ID: p%u\nCSeq: 1 %s\n%s",
                 method, target, asked, who[0] ? who : "trunk", asked, target, asked, method, headers);
}

static unsigned status_of(const char *who, const char *target, const char *headers)
{
    char lines[512];
    struct rig_sent *sent;

    snprintf(lines, sizeof(lines), "Contact: <sip:x@192.0.2.10>\n%s\n", headers);
    ask(who, "SUBSCRIBE", target, lines);
    sent = rig_next();
    assert_non_null(sent);
    return sent->msg.status;
}

/* The next NOTIFY, answered. */
static struct rig_sent *notified(void)
{
    struct rig_sent *sent;

    rig_advance(2);
    sent = rig_expect_request(SIP_NOTIFY);
    rig_respond(sent, 200, NULL, NULL);
    return sent;
}

static bool says(const struct rig_sent *sent, const char *text)
{
    return span_find_span(sent->msg.body, span_of(text)) >= 0;
}

static void test_only_whom_the_configuration_names(void **state)
{
    assert_int_equal(status_of("bob", "alice", "Event: presence\n"), 200);
    notified();
    assert_int_equal(status_of("bob", "+1202", "Event: dialog\n"), 200); /* by number, too */
    notified();
    assert_int_equal(status_of("carol", "bob", "Event: presence\n"), 200); /* "*" */
    notified();
    assert_int_equal(status_of("carol", "alice", "Event: presence\n"), 403);
    assert_int_equal(status_of("alice", "alice", "Event: presence\n"), 403);
    assert_int_equal(status_of("bob", "carol", "Event: dialog\n"), 403);
    assert_int_equal(status_of("", "bob", "Event: presence\n"), 403); /* a trunk */
    assert_int_equal(status_of("bob", "dave", "Event: presence\n"), 404);
    assert_int_equal(status_of("bob", "alice", "Event: refer\n"), 489);
    assert_int_equal(status_of("bob", "alice", ""), 489);
    assert_int_equal(status_of("bob", "alice", "Event: presence\nAccept: text/html\n"), 406);
    assert_int_equal(status_of("alice", "alice", "Event: message-summary\n"), 200);
    notified();
    assert_int_equal(status_of("bob", "alice", "Event: message-summary\n"), 403);
}

static void test_limits_of_a_watcher_and_of_all_and_their_return(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(status_of("bob", "alice", "Event: presence\n"), 200);
        notified();
    }
    assert_int_equal(status_of("bob", "alice", "Event: presence\n"), 403);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(status_of("carol", "bob", "Event: presence\n"), 200);
        notified();
    }
    assert_int_equal(status_of("carol", "bob", "Event: presence\n"), 503);
    presence_flow_lost(calls.presence, &rig.udp, "bob"); /* three places are free */
    assert_int_equal(status_of("carol", "bob", "Event: presence\n"), 200);
    notified();
    rig_advance(10);
    rig_expect_nothing();
}

static void test_a_fetch_takes_no_place(void **state)
{
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(status_of("bob", "alice", "Event: presence\nExpires: 0\n"), 200);
        notified();
    }
}

static int add_binding(struct bindings *bindings, void *arg)
{
    bindings->count = 1;
    bindings->items[0] = (struct binding){.expires_wall_ms = 600000 + *(uint64_t *)arg, .flow = rig.udp};
    return 0;
}

static void on_stored(int err, const struct bindings *bindings, void *arg)
{
    assert_int_equal(err, 0);
}

static void test_a_registration_that_runs_out_is_told(void **state)
{
    uint64_t now_ms = clock_wall_us() / 1000;

    assert_int_equal(status_of("bob", "alice", "Event: presence\nExpires: 3000\n"), 200);
    assert_true(says(notified(), "closed"));
    location_change(&(struct location_change){
        .store = calls.store, .account = SPAN("alice"), .edit = add_binding, .done = on_stored, .arg = &now_ms});
    presence_on_registered(calls.presence, "alice");
    assert_true(says(notified(), "open"));
    presence_on_registered(calls.presence, "alice"); /* the same again is no news */
    rig_advance(599000);
    rig_expect_nothing();
    rig_advance(2000);
    assert_true(says(notified(), "closed"));
}

static void call_is(const char *id, enum dialog_info_state state)
{
    struct dialog_info_call news = {.state = state};

    snprintf(news.id, sizeof(news.id), "%s", id);
    presence_on_call(calls.presence, "alice", &news);
}

static void test_calls_before_the_subscription_are_known(void **state)
{
    call_is("c1", DIALOG_INFO_CONFIRMED);
    assert_int_equal(status_of("bob", "alice", "Event: dialog\n"), 200);
    assert_true(says(notified(), "\"c1\""));
    call_is("c1", DIALOG_INFO_TERMINATED);
    assert_true(says(notified(), "terminated"));
}

static void test_changes_meanwhile_come_in_one_notify(void **state)
{
    struct rig_sent *first, *second;

    assert_int_equal(status_of("bob", "alice", "Event: dialog\n"), 200);
    rig_advance(2);
    first = rig_expect_request(SIP_NOTIFY);
    call_is("c1", DIALOG_INFO_EARLY);
    call_is("c2", DIALOG_INFO_EARLY);
    call_is("c1", DIALOG_INFO_TERMINATED);
    rig_advance(5);
    rig_expect_nothing();
    rig_respond(first, 200, NULL, NULL);
    second = notified();
    assert_true(says(second, "version=\"1\" state=\"partial\""));
    assert_true(says(second, "\"c1\" direction=\"recipient\"><state>terminated"));
    assert_true(says(second, "\"c2\" direction=\"recipient\"><state>early"));
    call_is("c2", DIALOG_INFO_TERMINATED);
    assert_true(says(notified(), "version=\"2\""));
}

static void test_who_is_asked_to_come_again(void **state)
{
    struct rig_sent *sent;

    assert_int_equal(status_of("bob", "alice", "Event: presence\n"), 200);
    notified();
    presence_drain(calls.presence);
    rig_advance(2);
    sent = rig_expect_request(SIP_NOTIFY);
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_SUBSCRIPTION_STATE),
                      "terminated;reason=probation;retry-after=30");
    rig_respond(sent, 200, NULL, NULL);
    assert_int_equal(status_of("bob", "alice", "Event: presence\n"), 503);
}

/* ---- publications ---- */

static struct rig_sent *publish(const char *headers, const char *note)
{
    char lines[1024];

    snprintf(lines, sizeof(lines),
             "Event: presence\n%sContent-Type: application/pidf+xml\n\n"
             "<presence entity='pres:alice@x'><note>%s</note></presence>",
             headers, note);
    ask("alice", "PUBLISH", "alice", lines);
    return rig_next();
}

static void test_the_newest_publication_counts(void **state)
{
    char first[100], line[140];
    struct rig_sent *sent;

    assert_int_equal(status_of("bob", "alice", "Event: presence\nExpires: 3000\n"), 200);
    notified();
    sent = publish("Expires: 100\n", "one");
    assert_int_equal(sent->msg.status, 200);
    snprintf(first, sizeof(first), "%.*s", SPAN_ARG(sip_msg_value(&sent->msg, SIP_H_SIP_ETAG)));
    assert_true(says(notified(), "one"));
    assert_int_equal(publish("Expires: 200\n", "two")->msg.status, 200);
    assert_true(says(notified(), "two"));
    snprintf(line, sizeof(line), "SIP-If-Match: %s\nExpires: 100\n", first);
    assert_int_equal(publish(line, "three")->msg.status, 200);
    assert_true(says(notified(), "three"));
    assert_int_equal(publish(line, "four")->msg.status, 412); /* that name is gone */
    rig_advance(99990);
    rig_expect_nothing();
    rig_advance(20);
    assert_true(says(notified(), "two")); /* the other one still stands */
    rig_advance(99950);
    rig_expect_nothing();
    rig_advance(100);
    assert_true(says(notified(), "closed"));
}

static void test_devices_that_never_come_back_make_room(void **state)
{
    char first[100], line[140];
    struct rig_sent *sent = publish("", "first");

    snprintf(first, sizeof(first), "%.*s", SPAN_ARG(sip_msg_value(&sent->msg, SIP_H_SIP_ETAG)));
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(publish("", "more")->msg.status, 200);
    snprintf(line, sizeof(line), "SIP-If-Match: %s\n", first);
    assert_int_equal(publish(line, "again")->msg.status, 412);
}

/* ---- memory ---- */

static void subscribe_and_publish(void)
{
    struct rig_sent *sent;

    ask("bob", "SUBSCRIBE", "alice", "Contact: <sip:x@192.0.2.10>\nEvent: dialog\nExpires: 60\n\n");
    publish("", "x");
    call_is("c1", DIALOG_INFO_EARLY);
    rig_advance(3);
    while ((sent = rig_next()))
        if (sent->msg.is_request)
            rig_respond(sent, 200, NULL, NULL);
    call_is("c1", DIALOG_INFO_TERMINATED);
    rig_advance(3);
    rig_forget();
}

static void test_memory_that_runs_out_anywhere_leaves_nothing_behind(void **state)
{
    for (int n = 0; n < 150; n++) {
        teardown(state); /* which looks for what was left behind */
        setup(state);
        mem_fail_after(n);
        subscribe_and_publish();
        mem_fail_after(-1);
        presence_flow_lost(calls.presence, &rig.udp, "bob");
        assert_int_equal(rig.stack->dialogs.count, 0);
        assert_int_equal(status_of("bob", "alice", "Event: presence\n"), 200); /* no place was lost */
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_only_whom_the_configuration_names),
        TEST(test_limits_of_a_watcher_and_of_all_and_their_return),
        TEST(test_a_fetch_takes_no_place),
        TEST(test_a_registration_that_runs_out_is_told),
        TEST(test_calls_before_the_subscription_are_known),
        TEST(test_changes_meanwhile_come_in_one_notify),
        TEST(test_who_is_asked_to_come_again),
        TEST(test_the_newest_publication_counts),
        TEST(test_devices_that_never_come_back_make_room),
        TEST(test_memory_that_runs_out_anywhere_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
