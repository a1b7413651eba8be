/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/media_stream.h"
#include "media/sound.h"

/* player.h: a sound that is played to a stream's peer over and over: music on hold. One packet of 20 ms at a time on a
 * timer, through the stream's own line of numbers, so that SSRC and sequence go on. It plays PCMU and PCMA where one of
 * them was agreed; where only other codecs were (Opus, G.722), the peer hears silence. */

/** Begin, or go on if that sound is playing; sound NULL: stop. What is bridged to the stream must be silent meanwhile
 *  (its `receives` is false). @return 0; -ENOENT: no codec that can be played; -ENOMEM */
int media_stream_play(struct media_stream *stream, struct sound *sound);
bool media_stream_is_playing(const struct media_stream *stream);
