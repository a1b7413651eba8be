# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += gateway/plugin/loader.c
