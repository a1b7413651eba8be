# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += \
	gateway/probe/ask.c \
	gateway/probe/bandwidth.c \
	gateway/probe/call_sdp.c \
	gateway/probe/check_bandwidth.c \
	gateway/probe/check_call.c \
	gateway/probe/check_dns.c \
	gateway/probe/check_nat.c \
	gateway/probe/check_options.c \
	gateway/probe/check_register.c \
	gateway/probe/check_targets.c \
	gateway/probe/check_tls.c \
	gateway/probe/house.c \
	gateway/probe/judge_media.c \
	gateway/probe/media_test.c \
	gateway/probe/probe.c \
	gateway/probe/report.c \
	gateway/probe/run.c \
	gateway/probe/tone.c \
	gateway/probe/words.c
