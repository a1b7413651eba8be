/* SPDX-License-Identifier: Apache-2.0 */
/* test_run.c: a private address of the trunk's is only a riddle where the trunk itself is elsewhere. */
#include "probe/run.h"

#include "../unit.h"

static bool is_strange(const char *claimed, const char *peer)
{
    struct addr claimed_addr, peer_addr;

    assert_int_equal(addr_parse(&claimed_addr, span_of(claimed), 5060), 0);
    assert_int_equal(addr_parse(&peer_addr, span_of(peer), 5060), 0);
    return probe_is_strange(&claimed_addr, &peer_addr);
}

static void test_a_private_address_of_a_public_peer_is_strange(void **state)
{
    assert_true(is_strange("10.1.2.3", "198.51.100.7"));
    assert_true(is_strange("192.168.0.9", "198.51.100.7"));
    assert_true(is_strange("fd00::1", "2001:db8::7"));
    assert_true(is_strange("127.0.0.1", "198.51.100.7"));
}

static void test_within_one_private_network_it_is_not(void **state)
{
    assert_false(is_strange("10.1.2.3", "10.9.9.9"));
    assert_false(is_strange("10.1.2.3", "10.1.2.3"));
    assert_false(is_strange("127.0.0.2", "127.0.0.1"));
    assert_true(is_strange("10.1.2.3", "127.0.0.1"));
}

static void test_a_public_address_never_is(void **state)
{
    assert_false(is_strange("198.51.100.8", "198.51.100.7"));
    assert_false(is_strange("198.51.100.8", "10.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_private_address_of_a_public_peer_is_strange),
        cmocka_unit_test(test_within_one_private_network_it_is_not),
        cmocka_unit_test(test_a_public_address_never_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
