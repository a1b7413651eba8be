/* SPDX-License-Identifier: Apache-2.0 */
/* A MESSAGE to the devices of an account: who gets what, which answer counts, and when the sender hears of it. What
 * happens with kept ones, and with trunks, is tested with the whole gateway (tests/e2e). */
#include "../sip/sip_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/directory.h"
#include "call/location.h"
#include "call/messages.h"
#include "store/kept.h"
#include "store/store.h"

static const char yaml[] = "domain: example.com\n"
                           "messages: {max_size: 20}\n"
                           "accounts:\n"
                           "  - {name: alice, password: x, display: 'A \"B\"', numbers: ['+1202']}\n"
                           "  - {name: bob, password: x, numbers: ['+1203']}\n";

static struct calls calls;
static char folder[64];
static unsigned asked;

static void on_request(struct server_tx *tx)
{
    messages_receive(calls.messages, tx, "alice");
}

static int setup(void **state)
{
    struct text why;

    rig_open(yaml);
    strcpy(folder, "/tmp/sipway-messages-XXXXXX");
    assert_non_null(mkdtemp(folder));
    calls = (struct calls){.conf = rig.conf, .stack = rig.stack};
    list_init(&calls.listeners);
    text_init(&why, 1000);
    assert_int_equal(kept_open(&calls.kept, folder, &why), 0);
    text_free(&why);
    assert_int_equal(directory_new(&calls.directory, rig.conf), 0);
    assert_int_equal(store_local_new(&calls.store, 1000), 0);
    assert_int_equal(messages_new(&calls.messages, &calls), 0);
    rig.on_request = on_request;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"messages.db", "messages.db-wal", "messages.db-shm"};
    char path[96];

    kept_stop(calls.kept);
    mem_unref(calls.messages);
    mem_unref(calls.directory);
    mem_unref(calls.store);
    mem_unref(calls.kept);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    return rig_teardown(state);
}

static int add_bindings(struct bindings *bindings, void *arg)
{
    bindings->count = *(unsigned *)arg;
    for (unsigned i = 0; i < bindings->count; i++) {
        bindings->items[i] =
            (struct binding){.expires_wall_ms = clock_wall_us() / 1000 + 600000, .flow = i ? rig.ws : rig.udp};
        snprintf(bindings->items[i].contact, sizeof(bindings->items[i].contact), "sip:bob%u@device.invalid", i);
    }
    return 0;
}

static void on_stored(int err, const struct bindings *bindings, void *arg)
{
    assert_int_equal(err, 0);
}

static void bob_has(unsigned count)
{
    location_change(&(struct location_change){
        .store = calls.store, .account = SPAN("bob"), .edit = add_bindings, .done = on_stored, .arg = &count});
}

static void say(const char *to, const char *headers, const char *body)
{
    asked++;
    rig_receivef(&rig.tcp,
                 "MESSAGE sip:%s@example.com SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bKm%u\n"
                 "Max-Forwards: 70\nFrom: <sip:alice@example.com>;tag=m\nTo: <sip:bob@example.com>\n"
                 "Call-ID: m%u\nCSeq: 1 MESSAGE\n%s\n%s",
                 to, asked, asked, headers, body);
}

#define TEXT "Content-Type: text/plain\n"

static void test_it_is_written_anew_for_each_device(void **state)
{
    struct rig_sent *first, *second;

    bob_has(2);
    say("%2b1203",
        TEXT "Subject: s\nX-Secret: not passed\nContact: <sip:me@private>\nDate: Sat, 01 Jan 2000 00:00:00 GMT\n",
        "hello");
    first = rig_expect_request(SIP_MESSAGE);
    second = rig_expect_request(SIP_MESSAGE);
    assert_span_equal(first->msg.request_uri, "sip:bob0@device.invalid");
    assert_span_equal(second->msg.request_uri, "sip:bob1@device.invalid");
    assert_true(sip_flow_same(&second->flow, &rig.ws));
    assert_span_equal(first->msg.body, "hello");
    assert_span_equal(sip_msg_value(&first->msg, SIP_H_SUBJECT), "s");
    assert_span_equal(sip_msg_value(&first->msg, SIP_H_DATE), "Sat, 01 Jan 2000 00:00:00 GMT");
    assert_null(strstr(first->bytes, "private"));
    assert_null(strstr(first->bytes, "Secret"));
    assert_non_null(strstr(first->bytes, "From: \"A \\\"B\\\"\" <sip:alice@example.com>;tag="));
    assert_non_null(strstr(first->bytes, "To: <sip:bob@example.com>\r\n"));
    assert_true(span_eq(first->msg.call_id, second->msg.call_id));
}

