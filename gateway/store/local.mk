# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += \
	gateway/store/cdr.c \
	gateway/store/database.c \
	gateway/store/export.c \
	gateway/store/export_rows.c \
	gateway/store/kept.c \
	gateway/store/kept_table.c \
	gateway/store/record.c \
	gateway/store/state.c \
	gateway/store/store_local.c \
	gateway/store/wake.c \
	gateway/store/watch.c
