# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += gateway/net/addr.c gateway/net/pkt.c gateway/net/udp.c gateway/net/udp_house.c gateway/net/ports.c
