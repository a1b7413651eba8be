/* SPDX-License-Identifier: Apache-2.0 */
/* Session timers by the clock: who refreshes, with what, and what a 2xx without Session-Expires means. RFC 4028 7
 * and 9. */
#include "invite_rig.h"

#include <stdio.h>

#include "base/mem.h"

#define S 1000

static void expect_header(const struct rig_sent *sent, enum sip_header_id id, const char *value)
{
    assert_span_equal(sip_msg_value(&sent->msg, id), value);
}

/* A call of ours whose 2xx said this. */
static struct invite *call_out(const char *more)
{
    struct rig_sent *sent;
    struct invite *invite = rig_call(&rig.udp, &sent);
    char headers[300];

    snprintf(headers, sizeof(headers), "Contact: <sip:gw@192.0.2.10>\n%s", more);
    rig_respond(sent, 200, "t1", headers);
    rig_expect_request(SIP_ACK);
    return invite;
}

static struct rig_sent *modify(struct invite *invite)
{
    assert_int_equal(invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP)), 0);
    return rig_expect_request(SIP_INVITE);
}

static void hang_up(struct invite *invite)
{
    invite_end(invite, &(struct invite_end){.cause = 200});
    mem_unref(invite);
}

static void test_a_change_keeps_the_interval_and_who_refreshes(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uac\n");
    struct rig_sent *sent = modify(invite);

    expect_header(sent, SIP_H_SESSION_EXPIRES, "200;refresher=uac");
    expect_header(sent, SIP_H_SUPPORTED, "timer");
    hang_up(invite);
    rig_forget();
    invite = call_out("Session-Expires: 300;refresher=uas\n");
    expect_header(modify(invite), SIP_H_SESSION_EXPIRES, "300;refresher=uas");
    hang_up(invite);
}

static void test_a_change_without_session_timer_asks_for_none(void **state)
{
    struct invite *invite = call_out("");
    struct rig_sent *sent = modify(invite);

    assert_int_equal(sip_msg_value(&sent->msg, SIP_H_SESSION_EXPIRES).n, 0);
    expect_header(sent, SIP_H_SUPPORTED, "timer");
    hang_up(invite);
}

/* Is a refresh sent within the next so many seconds? */
static bool refreshes_within(unsigned seconds)
{
    struct rig_sent *sent;

    rig_forget();
    rig_advance(seconds * S);
    sent = rig_next();
    return sent && (sent->msg.method == SIP_UPDATE || sent->msg.method == SIP_INVITE);
}

static void test_we_refresh_on_when_the_2xx_of_a_change_lacks_session_expires(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uac\nAllow: INVITE, UPDATE\n");

    rig_respond(modify(invite), 200, NULL, "Contact: <sip:gw@192.0.2.10>\n");
    assert_true(refreshes_within(100));
    hang_up(invite);
}

