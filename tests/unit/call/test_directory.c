/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts by name and number, trunks by name and source address. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../oom.h"
#include "base/mem.h"
#include "call/directory.h"

static struct conf *conf;
static struct directory *directory;

static int setup(void **state)
{
    struct text errors;

    text_init(&errors, 10000);
    if (conf_parse(
            &conf, "t",
            SPAN("accounts:\n"
                 "  - {name: alice, password: a, numbers: [\"+12025550123\", \"100\"]}\n"
                 "  - {name: bob, password: b, numbers: [\"200\"]}\n"
                 "trunks:\n"
                 "  - {name: plain, uri: \"sip:192.0.2.1\", accept: [\"203.0.113.0/24\", \"2001:db8::/32\"]}\n"
                 "  - {name: tcp, uri: \"sip:carrier.example.com:5070;transport=tcp\", accept: [\"198.51.100.9\"]}\n"
                 "  - {name: secure, uri: \"sips:carrier.example.com\", accept: [\"203.0.113.7\"]}\n"
                 "  - {name: v6, uri: \"sip:[2001:db9::1]\"}\n"
                 "  - {name: one, uri: \"sip:192.0.2.50\", register: true, username: \"1 a\", password: x}\n"
                 "  - {name: two, uri: \"sip:192.0.2.50\", register: true, username: acme, password: x}\n"
                 "  - {name: three, uri: \"sip:192.0.2.50:5090\"}\n"
                 "  - {name: four, uri: \"sip:192.0.2.51\", register: true, username: acme, password: x}\n"),
            &errors))
        fail_msg("%s", errors.data);
    text_free(&errors);
    return directory_new(&directory, conf);
}

static int teardown(void **state)
{
    mem_unref(directory);
    conf_unref(conf);
    return 0;
}

static const char *trunk_from(const char *host)
{
    const struct trunk *trunk;
    struct addr source;

    assert_int_equal(addr_parse(&source, span_of(host), 5060), 0);
    trunk = directory_trunk_from(directory, &source);
    return trunk ? trunk->conf->name : "";
}

static void test_accounts_are_found_by_name_exactly(void **state)
{
    assert_string_equal(directory_account(directory, SPAN("alice"))->name, "alice");
    assert_null(directory_account(directory, SPAN("Alice")));
    assert_null(directory_account(directory, SPAN("alic")));
    assert_null(directory_account(directory, SPAN("100")));
    assert_null(directory_account(directory, SPAN_NULL));
}

static void test_accounts_are_called_by_name_or_number_with_or_without_plus(void **state)
{
    assert_string_equal(directory_account_called(directory, SPAN("bob"))->name, "bob");
    assert_string_equal(directory_account_called(directory, SPAN("+12025550123"))->name, "alice");
    assert_string_equal(directory_account_called(directory, SPAN("12025550123"))->name, "alice");
    assert_string_equal(directory_account_called(directory, SPAN("+200"))->name, "bob");
    assert_null(directory_account_called(directory, SPAN("++200")));
    assert_null(directory_account_called(directory, SPAN("+")));
    assert_null(directory_account_called(directory, SPAN("2025550123")));
}

static void test_a_trunk_is_known_by_its_accept_list_or_its_own_address(void **state)
{
    assert_string_equal(trunk_from("203.0.113.200"), "plain");
    assert_string_equal(trunk_from("192.0.2.1"), "plain"); /* where we send to may call */
    assert_string_equal(trunk_from("198.51.100.9"), "tcp");
    assert_string_equal(trunk_from("203.0.113.7"), "plain"); /* the first one that accepts */
    assert_string_equal(trunk_from("2001:db8::77"), "plain");
    assert_string_equal(trunk_from("2001:db9::1"), "v6");
}

static const char *trunk_called(const char *source_text, const char *uri_text)
{
    struct addr source;
    struct uri uri;

    assert_int_equal(addr_parse(&source, span_of(source_text), 5060), 0);
    assert_int_equal(uri_parse(&uri, span_of(uri_text)), 0);
    return directory_trunk_called(directory, &source, &uri)->conf->name;
}

