/* SPDX-License-Identifier: Apache-2.0 */
/* A registration of ours keeps RFC 3261 10.2: one Call-ID, rising CSeq, refreshed in time, no loops, taken back. */
#include "sip_rig.h"

#include <stdio.h>

#include "../oom.h"
#include "base/mem.h"
#include "base/rand.h"
#include "sip/digest.h"
#include "sip/register_out.h"

#define REALM "realm=\"carrier.example.com\""

static struct register_out *reg;
static struct {
    unsigned due_count, outcome_count, expires_s, retry_ms;
    enum register_out_state state;
    char why[160];
    bool has_no_flow;
    unsigned other_count; /* further registrars */
} seen;

static void on_due(struct register_out *out, void *arg)
{
    seen.due_count++;
    if (seen.has_no_flow)
        register_out_fail(out, "no way there");
    else
        register_out_send(out, &rig.udp, 0);
}

static void on_outcome(struct register_out *out, const struct register_out_news *news, void *arg)
{
    seen.outcome_count++;
    seen.state = news->state;
    seen.expires_s = news->expires_s;
    seen.retry_ms = news->retry_ms;
    snprintf(seen.why, sizeof(seen.why), "%s", news->why);
    if (news->state == REGISTER_OUT_ENDED)
        reg = mem_unref(reg);
}

static bool on_silent(struct register_out *out, void *arg)
{
    if (!seen.other_count)
        return false;
    seen.other_count--;
    register_out_send(out, &rig.tcp, seen.other_count ? 4000 : 0);
    return true;
}

static const struct register_out_user user = {.on_due = on_due, .on_outcome = on_outcome, .on_silent = on_silent};

static int make(struct register_out **regp)
{
    return register_out_new(regp, &(struct register_out_options){.stack = rig.stack,
                                                                 .registrar_uri = SPAN("sip:carrier.example.com"),
                                                                 .aor = SPAN("sip:acme@carrier.example.com"),
                                                                 .contact_user = SPAN("acme"),
                                                                 .username = "acme",
                                                                 .password = "secret",
                                                                 .user = &user});
}

static int setup(void **state)
{
    rig_setup(state);
    rand_set_test(7);
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(make(&reg), 0);
    return 0;
}

static int teardown(void **state)
{
    reg = mem_unref(reg);
    rand_set_test(0);
    return rig_teardown(state);
}

static struct rig_sent *expect_register(void)
{
    rig_advance(0);
    return rig_expect_request(SIP_REGISTER);
}

/* The next one, as soon as it leaves. */
static struct rig_sent *await_register(unsigned most_ms)
{
    for (unsigned i = 0; i < most_ms && !rig_unseen(); i++)
        rig_advance(1);
    return rig_expect_request(SIP_REGISTER);
}

static unsigned expires_of(const struct rig_sent *sent)
{
    uint32_t expires_s = 0;

    assert_int_equal(span_to_u32(sip_msg_value(&sent->msg, SIP_H_EXPIRES), UINT32_MAX, &expires_s), 0);
    return expires_s;
}

static void grant(const struct rig_sent *sent, unsigned expires_s)
{
    char more[200];

    snprintf(more, sizeof(more),
             "Contact: <sip:other@192.0.2.77>;expires=9\nContact: <sip:acme@" RIG_OURS ":5060>;expires=%u\n",
             expires_s);
    rig_respond(sent, 200, "r", more);
}

static void challenge(const struct rig_sent *sent, const char *nonce, const char *more)
{
    char line[300];

    snprintf(line, sizeof(line), "WWW-Authenticate: Digest " REALM ", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s\n",
             nonce, more);
    rig_respond(sent, 401, "r", line);
}

/* It has to carry credentials that are right, for this nonce and count. */
static void expect_proof(const struct rig_sent *sent, const char *nonce, unsigned nc)
{
    struct digest_secret secret = {
        .username = SPAN("acme"), .realm = SPAN("carrier.example.com"), .password = SPAN("secret")};
    struct digest_response response;

    assert_int_equal(digest_response_parse(&response, sip_msg_value(&sent->msg, SIP_H_AUTHORIZATION)), 0);
    assert_true(digest_verify(&response, &secret, SPAN("REGISTER")));
    assert_true(span_eq(response.nonce, span_of(nonce)));
    assert_true(span_eq(response.uri, sent->msg.request_uri));
    assert_int_equal(response.nc, nc);
}

