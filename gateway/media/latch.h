/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

/* latch.h: symmetric RTP: which source is the peer. The signalled address wins at any time. Else the first other source
 * is taken that comes within the window after the first packet: from the signalled host at once, from another host at
 * once where the signalled address is a private one, otherwise only after the signalled one was silent for half a
 * second. What was taken is locked: another source is refused, and of a source that was learned (not signalled) another
 * SSRC is refused too until the locked SSRC has been silent for 200 ms (a transfer behind the same NAT binding changes
 * it). */

struct latch {
    struct addr signalled; /* unset: nothing is taken */
    struct addr taken;     /* unset: nothing yet */
    uint32_t ssrc;         /* of taken */
    uint64_t first_us;     /* first packet that could have been taken; 0: none yet */
    uint64_t last_us;      /* last packet of taken with its SSRC */
    uint32_t window_ms;
    bool is_never; /* only the signalled address, always */
};

enum latch_verdict {
    LATCH_REFUSED,
    LATCH_ACCEPTED,
    LATCH_MOVED, /* accepted, and this source is the peer from now on */
};

/** A (new) signalled address: opens the latch again, unless it is the one that is signalled already. Unset or port 0
 * keeps what was taken. */
void latch_signal(struct latch *latch, const struct addr *signalled, bool is_never);

/** Could a packet from there be taken? For the cheap refusal before authentication; changes nothing. */
bool latch_may_take(const struct latch *latch, const struct addr *from, uint64_t now_us);

/** Judge a packet that has an agreed payload type and, where there are keys, was authenticated. */
enum latch_verdict latch_judge(struct latch *latch, const struct addr *from, uint32_t ssrc, uint64_t now_us);
