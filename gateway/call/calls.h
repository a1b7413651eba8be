/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/conf.h"
#include "base/map.h"
#include "base/timer.h"
#include "media/media.h"
#include "sip/stack.h"

/* calls.h: the call floor of one worker: what all its rooms share. Built by app.c, torn down in reverse.
 * The order in which to read the floor: incoming > guard, registrar, route > call, call_steps > leg_sip > negotiate. */

struct directory;
struct trunk_board;
struct trunk_duties;
struct messages;
struct presence;
struct pbx;
struct store;
struct record;
struct kept;
struct dns;
struct guesses;
struct trunk_pace;

#define CALL_HISTORY_MAX 200 /* ended calls that can still be asked about, per worker */

struct calls {
    unsigned worker;
    struct conf *conf;
    struct directory *directory; /* accounts and trunks of conf, parsed */
    struct trunk_board *board;   /* what is known about trunks now */
    struct trunk_duties *duties; /* those that this worker looks after */
    struct messages *messages;   /* MESSAGEs on their way */
    struct presence *presence;   /* who watches whom */
    struct pbx *pbx;             /* users of a PBX behind us */
    struct list listeners;       /* of call events: events.c */
    struct sip_stack *stack;
    struct media_house *media;
    struct store *store;
    struct record *record;
    struct kept *kept; /* messages on disk */
    struct dns *dns;
    struct guesses *guesses; /* of all workers */
    struct trunk_pace *pace; /* who waits for a turn at a trunk */
    struct map by_id;        /* calls alive */
    struct map far_legs;     /* leg_far.c's */
    struct list history;     /* ended calls, oldest first */
    unsigned history_count;
    bool is_draining;
    struct timer sweep; /* once a second: RTP time-outs, durations */
};

struct calls_options {
    unsigned worker;
    struct conf *conf;
    struct media_house *media;
    struct store *store;
    struct record *record;
    struct kept *kept; /* messages on disk */
    struct dns *dns;
    struct guesses *guesses;
};
int calls_new(struct calls **callsp, const struct calls_options *options);
/** The door that the SIP stack calls; set_stack before the first message. */
extern const struct sip_user calls_sip_user;
int calls_set_stack(struct calls *calls, struct sip_stack *stack);
/** A new snapshot: for calls from now on. */
int calls_reload(struct calls *calls, struct conf *conf);

/** No new calls; existing ones go on. */
void calls_drain(struct calls *calls);
/** End every call with this sentence (BYE, CDR). */
void calls_end_all(struct calls *calls, const char *why);

/** JSON: this worker's calls, alive or (is_recent) ended not long ago; comma separated objects, newest last. */
void calls_write_list(struct calls *calls, bool is_recent, struct text *out);
/** One call with its timeline. @return 0, -ENOENT */
int calls_write_one(struct calls *calls, struct span id, struct text *out);
/** Which worker owns this call id; -1: not an id of ours. */
int calls_owner(struct span id);
