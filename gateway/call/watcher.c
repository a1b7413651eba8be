/* SPDX-License-Identifier: Apache-2.0 */
/* watcher.c: one subscription to an account, and what its NOTIFYs say. RFC 3856, RFC 4235 4.3 (versions). Knows not who
 * may subscribe. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/stats.h"
#include "call/directory.h"
#include "call/pidf.h"
#include "call/presence_private.h"
#include "call/trunk_limit.h"

#define DRAIN_RETRY_S 30

static const char *const names[] = {
#define X(name, text, type) text,
    PACKAGES(X)
#undef X
};

static const char *const types[] = {
#define X(name, text, type) type,
    PACKAGES(X)
#undef X
};

struct span package_type(enum package package)
{
    return span_of(types[package]);
}

enum package package_find(struct span name)
{
    unsigned i = 0;

    while (i < PACKAGE_COUNT && !span_ieq(name, span_of(names[i])))
        i++;
    return (enum package)i;
}

/* ---- limits, over all workers ---- */

static int count(struct watcher *watcher, int64_t delta, const char *name, unsigned limit)
{
    return limit_count(watcher->presentity->house->calls->store, "subs", name, delta, limit, 0);
}

static const char *enter(struct watcher *watcher, unsigned *status)
{
    const struct conf *conf = watcher->presentity->house->calls->conf;

    *status = 503;
    if (!conf->presence.max_subscriptions || count(watcher, 1, "", conf->presence.max_subscriptions) == -EBUSY)
        return "the gateway's limit of subscriptions is reached";
    *status = 403;
    if (!conf->presence.max_per_watcher ||
        count(watcher, 1, watcher->account, conf->presence.max_per_watcher) == -EBUSY) {
        count(watcher, -1, "", 0);
        return "this account has too many subscriptions";
    }
    watcher->is_counted = true;
    stats_add(STAT_SUBSCRIPTIONS, 1);
    return NULL;
}

static void leave(struct watcher *watcher)
{
    if (!watcher->is_counted)
        return;
    count(watcher, -1, "", 0);
    count(watcher, -1, watcher->account, 0);
    stats_add(STAT_SUBSCRIPTIONS, -1);
}

/* ---- connections ---- */

static void desk_destroy(void *self)
{
    struct desk *desk = self;

    map_remove(&desk->node);
}

static struct desk *find_desk(struct presence *house, const char *account)
{
    struct map_node *node = map_find(&house->desks, span_of(account));

    return node ? container_of(node, struct desk, node) : NULL;
}

static int sit_down(struct watcher *watcher)
{
    struct presence *house = watcher->presentity->house;
    struct desk *desk = mem_ref(find_desk(house, watcher->account));

    if (!desk) {
        desk = mem_new(sizeof(*desk), desk_destroy);
        if (!desk)
            return -ENOMEM;
        list_init(&desk->watchers);
        memcpy(desk->account, watcher->account, sizeof(desk->account));
        if (map_put(&house->desks, &desk->node, span_of(desk->account))) {
            mem_unref(desk);
            return -ENOMEM;
        }
    }
    watcher->desk = desk;
    list_append(&desk->watchers, &watcher->desk_link);
    return 0;
}

void watchers_flow_lost(struct presence *house, const struct sip_flow *flow, const char *account)
{
    struct desk *desk = mem_ref(find_desk(house, account));
    struct list *link, *tmp;

    if (!desk)
        return;
    list_each (link, tmp, &desk->watchers) {
        struct watcher *watcher = container_of(link, struct watcher, desk_link);

        if (watcher->sub && sip_flow_same(event_in_flow(watcher->sub), flow))
            mem_unref(watcher);
    }
    mem_unref(desk);
}

/* ---- what is told ---- */

void watcher_mark(struct watcher *watcher)
{
    struct presence *house = watcher->presentity->house;

    if (list_is_linked(&watcher->due_link))
        return;
    list_append(&house->due, &watcher->due_link);
    if (!timer_is_running(&house->pump))
        presence_pump_soon(house);
}

static int send_dialogs(struct watcher *watcher)
{
    const struct presentity *presentity = watcher->presentity;
    static const struct dialog_info_list none;
    struct dialog_info_doc doc = {.list = presentity->calls ? presentity->calls : &none,
                                  .user = presentity->account,
                                  .domain = presentity->house->calls->conf->domain,
                                  .version = watcher->version,
                                  .seen = watcher->seen,
                                  .is_full = watcher->wants_full};
    struct text out;
    int err;

    text_init(&out, 32768);
    dialog_info_write(&out, &doc);
    err = text_err(&out);
    if (!err)
        err = event_in_notify(watcher->sub, package_type(PACKAGE_DIALOG), text_span(&out));
    text_free(&out);
    if (err)
        return err;
    watcher->version++;
    watcher->seen = doc.list->change_count;
    return 0;
}

