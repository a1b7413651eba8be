/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/list.h"
#include "base/timer.h"
#include "call/cause.h"
#include "call/negotiate.h"
#include "call/route.h"

/* leg.h: one side of a call, whatever it is made of. A kind of leg fills the table of operations; towards the call a
 * leg speaks by call_event() only. Kinds: SIP leg (leg_sip.c); JSON and plugin legs will be others. */

struct call;
struct leg;
struct refer;

enum leg_side { LEG_IN, LEG_OUT };

struct leg_ops {
    const char *name;
    /** Incoming: tell the caller that it rings (180) or that there is early media (183 with a description; body empty:
     * none). */
    void (*progress)(struct leg *leg, unsigned status, struct span sdp);
    /** Incoming: answer with this description. @return 0 or negative */
    int (*answer)(struct leg *leg, struct span sdp);
    /** End it, in whatever state; the leg is silent afterwards. status: for an unanswered incoming leg. cause: SIP
     * cause for the Reason. */
    void (*end)(struct leg *leg, unsigned status, unsigned cause, const char *why);
    /** Ask the peer for a change of the session with this offer; the outcome comes as LEG_MODIFIED. */
    int (*modify)(struct leg *leg, struct span sdp);
    /** Take our change back; its outcome still comes, never from within. */
    void (*modify_cancel)(struct leg *leg);
    /** Answer the peer's change: 200 with a description, or a refusal. */
    void (*modify_reply)(struct leg *leg, unsigned status, const char *why, struct span sdp);
    /** Pass an INFO body on (DTMF). */
    void (*info)(struct leg *leg, struct span content_type, struct span body);
    void (*destroy)(struct leg *leg);
};

struct leg {
    struct list link; /* call->out_legs */
    const struct leg_ops *ops;
    struct call *call; /* plain back pointer; the call owns its legs */
    enum leg_side side;
    struct leg_media *media;
    char account[SIP_ACCOUNT_MAX]; /* who it is, when an account */
    const struct trunk *trunk;     /* or which trunk */
    struct directory *directory;   /* holds trunk, once the leg has come from another call; else the call's does */
    bool holds_trunk_place;        /* it brought its place in the trunk's max_calls along */
    char peer[ROUTE_NUMBER_MAX];   /* number or name, for people */
    unsigned status;               /* last SIP status seen or sent */
    bool is_answered, is_over;

    /* for the cause of a failure, see cause.h */
    enum leg_trouble trouble;
    char reason[64];     /* reason phrase of its refusal */
    char media_why[128]; /* what its media failed of */
    bool has_rung;
};

enum leg_event {
    LEG_PROGRESS,         /* 18x: status, sdp when there is early media */
    LEG_ANSWERED,         /* sdp: the description in the answer */
    LEG_REFUSED,          /* status, why */
    LEG_HUNG_UP,          /* BYE or CANCEL of the peer, or it is gone: status (0: normal), why */
    LEG_MODIFY,           /* the peer offers a change: sdp (empty: asks for our offer) */
    LEG_MODIFIED,         /* outcome of our modify: status, sdp */
    LEG_CONFIRMED,        /* ACK of our answer to its INVITE or change: sdp, if it has one */
    LEG_MODIFY_CANCELLED, /* the peer took its change back, which needs no reply any more */
    LEG_MODIFIED_LATE,    /* the peer has accepted a change that was given up */
    LEG_INFO,             /* content_type, sdp = body */
    LEG_REFER,            /* the peer wants the other side to be connected to somebody else: refer */
    LEG_EVENT_COUNT
};

struct leg_news {
    struct leg *leg;
    enum leg_event event;
    unsigned status;
    const char *why; /* a sentence; borrowed */
    struct span sdp;
    struct span content_type;
    struct refer *refer; /* borrowed */
    bool is_other_fork;  /* LEG_PROGRESS, LEG_ANSWERED: the description is another peer's than the one before */
};

void call_event(const struct leg_news *news);
