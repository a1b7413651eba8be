# SPDX-License-Identifier: Apache-2.0
fuzz_programs += tests/fuzz/fuzz_xml
tests_fuzz_fuzz_xml_SOURCES = tests/fuzz/fuzz_xml.c $(fuzz_replay)
tests_fuzz_fuzz_xml_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_xml_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_identity
tests_fuzz_fuzz_identity_SOURCES = tests/fuzz/fuzz_identity.c $(fuzz_replay)
tests_fuzz_fuzz_identity_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_identity_LDFLAGS = $(fuzz_ldflags)
EXTRA_DIST += tests/fuzz/corpus/xml tests/fuzz/corpus/identity
