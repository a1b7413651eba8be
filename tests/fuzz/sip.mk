# SPDX-License-Identifier: Apache-2.0
# For each target: fuzz_programs += tests/fuzz/fuzz_x ; tests_fuzz_fuzz_x_SOURCES = tests/fuzz/fuzz_x.c $(fuzz_replay) ; _LDADD = $(fuzz_ldadd) ; _LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_uri
tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz_uri.c $(fuzz_replay)
tests_fuzz_fuzz_uri_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_uri_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_name_addr
tests_fuzz_fuzz_name_addr_SOURCES = tests/fuzz/fuzz_name_addr.c $(fuzz_replay)
tests_fuzz_fuzz_name_addr_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_name_addr_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_via
tests_fuzz_fuzz_via_SOURCES = tests/fuzz/fuzz_via.c $(fuzz_replay)
tests_fuzz_fuzz_via_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_via_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_msg
tests_fuzz_fuzz_msg_SOURCES = tests/fuzz/fuzz_msg.c $(fuzz_replay)
tests_fuzz_fuzz_msg_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_msg_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_framing
tests_fuzz_fuzz_framing_SOURCES = tests/fuzz/fuzz_framing.c $(fuzz_replay)
tests_fuzz_fuzz_framing_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_framing_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_digest
tests_fuzz_fuzz_digest_SOURCES = tests/fuzz/fuzz_digest.c $(fuzz_replay)
tests_fuzz_fuzz_digest_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_digest_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_stack
tests_fuzz_fuzz_stack_SOURCES = tests/fuzz/fuzz_stack.c $(fuzz_replay)
tests_fuzz_fuzz_stack_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_stack_LDFLAGS = $(fuzz_ldflags)
EXTRA_DIST += tests/fuzz/corpus/uri tests/fuzz/corpus/name_addr tests/fuzz/corpus/via tests/fuzz/corpus/msg \
	tests/fuzz/corpus/framing tests/fuzz/corpus/digest tests/fuzz/corpus/stack
fuzz_programs += tests/fuzz/fuzz_refer
tests_fuzz_fuzz_refer_SOURCES = tests/fuzz/fuzz_refer.c $(fuzz_replay)
tests_fuzz_fuzz_refer_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_refer_LDFLAGS = $(fuzz_ldflags)
