# SPDX-License-Identifier: Apache-2.0
store_tests = \
	tests/unit/store/test_export \
	tests/unit/store/test_kept \
	tests/unit/store/test_record \
	tests/unit/store/test_store_local
check_PROGRAMS += $(store_tests)
TESTS += $(store_tests)

tests_unit_store_test_export_SOURCES = tests/unit/store/test_export.c tests/unit/unit.h
tests_unit_store_test_export_LDADD = $(unit_ldadd)
tests_unit_store_test_record_SOURCES = tests/unit/store/test_record.c tests/unit/oom.h tests/unit/unit.h
tests_unit_store_test_record_LDADD = $(unit_ldadd)
tests_unit_store_test_store_local_SOURCES = tests/unit/store/test_store_local.c tests/unit/oom.h tests/unit/unit.h
tests_unit_store_test_store_local_LDADD = $(unit_ldadd)
tests_unit_store_test_kept_SOURCES = tests/unit/store/test_kept.c tests/unit/oom.h tests/unit/unit.h
tests_unit_store_test_kept_LDADD = $(unit_ldadd)