static void test_the_refresh_comes_between_half_and_three_quarters_of_what_was_granted(void **state)
{
    struct rig_sent *first = expect_register(), *second;

    assert_true(span_eq(first->msg.request_uri, SPAN("sip:carrier.example.com")));
    assert_true(span_eq(first->msg.to.uri_text, SPAN("sip:acme@carrier.example.com")));
    assert_int_equal(expires_of(first), 3600);
    grant(first, 40);
    assert_int_equal(seen.state, REGISTER_OUT_REGISTERED);
    assert_int_equal(seen.expires_s, 40); /* our own contact's, not the other one's */
    rig_advance(19999);
    rig_expect_nothing();
    second = await_register(10001);
    assert_true(span_eq(second->msg.call_id, first->msg.call_id));
    assert_true(span_eq(second->msg.from_tag, first->msg.from_tag));
    assert_int_equal(second->msg.cseq, first->msg.cseq + 1);
    assert_int_equal(expires_of(second), 3600); /* the wish does not shrink */
    grant(second, 40);
}

static void test_a_challenge_is_answered_and_its_nonce_used_on_with_a_rising_count(void **state)
{
    struct rig_sent *sent = expect_register();
    uint32_t cseq = sent->msg.cseq;

    challenge(sent, "n1", "");
    sent = rig_expect_request(SIP_REGISTER);
    assert_int_equal(sent->msg.cseq, cseq + 1);
    expect_proof(sent, "n1", 1);
    grant(sent, 60);
    sent = await_register(45000);
    expect_proof(sent, "n1", 2);
    challenge(sent, "n2", ""); /* stale is forgotten by many: believed once, since it worked before */
    sent = rig_expect_request(SIP_REGISTER);
    expect_proof(sent, "n2", 1);
    challenge(sent, "n3", "");
    rig_expect_nothing();
    assert_int_equal(seen.state, REGISTER_OUT_FAILED);
}

static void test_wrong_credentials_are_one_failure_and_a_long_pause(void **state)
{
    challenge(expect_register(), "n1", "");
    challenge(rig_expect_request(SIP_REGISTER), "n2", ""); /* new, but not stale, and we were never let in */
    rig_expect_nothing();
    assert_int_equal(seen.state, REGISTER_OUT_FAILED);
    assert_string_equal(seen.why, "the registrar refused our credentials (401)");
    assert_in_range(seen.retry_ms, 30000, 60000);
    rig_advance(29999);
    rig_expect_nothing();
    await_register(30001);
}

static void test_stale_nonces_without_end_are_given_up(void **state)
{
    struct rig_sent *sent = expect_register();
    unsigned count = 0;
    char nonce[8];

    for (; sent && count < 20; count++) {
        snprintf(nonce, sizeof(nonce), "n%u", count);
        challenge(sent, nonce, ", stale=TRUE");
        sent = rig_next();
    }
    assert_int_equal(count, 4);
    assert_int_equal(seen.state, REGISTER_OUT_FAILED);
}

static void test_423_is_followed_once_and_the_longer_wish_stays(void **state)
{
    struct rig_sent *sent = expect_register();

    rig_respond(sent, 423, "r", "Min-Expires: 7200\n");
    sent = rig_expect_request(SIP_REGISTER);
    assert_int_equal(expires_of(sent), 7200);
    rig_respond(sent, 423, "r", "Min-Expires: 14400\n");
    rig_expect_nothing();
    assert_int_equal(seen.state, REGISTER_OUT_FAILED);
    assert_int_equal(expires_of(await_register(10000)), 14400);
}

static void test_423_without_a_usable_minimum_is_a_failure(void **state)
{
    static const char *const lines[] = {"", "Min-Expires: 60\n", "Min-Expires: x\n", "Min-Expires: 4294967295\n"};

    for (unsigned i = 0; i < 4; i++) {
        rig_respond(expect_register(), 423, "r", lines[i]);
        rig_expect_nothing();
        assert_int_equal(seen.state, REGISTER_OUT_FAILED);
        rig_advance(seen.retry_ms);
    }
}

static void test_pauses_double_up_to_a_limit_and_begin_anew_after_a_success(void **state)
{
    static const unsigned least_ms[] = {5000, 10000, 20000, 40000, 80000, 160000, 300000, 300000};

    for (unsigned i = 0; i < 8; i++) {
        rig_respond(expect_register(), 500, "r", NULL);
        assert_in_range(seen.retry_ms, least_ms[i], 2 * least_ms[i]);
        rig_advance(seen.retry_ms);
    }
    grant(expect_register(), 60);
    rig_respond(await_register(45000), 503, "r", "Retry-After: 120 (maintenance);duration=60\n");
    assert_int_equal(seen.retry_ms, 120000);
}

