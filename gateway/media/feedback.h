/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/rtcp.h"
#include "media/stream_inside.h"

/* feedback.h: RTCP feedback across a bridge: requests for whole pictures. RFC 4585 6.3.1, RFC 5104 4.3.1. */

/** A payload-specific feedback message of the peer: what it says about a stream of ours goes to whoever feeds that
 * stream. */
void feedback_receive(struct endpoint *endpoint, const struct rtcp_packet *packet);

/** Ask the peer of this (video) stream for a whole picture, by PLI or FIR as it understands; at most once in 200 ms. */
void feedback_ask_keyframe(struct media_stream *stream);
