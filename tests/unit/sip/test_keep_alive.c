/* SPDX-License-Identifier: Apache-2.0 */
/* Keep-alives: ours are spread over their interval, theirs are answered to whom we know. RFC 5626 4.4, RFC 8489. */
#include "sip_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/keep_alive.h"
#include "sip/keep_stun.h"

static struct sip_flow flow_to(unsigned host, unsigned port)
{
    struct sip_flow flow = rig.udp;
    char text[ADDR_TEXT_MAX];

    snprintf(text, sizeof(text), "198.51.%u.%u", host / 256, host % 256);
    assert_int_equal(addr_parse(&flow.remote, span_of(text), (uint16_t)port), 0);
    return flow;
}

/* What was sent since the last look. */
static unsigned sent(void)
{
    unsigned count = rig_unseen();

    rig_forget();
    return count;
}

/* The same, of pings that went round the 200 of them, one after the other. @param begin how many before */
static unsigned sent_in_turn(unsigned begin)
{
    struct rig_sent *one;
    unsigned count = 0;

    while ((one = rig_next())) {
        struct sip_flow flow = flow_to((begin + count++) % 200, 5060);

        assert_true(addr_eq(&one->flow.remote, &flow.remote));
    }
    rig_forget();
    return count;
}

static void test_pings_are_spread_over_the_interval(void **state)
{
    unsigned total = 0;

    for (unsigned i = 0; i < 200; i++) { /* all at once, as after a power cut */
        struct sip_flow flow = flow_to(i, 5060);

        keep_alive_put(rig.stack, &flow, 3600000, true, true);
    }
    for (unsigned s = 0; s < 25; s++) {
        unsigned count;

        rig_advance(1000);
        count = sent_in_turn(total);
        assert_in_range(count, 7, 9); /* 200 in 25 s */
        total += count;
    }
    assert_in_range(total, 199, 200);
    rig_advance(25000);
    assert_in_range(sent_in_turn(total), 199, 201);
}

static void test_two_accounts_on_one_phone_keep_it_until_both_are_gone(void **state)
{
    struct sip_flow flow = flow_to(1, 5060), other = flow_to(1, 5062);

    keep_alive_put(rig.stack, &flow, 3600000, true, true);
    keep_alive_put(rig.stack, &flow, 3600000, true, false);
    keep_alive_put(rig.stack, &flow, 3600000, false, true); /* refreshed */
    keep_alive_drop(rig.stack, &flow);
    keep_alive_drop(rig.stack, &other); /* nobody there */
    rig_advance(50100);
    assert_int_equal(sent(), 2);
    keep_alive_drop(rig.stack, &flow);
    rig_advance(100000);
    assert_int_equal(sent(), 0);
}

static void test_a_double_crlf_is_answered_on_a_registered_udp_flow(void **state)
{
    struct sip_flow flow = flow_to(1, 5060), stranger = flow_to(2, 5060);
    char ping[] = "\r\n\r\n", lone[] = "\r\n", zero[] = "";

    keep_alive_put(rig.stack, &flow, 3600000, true, false);
    sip_receive(rig.stack, &stranger, SPAN_NULL, ping, 4);
    sip_receive(rig.stack, &flow, SPAN_NULL, lone, 2);
    sip_receive(rig.stack, &flow, SPAN_NULL, zero, 1);
    rig_expect_nothing();
    sip_receive(rig.stack, &flow, SPAN_NULL, ping, 4);
    assert_string_equal(rig_next()->bytes, "\r\n");
    rig_expect_nothing();
}

static const uint8_t request[] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void test_stun_is_answered_with_the_address_that_is_seen(void **state)
{
    static const uint8_t answer[] = {1, 1,  0,           12,          0x21,       0x12,      0xa4,     0x42,
                                     1, 2,  3,           4,           5,          6,         7,        8,
                                     9, 10, 11,          12,          0,          0x20,      0,        8,
                                     0, 1,  0x13 ^ 0x21, 0xc4 ^ 0x12, 198 ^ 0x21, 51 ^ 0x12, 0 ^ 0xa4, 7 ^ 0x42};
    struct sip_flow flow = flow_to(7, 5060);
    uint8_t out[KEEP_STUN_MAX];

    assert_int_equal(keep_stun_answer(out, request, sizeof(request), &flow.remote), sizeof(answer));
    assert_memory_equal(out, answer, sizeof(answer));
}

static void test_what_is_no_binding_request_is_not_answered(void **state)
{
    struct sip_flow flow = flow_to(7, 5060);
    uint8_t bytes[sizeof(request) + 8], out[KEEP_STUN_MAX];

    for (size_t n = 0; n < sizeof(request); n++)
        assert_int_equal(keep_stun_answer(out, request, n, &flow.remote), -EBADMSG);
    for (unsigned type = 0; type < 0x4000; type++) {
        memcpy(bytes, request, sizeof(request));
        bytes[0] = (uint8_t)(type >> 8);
        bytes[1] = (uint8_t)type;
        if (type != 1)
            assert_int_equal(keep_stun_answer(out, bytes, sizeof(request), &flow.remote), -EBADMSG);
    }
    memcpy(bytes, request, sizeof(request));
    memcpy(bytes + sizeof(request), "\x70\x01\x00\x04wish", 8); /* comprehension required, and not known */
    bytes[3] = 8;
    assert_int_equal(keep_stun_answer(out, bytes, sizeof(bytes), &flow.remote), -EBADMSG);
    bytes[sizeof(request)] = 0x80; /* optional */
    bytes[sizeof(request) + 1] = 0x22;
    assert_true(keep_stun_answer(out, bytes, sizeof(bytes), &flow.remote) > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_pings_are_spread_over_the_interval),
        T(test_two_accounts_on_one_phone_keep_it_until_both_are_gone),
        T(test_a_double_crlf_is_answered_on_a_registered_udp_flow),
        T(test_stun_is_answered_with_the_address_that_is_seen),
        T(test_what_is_no_binding_request_is_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
