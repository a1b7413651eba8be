/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/dialog_info.h"

/* home.h: every account has a home: the one worker that keeps what is known about it beyond its bindings (messages that
 * wait, who watches it). A hash of its name. News about an account goes to its home by mailbox. */

enum home_kind {
    HOME_REGISTERED, /* its registration has changed: a REGISTER, a connection that is gone */
    HOME_CALL,       /* one of its calls has entered another state: call */
    HOME_SUMMARY,    /* a trunk tells what waits in its mailbox: summary_taken */
    HOME_KEPT,       /* a message was kept for it that was tried at since_ms */
};

struct home_news {
    enum home_kind kind;
    char account[SIP_ACCOUNT_MAX];
    uint64_t since_ms; /* wall clock */
    struct dialog_info_call call;
    char *summary_taken; /* a counted text, or NULL */
};

unsigned home_of(struct span account);
/** Tell the account's home; at once when it is here. */
void home_tell(struct calls *calls, const struct home_news *news);
