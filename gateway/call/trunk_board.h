/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "call/directory.h"

/* trunk_board.h: what is known at the moment about each trunk: is it registered, is it up, where its name leads. One
 * worker finds that out for a trunk (trunk_duty.c) and publishes it through the store; every worker reads its own copy,
 * without a lock. */

#define TRUNK_REGISTRATIONS(X) X(NONE, "none") X(TRYING, "trying") X(REGISTERED, "registered") X(FAILED, "failed")
enum trunk_registration {
#define X(name, text) TRUNK_REGISTRATION_##name,
    TRUNK_REGISTRATIONS(X)
#undef X
};
#define TRUNK_HEALTHS(X) X(UNKNOWN, "unknown") X(UP, "up") X(DOWN, "down")
enum trunk_health_state {
#define X(name, text) TRUNK_##name,
    TRUNK_HEALTHS(X)
#undef X
};

struct trunk_status {
    enum trunk_registration registration;
    unsigned registration_expires_s; /* as granted */
    uint64_t registration_since_ms;  /* wall clock */
    char registration_error[160];    /* of the last failure; "" since it worked again */
    enum trunk_health_state health;
    uint64_t health_since_ms;
    char health_error[80];
    unsigned addr_count; /* where its name led */
    struct addr addrs[TRUNK_RESOLVED_MAX];
};

struct calls;
struct trunk_board;
struct store;

/** This worker's copy. @param calls its directory is told the addresses; borrowed */
int trunk_board_new(struct trunk_board **boardp, struct calls *calls);
/** Never NULL; all zero for a trunk of which nothing is known. Borrowed until the worker's next turn. */
const struct trunk_status *trunk_board_get(const struct trunk_board *board, struct span trunk);
/** For trunk_choose(). @param board a trunk_board */
bool trunk_board_is_down(struct span trunk, void *board);
/** A new directory: tell it the addresses that are known. */
void trunk_board_apply(const struct trunk_board *board);

/** Tell all workers; the copies follow a moment later. status NULL: nothing is known any more. */
void trunk_board_publish(struct store *store, struct span trunk, const struct trunk_status *status);

/** JSON array of the configured trunks with their states. */
void trunk_board_write(const struct trunk_board *board, struct text *out);
