# SPDX-License-Identifier: Apache-2.0
# Each fuzz target NAME is tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput() and a corpus folder tests/fuzz/corpus/NAME/.
# With --enable-fuzzing they are libFuzzer programs; without, replay.c gives them a main() that replays the corpus in `make check`.
fuzz_programs =
if FUZZING
fuzz_replay =
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
noinst_PROGRAMS += $(fuzz_programs)
fuzz-programs: $(fuzz_programs)
else
fuzz_replay = tests/fuzz/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)
endif
fuzz_ldadd = libsipway.a $(house_libs)

include tests/fuzz/base.mk
include tests/fuzz/net.mk
include tests/fuzz/sip.mk
include tests/fuzz/sdp.mk
include tests/fuzz/media.mk
include tests/fuzz/call.mk
