/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/media_stream.h"

/* keys.h: pressed keys as telephone-event: sent to a stream's peer, and read from what it sends. RFC 4733. What the
 * peer presses is told by endpoint_user.on_key where stream_config.tells_keys is set. */

#define KEY_EVENT_MAX 15 /* 0-9, 10 *, 11 #, 12-15 A-D */

/** Press a key for the peer; one after the other, what is bridged is silent meanwhile.
 *  @param duration_ms 40 to 8000, else the nearest  @return 0; -ENOENT: no telephone-event was agreed; -EBUSY: too many
 * wait; -ENOMEM */
int media_stream_press(struct media_stream *stream, unsigned event, unsigned duration_ms);
