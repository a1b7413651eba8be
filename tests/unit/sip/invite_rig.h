/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip_rig.h"

/* invite_rig.h: a user of INVITE usages that writes down what it is told. */

struct invite_seen {
    unsigned progress_count, answered_count, rejected_count, confirmed_count, cancelled_count, modify_count,
        modified_count, info_count, ended_count, modify_cancelled_count, modify_confirmed_count, modified_late_count,
        refresh_count;
    unsigned status;      /* of the last progress, rejection or modification */
    unsigned progress[8]; /* statuses in order */
    enum invite_end_cause cause;
    char why[200];
    char ack_body[200];      /* of the last ACK to a re-INVITE's 2xx */
    char next_hop[200];      /* of the last choose_flow */
    bool allows_anybody;     /* what allows() says; else: only rig.udp, rig.tcp and rig.ws */
    struct sip_flow *choice; /* choose_flow takes this one, NULL: none */
};
extern struct invite_seen told;
extern const struct invite_user invite_rig_user;

#define RIG_SDP "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"

/** An INVITE of ours over this flow, already looked at. */
struct invite *rig_call(const struct sip_flow *flow, struct rig_sent **sentp);
/** The same with credentials for challenges. */
struct invite *rig_call_as(const struct sip_flow *flow, const char *username, const char *password,
                           struct rig_sent **sentp);

/** The peer's INVITE, and nothing else. */
void rig_invite(const struct sip_flow *flow, const char *branch);
/** The peer's INVITE came in and is taken. */
struct invite *rig_called(const struct sip_flow *flow, const char *branch);
/** A request of the peer within the dialog of rig_called(); to_tag as we gave it in rig_our_tag. */
void rig_within(const struct sip_flow *flow, const char *method, const char *branch, unsigned cseq);
/** The same with further lines (LF); an empty line and a body after them, if wanted. */
void rig_within_more(const struct sip_flow *flow, const char *method, const char *branch, unsigned cseq,
                     const char *more);
extern char rig_our_tag[SIP_TAG_MAX];
