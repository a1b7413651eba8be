/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/dialog.h"
#include "sip/request.h"
#include "sip/server_tx.h"

/* invite.h: one INVITE usage: a session with one SIP peer, from the first INVITE to the BYE. RFC 3261 13, 14, 15.
 * invite_out.c: as caller. invite_in.c: as callee, 2xx and its ACK. modify.c: re-INVITE and UPDATE both ways, glare.
 * invite.c: BYE and the rest. Carries bodies, knows no SDP; knows one peer, not the other leg. */

struct invite;

enum invite_end_cause {
    INVITE_END_BYE,      /* the peer hung up */
    INVITE_END_NO_ACK,   /* our 2xx was never ACKed; a BYE has been sent */
    INVITE_END_NO_PRACK, /* our reliable provisional response was never acknowledged; 504 has been sent (RFC 3262 3) */
    INVITE_END_FAILED,   /* a request within the dialog was answered 408 or 481: the peer has no such call */
};

struct invite_user {
    /* as caller */
    void (*on_progress)(struct invite *invite, const struct sip_msg *response, void *arg); /* 101-199 */
    void (*on_answered)(struct invite *invite, const struct sip_msg *response, void *arg); /* 2xx; the ACK was sent */
    /** response is NULL when there was none (408, 503, 487). */
    void (*on_rejected)(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                        void *arg);
    /* as callee */
    void (*on_confirmed)(struct invite *invite, const struct sip_msg *ack, void *arg);
    void (*on_cancelled)(struct invite *invite, const struct sip_msg *cancel, void *arg); /* 487 was sent */
    /* within the session */
    /** re-INVITE or UPDATE of the peer; answer with invite_modify_reply(), now or later. */
    void (*on_modify)(struct invite *invite, const struct sip_msg *request, void *arg);
    /** The peer took its re-INVITE back (CANCEL; 487 was sent): no reply is wanted any more. */
    void (*on_modify_cancelled)(struct invite *invite, void *arg);
    /** The ACK of the 2xx to its re-INVITE: it has the answer if the 2xx had the offer. */
    void (*on_modify_confirmed)(struct invite *invite, const struct sip_msg *ack, void *arg);
    /** What became of our invite_modify(); response NULL: no answer. 408: it was given up after 64*T1. */
    void (*on_modified)(struct invite *invite, unsigned status, const struct sip_msg *response, void *arg);
    /** A change that was given up has been accepted after all: the peer believes in it, tell it what counts. */
    void (*on_modified_late)(struct invite *invite, void *arg);
    /** INFO: answer tx. */
    void (*on_info)(struct invite *invite, struct server_tx *tx, const struct sip_msg *info, void *arg);
    /** REFER in a confirmed session: answer tx (refer.h). */
    void (*on_refer)(struct invite *invite, struct server_tx *tx, void *arg);
    /** Time to refresh by a re-INVITE with the description that counts (the peer takes no UPDATE). */
    void (*on_refresh)(struct invite *invite, void *arg);
    /** Over. bye is NULL unless INVITE_END_BYE. */
    void (*on_ended)(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why,
                     void *arg);
    /** Source check, see dialog.h. */
    bool (*allows)(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg);
    /** The dialog's next hop (a URI) is known or has changed: choose the flow for what we send, or leave it. */
    void (*choose_flow)(struct invite *invite, struct span next_hop, struct sip_flow *flow, void *arg);
};

struct invite_out_options {
    struct sip_stack *stack;
    const struct invite_user *user;
    void *arg;
    struct sip_flow flow;
    struct span request_uri;
    struct span from, to; /* values without tag */
    struct span contact_user;
    unsigned max_forwards; /* 0: 70 */
    struct span headers;   /* whole lines */
    struct span content_type, body;
    const char *username, *password; /* for the peer's challenges; NULL: none */
};
/** Send an INVITE. The user gets one reference; leave with invite_end() (if not over) and mem_unref(). */
int invite_out_new(struct invite **invitep, const struct invite_out_options *options);

/** Take an INVITE that has its transaction. @return 0; -EBADMSG: no Contact (answer 400) */
int invite_in_new(struct invite **invitep, struct server_tx *tx, const struct invite_user *user, void *arg,
                  struct span contact_user);
/** From now on 101-199 go reliably (RFC 3262), as the caller supports it; where it requires that, they do anyhow.
 *  @return 0; -ENOMEM */
int invite_in_use_100rel(struct invite *invite);
/** 101-199. Reliable ones wait for the PRACK of the one before; then only the newest is sent, with the description
 * that one of them had. */
int invite_in_progress(struct invite *invite, const struct sip_reply *reply);
/** 200 with the body; repeated until the ACK. Held back while a reliable description waits for its PRACK. */
int invite_in_answer(struct invite *invite, struct span headers, struct span content_type, struct span body);
/** The INVITE as it came. */
const struct sip_msg *invite_in_request(const struct invite *invite);

/** End it from our side, whatever state it is in: CANCEL, error answer, or BYE (held until the ACK has come). The user
 * hears nothing more.
 *  @param status for an unanswered incoming INVITE; why: the sentence for Reason/Warning; idempotent */
struct invite_end {
    unsigned status;
    unsigned cause; /* for the Reason header of CANCEL and BYE; 0: none */
    const char *why;
    struct span headers; /* further lines of the error answer */
    /* Whom to listen to until the last ACK or BYE, when the user is gone already; NULL: only the flow it has. */
    bool (*allows)(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg);
    void *allows_arg; /* a mem object, referenced */
};
void invite_end(struct invite *invite, const struct invite_end *end);

/** Ask the peer for a change: re-INVITE with this body, before the answer UPDATE, where offer and answer have gone
 * reliably and the peer allows UPDATE. @return 0; -EBUSY: another change is running; -EPROTO: not possible now */
int invite_modify(struct invite *invite, struct span content_type, struct span body);
/** Take our re-INVITE back: CANCEL. Its outcome is still told, never from within. */
void invite_modify_cancel(struct invite *invite);
/** Answer the peer's re-INVITE or UPDATE. */
int invite_modify_reply(struct invite *invite, const struct sip_reply *reply);
bool invite_is_modifying(const struct invite *invite);

/** As caller: the description that came before the answer in the dialog that counts now; empty: none. Borrowed. */
struct span invite_early_sdp(const struct invite *invite);

/** Send a request within the session whose outcome nobody waits for (INFO). */
int invite_send(struct invite *invite, enum sip_method method, struct span headers, struct span content_type,
                struct span body);

/** The peer came back over another connection. */
void invite_set_flow(struct invite *invite, const struct sip_flow *flow);
const struct sip_flow *invite_flow(const struct invite *invite);
struct span invite_call_id(const struct invite *invite);
bool invite_is_confirmed(const struct invite *invite);
/** Whose INVITE usage this dialog is, if it is one of this user's; else NULL. */
void *invite_user_arg(const struct dialog *dialog, const struct invite_user *user);
/** The Contact we gave to the peer, for explanations. */
struct dialog *invite_dialog(const struct invite *invite);
