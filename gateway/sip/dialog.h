/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "sip/stack.h"

/* dialog.h: one SIP dialog: tags, CSeq, remote target, route set. RFC 3261 section 12. Writes requests within itself;
 * knows who it is for by a call-back, not what for. */

#define DIALOG_ROUTE_MAX 16

struct dialog_user {
    /** A request within the dialog, from an allowed source, in order of CSeq. It has its transaction (tx NULL for ACK).
     */
    void (*on_request)(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg, void *arg);
    /** Does a request from this flow count? (rule: the leg's own flow, or the trunk's accept list) */
    bool (*allows)(struct dialog *dialog, const struct sip_flow *flow, struct span account, void *arg);
};

struct dialog {
    struct map_node node; /* key: Call-ID + local tag, of a further fork also + remote tag */
    struct list link;     /* among the further early dialogs of its INVITE: fork.c */
    char *key;
    struct sip_stack *stack;
    const struct dialog_user *user;
    void *arg;
    char *call_id;
    char local_tag[SIP_TAG_MAX];
    char *remote_tag;
    char *local;  /* From value of our requests without tag: "Name" <uri> */
    char *remote; /* To value without tag */
    char *target; /* remote target URI */
    char *routes[DIALOG_ROUTE_MAX];
    unsigned route_count;
    uint32_t local_cseq, remote_cseq;
    bool has_remote_cseq;
    struct sip_flow flow;         /* where our requests go */
    char *peer_name, *peer_trunk; /* while the flow is gone: whom the next connection is for (struct sip_peer) */
    bool is_heard;                /* the peer has answered a request of ours, if only 100 */
    char *contact_user;
    unsigned max_forwards; /* of our requests: 70, or what is left of the caller's */

    /* before the 2xx: RFC 3262 */
    uint32_t rseq;   /* as caller: of the last reliable provisional response, 0: none */
    bool is_agreed;  /* offer and answer have gone, both reliably: UPDATE may follow */
    bool is_ended;   /* as caller: a fork that answered too late, and got its BYE */
    char *early_sdp; /* as caller: the last description in a provisional response; NULL: none */
};

struct dialog_options {
    struct sip_stack *stack;
    const struct dialog_user *user;
    void *arg;
    struct span contact_user;
};

/** As caller: before the INVITE is sent. No remote tag yet. */
int dialog_new_uac(struct dialog **dialogp, const struct dialog_options *options, struct span call_id,
                   struct span local, struct span remote, struct span target);
/** As callee: from the request that creates it; local_tag is the transaction's. */
int dialog_new_uas(struct dialog **dialogp, const struct dialog_options *options, const struct sip_msg *request,
                   const struct sip_flow *flow, struct span local_tag);
/** As caller: another one of the same INVITE, which was forked on its way; shares Call-ID and local tag with the first.
 *  @param cseq of the INVITE */
int dialog_new_fork(struct dialog **dialogp, const struct dialog *first, struct span remote_tag, uint32_t cseq);
/** Take remote tag, target and route set from a response (1xx with tag, or 2xx which computes the routes anew).
 *  @return 0; -EBADMSG */
int dialog_update_uac(struct dialog *dialog, const struct sip_msg *response);
/** A target refresh (re-INVITE, UPDATE and their 2xx): new Contact. */
void dialog_refresh_target(struct dialog *dialog, const struct sip_msg *msg);

/** The connection of the flow is gone. The next request opens another one to this address (RFC 3261 18.1.1), unless the
 * peer has come back over one before: then assign that to flow. @param peer whom it is for; may be NULL. With SIP_UDP
 * requests go there from now on.
 *  @return 0; -ENOMEM, -EAFNOSUPPORT: requests will fail */
int dialog_lose_flow(struct dialog *dialog, enum sip_transport transport, const struct addr *to,
                     const struct sip_peer *peer);

/** Request line, Via, Max-Forwards, From, To, Call-ID, CSeq, Route, Contact (where the method wants it).
 *  cseq 0: the next one; else this one (ACK). Caller adds headers and the body.
 *  @param branch out */
void dialog_write_request(struct text *out, struct dialog *dialog, enum sip_method method, uint32_t cseq,
                          char branch[static SIP_BRANCH_MAX]);
/** What stands in the request line: the target, or a first hop that routes strictly. Borrowed until the dialog changes.
 */
struct span dialog_request_uri(const struct dialog *dialog);
/** URI of the next hop: first Route, else the target. Borrowed until the dialog changes. */
struct span dialog_next_hop(const struct dialog *dialog);

/* for stack.c */
struct dialog *dialog_find(struct sip_stack *stack, const struct sip_msg *request);
/** After the source check and the transaction: CSeq order (500 if too low), then the user. */
void dialog_receive(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg);
