/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/stack.h"

/* register_out.h: one registration of ours at a registrar, kept alive: RFC 3261 10.2. Refreshed before what was granted
 * is over, tried again with growing pauses after a failure, taken back at the end. Where the registrar is, its user
 * finds out. */

#define REGISTER_OUT_STATES(X) X(TRYING, "trying") X(REGISTERED, "registered") X(FAILED, "failed") X(ENDED, "ended")
enum register_out_state {
#define X(name, text) REGISTER_OUT_##name,
    REGISTER_OUT_STATES(X)
#undef X
};
const char *register_out_state_name(enum register_out_state state);

struct register_out;

struct register_out_news {
    enum register_out_state state;
    const char *why;    /* FAILED: one sentence; else "" */
    unsigned expires_s; /* REGISTERED: as granted */
    unsigned retry_ms;  /* FAILED: until the next try */
};

struct register_out_user {
    /** It is time: find a flow to the registrar, then register_out_send() or register_out_fail(), now or later. */
    void (*on_due)(struct register_out *reg, void *arg);
    /** The outcome of each try, also where the state stays. After ENDED nothing comes; it may be let go from within. */
    void (*on_outcome)(struct register_out *reg, const struct register_out_news *news, void *arg);
    /** This registrar does not answer, cannot be reached or says 503: is there another one (RFC 3263 4.3)? @return
     * true: register_out_send() was called for it. May be NULL. */
    bool (*on_silent)(struct register_out *reg, void *arg);
};

struct register_out_options {
    struct sip_stack *stack;
    struct span registrar_uri; /* Request-URI: sip:HOST, no user */
    struct span aor;           /* whom we register, as a URI; From and To */
    struct span contact_user;
    struct span contact_param;       /* ";name=value", or empty: comes back in the Request-URI of calls to us */
    const char *username, *password; /* digest; NULL: none */
    const struct register_out_user *user;
    void *arg;
};
/** It begins by itself with an on_due, from a timer. All texts are copied. mem_unref() stops it without a word to the
 * registrar.
 *  @return 0; -ENOMEM */
int register_out_new(struct register_out **regp, const struct register_out_options *options);

/** @param wait_ms how long to wait for the answer; 0: timer F */
void register_out_send(struct register_out *reg, const struct sip_flow *flow, unsigned wait_ms);
/** No flow could be found. @param why static sentence */
void register_out_fail(struct register_out *reg, const char *why);
/** A connection is gone: where the binding was made over it, it is made anew after a short pause (RFC 5626 4.2.1). */
void register_out_flow_lost(struct register_out *reg, const struct sip_flow *flow);
/** Take the binding back (Expires: 0) and come to ENDED: at the answer, or when there is none; within this call where
 * nothing was ever sent. */
void register_out_end(struct register_out *reg);