static void test_the_registration_that_is_called_says_which_trunk_it_is(void **state)
{
    char called[128];

    assert_string_equal(trunk_called("192.0.2.50", "sip:acme@10.0.0.1"), "two");
    assert_string_equal(trunk_called("192.0.2.50", "sip:1%20a@10.0.0.1"), "one");
    assert_string_equal(trunk_called("192.0.2.50", "sip:+12025550123@10.0.0.1"), "one"); /* nobody's: the first */
    snprintf(called, sizeof(called), "sip:+12025550123@10.0.0.1%s",
             directory_trunk(directory, SPAN("two"))->contact_param);
    assert_string_equal(trunk_called("192.0.2.50", called), "two");
    snprintf(called, sizeof(called), "sip:acme@10.0.0.1%s", directory_trunk(directory, SPAN("one"))->contact_param);
    assert_string_equal(trunk_called("192.0.2.50", called), "one");
    assert_string_equal(trunk_called("192.0.2.51", "sip:acme@10.0.0.1"), "four"); /* never another address's */
}

static void test_only_trunks_that_share_a_registrar_need_a_line(void **state)
{
    const char *one = directory_trunk(directory, SPAN("one"))->contact_param;

    assert_int_equal(strncmp(one, ";line=", 6), 0);
    assert_string_not_equal(one, directory_trunk(directory, SPAN("two"))->contact_param);
    assert_string_equal(directory_trunk(directory, SPAN("three"))->contact_param, "");
    assert_string_equal(directory_trunk(directory, SPAN("four"))->contact_param, "");
}

static void test_trunks_of_one_host_are_told_apart_by_their_port(void **state)
{
    struct addr source;

    assert_int_equal(addr_parse(&source, SPAN("192.0.2.50"), 5090), 0);
    assert_string_equal(directory_trunk_from(directory, &source)->conf->name, "three");
    assert_int_equal(addr_parse(&source, SPAN("192.0.2.50"), 7777), 0);
    assert_string_equal(directory_trunk_from(directory, &source)->conf->name, "one");
}

static void test_anybody_else_is_a_stranger(void **state)
{
    assert_string_equal(trunk_from("203.0.114.1"), "");
    assert_string_equal(trunk_from("198.51.100.10"), "");
    assert_string_equal(trunk_from("127.0.0.1"), "");
    assert_string_equal(trunk_from("2001:db9::2"), "");
}

static void test_an_ipv4_mapped_source_is_its_ipv4_address(void **state)
{
    assert_string_equal(trunk_from("::ffff:198.51.100.9"), "tcp");
}

static void test_transport_and_port_come_from_the_uri(void **state)
{
    const struct trunk *trunk = directory_trunk(directory, SPAN("plain"));

    assert_int_equal(trunk->transport, SIP_UDP);
    assert_int_equal(trunk->port, 5060);
    trunk = directory_trunk(directory, SPAN("tcp"));
    assert_int_equal(trunk->transport, SIP_TCP);
    assert_int_equal(trunk->port, 5070);
    assert_string_equal(trunk->host, "carrier.example.com");
    trunk = directory_trunk(directory, SPAN("secure"));
    assert_int_equal(trunk->transport, SIP_TLS);
    assert_int_equal(trunk->port, 5061);
    assert_null(directory_trunk(directory, SPAN("nobody")));
}

static int make(void *arg)
{
    struct directory *made;
    int err = directory_new(&made, conf);

    if (!err)
        mem_unref(made);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    assert_true(oom_run(make, NULL) > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts_are_found_by_name_exactly),
        cmocka_unit_test(test_accounts_are_called_by_name_or_number_with_or_without_plus),
        cmocka_unit_test(test_a_trunk_is_known_by_its_accept_list_or_its_own_address),
        cmocka_unit_test(test_the_registration_that_is_called_says_which_trunk_it_is),
        cmocka_unit_test(test_only_trunks_that_share_a_registrar_need_a_line),
        cmocka_unit_test(test_trunks_of_one_host_are_told_apart_by_their_port),
        cmocka_unit_test(test_anybody_else_is_a_stranger),
        cmocka_unit_test(test_an_ipv4_mapped_source_is_its_ipv4_address),
        cmocka_unit_test(test_transport_and_port_come_from_the_uri),
        cmocka_unit_test(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
