# SPDX-License-Identifier: Apache-2.0
libsipway_a_SOURCES += \
	gateway/sdp/answer.c \
	gateway/sdp/attribute.c \
	gateway/sdp/candidate.c \
	gateway/sdp/codec.c \
	gateway/sdp/crypto_attr.c \
	gateway/sdp/h264_fmtp.c \
	gateway/sdp/media_line.c \
	gateway/sdp/model.c \
	gateway/sdp/offer.c \
	gateway/sdp/parse.c \
	gateway/sdp/pick_line.c \
	gateway/sdp/static_formats.c \
	gateway/sdp/write.c
