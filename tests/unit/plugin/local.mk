# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/plugin/test_loader
TESTS += tests/unit/plugin/test_loader
tests_unit_plugin_test_loader_SOURCES = tests/unit/plugin/test_loader.c
tests_unit_plugin_test_loader_LDADD = $(unit_ldadd)

# -rpath makes libtool build a shared object of what is not installed
check_LTLIBRARIES = tests/unit/plugin/future.la tests/unit/plugin/stranger.la
tests_unit_plugin_future_la_SOURCES = tests/unit/plugin/future.c
tests_unit_plugin_future_la_CPPFLAGS = -I$(top_srcdir)/include
tests_unit_plugin_future_la_LDFLAGS = -module $(plugin_ldflags) -rpath /nowhere
tests_unit_plugin_stranger_la_SOURCES = tests/unit/plugin/stranger.c
tests_unit_plugin_stranger_la_LDFLAGS = -module $(plugin_ldflags) -rpath /nowhere
