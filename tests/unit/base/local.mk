# SPDX-License-Identifier: Apache-2.0
# Each test: a line in the list, and test_x_SOURCES/LDADD below.
base_tests = \
	tests/unit/base/test_conf \
	tests/unit/base/test_conf_trunk \
	tests/unit/base/test_log \
	tests/unit/base/test_map \
	tests/unit/base/test_mem \
	tests/unit/base/test_print \
	tests/unit/base/test_rand \
	tests/unit/base/test_span \
	tests/unit/base/test_spare \
	tests/unit/base/test_stats \
	tests/unit/base/test_text \
	tests/unit/base/test_timer \
	tests/unit/base/test_warm \
	tests/unit/base/test_worker
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)

tests_unit_base_test_conf_SOURCES = tests/unit/base/test_conf.c tests/unit/base/conf_case.h tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_conf_LDADD = $(unit_ldadd)
tests_unit_base_test_conf_trunk_SOURCES = tests/unit/base/test_conf_trunk.c tests/unit/base/conf_case.h tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_conf_trunk_LDADD = $(unit_ldadd)
tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_log_LDADD = $(unit_ldadd)
tests_unit_base_test_map_SOURCES = tests/unit/base/test_map.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_map_LDADD = $(unit_ldadd)
tests_unit_base_test_mem_SOURCES = tests/unit/base/test_mem.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_mem_LDADD = $(unit_ldadd)
tests_unit_base_test_print_SOURCES = tests/unit/base/test_print.c tests/unit/unit.h
tests_unit_base_test_print_LDADD = $(unit_ldadd)
tests_unit_base_test_rand_SOURCES = tests/unit/base/test_rand.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_rand_LDADD = $(unit_ldadd)
tests_unit_base_test_span_SOURCES = tests/unit/base/test_span.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_span_LDADD = $(unit_ldadd)
tests_unit_base_test_spare_SOURCES = tests/unit/base/test_spare.c tests/unit/unit.h
tests_unit_base_test_spare_LDADD = $(unit_ldadd)
tests_unit_base_test_stats_SOURCES = tests/unit/base/test_stats.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_stats_LDADD = $(unit_ldadd)
tests_unit_base_test_text_SOURCES = tests/unit/base/test_text.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_text_LDADD = $(unit_ldadd)
tests_unit_base_test_timer_SOURCES = tests/unit/base/test_timer.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_timer_LDADD = $(unit_ldadd)
tests_unit_base_test_warm_SOURCES = tests/unit/base/test_warm.c tests/unit/unit.h
tests_unit_base_test_warm_LDADD = $(unit_ldadd)
tests_unit_base_test_worker_SOURCES = tests/unit/base/test_worker.c tests/unit/oom.h tests/unit/unit.h
tests_unit_base_test_worker_LDADD = $(unit_ldadd)
