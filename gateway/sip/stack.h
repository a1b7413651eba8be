/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/map.h"
#include "base/timer.h"
#include "sip/locate.h"
#include "sip/msg.h"
#include "sip/msg_write.h"
#include "sip/transport.h"

/* stack.h: SIP of one worker: from bytes to transactions and dialogs, and the one door upwards (struct sip_user).
 * RFC 3261. Knows who a message belongs to; has never heard of calls, accounts or SDP. */

struct server_tx;
struct dialog;
struct keep_alive;

/** A request that belongs to nothing yet, as it is shown to the user for a first look. Lives for the call-back only. */
struct sip_incoming {
    const struct sip_msg *msg;
    const struct sip_flow *flow;
    struct span account; /* proved on this connection before; empty: nobody */
};

/** A refusal that is to wait (held.h). */
struct sip_hold {
    unsigned ms;  /* 0: it is sent at once */
    bool closes;  /* the connection, when it has been sent */
    size_t whose; /* hash of who asks: one refusal is held for each flow and asker */
};

/** The user's verdict about a new request. */
struct sip_verdict {
    unsigned status;               /* 0: take it, a transaction is made; else answered without state */
    const char *why;               /* sentence for the Warning header and the log */
    struct text headers;           /* whole header lines (challenge), freed by the stack */
    bool is_silent;                /* no answer at all */
    struct sip_hold hold;          /* of a refusal */
    char account[SIP_ACCOUNT_MAX]; /* who proved itself, for on_request */
};

struct sip_user {
    /** Which worker owns this new request: a pure function of the message and the snapshot, or whoever asks. */
    unsigned (*place)(const struct sip_msg *msg, const struct sip_flow *flow, void *arg);
    /** First look, before any state exists: ACL, digest, limits. */
    void (*admit)(const struct sip_incoming *incoming, struct sip_verdict *verdict, void *arg);
    /** A new request outside of dialogs has its transaction; answer with server_tx_reply() now or later. Not ACK, not
     * CANCEL. */
    void (*on_request)(struct server_tx *tx, const char *account, void *arg);
    /** A connection is gone; told on every worker. account: who had proved itself on it, or "". */
    void (*on_flow_lost)(const struct sip_flow *flow, const char *account, void *arg);
    /** What to write as our address where packets leave from `local` to `towards`. */
    void (*advertise)(struct addr *out, const struct addr *local, const struct addr *towards, void *arg);
};

struct sip_timers { /* RFC 3261 table 4, all from T1 */
    unsigned t1_ms, t2_ms, t4_ms;
};

struct sip_stack {
    unsigned worker;
    const struct sip_user *user;
    void *user_arg;
    struct sip_timers timers;
    struct timer_wheel *wheel;
    struct sip_transports *transports;
    struct conf *conf;                              /* domain; swapped at reload */
    struct map server_txs;                          /* branch + sent-by + method */
    struct map merged;                              /* Call-ID + From tag + CSeq of INVITEs without To tag */
    struct map client_txs;                          /* branch + method */
    struct map dialogs;                             /* Call-ID + local tag */
    struct map held;                                /* refusals that wait: held.c */
    struct keep_alive *keep;                        /* registered UDP flows */
    struct locate_silent silent[LOCATE_SILENT_MAX]; /* sip/locate.c's */
    unsigned tx_limit;                              /* transactions alive at once */
    bool is_ending;                                 /* goes down: nothing waits for the wire any more */
    struct sip_msg scratch;                         /* parse target of sip_receive() */
    char received[ADDR_TEXT_MAX];                   /* where it came from, for its Via */
};

struct stack_options {
    unsigned worker;
    const struct sip_user *user;
    void *user_arg;
    struct conf *conf;
    struct udp_house *udp;
    struct tls *server_tls, *client_tls;
    const struct tls_clients *tls_clients; /* of trunks with TLS settings of their own; may be NULL */
};
int sip_stack_new(struct sip_stack **stackp, const struct stack_options *options, const char **why_out);
/** New snapshot for what comes from now on. */
void sip_stack_reload(struct sip_stack *stack, struct conf *conf);

/** One message off the wire (or a keep-alive). @param bytes writable, borrowed; account: see sip_incoming */
void sip_receive(struct sip_stack *stack, const struct sip_flow *flow, struct span account, char *bytes, size_t n);

/** The head of a message on a stream whose Content-Length is missing or wrong: answered 400 if it can be. The caller
 * closes. */
void sip_receive_headless(struct sip_stack *stack, const struct sip_flow *flow, char *bytes, size_t n);

/** Tell every worker that a connection of this one is gone. */
void sip_stack_flow_lost(struct sip_stack *stack, const struct sip_flow *flow, const char *account);
/** The stack of a worker, for crossings; NULL while it does not exist. */
struct sip_stack *sip_stack_of(unsigned worker);

/* Names that carry our worker number: w<worker>.<random> (steer.c). */
#define SIP_TAG_MAX    24
#define SIP_BRANCH_MAX 40
void sip_tag_make(char tag[static SIP_TAG_MAX], const struct sip_stack *stack);
void sip_branch_make(char branch[static SIP_BRANCH_MAX], const struct sip_stack *stack);
/** Which worker a tag or branch of ours names; -1: not one of ours. */
int sip_tag_worker(struct span tag);
int sip_branch_worker(struct span branch);

/** Answer without a transaction, once. */
void sip_reply_stateless(struct sip_stack *stack, const struct sip_msg *request, const struct sip_flow *flow,
                         const struct sip_verdict *verdict);
/** Write our Via for a request over this flow. */
void sip_write_via(struct text *out, struct sip_stack *stack, const struct sip_flow *flow, const char *branch);
/** Write our Contact header for this flow. user: "" or a user part. */
void sip_write_contact(struct text *out, struct sip_stack *stack, const struct sip_flow *flow, struct span user);
/** The same with a URI parameter more: ";name=value", or empty. */
void sip_write_contact_with(struct text *out, struct sip_stack *stack, const struct sip_flow *flow, struct span user,
                            struct span param);

#define SIP_ALLOW     "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH"
#define SIP_SUPPORTED "timer, replaces"
#define SIP_AGENT     "Sipway"
