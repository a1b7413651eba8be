/* SPDX-License-Identifier: Apache-2.0 */
/* events.c: call events to whoever subscribed. Knows neither calls nor listeners. */
#include "call/events.h"

void events_listen(struct calls *calls, struct call_listener *listener, call_listener_fn *fn, void *arg)
{
    listener->fn = fn;
    listener->arg = arg;
    list_append(&calls->listeners, &listener->link);
}

void events_leave(struct call_listener *listener)
{
    list_remove(&listener->link);
}

void events_call_changed(struct call *call)
{
    struct list *link, *tmp;

    list_each (link, tmp, &call->calls->listeners) {
        struct call_listener *listener = container_of(link, struct call_listener, link);

        listener->fn(call, listener->arg);
    }
}
