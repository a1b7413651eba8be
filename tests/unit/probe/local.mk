# SPDX-License-Identifier: Apache-2.0
probe_tests = tests/unit/probe/test_bandwidth tests/unit/probe/test_report tests/unit/probe/test_tone tests/unit/probe/test_judge_media \
	tests/unit/probe/test_run
check_PROGRAMS += $(probe_tests)
TESTS += $(probe_tests)
tests_unit_probe_test_bandwidth_SOURCES = tests/unit/probe/test_bandwidth.c
tests_unit_probe_test_bandwidth_LDADD = $(unit_ldadd)
tests_unit_probe_test_report_SOURCES = tests/unit/probe/test_report.c
tests_unit_probe_test_report_LDADD = $(unit_ldadd)
tests_unit_probe_test_tone_SOURCES = tests/unit/probe/test_tone.c
tests_unit_probe_test_tone_LDADD = $(unit_ldadd)
tests_unit_probe_test_judge_media_SOURCES = tests/unit/probe/test_judge_media.c
tests_unit_probe_test_judge_media_LDADD = $(unit_ldadd)
tests_unit_probe_test_run_SOURCES = tests/unit/probe/test_run.c
tests_unit_probe_test_run_LDADD = $(unit_ldadd)
