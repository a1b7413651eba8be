# SPDX-License-Identifier: Apache-2.0
# For each target: fuzz_programs += tests/fuzz/fuzz_x ; tests_fuzz_fuzz_x_SOURCES = tests/fuzz/fuzz_x.c $(fuzz_replay) ; _LDADD = $(fuzz_ldadd) ; _LDFLAGS = $(fuzz_ldflags)
