/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/mailbox.h"
#include "base/span.h"

/* kept.h: messages kept on disk for accounts that are not there. A thread of its own owns the database
 * `state`/messages.db, so that no worker waits for a disk and no call record waits for a message: here each transaction
 * is on the disk before it is answered. Workers ask by jobs; the answer comes back by mailbox. Knows no SIP: a message
 * is an account, texts and a body. */

struct kept;
struct text;

enum kept_op {
    KEPT_ADD,      /* row, limits, is_held -> err (-EBUSY: a limit), row.id */
    KEPT_RELEASE,  /* row.id: it waits for its account from now on */
    KEPT_DROP,     /* row.id: it was delivered */
    KEPT_NEXT,     /* row.account, row.id -> the oldest one that waits behind that id; err -ENOENT: none */
    KEPT_ACCOUNTS, /* -> accounts, for whom something waits */
};

struct kept_row {
    int64_t id;
    char *account, *sender, *headers, *content_type, *body; /* counted texts, the row's */
    size_t body_bytes;
    char call_id[64], tag[32];
    uint64_t received_ms, expires_ms; /* wall clock */
};

struct kept_job {
    struct mail mail; /* first */
    enum kept_op op;
    unsigned worker; /* who gets the answer */
    /** On that worker's thread, then the job is freed; NULL: no answer is wanted. Not called when the gateway goes
     * down: then arg is left alone. */
    void (*done)(struct kept_job *job, void *arg);
    void *arg;
    struct kept_row row;
    unsigned account_limit, limit; /* ADD: messages of one account, of all */
    bool is_held;                  /* ADD: somebody still tries to deliver it; NEXT passes it over */
    int err;                       /* -EIO: the disk, -ENOMEM */
    unsigned removed_count;        /* messages that expired meanwhile */
    char **accounts;               /* ACCOUNTS: counted texts */
    unsigned account_count, message_count;
    size_t size_bytes; /* private */
};
/** @return NULL: out of memory. Fill it, then kept_ask(). */
struct kept_job *kept_job_new(enum kept_op op, unsigned worker);

/** Open the database in the state folder, which record_open() has made and locked; start the thread. Main thread.
 *  @return 0; -EIO with a sentence; another error */
int kept_open(struct kept **keptp, const char *state, struct text *err_out);
/** Do what was asked for and stop the thread; no answers any more. Main thread, blocks; before workers are torn down.
 *  mem_unref() it after them. NULL is welcome. */
void kept_stop(struct kept *kept);
/** Queue a job; DROP and RELEASE are tried until the disk takes them. Any thread, never blocks.
 *  @return 0; -EBUSY: too much is queued, or it has stopped (the job is freed) */
int kept_ask(struct kept *kept, struct kept_job *job_taken);
