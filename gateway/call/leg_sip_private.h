/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/leg_sip.h"
#include "net/dns.h"

/* leg_sip_private.h: shared by leg_sip.c (the leg in a call) and leg_sip_dial.c (how an outgoing one begins). */

struct leg_sip {
    struct leg leg; /* first */
    struct invite *invite;
    struct dns_query *dns;
    struct binding binding; /* outgoing to an account: the device that rings */
    bool has_binding, is_lost;
    struct timer fail_timer; /* a failure is told from here, never from within a call of the call's */
    unsigned fail_status;
    const char *fail_why;
};

extern const struct leg_ops leg_sip_ops;
extern const struct invite_user leg_sip_invite_user;
int leg_sip_alloc(struct leg_sip **sipp, struct call *call, enum leg_side side);
int leg_sip_open_media(struct leg_sip *sip, const struct addr *towards, bool is_webrtc);
void leg_sip_fail_later(struct leg_sip *sip, unsigned status, const char *why);
