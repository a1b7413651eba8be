/* SPDX-License-Identifier: Apache-2.0 */
/* A REFER and the NOTIFYs that tell what became of it, one after the other. RFC 3515, RFC 4488. */
#include "invite_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sip/invite_private.h"
#include "sip/refer.h"

static struct refer *refer;
static struct invite *invite;
static struct invite_user user;

static void on_refer(struct invite *of, struct server_tx *tx, void *arg)
{
    if (refer_new(&refer, of, tx))
        refer = NULL;
}

static int setup(void **state)
{
    rig_setup(state);
    refer = NULL;
    invite = rig_called(&rig.udp, "z9hG4bKin");
    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP));
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    user = invite_rig_user;
    user.on_refer = on_refer;
    invite->user = &user;
    rig_forget();
    return 0;
}

static int teardown(void **state)
{
    if (refer)
        refer_forget(refer);
    refer = mem_unref(refer);
    if (invite)
        invite_end(invite, &(struct invite_end){.cause = 200});
    invite = mem_unref(invite);
    return rig_teardown(state);
}

static void ask(const char *headers)
{
    static unsigned cseq = 1;
    char branch[32];

    snprintf(branch, sizeof(branch), "z9hG4bKr%u", ++cseq);
    rig_within_more(&rig.udp, "REFER", branch, cseq, headers);
}

static struct rig_sent *notified(const char *body, const char *state)
{
    struct rig_sent *sent = rig_expect_request(SIP_NOTIFY);

    assert_span_equal(sent->msg.body, body);
    assert_true(span_starts(sip_msg_value(&sent->msg, SIP_H_SUBSCRIPTION_STATE), span_of(state)));
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_CONTENT_TYPE), "message/sipfrag;version=2.0");
    return sent;
}

static struct rig_sent *accepted(void)
{
    ask("Refer-To: <sip:bob@example.com>\n\n");
    assert_non_null(refer);
    refer_accept(refer);
    rig_expect_status(202);
    return notified("SIP/2.0 100 Trying\r\n", "active");
}

static void test_what_the_target_says_is_told_in_order_and_the_last_one_ends_it(void **state)
{
    struct rig_sent *sent = accepted();
    char event[40];

    snprintf(event, sizeof(event), "refer;id=%u", invite_dialog(invite)->remote_cseq);
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_EVENT), event);
    assert_non_null(sip_msg_header(&sent->msg, SIP_H_CONTACT));
    rig_respond(sent, 200, NULL, NULL);
    refer_tell(refer, 180);
    rig_respond(notified("SIP/2.0 180 Ringing\r\n", "active"), 200, NULL, NULL);
    refer_tell(refer, 200);
    rig_respond(notified("SIP/2.0 200 OK\r\n", "terminated;reason=noresource"), 200, NULL, NULL);
    refer_tell(refer, 486);
    rig_expect_nothing();
}

static void test_while_a_notify_is_under_way_only_the_newest_status_waits(void **state)
{
    struct rig_sent *sent = accepted();

    refer_tell(refer, 180);
    refer_tell(refer, 183);
    refer_tell(refer, 486);
    refer_tell(refer, 180);
    rig_expect_nothing();
    rig_respond(sent, 200, NULL, NULL);
    rig_respond(notified("SIP/2.0 486 Busy Here\r\n", "terminated"), 200, NULL, NULL);
    rig_expect_nothing();
}

static void test_it_lives_until_the_last_notify_is_through_though_nobody_holds_it(void **state)
{
    struct rig_sent *sent = accepted();

    refer_tell(refer, 200);
    refer = mem_unref(refer);
    rig_respond(sent, 200, NULL, NULL);
    rig_respond(notified("SIP/2.0 200 OK\r\n", "terminated"), 200, NULL, NULL);
}

static void test_a_peer_that_refuses_or_does_not_answer_is_told_nothing_more(void **state)
{
    rig_respond(accepted(), 481, NULL, NULL);
    refer_tell(refer, 200);
    rig_expect_nothing();
    refer = mem_unref(refer);
    accepted();
    rig_advance(32000);
    rig_forget();
    refer_tell(refer, 200);
    rig_expect_nothing();
}

static void test_a_peer_that_has_hung_up_is_told_nothing_more(void **state)
{
    rig_respond(accepted(), 200, NULL, NULL);
    rig_within(&rig.udp, "BYE", "z9hG4bKbye", 900);
    rig_expect_status(200);
    refer_tell(refer, 200);
    rig_expect_nothing();
    invite = mem_unref(invite);
}

static void test_who_does_not_want_to_know_is_told_nothing(void **state)
{
    struct rig_sent *sent;

    ask("Refer-To: <sip:bob@example.com>\nRefer-Sub: false\n\n");
    refer_accept(refer);
    sent = rig_expect_status(202);
    assert_span_equal(sip_msg_value(&sent->msg, SIP_H_REFER_SUB), "false");
    refer_tell(refer, 200);
    rig_expect_nothing();
}

static void test_what_cannot_be_read_is_refused(void **state)
{
    static const struct {
        const char *headers;
        unsigned status;
    } cases[] = {
        {"\n", 400},
        {"Refer-To: <sip:\n\n", 400},
        {"Refer-To: <sip:a@x>\nRefer-To: <sip:b@x>\n\n", 400},
        {"r: <sip:a@x>\nRefer-To: <sip:b@x>\n\n", 400},
        {"Refer-To: <https://x>\n\n", 416},
        {"Refer-To: <sip:a@x;method=SUBSCRIBE>\n\n", 501},
        {"Refer-To: <sip:a@x?Replaces=1>\n\n", 400},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ask(cases[i].headers);
        assert_null(refer);
        rig_expect_status(cases[i].status);
        rig_expect_nothing();
    }
}

static void test_what_it_asks_for(void **state)
{
    ask("r: \"Bob\" <sip:bob@example.com;method=INVITE?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>;x=y\n\n");
    assert_non_null(refer);
    assert_span_equal(refer_target(refer)->to.uri.user, "bob");
    assert_true(refer_target(refer)->has_replaces);
    assert_string_equal(refer_target(refer)->replaces.from_tag, "2");
    refer_refuse(refer, 603, "no");
    rig_expect_status(603);
    rig_expect_nothing();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_what_the_target_says_is_told_in_order_and_the_last_one_ends_it),
        T(test_while_a_notify_is_under_way_only_the_newest_status_waits),
        T(test_it_lives_until_the_last_notify_is_through_though_nobody_holds_it),
        T(test_a_peer_that_refuses_or_does_not_answer_is_told_nothing_more),
        T(test_a_peer_that_has_hung_up_is_told_nothing_more),
        T(test_who_does_not_want_to_know_is_told_nothing),
        T(test_what_cannot_be_read_is_refused),
        T(test_what_it_asks_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
