/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/list.h"

/* mailbox.h: the only door between workers. What is posted is given away: the sender forgets it. A briefly locked queue
 * and one uv_async; a full mailbox (65,536 messages) refuses and counts. */

struct worker;
struct mailbox;

/** A message: embed it first in your own struct, made by mem_new(). */
struct mail {
    struct list link;
    /** Runs on the receiving worker's thread; owns the message (mem_unref() it). */
    void (*receive)(struct worker *worker, struct mail *mail);
};

/** On the worker's loop, by worker_new(). Leave with mailbox_close(). */
int mailbox_new(struct mailbox **mailboxp, struct worker *worker);

/** From worker.c alone: does it take mail? Shut, it drops what waits and refuses the rest. */
void mailbox_set_open(struct mailbox *mailbox, bool is_open);

/** From worker.c alone: shut it for good; its memory goes when the loop has closed its handle. NULL is welcome. */
void mailbox_close(struct mailbox *mailbox);

/** Give mail to a worker. Any thread. @return 0; -EBUSY when its mailbox is full or it has stopped (the mail is
 * unref'ed) */
int mailbox_post(struct worker *to, struct mail *mail_taken);

/** Run fn(arg) on a worker's thread: for the few one-off crossings. @return as mailbox_post(); -ENOMEM */
int mailbox_call(struct worker *to, void (*fn)(struct worker *worker, void *arg), void *arg);
