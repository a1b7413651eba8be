/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* record.h: what is written down for good: a thread that owns the SQLite database `state`/sipway.db and takes rows from
 * a bounded queue, so that no worker waits for a disk. Knows no call: a row is plain text and numbers. */

struct record;
struct text;

/** One direction of a call's media, as received from that leg. */
struct cdr_stream {
    char codec[24];
    uint64_t packet_count;
    uint64_t lost_count;
    uint32_t jitter_us;
};

/** One call. Times are wall clock, ms since 1970; 0: did not happen. Fill texts with cdr_set(). */
struct cdr_row {
    char id[64]; /* the call's id in the logs */
    uint64_t started_ms, answered_ms, ended_ms;
    char caller[128], callee[128]; /* as placed, before routing rewrote it */
    char account[128], trunk[128], route[128];
    char direction[16];        /* in, out, internal */
    unsigned status;           /* SIP status that ended it: 200 for an answered call */
    char cause[256];           /* one sentence */
    char ended_by[16];         /* caller, callee, gateway */
    struct cdr_stream in, out; /* received from the calling leg, from the called leg */
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

/** Queue a row (copied). Any thread, never blocks. @return 0; -EBUSY: queue full, counted (STAT_RECORD_DROPPED);
 * -ENOMEM */
int record_cdr(struct record *record, const struct cdr_row *row);
