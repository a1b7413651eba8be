/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/stack.h"

/* client_tx.h: one SIP client transaction, from first send to final response or timeout. RFC 3261 section 17.1, RFC
 * 6026. ACKs a refused INVITE itself; the 2xx's ACK is the dialog's. */

struct client_tx;

struct client_tx_user {
    /** Every provisional response, the final one, and for INVITE each 2xx again (also from other forks). */
    void (*on_response)(struct client_tx *tx, const struct sip_msg *response, void *arg);
    /** No response: 408 (timer B, F) or 503 (the flow is gone). Nothing is called after. */
    void (*on_fail)(struct client_tx *tx, unsigned status, const char *why, void *arg);
};

struct client_tx_options {
    struct sip_stack *stack;
    struct sip_flow flow;
    enum sip_method method;
    const char *branch;  /* as written in the request's Via */
    struct span request; /* whole message, copied */
    unsigned wait_ms;    /* instead of timers B and F; 0: 64*T1 */
    const struct client_tx_user *user;
    void *arg;
};
/** Send it. The table holds a reference until it ends; txp gives another one (unref it when no longer of interest,
 * after client_tx_detach()). */
int client_tx_new(struct client_tx **txp, const struct client_tx_options *options);
/** No more call-backs; the transaction goes on by itself until its end. Idempotent, NULL is welcome. */
void client_tx_detach(struct client_tx *tx);
/** INVITE: send CANCEL as soon as a provisional response has come (RFC 3261 9.1); give up 64*T1 after it (on_fail 487).
 */
void client_tx_cancel(struct client_tx *tx, struct span reason_header);
bool client_tx_is_over(const struct client_tx *tx);

/* for stack.c */
struct client_tx *client_tx_find(struct sip_stack *stack, const struct sip_msg *response);
void client_tx_receive(struct client_tx *tx, const struct sip_msg *response);
/** The flow is gone: fail what waits on it. */
void client_tx_flow_lost(struct sip_stack *stack, const struct sip_flow *flow);
/** The stack goes down: end them all. */
void client_tx_end_all(struct sip_stack *stack);