static void test_the_peers_refresh_is_not_waited_for_after_a_2xx_without_session_expires(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uas\n");

    rig_respond(modify(invite), 200, NULL, "Contact: <sip:gw@192.0.2.10>\n");
    rig_forget();
    rig_advance(400 * S);
    rig_expect_nothing();
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

static void test_the_peers_refresh_is_waited_for_after_a_2xx_that_repeats_it(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uas\n");

    rig_respond(modify(invite), 200, NULL,
                "Contact: <sip:gw@192.0.2.10>\nSession-Expires: 300;refresher=uas\n"); /* the newest counts */
    rig_forget();
    rig_advance(267 * S);
    rig_expect_nothing();
    rig_advance(1 * S);
    rig_expect_request(SIP_BYE);
    assert_int_equal(told.cause, INVITE_END_FAILED);
    mem_unref(invite);
}

static void test_a_2xx_of_the_invite_without_session_expires_starts_no_timer(void **state)
{
    struct invite *invite = call_out("");

    rig_advance(7200 * S);
    rig_expect_nothing();
    hang_up(invite);
}

static void test_a_refresh_by_update_takes_what_its_2xx_says(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uac\nAllow: INVITE, UPDATE\n");
    struct rig_sent *sent;

    rig_advance(100 * S);
    sent = rig_expect_request(SIP_UPDATE);
    expect_header(sent, SIP_H_SESSION_EXPIRES, "200;refresher=uac");
    rig_respond(sent, 200, NULL, "Session-Expires: 600;refresher=uac\n");
    rig_advance(299 * S);
    rig_expect_nothing();
    rig_advance(1 * S);
    expect_header(rig_expect_request(SIP_UPDATE), SIP_H_SESSION_EXPIRES, "600;refresher=uac");
    hang_up(invite);
}

static void test_a_peer_without_update_is_refreshed_by_reinvite_for_ever(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uac\nAllow: INVITE, ACK, BYE\n");

    for (unsigned i = 1; i <= 3; i++) {
        struct rig_sent *sent;

        rig_advance(100 * S);
        sent = rig_expect_request(SIP_INVITE);
        expect_header(sent, SIP_H_SESSION_EXPIRES, "200;refresher=uac");
        rig_respond(sent, 200, NULL, "Contact: <sip:gw@192.0.2.10>\nSession-Expires: 200;refresher=uac\n");
        rig_expect_request(SIP_ACK);
        assert_int_equal(told.refresh_count, i);
    }
    hang_up(invite);
}

/* What its Allow said was not true. */
static void test_a_peer_that_refuses_update_is_refreshed_by_reinvite_from_then_on(void **state)
{
    static const unsigned refusals[] = {405, 501};

    for (unsigned i = 0; i < 2; i++) {
        struct invite *invite = call_out("Session-Expires: 200;refresher=uac\nAllow: INVITE, UPDATE\n");

        rig_advance(100 * S);
        rig_respond(rig_expect_request(SIP_UPDATE), refusals[i], NULL, NULL);
        rig_advance(100 * S);
        rig_respond(rig_expect_request(SIP_INVITE), 200, NULL, "Contact: <sip:gw@192.0.2.10>\n");
        rig_expect_request(SIP_ACK);
        assert_int_equal(told.ended_count, 0);
        hang_up(invite);
        rig_respond(rig_expect_request(SIP_BYE), 200, NULL, NULL);
    }
}

static void test_a_422_makes_the_interval_longer_once(void **state)
{
    struct invite *invite = call_out("Session-Expires: 200;refresher=uac\n");
    struct rig_sent *again;

    rig_respond(modify(invite), 422, NULL, "Min-SE: 500\n");
    rig_expect_request(SIP_ACK);
    again = rig_expect_request(SIP_INVITE);
    expect_header(again, SIP_H_SESSION_EXPIRES, "500;refresher=uac");
    expect_header(again, SIP_H_MIN_SE, "500");
    assert_int_equal(told.modified_count, 0);
    rig_respond(again, 422, NULL, "Min-SE: 900\n");
    rig_expect_request(SIP_ACK);
    rig_expect_nothing();
    assert_int_equal(told.modified_count, 1);
    assert_int_equal(told.status, 422);
    hang_up(invite);
}

/* ---- as callee of the change ---- */

/* The peer's call, answered while it supports timers: it refreshes, every 1800 s. */
static struct invite *call_in(const char *more)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");

    invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN(RIG_SDP));
    rig_within(&rig.udp, "ACK", "z9hG4bKack", 1);
    rig_within_more(&rig.udp, "UPDATE", "z9hG4bKup", 2, more);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    rig_forget();
    return invite;
}

static void test_a_reinvite_that_supports_timers_but_names_none_keeps_ours(void **state)
{
    struct invite *invite = call_in("Supported: timer\nSession-Expires: 400;refresher=uas\n");

    rig_within_more(&rig.udp, "INVITE", "z9hG4bKre", 3, "Supported: timer\n");
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    expect_header(rig_expect_status(200), SIP_H_SESSION_EXPIRES, "400;refresher=uas");
    rig_within(&rig.udp, "ACK", "z9hG4bKreack", 3);
    assert_true(refreshes_within(200));
    hang_up(invite);
}

static void test_a_reinvite_that_knows_no_timers_ends_waiting_for_the_peers_refresh(void **state)
{
    struct invite *invite = call_in("Supported: timer\nSession-Expires: 400;refresher=uac\n");

    rig_within(&rig.udp, "INVITE", "z9hG4bKre", 3);
    invite_modify_reply(invite, &(struct sip_reply){.status = 200});
    assert_int_equal(sip_msg_value(&rig_expect_status(200)->msg, SIP_H_SESSION_EXPIRES).n, 0);
    rig_within(&rig.udp, "ACK", "z9hG4bKreack", 3);
    rig_advance(500 * S);
    rig_expect_nothing();
    assert_int_equal(told.ended_count, 0);
    hang_up(invite);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_change_keeps_the_interval_and_who_refreshes),
        T(test_a_change_without_session_timer_asks_for_none),
        T(test_we_refresh_on_when_the_2xx_of_a_change_lacks_session_expires),
        T(test_the_peers_refresh_is_not_waited_for_after_a_2xx_without_session_expires),
        T(test_the_peers_refresh_is_waited_for_after_a_2xx_that_repeats_it),
        T(test_a_2xx_of_the_invite_without_session_expires_starts_no_timer),
        T(test_a_refresh_by_update_takes_what_its_2xx_says),
        T(test_a_peer_without_update_is_refreshed_by_reinvite_for_ever),
        T(test_a_peer_that_refuses_update_is_refreshed_by_reinvite_from_then_on),
        T(test_a_422_makes_the_interval_longer_once),
        T(test_a_reinvite_that_supports_timers_but_names_none_keeps_ours),
        T(test_a_reinvite_that_knows_no_timers_ends_waiting_for_the_peers_refresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
