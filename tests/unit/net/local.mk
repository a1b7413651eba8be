# SPDX-License-Identifier: Apache-2.0
net_tests = tests/unit/net/test_addr tests/unit/net/test_udp tests/unit/net/test_stream tests/unit/net/test_ws tests/unit/net/test_dns \
	tests/unit/net/test_net_workers tests/unit/net/test_tls_clients tests/unit/net/test_tos_udp
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)
EXTRA_DIST += tests/unit/net/net_test.h tests/unit/net/net_tls.h
tests_unit_net_test_addr_SOURCES = tests/unit/net/test_addr.c
tests_unit_net_test_addr_LDADD = $(unit_ldadd)
tests_unit_net_test_udp_SOURCES = tests/unit/net/test_udp.c
tests_unit_net_test_udp_LDADD = $(unit_ldadd)
tests_unit_net_test_stream_SOURCES = tests/unit/net/test_stream.c
tests_unit_net_test_stream_LDADD = $(unit_ldadd)
tests_unit_net_test_ws_SOURCES = tests/unit/net/test_ws.c
tests_unit_net_test_ws_LDADD = $(unit_ldadd)
tests_unit_net_test_dns_SOURCES = tests/unit/net/test_dns.c
tests_unit_net_test_dns_LDADD = $(unit_ldadd)
tests_unit_net_test_net_workers_SOURCES = tests/unit/net/test_net_workers.c
tests_unit_net_test_net_workers_LDADD = $(unit_ldadd)
tests_unit_net_test_tos_udp_SOURCES = tests/unit/net/test_tos_udp.c
tests_unit_net_test_tos_udp_LDADD = $(unit_ldadd)
tests_unit_net_test_tls_clients_SOURCES = tests/unit/net/test_tls_clients.c
tests_unit_net_test_tls_clients_LDADD = $(unit_ldadd)
