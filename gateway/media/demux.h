/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* demux.h: what a datagram on a media port is, told by its first bytes. RFC 7983 section 7, RFC 5761 section 4. */

enum demux_kind { DEMUX_STUN, DEMUX_DTLS, DEMUX_RTP, DEMUX_RTCP, DEMUX_NONE };

/** Pure function; looks at two bytes, validates nothing else. */
enum demux_kind demux_kind_of(const uint8_t *bytes, size_t n);
