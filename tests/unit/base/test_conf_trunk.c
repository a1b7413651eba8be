/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of trunks and routes that have a grammar of their own. */
#include "conf_case.h"

#include "../oom.h"

static const char trunk[] = "trunks:\n"
                            "  - name: a\n"
                            "    uri: \"sip:a\"\n"
                            "    failover: [404, 486 - 487, 500-599]\n"
                            "    early_media: ignore\n"
                            "    identity: [ppi, rpid]\n"
                            "    diversion: history\n"
                            "    headers_add: [\"X-Account :  acme: 1 \", \"User-Agent: acme\"]\n"
                            "    headers_pass: [X-Ref, Subject]\n"
                            "    headers_remove: [User-Agent, Allow]\n"
                            "    numbers_in: [\"^0([1-9].*)$ => +49\\\\1\", \"^(.)(.)$=>\\\\2\\\\1\"]\n"
                            "    numbers_out: [\"^\\\\+ => 00\"]\n"
                            "    callers_in: [\"^$ => unknown\"]\n"
                            "    callers_out: [\".* => 100\"]\n"
                            "  - {name: b, uri: \"sip:b\"}\n"
                            "routes:\n"
                            "  - {to: \"^1\", trunks: [a/1/70, b/1/0]}\n"
                            "  - {to: \"^2\", trunks: [b, a]}\n"
                            "  - {to: \"^3\", trunks: [b/2]}\n";

static void test_rules_and_codes_are_read(void **state)
{
    struct conf *conf = parse_ok(trunk);
    const struct conf_trunk *a = &conf->trunks[0], *b = &conf->trunks[1];

    assert_int_equal(a->failover.count, 3);
    assert_int_equal(a->failover.items[0].to, 404);
    assert_int_equal(a->failover.items[1].from, 486);
    assert_int_equal(a->failover.items[1].to, 487);
    assert_true(a->ignores_early_media);
    assert_int_equal(a->numbers_in.count, 2);
    assert_string_equal(a->numbers_in.items[0].replacement, "+49\\1");
    assert_string_equal(a->numbers_in.items[1].replacement, "\\2\\1");
    assert_int_equal(regexec(&a->numbers_out.items[0].regex, "+1", 0, NULL, 0), 0);
    assert_string_equal(a->callers_in.items[0].replacement, "unknown");
    assert_string_equal(a->callers_out.items[0].replacement, "100");
    assert_int_equal(b->failover.count, 3);
    assert_int_equal(b->failover.items[2].from, 502);
    assert_int_equal(b->failover.items[2].to, 504);
    assert_int_equal(b->numbers_in.count, 0);
    assert_false(b->ignores_early_media);
    conf_unref(conf);
}

static void test_trunks_of_a_route_have_ranks(void **state)
{
    struct conf *conf = parse_ok(trunk);
    const struct conf_route *routes = conf->routes;

    assert_string_equal(routes[0].trunks.items[0], "a");
    assert_int_equal(routes[0].ranks[0].priority, 1);
    assert_int_equal(routes[0].ranks[0].weight, 70);
    assert_int_equal(routes[0].ranks[1].weight, 0);
    assert_string_equal(routes[1].trunks.items[1], "a");
    assert_int_equal(routes[1].ranks[0].priority, 0);
    assert_int_equal(routes[1].ranks[1].priority, 1);
    assert_int_equal(routes[2].ranks[0].priority, 2);
    assert_int_equal(routes[2].ranks[0].weight, 1);
    conf_unref(conf);
}

static void test_wrong_ranks_are_refused(void **state)
{
    refuse("trunks: [{name: a, uri: \"sip:a\"}, {name: b, uri: \"sip:b\"}]\nroutes:\n"
           "  - {trunks: [a/1, b]}\n  - {trunks: [a/x]}\n  - {trunks: [a/1/70000]}\n  - {trunks: [c/1]}\n"
           "  - {trunks: [/1]}\n  - {trunks: [a/1/2/3]}\n",
           "t:4: routes[1].trunks: \"a/x\" is not NAME/PRIORITY/WEIGHT with numbers up to 65535\n"
           "t:5: routes[2].trunks: \"a/1/70000\" is not NAME/PRIORITY/WEIGHT with numbers up to 65535\n"
           "t:7: routes[4].trunks: has an empty item\n"
           "t:8: routes[5].trunks: \"a/1/2/3\" is not NAME/PRIORITY/WEIGHT with numbers up to 65535\n"
           "t:3: routes[0].trunks: give each trunk a priority, or none\n"
           "t:4: routes[1]: needs exactly one of trunks, account and plugin\n"
           "t:5: routes[2]: needs exactly one of trunks, account and plugin\n"
           "t:6: routes[3].trunks: there is no trunk \"c\"\n"
           "t:7: routes[4]: needs exactly one of trunks, account and plugin\n"
           "t:8: routes[5]: needs exactly one of trunks, account and plugin\n");
}

