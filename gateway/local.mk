# SPDX-License-Identifier: Apache-2.0
include gateway/base/local.mk
include gateway/net/local.mk
include gateway/store/local.mk
include gateway/sip/local.mk
include gateway/sdp/local.mk
include gateway/media/local.mk
include gateway/call/local.mk
include gateway/probe/local.mk
include gateway/plugin/local.mk
include gateway/api/local.mk

sbin_PROGRAMS += sipway
sipway_SOURCES = gateway/main.c gateway/app.c
sipway_LDADD = libsipway.a $(house_libs)
