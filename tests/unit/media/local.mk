# SPDX-License-Identifier: Apache-2.0
media_tests = tests/unit/media/test_bridge
media_rig = tests/unit/media/media_rig.c tests/unit/media/media_peer.c
check_PROGRAMS += $(media_tests)
TESTS += $(media_tests)
EXTRA_DIST += tests/unit/media/media_rig.h
tests_unit_media_test_bridge_SOURCES = tests/unit/media/test_bridge.c $(media_rig)
tests_unit_media_test_bridge_LDADD = $(unit_ldadd)
