/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "probe/check.h"

/* ask.h: requests of the probe outside of dialogs, one after the other with one Call-ID, challenges answered on the
 * way. RFC 3261 8.1, 22.2. */

struct ask; /* leave with mem_unref(): nothing is called after */

struct ask_user {
    /** The final answer; challenges that could be answered are not shown. */
    void (*on_answer)(struct ask *ask, const struct sip_msg *response, void *arg);
    /** None. status 408: silence; 503: no connection */
    void (*on_silence)(struct ask *ask, unsigned status, const char *why, void *arg);
};

struct ask_options {
    struct probe *probe;
    struct sip_flow flow;
    enum sip_method method;
    struct span uri;      /* Request-URI */
    struct span from, to; /* values without tags */
    const struct ask_user *user;
    void *arg;
    bool is_aside; /* not to the target that is looked at: the answer says nothing about that one */
};
/** All is copied; nothing is sent yet. @return 0; -ENOMEM */
int ask_new(struct ask **askp, const struct ask_options *options);

/** Send. @param headers whole lines, copied; has_contact: with the Contact of this flow. @return 0; -errno */
int ask_send(struct ask *ask, struct span headers, bool has_contact);
/** From the last sending to its answer. */
double ask_took_ms(const struct ask *ask);
/** Were credentials asked for, by the last one or before? */
bool ask_was_challenged(const struct ask *ask);
/** An OPTIONS to the trunk over this flow; asked by ask_send(). @return 0; -errno */
int ask_new_options(struct ask **askp, struct ask_options *options);
/** Who we are towards this trunk: "<sip:USER@HOST>". */
void ask_write_identity(struct text *out, const struct probe *probe, const char *host);
/** The trunk's user name for us, or ours. */
const char *ask_user_name(const struct probe *probe);
