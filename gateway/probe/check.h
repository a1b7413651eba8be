/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "net/dns.h"
#include "probe/report.h"
#include "sip/locate.h"
#include "sip/stack.h"

/* check.h: what the checks of one trunk share, and the row that each of them fills. One file is one check; it starts,
 * it adds findings, and it calls probe_next(). Nothing of a check outlives it: its own object is probe->state, let go
 * when the next one begins. */

struct tls;
struct udp_house;

/** What all trunks share. */
struct probe_house {
    struct conf *conf; /* its listeners are ours: port 0 */
    struct udp_house *udp;
    struct dns *dns;
    struct sip_stack *stack;
    struct tls *client_tls;
    const char *number; /* to call; NULL: no call */
};

struct probe_check;

struct probe {
    struct probe_house *house;
    const struct conf_trunk *trunk;
    char host[256];
    struct locate_wish wish; /* its URI, for locate.h */
    uint16_t port;           /* as the URI says, for URIs that we write */
    enum sip_transport uri_transport;
    struct report *report;
    const struct probe_check *const *checks; /* NULL at the end */
    unsigned at;
    void *state;
    struct timer limit, step;
    bool is_moving; /* the running check is over: what still comes for it is not looked at */
    uint64_t started_ms;
    void (*on_done)(struct probe *probe, void *arg);
    void *arg;

    /* what one check found out for those after it */
    struct locate_target targets[LOCATE_TARGET_MAX]; /* in the order in which the gateway tries them */
    unsigned target_count, target_at;                /* target_at: the one that is looked at */
    bool is_unreachable;                             /* nothing can come of further tries */
    bool has_answered;                               /* some SIP answer came */
    bool has_via;
    struct addr written;               /* our address in the Via of our request */
    struct addr seen;                  /* where the trunk saw it come from; port 0: it did not say */
    bool has_seen_host, has_seen_port; /* received, rport */
    char contact_host[128];            /* of the trunk's Contact; "": none yet */
};

struct probe_check {
    const char *name;   /* as in the report */
    unsigned limit_ms;  /* late() is called then, or earlier when the trunk's time is over */
    bool needs_address; /* left out, in words, when there is none or nothing can be reached */
    bool (*applies)(const struct probe *probe);
    void (*start)(struct probe *probe);
    void (*late)(struct probe *probe); /* report what is missing, take back what stands, then probe_next() */
};

extern const struct probe_check check_dns, check_tls, check_options, check_targets, check_nat, check_register,
    check_call, check_bandwidth;

/** The running check is over. May be called from any call-back of it. */
void probe_next(struct probe *probe);
static inline const struct locate_target *probe_target(const struct probe *probe)
{
    return &probe->targets[probe->target_at];
}
/** "192.0.2.1:5060 (UDP)" */
#define PROBE_TARGET_TEXT_MAX (ADDR_TEXT_MAX + 8)
const char *probe_target_text(const struct locate_target *target, char buf[static PROBE_TARGET_TEXT_MAX]);
/** A flow to the trunk as the gateway would choose it. @return NULL; else why there is none */
const char *probe_open(struct probe *probe, struct sip_flow *flow);
/** Look at an answer of the trunk: Via and Contact, for check_nat. */
void probe_note_answer(struct probe *probe, const struct sip_msg *response);
/** Is a private address of theirs a riddle, where signalling goes to `peer`? Not within one private network. */
bool probe_is_strange(const struct addr *claimed, const struct addr *peer);
/** Milliseconds since then. */
double probe_ms_since(uint64_t since_us);
