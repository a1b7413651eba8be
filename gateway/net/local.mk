# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += gateway/net/addr.c gateway/net/pkt.c gateway/net/udp.c gateway/net/udp_house.c gateway/net/ports.c \
	gateway/net/peer_count.c gateway/net/listener.c gateway/net/tls.c gateway/net/stream.c gateway/net/stream_io.c \
	gateway/net/ws_house.c gateway/net/ws.c gateway/net/http.c gateway/net/http_pages.c gateway/net/dns.c \
	gateway/net/dns_name.c gateway/net/dns_record.c gateway/net/tls_clients.c gateway/net/tls_peer.c gateway/net/tos_udp.c
