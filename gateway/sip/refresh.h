/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/timer.h"
#include "sip/msg.h"

/* refresh.h: session timers: RFC 4028. Who refreshes a session, how often, and what happens when nobody does. */

struct invite;
struct text;

#define REFRESH_MIN_SE_S 90 /* RFC 4028 section 5: there is nothing shorter */

struct refresh {
    unsigned interval_s; /* 0: no session timer */
    bool is_ours;        /* we refresh */
    bool peer_updates;   /* the peer takes UPDATE */
    bool has_asked;      /* our last refreshing request had a Session-Expires */
    unsigned min_se_s;   /* the longest minimum that the peer has named; 0: none */
    struct timer timer;
};

/** Does this INVITE or UPDATE ask for less than the minimum (answer 422 with Min-SE)? */
bool refresh_is_too_brief(const struct sip_msg *request);

/** As UAS: decide by table 2 of section 9, write Session-Expires (and Require) for the 2xx, start the timer.
 *  @param offered_s our own wish where the request has none but supports timers; 0: none */
void refresh_accept(struct invite *invite, const struct sip_msg *request, unsigned offered_s, struct text *headers);
/** As UAC, for a re-INVITE or UPDATE: Supported, and the interval and refresher that count (section 7.4). */
void refresh_write(struct invite *invite, struct text *headers);
/** As UAC: take what the 2xx says, start the timer. */
void refresh_take(struct invite *invite, const struct sip_msg *response);
/** As UAC: a 422 was the answer. @return true: ask again, the interval is longer now (section 7.3) */
bool refresh_lengthen(struct invite *invite, const struct sip_msg *response);
/** What the peer's Allow says of UPDATE. */
void refresh_note_peer(struct invite *invite, const struct sip_msg *msg);
void refresh_stop(struct invite *invite);
