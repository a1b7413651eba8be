/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/location.h"
#include "call/message.h"

/* message_fork.h: one MESSAGE to all devices of an account at once. RFC 3261 16.7 for the best answer. */

struct message_fork;

enum message_outcome {
    MESSAGE_DELIVERED, /* a device took it (2xx) */
    MESSAGE_REFUSED,   /* all that could be reached do not want it: status */
    MESSAGE_UNREACHED, /* no device could be asked, or none answered */
};

/** Once: with the first 2xx, or when the last device has failed. Never from within message_fork_new(). */
typedef void message_fork_fn(enum message_outcome outcome, unsigned status, void *arg);

struct message_fork_options {
    struct calls *calls;
    const struct message *message; /* borrowed */
    const char *account;
    const struct bindings *bindings; /* borrowed; none: UNREACHED */
    message_fork_fn *done;
    void *arg;
};
/** Leave it with mem_unref(): before it is done, the devices are asked all the same, but nobody hears of it.
 *  @return 0; -ENOMEM */
int message_fork_new(struct message_fork **forkp, const struct message_fork_options *options);
