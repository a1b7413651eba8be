/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/via.h"

static struct via parse_one(const char *text)
{
    struct span rest = span_of(text);
    struct via via;

    if (via_next(&via, &rest) != 1)
        fail_msg("%s is refused", text);
    assert_int_equal(rest.n, 0);
    return via;
}

static void test_all_parts_are_found_between_blanks(void **state)
{
    struct via via =
        parse_one("SIP  /   2.0 / UDP   192.0.2.2 : 5070 ; branch =  z9hG4bKx;ttl=5;rport ; received=192.0.2.9");

    assert_span_equal(via.transport, "UDP");
    assert_span_equal(via.host, "192.0.2.2");
    assert_int_equal(via.port, 5070);
    assert_span_equal(via.branch, "z9hG4bKx");
    assert_true(via.has_rport);
    assert_int_equal(via.rport, 0);
    assert_span_equal(via.received, "192.0.2.9");
}

static void test_received_is_read_with_and_without_brackets(void **state)
{
    struct via bare = parse_one("SIP/2.0/UDP [2001:db8::10]:5060;branch=b;received=2001:db8::9:255;rport=5060");
    struct via bracketed = parse_one("SIP/2.0/UDP [2001:db8::10]:5060;branch=b;received=[2001:db8::9:255];rport=5060");
    struct via spaced = parse_one("SIP/2.0/UDP [2001:DB8:0::10]:5060 ;branch=b");

    assert_span_equal(bare.received, "2001:db8::9:255");
    assert_span_equal(bracketed.received, "2001:db8::9:255");
    assert_int_equal(bare.rport, 5060);
    assert_span_equal(spaced.host, "2001:DB8:0::10");
    assert_span_equal(spaced.branch, "b");
}

static void test_any_transport_is_read(void **state)
{
    assert_span_equal(parse_one("SIP/2.0/TLS-SCTP t1.example.com;branch=x").transport, "TLS-SCTP");
    assert_span_equal(parse_one("SIP/2.0/WSS df7jal23ls0d.invalid;branch=x").host, "df7jal23ls0d.invalid");
    assert_false(parse_one("SIP/2.0/UDP h").has_rport);
}

static void test_a_list_gives_one_value_after_the_other(void **state)
{
    struct span rest = SPAN("SIP/2.0/UDP a;x=\"p,q\";branch=1, SIP/2.0/TCP b:5061;branch=2");
    struct via via;

    assert_int_equal(via_next(&via, &rest), 1);
    assert_span_equal(via.branch, "1");
    assert_int_equal(via_next(&via, &rest), 1);
    assert_span_equal(via.branch, "2");
    assert_int_equal(via.port, 5061);
    assert_int_equal(via_next(&via, &rest), 0);
}

static void test_what_the_grammar_forbids_is_refused(void **state)
{
    static const char *const bad[] = {"x",
                                      "SIP/2.0",
                                      "SIP/2.0/UDP",
                                      "SIP/2.0/UDP ",
                                      "SIP/2.0/UDPhost",
                                      "/2.0/UDP h",
                                      "SIP/2.0/UDP [::1",
                                      "SIP/2.0/UDP [fe80::1%25eth0]",
                                      "SIP/2.0/UDP h:x",
                                      "SIP/2.0/UDP h:70000",
                                      "SIP/2.0/UDP h i",
                                      "SIP/2.0/UDP h;branch=\"",
                                      "; x",
                                      "SIP/2.0/UDP h;rport=x",
                                      "SIP/2.0/UDP h;rport=65536",
                                      ",",
                                      "SIP/2.0/UDP 2001:db8::1"};
    struct via via;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct span rest = span_of(bad[i]);

        if (via_next(&via, &rest) != -EBADMSG)
            fail_msg("%s is taken", bad[i]);
    }
}

static void test_no_prefix_is_read_past_its_end(void **state)
{
    static const char text[] =
        "SIP/2.0/UDP [2001:db8::10]:5060;branch=z9;received=[2001:db8::9];rport=5060;x=\"q\", SIP";

    for (size_t n = 0; n < sizeof(text); n++) {
        char *exact = malloc(n ? n : 1);
        struct span rest = span_make(exact, n);
        struct via via;

        assert_non_null(exact);
        memcpy(exact, text, n);
        while (via_next(&via, &rest) == 1)
            ;
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_parts_are_found_between_blanks),
        cmocka_unit_test(test_received_is_read_with_and_without_brackets),
        cmocka_unit_test(test_any_transport_is_read),
        cmocka_unit_test(test_a_list_gives_one_value_after_the_other),
        cmocka_unit_test(test_what_the_grammar_forbids_is_refused),
        cmocka_unit_test(test_no_prefix_is_read_past_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
