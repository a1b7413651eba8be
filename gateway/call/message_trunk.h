/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/message.h"

/* message_trunk.h: one MESSAGE to the first trunk of a route that takes it. */

struct message_trunk;

/** Once, never from within message_trunk_new(). @param status of the trunk that answered; 504: none did; why: a
 * sentence, or NULL where the trunk's own answer says it */
typedef void message_trunk_fn(unsigned status, const char *why, void *arg);

struct message_trunk_options {
    struct calls *calls;
    const struct message *message;  /* referenced */
    const struct conf_route *route; /* kept: it lives as long as the snapshot, which is referenced */
    const char *number;
    message_trunk_fn *done;
    void *arg;
};
/** Leave it with mem_unref(); nothing is told then. @return 0; -ENOMEM */
int message_trunk_new(struct message_trunk **trunkp, const struct message_trunk_options *options);
