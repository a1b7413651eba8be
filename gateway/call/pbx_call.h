/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"
#include "call/pbx_guess.h"
#include "call/pbx_private.h"

/* pbx_call.h: what a call between a PBX and one of its users has beside an ordinary one: who it is for is said already,
 * names go through as the user wrote them, and the PBX's challenge is for him. RFC 3261 22. */

struct pbx_call {
    char aor[SIP_ACCOUNT_MAX];  /* of the user */
    char name[PBX_NAME_MAX];    /* of his binding */
    bool is_to_device;          /* from the PBX */
    struct conf_strings trunks; /* to the PBX: it alone; the text is the snapshot's */
    char *uri, *from, *to;      /* of the INVITE to the PBX */
    char *headers;              /* Route and credentials of that; to a device: Path */
    char *next_hop;
    char *challenge;       /* header lines of the PBX's 401 or 407; NULL: none came */
    struct binding device; /* from the PBX: this one rings */
    struct pbx *pbx;       /* to the PBX: who has noted whose credentials it has, and where it comes from */
    struct pbx_guess guess;
    struct sip_flow flow;
};

/** An INVITE of either side. */
void pbx_call_from_user(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party);
void pbx_call_to_device(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party);

/** The call's names: caller, dialled, the incoming leg's account. @param it referenced */
int pbx_call_join(struct call *call, struct pbx_call *it, const struct sip_msg *invite);
/** Who gets it: the PBX, or the device (no trunks in it). */
void pbx_call_pick(struct route_pick *pick, const struct call *call);
/** The texts of the outgoing INVITE. */
void pbx_call_write(const struct call *call, struct text *uri, struct text *from, struct text *to,
                    struct text *headers);
/** The flow of the outgoing leg where the PBX named a hop. @return false: the trunk's uri says it */
bool pbx_call_open_hop(const struct call *call, const struct trunk *trunk, struct sip_flow *flow);
/** The PBX refuses the call: keep its challenge, if it has one. */
void pbx_call_take_refusal(struct pbx_call *it, const struct sip_msg *response);
/** Does the call end with a challenge for its caller, who will call again? */
bool pbx_call_is_challenge(const struct call *call, unsigned status);

/* Names, written from parsed values. */
/** "Display" <uri> */
void pbx_write_name(struct text *out, const struct name_addr *addr);
/** <sip:user@domain> */
void pbx_write_user(struct text *out, const char *aor);
/** Who calls or writes, as the PBX says, in the domain of this user. */
void pbx_write_caller(struct text *out, const struct sip_msg *msg, const char *aor);
