/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/identity.h"
#include "call/leg_sip.h"
#include "call/trunk_headers.h"
#include "sip/locate.h"

/* leg_sip_private.h: shared by leg_sip.c (the leg in a call) and leg_sip_dial.c (how an outgoing one begins). */

struct leg_sip {
    struct leg leg; /* first */
    struct invite *invite;
    struct locate *locate;
    struct locate_tries *tries;    /* outgoing to a trunk: its targets */
    struct timer silent_timer;     /* the target has not said anything yet */
    char number[ROUTE_NUMBER_MAX]; /* outgoing: whom it calls and who calls, as this peer is to see them */
    struct identity caller;
    struct binding binding; /* outgoing to an account: the device that rings */
    bool has_binding, is_lost, has_target;
    struct leg_sip_target target; /* outgoing to a trunk that has redirected the call */
    bool is_changed_early;        /* offers and answers have gone on before the answer: the INVITE's own is old */
    size_t described_by;          /* hash of the To tag whose description was told last; 0: none */
    struct timer fail_timer;      /* a failure is told from here, never from within a call of the call's */
    unsigned fail_status;
    const char *fail_why;
};

extern const struct leg_ops leg_sip_ops;
extern const struct invite_user leg_sip_invite_user;
int leg_sip_alloc(struct leg_sip **sipp, struct call *call, enum leg_side side);
int leg_sip_open_media(struct leg_sip *sip, const struct addr *towards, bool is_webrtc);
/** The rule by which a leg's peer is known, for invite_end(): a mem object, NULL when there is no memory. */
void *leg_sip_rule_new(const struct leg *leg);
bool leg_sip_rule_allows(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg);
/** The INVITE was refused, or nobody answered: does another target of the trunk get it (RFC 3263 4.3)?
 *  @return true: it was sent there */
bool leg_sip_try_next(struct leg_sip *sip, unsigned status, bool has_response);
/* What stands in the INVITE of an outgoing leg (leg_sip_names.c). */
void leg_sip_write_headers(struct text *out, const struct leg_sip *sip);
/** The number at the trunk. @param is_target with port and transport, as the Request-URI has it */
void leg_sip_write_uri(struct text *out, const struct leg_sip *sip, bool is_target);
/** Header lines of `from`'s message that `to` gets: those that the trunk names, or the other one where `to` is none. */
void leg_sip_pass_headers(struct text *out, const struct leg *to, const struct leg *from, const struct sip_msg *msg);
void leg_sip_fail_later(struct leg_sip *sip, unsigned status, enum leg_trouble trouble, const char *why);
