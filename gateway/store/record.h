/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* record.h: what is written down for good: a thread that owns the SQLite database `state`/sipway.db and takes rows from
 * a bounded queue, so that no worker waits for a disk. Knows no call: a row is plain text and numbers. */

struct record;
struct text;

/** One side of a call: who it was, and its media as we received it. */
struct cdr_leg {
    char kind[12];   /* browser, phone, trunk */
    char name[128];  /* of the account or the trunk */
    char peer[128];  /* number or name there */
    char remote[64]; /* where its SIP came from, or went to: "udp:203.0.113.5:5060" */
    unsigned status; /* last SIP status from it, or to it */
    char codec[24];
    uint64_t packet_count; /* received from it */
    uint64_t lost_count;
    uint32_t jitter_us;
    unsigned mos_x100;        /* of what it said, as we heard it; 0: nothing came */
    uint64_t sent_count;      /* to it */
    uint64_t sent_lost_count; /* of those, as its reports say */
    uint32_t rtt_us;          /* 0: not known */
};

/** One call. Times are wall clock, ms since 1970; 0: did not happen. Fill texts with cdr_set(). */
struct cdr_row {
    char id[64]; /* the call's id in the logs */
    uint64_t started_ms, answered_ms, ended_ms;
    char caller[128], callee[128]; /* as placed, before routing rewrote it */
    char account[128], trunk[128], route[128];
    char direction[16];     /* in, out, internal */
    unsigned status;        /* SIP status that ended it: 200 for an answered call */
    char cause[400];        /* one sentence */
    char cause_id[24];      /* "ice-never": see cause.h; "" when the call was as it should be */
    char ended_by[16];      /* caller, callee, gateway */
    struct cdr_leg in, out; /* the calling and the called side */
};

/** Copy a text into one of the row's arrays: cut at the last whole UTF-8 character that fits, bytes that are not UTF-8
 * and control characters become '?'. */
void cdr_set(char *field, size_t size_bytes, struct span text);

/** Take the state folder (made if it is missing), open the database, start the thread. Main thread, may block.
 *  @param err_out one sentence on failure
 *  @return 0; -EBUSY: another gateway uses the folder; -EPROTO: the database is of a newer version; another error */
int record_open(struct record **recordp, const char *state, struct text *err_out);

/** Write what is queued, stop the thread, give the folder back. Main thread, blocks. NULL is welcome. */
void record_close(struct record *record);

/** From now on fn is told, on the writer's thread, when rows have been written. Main thread, before workers run; fn
 * NULL: nobody any more (waits until a call of it has ended). */
void record_on_written(struct record *record, void (*fn)(void *arg), void *arg);

/** Queue a row (copied). Any thread, never blocks. @return 0; -EBUSY: queue full, counted (STAT_RECORD_DROPPED);
 * -ENOMEM */
int record_cdr(struct record *record, const struct cdr_row *row);
