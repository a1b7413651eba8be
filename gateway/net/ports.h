/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/udp.h"

/* ports.h: RTP/RTCP port pairs of this worker: even port for RTP, the next for RTCP (RFC 3550 section 11). The
 * configured range is shared out among the workers; ports come back at once when a call is refused or ends, and are
 * reused last. */

struct ports;

/** Worker `id` of `count` takes its share of [min, max]. */
struct ports_range {
    uint16_t min, max;
    unsigned id, count;
};
int ports_new(struct ports **portsp, const struct ports_range *range);

/** Two bound sockets on one address. @return 0; -EBUSY: no pair left (or all are taken by other programs) */
int ports_open(struct ports *ports, struct udp_house *house, struct udp_options *rtp, struct udp_options *rtcp,
               struct udp *out[static 2]);
/** Give the pair back; both are closed (mem_unref) or, when calls end fast, kept open for one of the next. Slots may be
 * NULL. */
void ports_close(struct ports *ports, struct udp *pair[static 2]);
unsigned ports_free_count(const struct ports *ports);