static void test_codes_of_success_and_of_everywhere_do_not_fail_over(void **state)
{
    refuse("trunks:\n  - {name: a, uri: \"sip:a\", failover: [200, 503]}\n"
           "  - {name: b, uri: \"sip:b\", failover: [503-603]}\n  - {name: c, uri: \"sip:c\", failover: [5xx]}\n"
           "  - {name: d, uri: \"sip:d\", failover: [599-500]}\n",
           "t:2: trunks[0].failover: 200 is not within 400-599\n"
           "t:3: trunks[1].failover: 503-603 is not within 400-599\n"
           "t:4: trunks[2].failover: \"5xx\" is neither a code nor CODE-CODE\n"
           "t:5: trunks[3].failover: 599-500 is not within 400-599\n");
}

static void test_wrong_rules_are_refused(void **state)
{
    refuse("trunks:\n  - name: a\n    uri: \"sip:a\"\n    numbers_in:\n      - \"^0 -> 1\"\n      - \"=> 1\"\n"
           "      - \"^0 =>\"\n      - \"( => 1\"\n      - \"^(0) => \\\\2\"\n      - \"(a{200}){200} => 1\"\n"
           "      - \"^0 => 1\\\\\"\n      - \"^0 => \\\\n\"\n",
           "t:5: trunks[0].numbers_in: \"^0 -> 1\" is not PATTERN => REPLACEMENT\n"
           "t:6: trunks[0].numbers_in: \"=> 1\" lacks a pattern\n"
           "t:7: trunks[0].numbers_in: \"^0 =>\" lacks a replacement\n"
           "t:8: trunks[0].numbers_in: is not a POSIX extended expression: Unmatched ( or \\(\n"
           "t:9: trunks[0].numbers_in: \\2: the pattern has only 1 groups\n"
           "t:10: trunks[0].numbers_in: has too many repetitions\n"
           "t:11: trunks[0].numbers_in: a \\ must be followed by 1 to 9\n"
           "t:12: trunks[0].numbers_in: a \\ must be followed by 1 to 9\n");
}

static void test_headers_of_a_trunk_are_read(void **state)
{
    struct conf *conf = parse_ok(trunk);
    const struct conf_trunk *a = &conf->trunks[0], *b = &conf->trunks[1];

    assert_int_equal(a->identity, CONF_PPI | CONF_RPID);
    assert_int_equal(a->diversion, CONF_DIVERSION_HISTORY);
    assert_string_equal(a->headers_add.items[0], "X-Account: acme: 1");
    assert_string_equal(a->headers_pass.items[1], "Subject");
    assert_int_equal(a->headers_remove.count, 2);
    assert_int_equal(b->identity, CONF_PAI);
    assert_int_equal(b->diversion, CONF_DIVERSION_PASS);
    assert_int_equal(b->headers_add.count + b->headers_pass.count + b->headers_remove.count, 0);
    conf_unref(conf);
}

