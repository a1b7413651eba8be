/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/text.h"
#include "call/route.h"

/* dialog_info.h: an account's calls for busy lamps: the list, and documents of it. RFC 4235. Pure. */

#define DIALOG_INFO_TYPE "application/dialog-info+xml"
#define DIALOG_INFO_MAX  16 /* calls of one account that are told */

#define DIALOG_INFO_STATES(X)                                                                                          \
    X(TRYING, "trying") X(EARLY, "early") X(CONFIRMED, "confirmed") X(TERMINATED, "terminated")
enum dialog_info_state {
#define X(name, text) DIALOG_INFO_##name,
    DIALOG_INFO_STATES(X)
#undef X
};

struct dialog_info_call {
    char id[40];
    enum dialog_info_state state;
    bool is_initiator;                           /* the account calls; else it is called */
    char remote[ROUTE_NUMBER_MAX], display[128]; /* the other side; "": not told */
    /* The dialog between the account's device and us, tags as seen from there: who may pick the call up names it so in
     * Replaces (RFC 3891). call_id "": not told */
    char call_id[128], local_tag[64], remote_tag[64];
    uint64_t changed_at; /* change_count of the list when it was changed last */
};

/* Calls of one account, those that ended not long ago included, so that a partial document can say so. */
struct dialog_info_list {
    struct dialog_info_call calls[DIALOG_INFO_MAX];
    unsigned count;
    uint64_t change_count;
    uint64_t forgotten_at; /* whoever has seen less than this needs the whole state */
};

/** Take news of one call. @return has anything changed? */
bool dialog_info_update(struct dialog_info_list *list, const struct dialog_info_call *news);
/** Calls that have not ended. */
unsigned dialog_info_busy_count(const struct dialog_info_list *list);

struct dialog_info_doc {
    const struct dialog_info_list *list;
    const char *user, *domain;
    uint32_t version; /* of this subscription, from 0, one more for each document */
    uint64_t seen;    /* change_count of its last document */
    bool is_full;     /* else only what has changed since */
};
/** Write one document; it is a full one also where what was seen is too old. */
void dialog_info_write(struct text *out, const struct dialog_info_doc *doc);