static void test_silence_and_no_way_there_are_failures_that_say_so(void **state)
{
    expect_register();
    rig_advance(32000);
    assert_string_equal(seen.why, "the registrar does not answer");
    rig_forget();
    seen.has_no_flow = true;
    rig_advance(seen.retry_ms);
    rig_expect_nothing();
    assert_string_equal(seen.why, "no way there");
}

static void test_a_binding_made_over_a_lost_connection_is_made_anew(void **state)
{
    grant(expect_register(), 3600);
    register_out_flow_lost(reg, &rig.tcp);
    rig_advance(10000);
    rig_expect_nothing();
    register_out_flow_lost(reg, &rig.udp);
    rig_advance(4999);
    rig_expect_nothing();
    grant(await_register(5001), 3600);
    assert_int_equal(seen.state, REGISTER_OUT_REGISTERED);
}

static void test_another_registrar_is_tried_before_it_is_a_failure(void **state)
{
    struct rig_sent *sent = expect_register();

    seen.other_count = 2;
    rig_respond(sent, 503, "r", NULL);
    sent = rig_expect_request(SIP_REGISTER);
    assert_true(sip_flow_same(&sent->flow, &rig.tcp));
    assert_int_equal(seen.outcome_count, 0);
    rig_advance(3999);
    rig_expect_nothing();
    rig_advance(1); /* not the 32 s of timer F while another one is left */
    sent = rig_expect_request(SIP_REGISTER);
    rig_advance(31999);
    assert_int_equal(seen.outcome_count, 0);
    rig_advance(1);
    assert_int_equal(seen.outcome_count, 1);
    assert_int_equal(seen.state, REGISTER_OUT_FAILED);
}

static void test_a_refusal_is_no_reason_to_ask_another_registrar(void **state)
{
    struct rig_sent *sent = expect_register();

    seen.other_count = 1;
    rig_respond(sent, 403, "r", NULL);
    rig_expect_nothing();
    assert_int_equal(seen.state, REGISTER_OUT_FAILED);
}

static void test_the_end_takes_the_binding_back_with_credentials_at_hand(void **state)
{
    struct rig_sent *sent = expect_register();

    challenge(sent, "n1", "");
    grant(rig_expect_request(SIP_REGISTER), 3600);
    register_out_end(reg);
    sent = rig_expect_request(SIP_REGISTER);
    assert_int_equal(expires_of(sent), 0);
    expect_proof(sent, "n1", 2);
    rig_respond(sent, 200, "r", NULL);
    assert_int_equal(seen.state, REGISTER_OUT_ENDED);
    assert_null(reg);
    rig_advance(100000);
    rig_expect_nothing();
}

static void test_the_end_comes_without_an_answer_and_without_a_beginning_too(void **state)
{
    expect_register();
    register_out_end(reg);
    assert_int_equal(expires_of(rig_expect_request(SIP_REGISTER)), 0);
    rig_advance(32000);
    assert_int_equal(seen.state, REGISTER_OUT_ENDED);
    rig_forget();
    assert_int_equal(make(&reg), 0);
    register_out_end(reg);
    assert_null(reg);
    rig_expect_nothing();
}

static int make_and_free(void *arg)
{
    struct register_out *one = NULL;
    int err = make(&one);

    mem_unref(one);
    return err;
}

static void test_out_of_memory_at_birth_leaves_nothing(void **state)
{
    oom_run(make_and_free, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_refresh_comes_between_half_and_three_quarters_of_what_was_granted),
        TEST(test_a_challenge_is_answered_and_its_nonce_used_on_with_a_rising_count),
        TEST(test_wrong_credentials_are_one_failure_and_a_long_pause),
        TEST(test_stale_nonces_without_end_are_given_up),
        TEST(test_423_is_followed_once_and_the_longer_wish_stays),
        TEST(test_423_without_a_usable_minimum_is_a_failure),
        TEST(test_pauses_double_up_to_a_limit_and_begin_anew_after_a_success),
        TEST(test_silence_and_no_way_there_are_failures_that_say_so),
        TEST(test_a_binding_made_over_a_lost_connection_is_made_anew),
        TEST(test_another_registrar_is_tried_before_it_is_a_failure),
        TEST(test_a_refusal_is_no_reason_to_ask_another_registrar),
        TEST(test_the_end_takes_the_binding_back_with_credentials_at_hand),
        TEST(test_the_end_comes_without_an_answer_and_without_a_beginning_too),
        TEST(test_out_of_memory_at_birth_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