static void test_headers_of_the_gateway_are_not_the_operators(void **state)
{
    refuse("trunks:\n  - name: a\n    uri: \"sip:a\"\n    headers_add:\n      - \"Via: x\"\n      - \"cseq: 1\"\n"
           "      - \"X-A\"\n      - \"X A: 1\"\n      - \"v: x\"\n      - \"Privacy: id\"\n      - \"X-A: a\\r\\nVia: "
           "x\"\n"
           "      - \"X-A:\"\n      - \"Allow: INVITE\"\n    headers_pass: [Authorization, Contact, X-B]\n"
           "    headers_remove: [Content-Length, Supported]\n    identity: [pai, from-only]\n",
           "t:5: trunks[0].headers_add: Via is the gateway's to write\n"
           "t:6: trunks[0].headers_add: cseq is the gateway's to write\n"
           "t:7: trunks[0].headers_add: \"X-A\" is not NAME: VALUE of at most 512 bytes\n"
           "t:8: trunks[0].headers_add: \"X A\" is not the name of a header\n"
           "t:9: trunks[0].headers_add: \"v\" is a short form: write the whole name\n"
           "t:10: trunks[0].headers_add: Privacy has keys of its own: identity, caller_id, diversion\n"
           "t:11: trunks[0].headers_add: contains a control character\n"
           "t:12: trunks[0].headers_add: \"X-A:\" is not NAME: VALUE of at most 512 bytes\n"
           "t:13: trunks[0].headers_add: Allow is the gateway's to write\n"
           "t:14: trunks[0].headers_pass: Authorization is the gateway's to write\n"
           "t:14: trunks[0].headers_pass: Contact is the gateway's to write\n"
           "t:15: trunks[0].headers_remove: Content-Length is the gateway's to write\n"
           "t:2: trunks[0].identity: from-only stands alone\n");
}

static void test_tls_of_a_trunk_is_read(void **state)
{
    struct conf *conf = parse_ok("sip: {tls_min: 1.3}\ntrunks:\n  - {name: a, uri: \"sip:a\", certificate: c.pem, key: "
                                 "k.pem, ca: ca.pem, verify: false}\n  - {name: b, uri: \"sip:b\"}\n");

    assert_true(conf->sip.is_tls_modern);
    assert_string_equal(conf->trunks[0].certificate, "c.pem");
    assert_string_equal(conf->trunks[0].key, "k.pem");
    assert_string_equal(conf->trunks[0].ca, "ca.pem");
    assert_false(conf->trunks[0].verifies);
    assert_true(conf->trunks[1].verifies);
    conf_unref(conf);
    refuse("sip: {tls_min: 1.1}\ntrunks:\n  - {name: a, uri: \"sip:a\", certificate: c}\n  - {name: b, uri: \"sip:b\", "
           "key: k}\n",
           "t:1: sip.tls_min: \"1.1\" is none of 1.2|1.3\n"
           "t:3: trunks[0].certificate: needs a key beside it\n"
           "t:4: trunks[1].key: needs a certificate beside it\n");
}

/* Who is asked for the password of name@domain must be one. */
static void test_a_registrar_is_one_trunks_and_not_our_own_domain(void **state)
{
    struct conf *conf =
        parse_ok("domain: example.com\ntrunks:\n  - {name: a, uri: \"sip:a\", registrar: pbx.example.com, "
                 "max_users: 5}\n  - {name: b, uri: \"sip:b\", registrar: pbx2.example.com}\n");

    assert_string_equal(conf->trunks[0].registrar, "pbx.example.com");
    assert_int_equal(conf->trunks[0].max_users, 5);
    assert_int_equal(conf->trunks[1].max_users, 10000);
    conf_unref(conf);
    refuse("domain: example.com\ntrunks:\n  - {name: a, uri: \"sip:a\", registrar: Example.com}\n"
           "  - {name: b, uri: \"sip:b\", registrar: pbx.net}\n  - {name: c, uri: \"sip:c\", registrar: PBX.net}\n",
           "t:3: trunks[0].registrar: is the gateway's own domain\n"
           "t:5: trunks[2].registrar: \"PBX.net\" stands twice\n");
}

static int parse_trunk(void *arg)
{
    struct conf *conf = NULL;
    struct text fixed;
    char buf[512];
    int err;

    text_init_fixed(&fixed, buf, sizeof(buf));
    err = conf_parse(&conf, "t", span_of(trunk), &fixed);
    if (!err)
        conf_unref(conf);
    return err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    assert_true(oom_run(parse_trunk, NULL) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rules_and_codes_are_read),
        TEST(test_trunks_of_a_route_have_ranks),
        TEST(test_wrong_ranks_are_refused),
        TEST(test_codes_of_success_and_of_everywhere_do_not_fail_over),
        TEST(test_wrong_rules_are_refused),
        TEST(test_headers_of_a_trunk_are_read),
        TEST(test_headers_of_the_gateway_are_not_the_operators),
        TEST(test_tls_of_a_trunk_is_read),
        TEST(test_a_registrar_is_one_trunks_and_not_our_own_domain),
        TEST(test_no_memory_is_an_error_that_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
