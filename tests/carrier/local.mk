# SPDX-License-Identifier: Apache-2.0
# The simulated carrier of the quick start and of the tests: a program of its own.
noinst_PROGRAMS += sipway-carrier
sipway_carrier_SOURCES = \
	tests/carrier/call.c \
	tests/carrier/call.h \
	tests/carrier/call_back.c \
	tests/carrier/call_private.h \
	tests/carrier/carrier.c \
	tests/carrier/carrier.h \
	tests/carrier/g711.c \
	tests/carrier/g711.h \
	tests/carrier/main.c \
	tests/carrier/numbers.c \
	tests/carrier/numbers.h \
	tests/carrier/sound.c \
	tests/carrier/sound.h \
	tests/carrier/terms.c \
	tests/carrier/terms.h \
	tests/carrier/tunes.c \
	tests/carrier/tunes.h \
	tests/carrier/voice.c \
	tests/carrier/voice.h
sipway_carrier_LDADD = libsipway.a $(house_libs)
EXTRA_DIST += tests/carrier/README.md

if HAVE_CMOCKA
check_PROGRAMS += tests/carrier/test_synth tests/carrier/test_program
TESTS += tests/carrier/test_synth tests/carrier/test_program
tests_carrier_test_synth_SOURCES = tests/carrier/test_synth.c tests/carrier/g711.c tests/carrier/numbers.c \
	tests/carrier/sound.c tests/carrier/tunes.c
tests_carrier_test_synth_LDADD = $(unit_ldadd)
tests_carrier_test_program_SOURCES = tests/carrier/test_program.c tests/carrier/g711.c
tests_carrier_test_program_LDADD = $(unit_ldadd)
EXTRA_tests_carrier_test_program_DEPENDENCIES = sipway-carrier
endif
