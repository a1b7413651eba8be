# SPDX-License-Identifier: Apache-2.0
# Each test: a line in the list, and test_x_SOURCES/LDADD below.
call_tests =
call_rig = $(sip_rig) tests/unit/call/guard_rig.c tests/unit/call/guard_rig.h
call_tests += tests/unit/call/test_route
tests_unit_call_test_route_SOURCES = tests/unit/call/test_route.c tests/unit/oom.h tests/unit/unit.h
tests_unit_call_test_route_LDADD = $(unit_ldadd)
call_tests += tests/unit/call/test_directory
tests_unit_call_test_directory_SOURCES = tests/unit/call/test_directory.c tests/unit/oom.h tests/unit/unit.h
tests_unit_call_test_directory_LDADD = $(unit_ldadd)
call_tests += tests/unit/call/test_timeline
tests_unit_call_test_timeline_SOURCES = tests/unit/call/test_timeline.c tests/unit/oom.h tests/unit/unit.h
tests_unit_call_test_timeline_LDADD = $(unit_ldadd)
call_tests += tests/unit/call/test_location
tests_unit_call_test_location_SOURCES = tests/unit/call/test_location.c tests/unit/oom.h tests/unit/unit.h
tests_unit_call_test_location_LDADD = $(unit_ldadd)
call_tests += tests/unit/call/test_trunk_limit
tests_unit_call_test_trunk_limit_SOURCES = tests/unit/call/test_trunk_limit.c tests/unit/oom.h tests/unit/unit.h
tests_unit_call_test_trunk_limit_LDADD = $(unit_ldadd)
call_tests += tests/unit/call/test_guard
tests_unit_call_test_guard_SOURCES = tests/unit/call/test_guard.c $(call_rig)
tests_unit_call_test_guard_LDADD = $(unit_ldadd)
call_tests += tests/unit/call/test_registrar
tests_unit_call_test_registrar_SOURCES = tests/unit/call/test_registrar.c $(call_rig)
tests_unit_call_test_registrar_LDADD = $(unit_ldadd)
check_PROGRAMS += $(call_tests)
TESTS += $(call_tests)
