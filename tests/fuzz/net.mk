# SPDX-License-Identifier: Apache-2.0
# For each target: fuzz_programs += tests/fuzz/fuzz_x ; tests_fuzz_fuzz_x_SOURCES = tests/fuzz/fuzz_x.c $(fuzz_replay) ; _LDADD = $(fuzz_ldadd) ; _LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_addr
tests_fuzz_fuzz_addr_SOURCES = tests/fuzz/fuzz_addr.c $(fuzz_replay)
tests_fuzz_fuzz_addr_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_addr_LDFLAGS = $(fuzz_ldflags)
EXTRA_DIST += tests/fuzz/corpus/addr
fuzz_programs += tests/fuzz/fuzz_dns
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c $(fuzz_replay)
tests_fuzz_fuzz_dns_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_dns_LDFLAGS = $(fuzz_ldflags)
EXTRA_DIST += tests/fuzz/corpus/dns
