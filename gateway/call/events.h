/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* events.h: what happens to calls, told to whoever listens on the call's worker. One line in call_set_state() is the
 * source. */

/** The call has entered its present state. Must not end it. */
typedef void call_listener_fn(const struct call *call, void *arg);

struct call_listener {
    struct list link;
    call_listener_fn *fn;
    void *arg;
};

/** Told from now on; embedded in the listener's own struct. */
void events_listen(struct calls *calls, struct call_listener *listener, call_listener_fn *fn, void *arg);
/** Idempotent. */
void events_leave(struct call_listener *listener);
/** For call.c. */
void events_call_changed(const struct call *call);
