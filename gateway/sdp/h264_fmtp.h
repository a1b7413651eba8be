/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/span.h"

/* h264_fmtp.h: do two H.264 formats carry the same bytes? RFC 6184 section 8.2.2: packetization-mode and profile must
 * be equal, the level may differ. */

/** @param left, right fmtp without the number; empty ones mean the defaults. Pure. */
bool h264_fmtp_same(struct span left, struct span right);
