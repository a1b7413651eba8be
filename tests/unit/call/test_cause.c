/* SPDX-License-Identifier: Apache-2.0 */
/* Every cause is found from its facts, says what to look at, and is not found in a call that went well. */
#include "../unit.h"

#include <string.h>

#include "call/cause.h"

/* A browser calls out through a trunk, and both were heard for a minute. */
static const struct cause_leg browser = {.is_there = true,
                                         .peer = CAUSE_BROWSER,
                                         .name = "alice",
                                         .reason = "",
                                         .target = "wss:198.51.100.7:50000",
                                         .contact_host = "",
                                         .media_host = "",
                                         .our_contact = "<sip:sipway@example.com>",
                                         .username = "",
                                         .codecs = "opus, G722",
                                         .is_checked = true,
                                         .is_ready = true,
                                         .media_why = "",
                                         .media_told = "203.0.113.10:10000",
                                         .expects_rtp = true,
                                         .packets_in = 3000};
static const struct cause_leg trunk = {.is_there = true,
                                       .peer = CAUSE_TRUNK,
                                       .name = "carrier",
                                       .reason = "",
                                       .status = 200,
                                       .has_rung = true,
                                       .target = "udp:203.0.113.5:5060",
                                       .contact_host = "203.0.113.5",
                                       .media_host = "203.0.113.6",
                                       .our_contact = "<sip:sipway@203.0.113.10:5060>",
                                       .username = "acme",
                                       .codecs = "PCMA",
                                       .is_checked = true,
                                       .is_ready = true,
                                       .media_why = "",
                                       .media_told = "203.0.113.10:20000",
                                       .expects_rtp = true,
                                       .packets_in = 3000};

static struct cause_facts talked(void)
{
    return (struct cause_facts){.stage = CAUSE_TALKING,
                                .end = CAUSE_BY_CALLER,
                                .status = 200,
                                .why = "",
                                .dialled = "0123456",
                                .number = "+49123456",
                                .callee = "",
                                .has_route = true,
                                .ring_s = 4,
                                .talk_s = 60,
                                .reconnect_s = 30,
                                .timeout_s = 60,
                                .max_duration_s = 14400,
                                .in = browser,
                                .out = trunk};
}

static struct cause_facts failed(unsigned status)
{
    struct cause_facts facts = talked();

    facts.stage = CAUSE_RINGING;
    facts.end = CAUSE_BY_CALLEE;
    facts.status = status;
    facts.talk_s = 0;
    facts.in.packets_in = facts.out.packets_in = 0;
    return facts;
}

static struct cause_facts refused(unsigned status, const char *reason)
{
    struct cause_facts facts = failed(status);

    facts.out.trouble = LEG_REFUSES;
    facts.out.status = status;
    facts.out.reason = reason;
    return facts;
}

static struct cause_facts stopped(enum leg_trouble trouble)
{
    struct cause_facts facts = failed(503);

    facts.out.trouble = trouble;
    return facts;
}

static void expect(const struct cause_facts *facts, const char *id, const char *sentence)
{
    const char *seen;
    struct text out;

    text_init(&out, 1024);
    seen = cause_find(facts, &out);
    assert_int_equal(text_err(&out), 0);
    if (strcmp(seen, id) || !span_eq(text_span(&out), span_of(sentence)))
        fail_msg("%s: \"%.*s\"\n    is not %s: \"%s\"", seen, SPAN_ARG(text_span(&out)), id, sentence);
    text_free(&out);
}

static void a_good_call_has_no_cause(void **state)
{
    struct cause_facts facts = talked();

    expect(&facts, "", "");
    facts.end = CAUSE_BY_CALLEE;
    expect(&facts, "", "");
    facts.end = CAUSE_ALIVE;
    expect(&facts, "", "");
}

static void a_short_talk_proves_nothing_about_media(void **state)
{
    struct cause_facts facts = talked();

    facts.talk_s = 2;
    facts.in.packets_in = facts.out.packets_in = 0;
    facts.in.is_checked = facts.in.is_ready = false;
    expect(&facts, "", "");
}

static void routing(void **state)
{
    struct cause_facts facts = failed(404);

    facts.stage = CAUSE_ROUTING;
    facts.end = CAUSE_BY_GATEWAY;
    facts.has_route = facts.out.is_there = false;
    expect(&facts, "no-route",
           "no route leads to 0123456: no rule of `routes` for this caller matches it, and no account has this name or "
           "number");
    facts.status = 403;
    expect(&facts, "not-allowed",
           "alice may not call 0123456: a route matches, but it is not among the account's `routes`");
    facts.has_route = true;
    facts.status = 480;
    facts.callee = "bob";
    expect(&facts, "not-registered", "account bob is not registered: neither a browser nor a phone of it is connected");
    facts.status = 503;
    facts.why = "trunk carrier: its limit of calls is reached";
    expect(&facts, "refused-here", "trunk carrier: its limit of calls is reached");
}

