# SPDX-License-Identifier: Apache-2.0
# Each test: a line in the list, and test_x_SOURCES/LDADD below.
media_tests = \
	tests/unit/media/test_bridge \
	tests/unit/media/test_dtls \
	tests/unit/media/test_endpoint_rtp \
	tests/unit/media/test_endpoint_webrtc \
	tests/unit/media/test_keys \
	tests/unit/media/test_latch \
	tests/unit/media/test_mos \
	tests/unit/media/test_player \
	tests/unit/media/test_quality \
	tests/unit/media/test_rewrite \
	tests/unit/media/test_rtcp \
	tests/unit/media/test_rtp \
	tests/unit/media/test_srtp_ctx \
	tests/unit/media/test_srtp_openssl
media_rig = tests/unit/media/media_rig.c tests/unit/media/media_peer.c tests/unit/media/media_rig.h
check_PROGRAMS += $(media_tests)
TESTS += $(media_tests)

tests_unit_media_test_bridge_SOURCES = tests/unit/media/test_bridge.c $(media_rig)
tests_unit_media_test_bridge_LDADD = $(unit_ldadd)
tests_unit_media_test_latch_SOURCES = tests/unit/media/test_latch.c
tests_unit_media_test_latch_LDADD = $(unit_ldadd)
tests_unit_media_test_mos_SOURCES = tests/unit/media/test_mos.c
tests_unit_media_test_mos_LDADD = $(unit_ldadd)
tests_unit_media_test_keys_SOURCES = tests/unit/media/test_keys.c $(media_rig)
tests_unit_media_test_keys_LDADD = $(unit_ldadd)
tests_unit_media_test_player_SOURCES = tests/unit/media/test_player.c $(media_rig)
tests_unit_media_test_player_LDADD = $(unit_ldadd)
tests_unit_media_test_quality_SOURCES = tests/unit/media/test_quality.c
tests_unit_media_test_quality_LDADD = $(unit_ldadd)
tests_unit_media_test_rewrite_SOURCES = tests/unit/media/test_rewrite.c
tests_unit_media_test_rewrite_LDADD = $(unit_ldadd)
tests_unit_media_test_rtcp_SOURCES = tests/unit/media/test_rtcp.c
tests_unit_media_test_rtcp_LDADD = $(unit_ldadd)
tests_unit_media_test_rtp_SOURCES = tests/unit/media/test_rtp.c
tests_unit_media_test_rtp_LDADD = $(unit_ldadd)
tests_unit_media_test_srtp_ctx_SOURCES = tests/unit/media/test_srtp_ctx.c
tests_unit_media_test_srtp_ctx_LDADD = $(unit_ldadd)
tests_unit_media_test_dtls_SOURCES = tests/unit/media/test_dtls.c $(media_rig)
tests_unit_media_test_dtls_LDADD = $(unit_ldadd)
tests_unit_media_test_endpoint_webrtc_SOURCES = tests/unit/media/test_endpoint_webrtc.c $(media_rig)
tests_unit_media_test_endpoint_webrtc_LDADD = $(unit_ldadd)
tests_unit_media_test_endpoint_rtp_SOURCES = tests/unit/media/test_endpoint_rtp.c $(media_rig)
tests_unit_media_test_endpoint_rtp_LDADD = $(unit_ldadd)
tests_unit_media_test_srtp_openssl_SOURCES = tests/unit/media/test_srtp_openssl.c
tests_unit_media_test_srtp_openssl_LDADD = $(unit_ldadd)

# Not a test: prints CPU per relayed packet beside a relay that does nothing.
EXTRA_PROGRAMS += tests/unit/media/bench_relay
tests_unit_media_bench_relay_SOURCES = tests/unit/media/bench_relay.c $(media_rig)
tests_unit_media_bench_relay_LDADD = $(unit_ldadd)
