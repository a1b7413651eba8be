/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"

/* mailbox.h: the only door between workers. What is posted is given away: the sender forgets it. A briefly locked queue and
 * one uv_async; a full mailbox (65,536 messages) refuses and counts. */

struct worker;
struct mailbox;

/** A message: embed it first in your own struct, made by mem_new(). */
struct mail {
    struct list link;
    /** Runs on the receiving worker's thread; owns the message (mem_unref() it). */
    void (*receive)(struct worker *worker, struct mail *mail);
};

int mailbox_new(struct mailbox **mailboxp, struct worker *worker);

/** Give mail to a worker. Any thread. @return 0; -EBUSY when its mailbox is full or it has stopped (the mail is unref'ed) */
int mailbox_post(struct worker *to, struct mail *mail_taken);

/** Run fn(arg) on a worker's thread: for the few one-off crossings. @return as mailbox_post() */
int mailbox_call(struct worker *to, void (*fn)(struct worker *worker, void *arg), void *arg);