static void the_trunk_cannot_be_had(void **state)
{
    struct cause_facts facts = stopped(LEG_NO_NAME);

    expect(&facts, "dns", "trunk carrier cannot be found: the host name of its `uri` does not resolve (DNS)");
    facts = stopped(LEG_NO_CONNECTION);
    expect(&facts, "no-connection",
           "trunk carrier at udp:203.0.113.5:5060 cannot be reached: the connection is refused, or `sip.listen` has no "
           "socket of that kind");
    facts = stopped(LEG_NO_RESPONSE);
    expect(
        &facts, "no-response",
        "trunk carrier at udp:203.0.113.5:5060 did not answer the INVITE at all: is it up, and do firewalls on the way "
        "let SIP through?");
}

static void credentials(void **state)
{
    struct cause_facts facts = refused(407, "Proxy Authentication Required");

    expect(&facts, "bad-credentials", "trunk carrier does not take our credentials (username acme)");
    facts.out.username = "";
    expect(&facts, "bad-credentials",
           "trunk carrier asks for credentials, and none are configured (`username`, `password`)");
}

static void refusals(void **state)
{
    static const struct {
        unsigned status;
        const char *reason, *id, *sentence;
    } rows[] = {
        {403, "Forbidden", "forbidden",
         "trunk carrier forbids the call (403 Forbidden): our address, the caller's number or this destination is not "
         "allowed there"},
        {404, "Not Found", "unknown-number",
         "trunk carrier does not know the number +49123456 (404 Not Found): does the route's `number` write it as the "
         "trunk wants it?"},
        {484, "", "unknown-number",
         "trunk carrier does not know the number +49123456 (484): does the route's `number` write it as the trunk "
         "wants it?"},
        {486, "Busy Here", "busy", "trunk carrier is busy"},
        {603, "Decline", "declined", "trunk carrier declined the call"},
        {480, "Gone", "unavailable", "trunk carrier says that nobody can be reached there now (480 Gone)"},
        {488, "Not Acceptable Here", "not-acceptable",
         "trunk carrier takes none of the codecs offered to it (488 Not Acceptable Here): the caller offers opus, "
         "G722"},
        {503, "Service Unavailable", "overloaded",
         "trunk carrier is overloaded or takes no more calls of ours (503 Service Unavailable)"},
        {302, "Moved", "redirected", "trunk carrier redirects the call (302 Moved), which is not followed"},
        {482, "Loop Detected", "loop",
         "trunk carrier saw the call come round in a loop (482 Loop Detected): does a route send it back to where it "
         "came "
         "from?"},
        {500, "Oops", "peer-failed", "trunk carrier failed (500 Oops)"},
        {420, "Bad Extension", "peer-refused", "trunk carrier refused the call (420 Bad Extension)"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cause_facts facts = refused(rows[i].status, rows[i].reason);

        expect(&facts, rows[i].id, rows[i].sentence);
    }
}

static void the_caller_gave_up(void **state)
{
    struct cause_facts facts = failed(487);

    facts.end = CAUSE_BY_CALLER;
    expect(&facts, "gave-up", "the caller hung up before the answer, after 4 s");
    facts.out.has_rung = false;
    facts.out.status = 0;
    expect(&facts, "gave-up",
           "the caller hung up before the answer, after 4 s; trunk carrier had not answered anything yet at "
           "udp:203.0.113.5:5060");
}

static void nobody_answered(void **state)
{
    struct cause_facts facts = failed(480);

    facts.end = CAUSE_BY_GATEWAY;
    facts.ring_s = 180;
    facts.why = "nobody answered within 180 s";
    expect(&facts, "no-answer", "nobody answered within 180 s (`sip.ring_timeout`)");
}

static void no_codec_in_common(void **state)
{
    struct cause_facts facts = stopped(LEG_NO_CODEC);

    expect(&facts, "no-common-codec", "no common codec: alice's browser offers opus, G722, trunk carrier takes PCMA");
}

static void a_lost_ack(void **state)
{
    struct cause_facts facts = talked();

    facts.end = CAUSE_BY_GATEWAY;
    facts.in = trunk;
    facts.out = browser;
    facts.in.trouble = LEG_NO_ACK;
    expect(
        &facts, "no-ack",
        "trunk carrier never ACKed our 200; it should send the ACK to our <sip:sipway@203.0.113.10:5060>: can that be "
        "reached from there?");
    facts.in.is_contact_private = true;
    facts.in.contact_host = "192.168.1.7";
    expect(&facts, "no-ack", "trunk carrier never ACKed our 200; its Contact names the private address 192.168.1.7");
}

static void a_lost_prack(void **state)
{
    struct cause_facts facts = stopped(LEG_FINE);

    facts.end = CAUSE_BY_GATEWAY;
    facts.why = "our ringing was never acknowledged: no PRACK came";
    facts.in = trunk;
    facts.out = browser;
    facts.in.trouble = LEG_NO_PRACK;
    expect(&facts, "no-prack",
           "trunk carrier requires 100rel and never sent the PRACK for our ringing; it should go to our "
           "<sip:sipway@203.0.113.10:5060>: can that be reached from there?");
    facts.in.is_contact_private = true;
    facts.in.contact_host = "192.168.1.7";
    expect(&facts, "no-prack",
           "trunk carrier requires 100rel and never sent the PRACK for our ringing; its Contact names the private "
           "address 192.168.1.7");
}

static void a_lost_connection(void **state)
{
    struct cause_facts facts = talked();

    facts.in.trouble = LEG_LOST;
    expect(&facts, "connection-lost",
           "alice's browser lost its connection and did not come back within 30 s (`sip.reconnect`)");
    facts = talked();
    facts.out.trouble = LEG_FORGOT_CALL;
    facts.why = "the session timer ran out";
    expect(&facts, "call-forgotten", "trunk carrier does not know the call any more: the session timer ran out");
}

static void browser_media(void **state)
{
    struct cause_facts facts = talked();

    facts.in.is_checked = facts.in.is_ready = false;
    facts.in.packets_in = 0;
    expect(
        &facts, "ice-never",
        "alice's browser never reached us with an ICE check: it was told UDP 203.0.113.10:10000; is that blocked, or "
        "`media.advertise` wrong?");
    facts.in.is_checked = true;
    facts.in.trouble = LEG_MEDIA_FAILED;
    facts.in.media_why = "wrong fingerprint";
    expect(&facts, "dtls-failed", "alice's browser and we could not agree on keys: wrong fingerprint");
    facts.in.is_ready = true;
    facts.in.media_why = "no ICE check for 30 s";
    expect(&facts, "ice-lost", "alice's browser dropped out of the media: no ICE check for 30 s");
    facts.in.trouble = LEG_FINE;
    expect(
        &facts, "no-rtp",
        "alice's browser sent no RTP: its media path works, so the page sends no sound (microphone refused or muted?)");
}

static void trunk_media(void **state)
{
    struct cause_facts facts = talked();

    facts.out.packets_in = 0;
    expect(
        &facts, "no-rtp",
        "trunk carrier sent no RTP: it was told UDP 203.0.113.10:20000; is that blocked, or `media.advertise` wrong?");
    facts.out.is_media_private = true;
    facts.out.media_host = "10.0.0.9";
    expect(&facts, "no-rtp",
           "trunk carrier sent no RTP; its SDP names the private address 10.0.0.9: NAT without a helper?");
    facts.out.unknown_payload = 2999;
    expect(&facts, "unknown-payload",
           "trunk carrier sends payload types that were not agreed (2999 packets dropped); agreed: PCMA");
    facts.out.expects_rtp = false; /* on hold */
    expect(&facts, "", "");
}

static void rtp_that_stops(void **state)
{
    struct cause_facts facts = talked();

    facts.end = CAUSE_BY_GATEWAY;
    facts.why = "no RTP came from +49123456 for 60 s";
    facts.out.silent_s = 60;
    expect(&facts, "rtp-stopped",
           "trunk carrier sent RTP until 60 s before the end, and then nothing: was its BYE lost on the way?");
    facts.out.silent_s = 0;
    expect(&facts, "ended-here", "no RTP came from +49123456 for 60 s");
}

static void the_longest_duration(void **state)
{
    struct cause_facts facts = talked();

    facts.end = CAUSE_BY_GATEWAY;
    facts.talk_s = 14400;
    expect(&facts, "max-duration", "the call reached its longest duration, 14400 s (`max_duration`)");
}

static void loss(void **state)
{
    struct cause_facts facts = talked();

    facts.out.lost_in = 299; /* of 3299: 9% */
    expect(&facts, "", "");
    facts.out.lost_in = 600;
    expect(&facts, "loss", "trunk carrier was hard to understand: 16% of its packets were lost on the way");
}

static void ids_are_unique(void **state)
{
    unsigned count = 0;

    for (; cause_id(count); count++)
        for (unsigned i = 0; i < count; i++)
            assert_string_not_equal(cause_id(i), cause_id(count));
    assert_true(count >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_call_has_no_cause),
        cmocka_unit_test(a_short_talk_proves_nothing_about_media),
        cmocka_unit_test(routing),
        cmocka_unit_test(the_trunk_cannot_be_had),
        cmocka_unit_test(credentials),
        cmocka_unit_test(refusals),
        cmocka_unit_test(the_caller_gave_up),
        cmocka_unit_test(nobody_answered),
        cmocka_unit_test(no_codec_in_common),
        cmocka_unit_test(a_lost_ack),
        cmocka_unit_test(a_lost_prack),
        cmocka_unit_test(a_lost_connection),
        cmocka_unit_test(browser_media),
        cmocka_unit_test(trunk_media),
        cmocka_unit_test(rtp_that_stops),
        cmocka_unit_test(the_longest_duration),
        cmocka_unit_test(loss),
        cmocka_unit_test(ids_are_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
