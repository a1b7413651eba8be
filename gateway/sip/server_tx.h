/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/map.h"
#include "sip/stack.h"

/* server_tx.h: one SIP server transaction. RFC 3261 section 17.2, RFC 6026 (state Accepted), RFC 4320 (no 408 for
 * non-INVITE). Keeps a copy of its request. Has never heard of calls. */

struct server_tx;

struct server_tx_user {
    /** CANCEL of an INVITE that has no final answer yet; it was answered 200, now answer the INVITE (487). */
    void (*on_cancel)(struct server_tx *tx, const struct sip_msg *cancel, void *arg);
    /** Over: terminated after its timers, or an INVITE answered with an error that was never ACKed. Nothing is called
     * after. */
    void (*on_end)(struct server_tx *tx, void *arg);
};

/** Made by the stack for a request that passed the gate. The stack holds a reference until it ends. @return 0, -EBUSY
 * (limit), -ENOMEM */
int server_tx_new(struct server_tx **txp, struct sip_stack *stack, const struct sip_msg *request,
                  const struct sip_flow *flow);
void server_tx_set_user(struct server_tx *tx, const struct server_tx_user *user, void *arg);
const struct sip_msg *server_tx_request(const struct server_tx *tx);
const struct sip_flow *server_tx_flow(const struct server_tx *tx);
struct sip_stack *server_tx_stack(const struct server_tx *tx);

struct sip_reply {
    unsigned status;
    const char *reason;  /* NULL: the standard phrase */
    const char *why;     /* sentence for Warning; NULL: none */
    struct span to_tag;  /* empty: the transaction's own tag (101 and up) */
    bool has_contact;    /* write our Contact */
    struct span headers; /* whole lines with CRLF */
    struct span content_type, body;
};
/** Send a response; provisional ones any number of times, one final one. @return 0; -EPROTO: already answered */
int server_tx_reply(struct server_tx *tx, const struct sip_reply *reply);
/** Send the last response once more (2xx until the ACK: RFC 3261 13.3.1.4). */
void server_tx_resend(struct server_tx *tx);
/** The To tag that the transaction writes into its responses when the request had none. */
struct span server_tx_tag(const struct server_tx *tx);
/** Status of the last response, 0: none. */
unsigned server_tx_status(const struct server_tx *tx);

/* for stack.c */
struct server_tx *server_tx_find(struct sip_stack *stack, const struct sip_msg *request);
struct server_tx *server_tx_find_invite(struct sip_stack *stack, const struct sip_msg *cancel);
/** The stack goes down: end them all. */
void server_tx_end_all(struct sip_stack *stack);
/** A retransmission or an ACK that belongs to it. */
void server_tx_receive(struct server_tx *tx, const struct sip_msg *request);
void server_tx_receive_cancel(struct server_tx *invite, const struct sip_msg *cancel);
/** Another transaction of the same request is running (RFC 3261 8.2.2.2). */
bool server_tx_is_merged(struct sip_stack *stack, const struct sip_msg *request);
