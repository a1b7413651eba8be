# SPDX-License-Identifier: Apache-2.0
fuzz_programs += tests/fuzz/fuzz_rtp
tests_fuzz_fuzz_rtp_SOURCES = tests/fuzz/fuzz_rtp.c $(fuzz_replay)
tests_fuzz_fuzz_rtp_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_rtp_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_rtcp
tests_fuzz_fuzz_rtcp_SOURCES = tests/fuzz/fuzz_rtcp.c $(fuzz_replay)
tests_fuzz_fuzz_rtcp_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_rtcp_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_ice
tests_fuzz_fuzz_ice_SOURCES = tests/fuzz/fuzz_ice.c $(fuzz_replay)
tests_fuzz_fuzz_ice_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_ice_LDFLAGS = $(fuzz_ldflags)
