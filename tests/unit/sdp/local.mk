# SPDX-License-Identifier: Apache-2.0
sdp_tests = \
	tests/unit/sdp/test_parse \
	tests/unit/sdp/test_write \
	tests/unit/sdp/test_codec \
	tests/unit/sdp/test_crypto_attr \
	tests/unit/sdp/test_pick_line \
	tests/unit/sdp/test_answer
EXTRA_DIST += tests/unit/sdp/sdp_test.h
check_PROGRAMS += $(sdp_tests) tests/golden/golden_sdp
TESTS += $(sdp_tests) tests/golden/golden_sdp
tests_unit_sdp_test_parse_LDADD = $(unit_ldadd)
tests_unit_sdp_test_write_LDADD = $(unit_ldadd)
tests_unit_sdp_test_codec_LDADD = $(unit_ldadd)
tests_unit_sdp_test_crypto_attr_LDADD = $(unit_ldadd)
tests_unit_sdp_test_pick_line_LDADD = $(unit_ldadd)
tests_unit_sdp_test_answer_LDADD = $(unit_ldadd)
tests_golden_golden_sdp_LDADD = libsipway.a $(base_libs)
EXTRA_DIST += tests/golden/README.md tests/golden/sdp
