/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

#include <errno.h>

#include "net/addr.h"

static struct addr make(const char *host, uint16_t port)
{
    struct addr addr;

    assert_int_equal(addr_parse(&addr, span_of(host), port), 0);
    return addr;
}

static void test_numeric_hosts_are_read_and_written(void **state)
{
    static const struct {
        const char *host, *text;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1:5060"},
        {"2001:db8::1", "[2001:db8::1]:5060"},
        {"[2001:db8::1]", "[2001:db8::1]:5060"},
        {"::ffff:192.0.2.7", "192.0.2.7:5060"},
        {"0.0.0.0", "0.0.0.0:5060"},
        {"::", "[::]:5060"},
    };
    char buf[ADDR_TEXT_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct addr addr = make(cases[i].host, 5060);

        assert_string_equal(addr_text(&addr, buf), cases[i].text);
        assert_int_equal(addr_port(&addr), 5060);
    }
}

static void test_what_is_not_numeric_is_refused(void **state)
{
    static const char *const cases[] = {"",     "localhost",    "192.0.2",    "192.0.2.256", "[192.0.2.1]", "[::1",
                                        "::1]", "fe80::1%eth0", "192.0.2.1 ", "1.2.3.4.5",   ":::",         "[]"};
    struct addr addr;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(addr_parse(&addr, span_of(cases[i]), 1), -EINVAL);
    assert_int_equal(addr_parse(&addr, span_make("192.0.2.1\0x", 11), 1), -EINVAL);
    assert_int_equal(addr_parse(&addr, SPAN_NULL, 1), -EINVAL);
}

static void test_kinds_of_addresses_are_told_apart(void **state)
{
    static const char *const private[] = {"10.1.2.3",  "172.16.0.1",  "172.31.255.255", "192.168.1.1", "100.64.0.1",
                                          "127.0.0.1", "169.254.1.1", "fc00::1",        "fd12::1",     "fe80::1",
                                          "::1"};
    static const char *const public[] = {"172.15.0.1",  "172.32.0.1",  "192.169.0.1",
                                         "100.128.0.1", "203.0.113.1", "2001:db8::1"};

    for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++) {
        struct addr addr = make(private[i], 0);

        assert_true(addr_is_private(&addr));
    }
    for (size_t i = 0; i < sizeof(public) / sizeof(*public); i++) {
        struct addr addr = make(public[i], 0);

        assert_false(addr_is_private(&addr));
        assert_false(addr_is_any(&addr));
    }
}

static void test_keys_differ_by_host_port_and_family(void **state)
{
    struct addr addrs[] = {make("192.0.2.1", 1), make("192.0.2.1", 2), make("192.0.2.2", 1), make("2001:db8::1", 1)};
    char left_buf[ADDR_KEY_MAX], right_buf[ADDR_KEY_MAX];

    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            bool is_same = span_eq(addr_key(&addrs[i], left_buf), addr_key(&addrs[k], right_buf));

            assert_int_equal(is_same, i == k);
            assert_int_equal(addr_eq(&addrs[i], &addrs[k]), i == k);
        }
    assert_true(addr_same_host(&addrs[0], &addrs[1]));
}

static bool has(const char *network, const char *host)
{
    struct addr addr = make(host, 0);
    struct cidr cidr;

    assert_int_equal(cidr_parse(&cidr, span_of(network)), 0);
    return cidr_has(&cidr, &addr);
}

static void test_networks_hold_what_their_bits_say(void **state)
{
    struct cidr cidr;

    assert_true(has("203.0.113.0/24", "203.0.113.255"));
    assert_false(has("203.0.113.0/24", "203.0.114.0"));
    assert_true(has("203.0.113.128/25", "203.0.113.200"));
    assert_false(has("203.0.113.128/25", "203.0.113.100"));
    assert_true(has("0.0.0.0/0", "8.8.8.8"));
    assert_false(has("0.0.0.0/0", "::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("192.0.2.9", "192.0.2.9"));
    assert_false(has("192.0.2.9", "192.0.2.8"));
    assert_int_equal(cidr_parse(&cidr, SPAN("192.0.2.0/33")), -EINVAL);
    assert_int_equal(cidr_parse(&cidr, SPAN("192.0.2.0/")), -EINVAL);
    assert_int_equal(cidr_parse(&cidr, SPAN("192.0.2.0/-1")), -EINVAL);
    assert_int_equal(cidr_parse(&cidr, SPAN("/24")), -EINVAL);
}

static void test_local_address_towards_loopback_is_loopback(void **state)
{
    struct addr to = make("127.0.0.1", 5060), local;

    assert_int_equal(addr_local_towards(&local, &to), 0);
    assert_true(addr_is_loopback(&local));
    assert_int_equal(addr_port(&local), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric_hosts_are_read_and_written),
        cmocka_unit_test(test_what_is_not_numeric_is_refused),
        cmocka_unit_test(test_kinds_of_addresses_are_told_apart),
        cmocka_unit_test(test_keys_differ_by_host_port_and_family),
        cmocka_unit_test(test_networks_hold_what_their_bits_say),
        cmocka_unit_test(test_local_address_towards_loopback_is_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