static int send_presence(struct watcher *watcher)
{
    const struct presentity *presentity = watcher->presentity;

    return event_in_notify(watcher->sub, package_type(PACKAGE_PRESENCE),
                           span_make(presentity->pidf, presentity->pidf_bytes));
}

static int send_summary(struct watcher *watcher)
{
    const char *summary = watcher->presentity->summary;

    return event_in_notify(watcher->sub, package_type(PACKAGE_SUMMARY),
                           span_of(summary ? summary : "Messages-Waiting: no\r\n"));
}

static int send_state(struct watcher *watcher)
{
    switch (watcher->package) {
    case PACKAGE_DIALOG:
        return send_dialogs(watcher);
    case PACKAGE_SUMMARY:
        return send_summary(watcher);
    default:
        return send_presence(watcher);
    }
}

void watcher_send(struct watcher *watcher)
{
    bool is_drain = watcher->presentity->house->is_draining;

    if (watcher->end_reason) {
        event_in_end(watcher->sub, watcher->end_reason, is_drain ? DRAIN_RETRY_S : 0);
        mem_unref(watcher);
        return;
    }
    watcher->is_late = !event_in_is_ready(watcher->sub);
    if (watcher->is_late)
        return;
    if (send_state(watcher)) {
        watcher->is_late = true; /* no memory: with the next change, or at the refresh */
        return;
    }
    stats_count(STAT_NOTIFIES);
    watcher->wants_full = false;
}

/* ---- what the subscription says ---- */

static void on_fetch(struct event_in *sub, void *arg)
{
    struct watcher *watcher = arg;

    watcher->wants_full = true;
    watcher_mark(watcher);
}

static void on_ready(struct event_in *sub, void *arg)
{
    struct watcher *watcher = arg;

    if (watcher->is_late)
        watcher_mark(watcher);
}

static void on_end(struct event_in *sub, void *arg)
{
    mem_unref(arg);
}

/* The watcher itself over a connection on which it has proved itself. */
static bool allows(struct event_in *sub, const struct sip_flow *flow, struct span account, void *arg)
{
    const struct watcher *watcher = arg;

    return account.n && span_eq(account, span_of(watcher->account));
}

static const struct event_in_user event_user = {
    .on_fetch = on_fetch, .on_ready = on_ready, .on_end = on_end, .allows = allows};

bool watcher_is_allowed(const struct watcher *watcher)
{
    const struct directory *directory = watcher->presentity->house->calls->directory;
    const struct conf_account *watched = directory_account(directory, span_of(watcher->presentity->account));

    return watched && directory_account(directory, span_of(watcher->account)) &&
           presence_may_watch(watched, watcher->account, watcher->package);
}

/* ---- birth and end ---- */

static void watcher_destroy(void *self)
{
    struct watcher *watcher = self;
    struct presentity *presentity = watcher->presentity;

    list_remove(&watcher->link);
    list_remove(&watcher->due_link);
    list_remove(&watcher->desk_link);
    mem_unref(watcher->desk);
    mem_unref(watcher->sub);
    leave(watcher);
    presentity_drop_if_idle(presentity);
}

static void refuse(struct server_tx *tx, unsigned status, const char *why)
{
    stats_count(STAT_SUBSCRIPTIONS_REFUSED);
    server_tx_reply(tx, &(struct sip_reply){.status = status,
                                            .why = why,
                                            .headers = status == 503 ? SPAN("Retry-After: 60\r\n") : SPAN_NULL});
}

void watcher_new(struct presentity *presentity, struct server_tx *tx, const char *account, enum package package)
{
    const struct conf *conf = presentity->house->calls->conf;
    struct watcher *watcher = mem_new(sizeof(*watcher), watcher_destroy);
    unsigned status = 500;
    const char *why;

    if (!watcher) {
        refuse(tx, 500, NULL);
        presentity_drop_if_idle(presentity);
        return;
    }
    watcher->presentity = presentity;
    watcher->package = package;
    span_copy(span_of(account), watcher->account, sizeof(watcher->account));
    list_append(&presentity->watchers, &watcher->link);
    why = sit_down(watcher) ? "no memory for the subscription" : enter(watcher, &status);
    if (why) {
        refuse(tx, status, why);
        mem_unref(watcher);
    } else if (event_in_new(&watcher->sub, &(struct event_in_options){.tx = tx,
                                                                      .event = span_of(names[package]),
                                                                      .min_s = conf->presence.min_expires_s,
                                                                      .max_s = conf->presence.max_expires_s,
                                                                      .default_s = 3600,
                                                                      .user = &event_user,
                                                                      .arg = watcher})) {
        stats_count(STAT_SUBSCRIPTIONS_REFUSED);
        mem_unref(watcher);
    }
}
