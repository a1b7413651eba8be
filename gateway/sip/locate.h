/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/transport.h"
#include "sip/uri.h"

/* locate.h: where a SIP URI leads: an ordered list of targets. RFC 3263 section 4: NAPTR, SRV (RFC 2782), A and AAAA.
 * Whoever sends to the list goes to the next target when one does not answer (section 4.3). */

struct dns;
struct sip_stack;
struct locate; /* leave with mem_unref(): no callback after */

#define LOCATE_TARGET_MAX 16
/** How long a target may be silent while another one is left. Timer B and F (32 s) hold for the last one only: a host
 * that is down must not cost a caller half a minute. */
#define LOCATE_SILENT_MS 4000

struct locate_target {
    enum sip_transport transport;
    struct addr addr;
};

/** What the URI says; text is borrowed. */
struct locate_wish {
    struct span host;
    uint16_t port; /* 0: none given */
    bool is_sips, has_transport;
    enum sip_transport transport; /* with has_transport */
};
/** @return 0; -EAFNOSUPPORT: a transport that is not ours, or sips over UDP; -EINVAL: no SIP URI */
int locate_read(struct locate_wish *wish, const struct uri *uri);

/** @param targets as borrowed as long as the call; at least one where err is 0. err: -ENOENT: the name leads nowhere;
 *  -ETIMEDOUT: no name server answers; -EAFNOSUPPORT: there are targets, but the gateway has no listener of their kind
 */
typedef void locate_fn(int err, const struct locate_target *targets, unsigned count, void *arg);
/** Takes at most some seconds. @return 0; *locatep is NULL if it was answered before return; -ENOMEM */
int locate_begin(struct locate **locatep, struct sip_stack *stack, struct dns *dns, const struct locate_wish *wish,
                 locate_fn *fn, void *arg);

/** A list that is being tried, one target after the other. A value. */
struct locate_tries {
    struct locate_target targets[LOCATE_TARGET_MAX];
    unsigned count, next;
};
/** Targets that were silent lately stand last: the next caller need not find that out again. */
void locate_tries_begin(struct locate_tries *tries, struct sip_stack *stack, const struct locate_target *targets,
                        unsigned count);
/** The target that did well the last time, if it is still in the list, comes first. */
void locate_tries_prefer(struct locate_tries *tries, const struct sip_flow *flow);
static inline bool locate_tries_has_more(const struct locate_tries *tries)
{
    return tries->next < tries->count;
}
/** The target at the end of this flow was silent or could not be reached; or it has answered. Remembered for a minute,
 * by this worker. */
#define LOCATE_SILENT_KEPT_MS 60000
#define LOCATE_SILENT_MAX     32 /* the oldest one gives way */
struct locate_silent {
    struct locate_target target;
    uint64_t until_ms; /* 0: free */
};
void locate_note(struct sip_stack *stack, const struct sip_flow *flow, bool is_silent);
/** A flow to the next target to which there is one. @param peer whom it is for. @return false: none is left */
bool locate_tries_open(struct locate_tries *tries, struct sip_flow *flow, struct sip_stack *stack,
                       const struct sip_peer *peer);
