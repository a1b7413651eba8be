/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/server_tx.h"

/* event_in.h: the notifier's side of one subscription: its dialog, its expiry, its NOTIFYs one after the other. RFC
 * 6665. Has never heard of presence: what a NOTIFY says is the user's. */

struct event_in;

struct event_in_user {
    /** The subscriber is to be told the whole state (it has subscribed, refreshed, unsubscribed, or its time is over):
     * event_in_notify() now, or when the NOTIFY under way has been answered. */
    void (*on_fetch)(struct event_in *sub, void *arg);
    /** The NOTIFY under way was answered: another may be sent. */
    void (*on_ready)(struct event_in *sub, void *arg);
    /** It is over: the subscriber is gone, does not answer, or has had its last NOTIFY. Nothing is called after. */
    void (*on_end)(struct event_in *sub, void *arg);
    /** Does a SUBSCRIBE from this flow count, which is not the one that it came over before? */
    bool (*allows)(struct event_in *sub, const struct sip_flow *flow, struct span account, void *arg);
};

struct event_in_options {
    struct server_tx *tx; /* of the SUBSCRIBE; it is answered by event_in_new() */
    struct span event;    /* package, as in Event */
    unsigned min_s, max_s, default_s;
    const struct event_in_user *user;
    void *arg;
};
/** Answers 200 and asks for the state by on_fetch(), or refuses: 400 (no Contact), 423. @return 0; -EBADMSG,
 * -ERANGE, -ENOMEM: refused */
int event_in_new(struct event_in **subp, const struct event_in_options *options);

/** May a NOTIFY be sent? Not while one is under way. */
bool event_in_is_ready(const struct event_in *sub);
/** Send a NOTIFY; it says that the subscription is active, or has come to its end by itself (then on_end() follows).
 *  @return 0; -EBUSY: not ready; -ENOMEM */
int event_in_notify(struct event_in *sub, struct span content_type, struct span body);
/** End it from our side. on_end() is not called. @param reason as in Subscription-State: "rejected", "noresource"
 *  @param retry_after_s 0: none */
void event_in_end(struct event_in *sub, const char *reason, unsigned retry_after_s);

const struct sip_flow *event_in_flow(const struct event_in *sub);

/** Event's package and the parameters that belong to it (id); empty: there is none. */
struct span event_package(const struct sip_msg *msg);
/** Expires of a SUBSCRIBE or PUBLISH within these bounds. @return 0; -ERANGE: below min, and not 0; -EBADMSG */
int event_expires(unsigned *expires_s, const struct sip_msg *msg, unsigned min_s, unsigned max_s, unsigned default_s);
