/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/leg.h"
#include "sip/invite.h"
#include "sip/replaces.h"

/* leg_sip.h: a leg that is a SIP peer: a browser over WebSocket, a phone, or a trunk. */

/** The incoming leg of an INVITE. @return 0; -EBADMSG (400) */
int leg_sip_new_in(struct leg **legp, struct call *call, struct server_tx *tx);

/** Where a trunk sends a call on to: redirect.h. */
struct leg_sip_target {
    struct addr addr; /* of the trunk's accept list; unset: where its uri leads */
    enum sip_transport transport;
};

struct leg_sip_dial {
    const struct trunk *trunk;           /* to a trunk, or */
    const struct binding *binding;       /* to one device of */
    const char *account;                 /* this account */
    const struct leg_sip_target *target; /* at the trunk, by its own choice: its numbers_out do not concern it; NULL */
};
/** An outgoing leg: makes the offer, finds the flow (DNS for trunks), sends the INVITE. Failures come as LEG_REFUSED,
 * from a timer, never from within. */
int leg_sip_new_out(struct leg **legp, struct call *call, const struct leg_sip_dial *dial);

/** The flow this leg speaks over; NULL when it is of another kind. */
const struct sip_flow *leg_sip_flow(const struct leg *leg);
/** NULL when leg is of another kind. */
struct invite *leg_sip_invite(const struct leg *leg);
/** The leg whose dialog this is; NULL: none of this worker. */
struct leg *leg_sip_named(struct sip_stack *stack, const struct replaces *replaces);
bool leg_sip_is_lost(const struct leg *leg);
/** Is any leg of this process lost? Any thread. */
bool leg_sip_any_lost(void);
void leg_sip_set_lost(struct leg *leg, bool is_lost);
/** A trunk's leg: its connection is gone. The call goes on: the next request finds the trunk again. */
void leg_sip_lose_flow(struct leg *leg);
/** Does this binding name the very device of the leg (same contact, or same instance)? */
bool leg_sip_is_device(const struct leg *leg, const struct binding *binding);
