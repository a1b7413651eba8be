/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/leg.h"
#include "call/location.h"
#include "call/timeline.h"
#include "call/trunk_pace.h"

/* call.h: a call: an incoming leg, one or more outgoing ones of which one wins, the bridge between two, limits,
 * timeline, CDR.
 *
 *   ROUTING --legs are dialled--> RINGING --LEG_ANSWERED--> TALKING --> OVER
 *      \____________ refused, cancelled, hung up ______________________/        */

#define CALL_STATES(X) X(ROUTING, "routing") X(RINGING, "ringing") X(TALKING, "talking") X(OVER, "over")
enum call_state {
#define X(name, text) CALL_##name,
    CALL_STATES(X)
#undef X
        CALL_STATE_COUNT
};

#define CALL_ID_MAX  24
#define CALL_LEG_MAX 10 /* devices that ring at once */

struct call {
    struct map_node node; /* calls->by_id while alive */
    struct list link;     /* calls->history when ended */
    struct calls *calls;
    struct conf *conf; /* the snapshot it began with */
    struct directory *directory;
    char id[CALL_ID_MAX];
    enum call_state state;
    struct leg *in;
    struct leg *out;      /* the one that answered */
    struct list out_legs; /* all that ring; the winner stays in it */
    unsigned out_count;
    struct leg *early;   /* whose early media the caller hears */
    struct leg *said_by; /* an outgoing leg that has just answered, while that is dealt with */
    const struct sip_msg *said;
    struct leg *modifier; /* whose change is under way */
    struct leg *late;     /* its ACK brings the answer to our offer */
    struct leg *told;     /* we are telling it what the other one has come to */
    bool is_unsettled;    /* the caller was told of early media that is not what was answered: when its ACK is here */
    unsigned tell_rounds, tell_tries;
    struct timer tell_timer;
    struct leg *moving;              /* while it ends: this one goes on in another call */
    struct leg *parting;             /* its side of the call is over, but it may say BYE itself */
    struct transfer *transfer;       /* what one of the two has asked for: transfer.c */
    unsigned transfer_count;         /* that led to this call */
    char referrer[ROUTE_NUMBER_MAX]; /* who has sent the caller here; "" */
    struct route_caller rights;      /* who is answerable for it: the caller, or who has referred him */
    struct route_pick pick;
    struct trunk_try {  /* trunks of the route, one after the other */
        uint64_t tried; /* bit per trunk; a route has at most 64 */
        size_t at;      /* the last one */
    } trunk_try;
    char caller[ROUTE_NUMBER_MAX], caller_display[128], dialled[ROUTE_NUMBER_MAX];
    bool is_anonymous;
    char lamps[2][SIP_ACCOUNT_MAX];        /* whose busy lamps it has lit, on the caller's and the callee's side */
    char counted_account[SIP_ACCOUNT_MAX]; /* in whose max_calls it has a place; "" */
    unsigned max_forwards;
    unsigned max_duration_s; /* 0: none */
    struct timeline *timeline;
    struct timer ring_timer;
    struct timer in_back_timer, out_back_timer; /* while that side's connection is gone */
    uint64_t began_us, answered_us, ended_us;
    uint64_t began_wall_us;
    struct redirect *redirect; /* whom its trunks have named by 3xx: redirect.c; NULL: nobody */
    unsigned best_status;      /* the best refusal of the outgoing legs, RFC 3261 16.7 */
    char best_why[160];
    unsigned end_status;
    const char *ended_by; /* "caller", "callee", "gateway" */
    char why[200];        /* how it ended, one sentence */
    const char *cause_id; /* what it failed of (cause.h), "" */
    char *cause_text;     /* that in a sentence; NULL while it lives */
    bool is_counted_trunk;
    bool is_asking; /* for a place in a call of another worker: a refusal of that is no call, and has no record */
    struct pace_wait *pace_wait; /* it waits for its turn at the trunk */
    char *legs_text;             /* JSON of the legs as they were at the end, for whoever asks later */
    char *route_text;            /* name of its route */
    struct pbx_call *pbx;        /* between a PBX and one of its users; else NULL */
    struct timer linger;         /* frees the legs outside of their own call-backs */
};

const char *call_state_name(enum call_state state);

/** A call for an incoming leg; it is in calls->by_id. The calls house holds it until it has ended and been forgotten.
 */
int call_new(struct call **callp, struct calls *calls);
#define call_note(call, ...) timeline_add((call)->timeline, (call)->id, __VA_ARGS__)

/** The caller is known and its offer taken: find who gets the call and ring there. */
void call_route(struct call *call, const struct route_caller *caller);

/** End it: both legs, ports, one CDR. status for an unanswered caller; ended_by: who; idempotent. */
void call_end(struct call *call, unsigned status, const char *ended_by, const char *why);

/** An account registered on a new connection: calls of its that lost theirs go on. All workers. */
void call_account_is_back(const char *account, const struct binding *binding);
/** A device of an account has left a flow and registered on another: its calls go on there. All workers. */
void call_account_moved(const char *account, const struct sip_flow *left, const struct binding *binding);
/** A connection is gone: legs on it wait for reconnect_s. */
void call_flow_lost(struct calls *calls, const struct sip_flow *flow);
/** Once a second: RTP time-outs, longest duration. */
void call_sweep(struct calls *calls);

void call_write_brief(const struct call *call, struct text *out);
void call_write_full(const struct call *call, struct text *out);
/** Keep what is told of an ended call: its legs and its snapshot are about to go. */
void call_keep_texts(struct call *call);
