/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* events.h: what happens to calls, told to whoever listens on the call's worker. call_set_state() is the source, and
 * transfer.c where a party goes over. */

/** The call has entered its present state, or one of its parties is another one. Must not end it. */
typedef void call_listener_fn(struct call *call, void *arg);

struct call_listener {
    struct list link;
    call_listener_fn *fn;
    void *arg;
};

/** Told from now on; embedded in the listener's own struct. */
void events_listen(struct calls *calls, struct call_listener *listener, call_listener_fn *fn, void *arg);
/** Idempotent. */
void events_leave(struct call_listener *listener);
/** The call has another state, or another party, or one more device rings. */
void events_call_changed(struct call *call);
