# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/api/test_rest
TESTS += tests/unit/api/test_rest
tests_unit_api_test_rest_SOURCES = tests/unit/api/test_rest.c tests/unit/unit.h
tests_unit_api_test_rest_LDADD = $(unit_ldadd)
