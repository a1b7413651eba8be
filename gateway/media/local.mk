# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += \
	gateway/media/demux.c \
	gateway/media/dtls.c \
	gateway/media/dtls_identity.c \
	gateway/media/dtls_library.c \
	gateway/media/endpoint.c \
	gateway/media/endpoint_rtp.c \
	gateway/media/endpoint_webrtc.c \
	gateway/media/feedback.c \
	gateway/media/ice_lite.c \
	gateway/media/keys.c \
	gateway/media/latch.c \
	gateway/media/lite_stun.c \
	gateway/media/media.c \
	gateway/media/media_stream.c \
	gateway/media/path.c \
	gateway/media/mos.c \
	gateway/media/player.c \
	gateway/media/quality.c \
	gateway/media/sound.c \
	gateway/media/rewrite.c \
	gateway/media/rtcp.c \
	gateway/media/rtcp_report.c \
	gateway/media/rtp.c \
	gateway/media/srtp_ctx.c \
	gateway/media/srtp_openssl.c \
	gateway/media/step_protect.c \
	gateway/media/step_rewrite.c \
	gateway/media/step_send.c
