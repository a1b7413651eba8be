# SPDX-License-Identifier: Apache-2.0
# unit_ldadd is what each unit test links; a test that reaches statics includes the .c and links the rest.
unit_ldadd = libsipway.a $(house_libs) $(CMOCKA_LIBS)
if HAVE_CMOCKA
include tests/unit/base/local.mk
include tests/unit/net/local.mk
include tests/unit/store/local.mk
include tests/unit/sip/local.mk
include tests/unit/sdp/local.mk
include tests/unit/media/local.mk
include tests/unit/call/local.mk
include tests/unit/api/local.mk
include tests/unit/probe/local.mk
include tests/unit/plugin/local.mk
endif
include tests/fuzz/local.mk
include tests/carrier/local.mk
include tests/mock/local.mk
include tests/bench/local.mk
