# SPDX-License-Identifier: Apache-2.0
# Scripted peers for flow tests and benchmarks. Link $(peers_libs) and add $(peers_cppflags); no gateway code is in them.
EXTRA_LIBRARIES = tests/mock/libpeers.a
tests_mock_libpeers_a_SOURCES = \
	tests/mock/peer_loop.c tests/mock/peer_loop.h tests/mock/peer_udp.c tests/mock/peer_udp.h \
	tests/mock/peer_rtp.c tests/mock/peer_rtp.h tests/mock/peer_sdp.c tests/mock/peer_sdp.h \
	tests/mock/peer_sip.c tests/mock/peer_sip.h tests/mock/peer_digest.c \
	tests/mock/browser.c tests/mock/browser.h tests/mock/browser_priv.h tests/mock/browser_sip.c \
	tests/mock/browser_register.c tests/mock/browser_call.c tests/mock/browser_sdp.c \
	tests/mock/browser_ws.c tests/mock/browser_ws.h tests/mock/browser_stun.c tests/mock/browser_stun.h \
	tests/mock/browser_ice.c tests/mock/browser_ice.h tests/mock/browser_dtls.c tests/mock/browser_dtls.h \
	tests/mock/browser_srtp.c tests/mock/browser_srtp.h tests/mock/browser_media.c tests/mock/browser_media.h \
	tests/mock/trunk.c tests/mock/trunk.h tests/mock/trunk_priv.h tests/mock/trunk_sip.c tests/mock/trunk_media.c
peers_cppflags = -I$(top_srcdir)/tests/mock
peers_libs = tests/mock/libpeers.a $(SRTP_LIBS) $(OPENSSL_LIBS)
tests_mock_libpeers_a_CPPFLAGS = $(AM_CPPFLAGS) $(peers_cppflags)
CLEANFILES += tests/mock/libpeers.a
