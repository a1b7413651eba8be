# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += gateway/api/rest.c
libsipway_a_SOURCES += gateway/api/rest_trunks.c
