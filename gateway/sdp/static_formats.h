/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/sdp.h"

/* static_formats.h: the payload type numbers that need no rtpmap. RFC 3551 section 6. */

/** What this number means without an rtpmap line; an empty name if it means nothing. */
struct sdp_codec static_format(uint8_t pt);
