/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/outside.h"

/* errand.h: one request of ours outside of dialogs, from first send to its final answer; a digest challenge on the way
 * is answered where there are credentials. RFC 3261 8.1, 22.2. For MESSAGE and unsolicited NOTIFY. */

struct errand;

/** @param status the final answer, 408 or 503 where there was none; reason: its phrase, borrowed. Called once, never
 * from within errand_send(). */
typedef void errand_fn(struct errand *errand, unsigned status, struct span reason, void *arg);

struct errand_options {
    struct outside head; /* texts are copied; call_id NULL: a new one, with a new tag and CSeq 1 */
    struct span headers; /* whole lines */
    struct span content_type, body;
    const char *username, *password; /* NULL: a challenge is the final answer */
    errand_fn *done;
    void *arg;
};
/** Send it. Leave it with mem_unref(): before it is done, that only means that nobody waits for the answer.
 *  @return 0; -ENOMEM, -EBADMSG (a header text with line ends), -ENOSPC: nothing was sent */
int errand_send(struct errand **errandp, const struct errand_options *options);