static void test_the_first_yes_is_the_answer(void **state)
{
    struct rig_sent *first, *second;

    bob_has(2);
    say("bob", TEXT, "x");
    first = rig_expect_request(SIP_MESSAGE);
    second = rig_expect_request(SIP_MESSAGE);
    rig_respond(first, 603, "t", NULL);
    rig_expect_nothing(); /* the other one may still take it */
    rig_respond(second, 200, "t", NULL);
    rig_expect_status(200);
    rig_expect_nothing();
}

static void test_a_refusal_is_passed_on_but_trouble_is_not_one(void **state)
{
    struct rig_sent *first, *second;

    bob_has(2);
    say("bob", TEXT, "x");
    first = rig_expect_request(SIP_MESSAGE);
    second = rig_expect_request(SIP_MESSAGE);
    rig_respond(first, 503, "t", NULL);
    rig_respond(second, 415, "t", NULL);
    rig_expect_status(415);
}

static void test_a_device_that_is_not_there_any_more_is_no_refusal(void **state)
{
    static const unsigned absent[] = {302, 404, 408, 410, 480, 481, 500, 503};

    bob_has(1);
    for (unsigned i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
        say("bob", TEXT "Expires: 0\n", "x");
        rig_respond(rig_expect_request(SIP_MESSAGE), absent[i], "t", NULL);
        rig_expect_status(480); /* it would have been kept, had the sender not said "now or never" */
    }
    say("bob", TEXT, "x");
    rig_respond(rig_expect_request(SIP_MESSAGE), 401, "t", NULL);
    rig_expect_status(403);
}

static void test_what_is_refused_at_once(void **state)
{
    bob_has(1);
    say("bob", TEXT, "more than twenty bytes");
    rig_expect_status(413);
    say("bob", "", "x");
    rig_expect_status(400);
    say("nobody", TEXT, "x");
    rig_expect_status(404);
    say("bo%0ab", TEXT, "x");
    rig_expect_status(404);
    rig_expect_nothing();
    say("bob", TEXT, "twenty bytes, exactly");
    rig_expect_status(413);
    say("bob", TEXT, "twenty bytes, exact!");
    rig_expect_request(SIP_MESSAGE);
}

static void test_a_loop_comes_to_its_end(void **state)
{
    static const char text[] = "MESSAGE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bKl%u\n"
                               "Max-Forwards: %u\nFrom: <sip:alice@example.com>;tag=m\nTo: <sip:bob@example.com>\n"
                               "Call-ID: l%u\nCSeq: 1 MESSAGE\n\n";

    bob_has(1);
    rig_receivef(&rig.tcp, text, 1, 2, 1);
    assert_int_equal(rig_expect_request(SIP_MESSAGE)->msg.max_forwards, 1);
    rig_receivef(&rig.tcp, text, 2, 1, 2);
    rig_expect_status(483);
    rig_expect_nothing();
}

static void test_nobody_there_and_not_to_be_kept_is_480(void **state)
{
    say("bob", TEXT "Expires: 0\n", "x");
    rig_advance(1);
    rig_expect_status(480);
}

static void test_memory_that_runs_out_anywhere_leaves_nothing_behind(void **state)
{
    for (int n = 0; n < 60; n++) {
        struct rig_sent *sent;

        teardown(state); /* which looks for what was left behind */
        setup(state);
        bob_has(2);
        mem_fail_after(n);
        say("bob", TEXT, "x");
        rig_advance(1);
        while ((sent = rig_next()))
            if (sent->msg.is_request)
                rig_respond(sent, n % 2 ? 200 : 480, "t", NULL);
        rig_advance(9000);
        mem_fail_after(-1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_written_anew_for_each_device),
        TEST(test_the_first_yes_is_the_answer),
        TEST(test_a_refusal_is_passed_on_but_trouble_is_not_one),
        TEST(test_a_device_that_is_not_there_any_more_is_no_refusal),
        TEST(test_what_is_refused_at_once),
        TEST(test_a_loop_comes_to_its_end),
        TEST(test_nobody_there_and_not_to_be_kept_is_480),
        TEST(test_memory_that_runs_out_anywhere_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
