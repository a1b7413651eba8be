/* SPDX-License-Identifier: Apache-2.0 */
/* presentity.c: an account that somebody watches: registered or not, in calls, and what it publishes; and one document
 * of all that. RFC 3856 6.11. Knows neither who may watch nor how it is told. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "call/location.h"
#include "call/mwi.h"
#include "call/pidf.h"
#include "call/presence_private.h"

#define DOCUMENT_MAX 32768

static void presentity_destroy(void *self)
{
    struct presentity *presentity = self;
    struct list *link;

    map_remove(&presentity->node);
    timer_stop(&presentity->registration_end);
    while ((link = list_first(&presentity->watchers))) {
        struct watcher *watcher = container_of(link, struct watcher, link);

        list_remove(link);
        mem_unref(watcher);
    }
    publications_drop(presentity);
    mem_unref(presentity->calls);
    mem_unref(presentity->pidf);
    mem_unref(presentity->summary);
}

struct presentity *presentity_find(struct presence *house, const char *account)
{
    struct map_node *node = map_find(&house->accounts, span_of(account));

    return node ? container_of(node, struct presentity, node) : NULL;
}

struct presentity *presentity_get(struct presence *house, const char *account)
{
    struct presentity *presentity = presentity_find(house, account);

    if (presentity)
        return presentity;
    presentity = mem_new(sizeof(*presentity), presentity_destroy);
    if (!presentity)
        return NULL;
    presentity->house = house;
    list_init(&presentity->watchers);
    list_init(&presentity->publications);
    if (span_copy(span_of(account), presentity->account, sizeof(presentity->account)) < 0 ||
        map_put(&house->accounts, &presentity->node, span_of(presentity->account)))
        return mem_unref(presentity);
    presentity_look_up(presentity);
    if (!presentity->pidf)
        return mem_unref(presentity);
    return presentity;
}

void presentity_drop_if_idle(struct presentity *presentity)
{
    bool is_idle = list_is_empty(&presentity->watchers) && list_is_empty(&presentity->publications) &&
                   !presentity->summary && (!presentity->calls || !dialog_info_busy_count(presentity->calls));

    if (is_idle && presentity->node.map)
        mem_unref(presentity);
}

/* ---- the document ---- */

/* @return how many there are */
static unsigned mark(struct presentity *presentity, enum package package)
{
    struct list *link, *tmp;
    unsigned count = 0;

    list_each (link, tmp, &presentity->watchers) {
        struct watcher *watcher = container_of(link, struct watcher, link);

        if (watcher->package != package)
            continue;
        watcher_mark(watcher);
        count++;
    }
    return count;
}

void presentity_refresh(struct presentity *presentity)
{
    struct pidf_state state = {.user = presentity->account,
                               .domain = presentity->house->calls->conf->domain,
                               .is_open = presentity->is_registered,
                               .is_on_the_phone = presentity->calls && dialog_info_busy_count(presentity->calls),
                               .published = publication_document(presentity)};
    struct text out;
    size_t n;
    char *pidf;

    text_init(&out, DOCUMENT_MAX);
    pidf_write(&out, &state);
    n = out.len;
    pidf = text_err(&out) ? NULL : text_take(&out);
    text_free(&out);
    if (!pidf)
        return; /* what was said before stands */
    if (presentity->pidf && n == presentity->pidf_bytes && !memcmp(pidf, presentity->pidf, n)) {
        mem_unref(pidf);
        return;
    }
    mem_unref(presentity->pidf);
    presentity->pidf = pidf;
    presentity->pidf_bytes = n;
    mark(presentity, PACKAGE_PRESENCE);
}

/* ---- the mailbox ---- */

/* Who has subscribed is told so; where nobody has, the devices are told unasked. */
static void tell_summary(struct presentity *presentity)
{
    if (presentity->summary && !mark(presentity, PACKAGE_SUMMARY))
        mwi_send(presentity->house->calls, presentity->account, span_of(presentity->summary));
}

void presence_on_summary(struct presence *house, const char *account, const char *summary)
{
    struct presentity *presentity = presentity_get(house, account);

    if (!presentity)
        return;
    mem_unref(presentity->summary);
    presentity->summary = mem_text(summary, strlen(summary));
    tell_summary(presentity);
    presentity_drop_if_idle(presentity);
}

/* ---- the registration ---- */

static void on_registration_end(void *arg)
{
    presentity_look_up(arg);
}

static void on_bindings(int err, const struct bindings *bindings, void *arg)
{
    struct presentity *presentity = arg;
    uint64_t now_ms = clock_wall_us() / 1000, last_ms = 0;
    bool was_registered = presentity->is_registered;

    for (unsigned i = 0; !err && i < bindings->count; i++)
        if (bindings->items[i].expires_wall_ms > last_ms)
            last_ms = bindings->items[i].expires_wall_ms;
    presentity->is_registered = last_ms > now_ms;
    timer_stop(&presentity->registration_end);
    if (presentity->is_registered)
        timer_start(presentity->house->calls->stack->wheel, &presentity->registration_end, last_ms - now_ms + 1,
                    on_registration_end, presentity);
    if (presentity->is_registered && !was_registered)
        tell_summary(presentity);
    presentity_refresh(presentity);
}

void presentity_look_up(struct presentity *presentity)
{
    location_find(presentity->house->calls->store, span_of(presentity->account), on_bindings, presentity);
}

/* ---- calls ---- */

void presence_on_call(struct presence *house, const char *account, const struct dialog_info_call *news)
{
    struct presentity *presentity =
        news->state == DIALOG_INFO_TERMINATED ? presentity_find(house, account) : presentity_get(house, account);

    if (!presentity)
        return;
    if (!presentity->calls)
        presentity->calls = mem_new(sizeof(*presentity->calls), NULL);
    if (presentity->calls && dialog_info_update(presentity->calls, news)) {
        mark(presentity, PACKAGE_DIALOG);
        presentity_refresh(presentity);
    }
    presentity_drop_if_idle(presentity);
}
