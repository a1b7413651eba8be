/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* export.h: call records leave the house: as JSON lines to a file, or by HTTP to an endpoint. The database is the
 * spool: how far a target has got is kept beside the records, so that what happens while the endpoint is down, or while
 * the gateway is, reaches it later, in order. A record can arrive twice (the answer was lost), never not at all. */

struct export;
struct text;

struct export_options {
    const char *folder; /* of the database; record_open() was there before */
    const char *file;   /* JSON lines are appended to it; NULL or "": none. May be moved away at any time (logrotate) */
    const char *url;    /* POST of JSON lines (application/x-ndjson); NULL or "": none */
    const char *token;  /* bearer token for it; NULL: none */
};

/** Start its thread. A target that is new begins with the records from now on. Main thread; copies what it needs.
 *  @return 0, -errno with one sentence in err_out */
int export_open(struct export **exportp, const struct export_options *options, struct text *err_out);
/** There are new records. Any thread. */
void export_wake(struct export *export);
/** Stop the thread; an HTTP request that runs has a second to end. What is left goes out after the next start. NULL is
 * welcome. */
void export_close(struct export *export);
