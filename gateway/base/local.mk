# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += \
	gateway/base/clock.c \
	gateway/base/conf.c \
	gateway/base/conf_address.c \
	gateway/base/conf_check.c \
	gateway/base/conf_header.c \
	gateway/base/conf_kinds.c \
	gateway/base/conf_number.c \
	gateway/base/conf_rules.c \
	gateway/base/conf_text.c \
	gateway/base/conf_yaml.c \
	gateway/base/err.c \
	gateway/base/log.c \
	gateway/base/mailbox.c \
	gateway/base/map.c \
	gateway/base/mem.c \
	gateway/base/print.c \
	gateway/base/rand.c \
	gateway/base/span.c \
	gateway/base/spare.c \
	gateway/base/stats.c \
	gateway/base/text.c \
	gateway/base/timer.c \
	gateway/base/worker.c
