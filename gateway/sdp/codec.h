/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "sdp/sdp.h"

/* codec.h: which formats are the same, and which may stand in an offer or an answer. codecs.def has a row per codec
 * that Sipway can relay: name, kind, clock, channels, static payload type, default fmtp. RFC 3264 sections 5.1, 6.1;
 * RFC 3551; RFC 4733; RFC 6184; RFC 7587. */

enum codec_id {
#define CODEC(id, name, kind, clock_hz, channels, static_pt, fmtp) CODEC_##id,
#include "sdp/codecs.def"
#undef CODEC
    CODEC_NONE
};

/** The row this format belongs to, CODEC_NONE if we do not know it ("opus/48000" without /2 is not Opus; G722/16000 is
 * taken as G722). */
enum codec_id codec_find(const struct sdp_codec *codec);
const char *codec_name(enum codec_id id);
enum sdp_kind codec_kind(enum codec_id id); /* SDP_KIND_OTHER for CODEC_NONE */
bool codec_is_event(enum codec_id id);      /* telephone-event, any rate */

/** Do two formats carry the same bytes (name, clock, channels, H.264 packetization-mode and profile)? */
bool codec_same(const struct sdp_codec *left, const struct sdp_codec *right);

/** What to offer to one side for what the other side offered: known codecs of `offered` that `allowed` names (NULL or
 * empty: every known one, order of `offered`; else the order of `allowed`), then one telephone-event for each clock
 * rate among them. Numbers: the static one; else the number the other side uses if it is free; else the next dynamic
 * one.
 *  @return number of audio/video codecs without events (0: nothing in common) */
unsigned codecs_to_offer(struct sdp_codecs *out, const struct sdp_codecs *offered, const struct conf_strings *allowed);

/** What to answer to `offered` when the other side has taken `taken`: the formats of `offered` (with its numbers and
 * fmtp) that are the same as one of `taken`, in the order of `taken`, then telephone-event of the rate of the first one
 * (and more where offered and taken).
 *  @return as above */
unsigned codecs_to_answer(struct sdp_codecs *out, const struct sdp_codecs *offered, const struct sdp_codecs *taken);

/** Everything Sipway can relay of this kind, for an offer of our own (late offer, tests). */
void codecs_all(struct sdp_codecs *out, enum sdp_kind kind, const struct conf_strings *allowed);
