/* SPDX-License-Identifier: Apache-2.0 */
/* presence.c: who may watch whom, and when watchers are told. RFC 3856, RFC 6665. NOTIFYs leave by a pump: a few
 * milliseconds of them, then the loop has its turn, so that an account with a thousand watchers delays no packet. */
#include "call/presence.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/directory.h"
#include "call/home.h"
#include "call/identity.h"
#include "call/leg_sip.h"
#include "call/presence_private.h"

#define PUMP_US       2000 /* of one turn */
#define PUMP_PAUSE_MS 1

/* ---- the pump ---- */

static void on_pump(void *arg)
{
    struct presence *house = arg;
    uint64_t until_us = clock_now_us() + PUMP_US;
    struct list *link;

    while ((link = list_first(&house->due))) {
        list_remove(link);
        watcher_send(container_of(link, struct watcher, due_link));
        if (clock_now_us() >= until_us)
            break;
    }
    if (!list_is_empty(&house->due))
        timer_start(house->calls->stack->wheel, &house->pump, PUMP_PAUSE_MS, on_pump, house);
}

void presence_pump_soon(struct presence *house)
{
    timer_start(house->calls->stack->wheel, &house->pump, 0, on_pump, house);
}

/* ---- who may ---- */

bool presence_may_watch(const struct conf_account *watched, const char *watcher, enum package package)
{
    if (package == PACKAGE_SUMMARY)
        return !strcmp(watched->name, watcher);
    return conf_names_allow(&watched->watchers, watcher);
}

/* Accept lists what the subscriber can read; without it, the package's own type (RFC 6665 4.1.2). */
static bool is_acceptable(const struct sip_msg *msg, enum package package)
{
    const struct sip_header *header;
    unsigned i = 0;

    if (!sip_msg_header(msg, SIP_H_ACCEPT))
        return true;
    while ((header = sip_msg_next(msg, SIP_H_ACCEPT, &i)))
        if (span_find_span(header->value, package_type(package)) >= 0 ||
            span_find_span(header->value, SPAN("*/*")) >= 0 ||
            span_find_span(header->value, SPAN("application/*")) >= 0)
            return true;
    return false;
}

struct refusal {
    unsigned status; /* 0: none */
    const char *why, *headers;
};

static struct refusal check_subscribe(struct presence *house, const struct sip_msg *msg, const char *account,
                                      const struct conf_account **watched, enum package *package)
{
    char user[ROUTE_NUMBER_MAX];

    *package = package_find(event_package(msg));
    if (*package == PACKAGE_COUNT)
        return (struct refusal){489, "there is no such event package here", PRESENCE_EVENTS};
    if (identity_take_dialled(user, &msg->uri))
        return (struct refusal){404, "nobody has that name or number", ""};
    *watched = directory_account_called(house->calls->directory, span_of(user));
    if (!*watched)
        return (struct refusal){404, "nobody has that name or number", ""};
    if (!account[0] || !presence_may_watch(*watched, account, *package))
        return (struct refusal){403, "this account may not watch that one", ""};
    if (!is_acceptable(msg, *package))
        return (struct refusal){406, "what would be sent is not accepted", ""};
    if (house->is_draining)
        return (struct refusal){503, "the gateway is being stopped", "Retry-After: 30\r\n"};
    if (home_of(span_of((*watched)->name)) != house->calls->worker)
        return (struct refusal){503, "the configuration is changing", "Retry-After: 1\r\n"};
    return (struct refusal){0};
}

void presence_subscribe(struct presence *house, struct server_tx *tx, const char *account)
{
    const struct conf_account *watched = NULL;
    enum package package;
    struct refusal refusal = check_subscribe(house, server_tx_request(tx), account, &watched, &package);
    struct presentity *presentity;

    if (refusal.status) {
        stats_count(STAT_SUBSCRIPTIONS_REFUSED);
        server_tx_reply(
            tx, &(struct sip_reply){.status = refusal.status, .why = refusal.why, .headers = span_of(refusal.headers)});
        return;
    }
    presentity = presentity_get(house, watched->name);
    if (presentity)
        watcher_new(presentity, tx, account, package);
    else
        server_tx_reply(tx, &(struct sip_reply){.status = 500});
}

/* ---- news ---- */

void presence_on_registered(struct presence *house, const char *account)
{
    struct presentity *presentity = presentity_find(house, account);

    if (presentity)
        presentity_look_up(presentity);
}

static enum dialog_info_state state_of(const struct call *call)
{
    return call->state == CALL_TALKING   ? DIALOG_INFO_CONFIRMED
           : call->state == CALL_ROUTING ? DIALOG_INFO_TRYING
                                         : DIALOG_INFO_EARLY;
}

/* The device that has the call; NULL: none rings yet. */
static const struct leg *find_device(const struct call *call, bool is_initiator)
{
    struct list *link, *tmp;

    if (is_initiator)
        return call->in;
    if (call->state == CALL_TALKING)
        return call->out;
    list_each (link, tmp, &call->out_legs) {
        const struct leg *leg = container_of(link, struct leg, link);

        if (leg->has_rung && !leg->is_over)
            return leg;
    }
    return NULL;
}

static void name_dialog(struct dialog_info_call *item, const struct leg *leg)
{
    struct invite *invite = leg ? leg_sip_invite(leg) : NULL;
    const struct dialog *dialog = invite ? invite_dialog(invite) : NULL;

    if (!dialog || !dialog->remote_tag || strlen(dialog->remote_tag) >= sizeof(item->local_tag) ||
        span_copy(span_of(dialog->call_id), item->call_id, sizeof(item->call_id)) < 0)
        return;
    span_copy(span_of(dialog->remote_tag), item->local_tag, sizeof(item->local_tag));
    span_copy(span_of(dialog->local_tag), item->remote_tag, sizeof(item->remote_tag));
}

static bool is_watchable(const struct call *call, const char *account)
{
    const struct conf_account *found = account[0] ? directory_account(call->directory, span_of(account)) : NULL;

    return found && found->watchers.count;
}

static void tell_home(struct call *call, const char *account, bool is_initiator, enum dialog_info_state state)
{
    struct home_news news = {.kind = HOME_CALL, .call = {.state = state, .is_initiator = is_initiator}};
    struct dialog_info_call *item = &news.call;

    span_copy(span_of(account), news.account, sizeof(news.account));
    if (state != DIALOG_INFO_TERMINATED)
        name_dialog(item, find_device(call, is_initiator));
    snprintf(item->id, sizeof(item->id), "%s.%s", call->id, is_initiator ? "out" : "in");
    if (is_initiator) {
        snprintf(item->remote, sizeof(item->remote), "%s", call->dialled);
    } else if (!call->is_anonymous) {
        snprintf(item->remote, sizeof(item->remote), "%s", call->caller);
        snprintf(item->display, sizeof(item->display), "%s", call->caller_display);
    }
    home_tell(call->calls, &news);
}

/* A lamp that was lit goes out, whoever is at that side by then: a party may have been transferred away. */
static void light(struct call *call, bool is_initiator, const char *account)
{
    char *lit = call->lamps[is_initiator ? 0 : 1];
    bool is_over = call->state == CALL_OVER;

    if (lit[0] && (is_over || strcmp(lit, account))) {
        tell_home(call, lit, is_initiator, DIALOG_INFO_TERMINATED);
        lit[0] = '\0';
    }
    if (is_over || !is_watchable(call, account) || !find_device(call, is_initiator))
        return;
    span_copy(span_of(account), lit, SIP_ACCOUNT_MAX);
    tell_home(call, account, is_initiator, state_of(call));
}

/* On the call's worker. */
static void on_call_changed(struct call *call, void *arg)
{
    light(call, true, call->in ? call->in->account : "");
    light(call, false, call->pick.account ? call->pick.account->name : "");
}

void presence_flow_lost(struct presence *house, const struct sip_flow *flow, const char *account)
{
    watchers_flow_lost(house, flow, account);
}

/* ---- all of them ---- */

static void end_watchers(struct presence *house, bool all, const char *reason)
{
    struct map_node *node;
    struct list *link, *tmp;

    for (node = map_next(&house->accounts, NULL); node; node = map_next(&house->accounts, node)) {
        struct presentity *presentity = container_of(node, struct presentity, node);

        list_each (link, tmp, &presentity->watchers) {
            struct watcher *watcher = container_of(link, struct watcher, link);

            if (!all && watcher_is_allowed(watcher))
                continue;
            watcher->end_reason = reason;
            watcher_mark(watcher);
        }
    }
}

void presence_reload(struct presence *house)
{
    end_watchers(house, false, "rejected");
}

void presence_drain(struct presence *house)
{
    house->is_draining = true;
    end_watchers(house, true, "probation");
}

static void presence_destroy(void *self)
{
    struct presence *house = self;
    struct map_node *node;

    events_leave(&house->listener);
    while ((node = map_next(&house->accounts, NULL))) {
        map_remove(node);
        mem_unref(container_of(node, struct presentity, node));
    }
    timer_stop(&house->pump);
    map_free(&house->accounts);
    map_free(&house->desks);
}

int presence_new(struct presence **presencep, struct calls *calls)
{
    struct presence *house = mem_new(sizeof(*house), presence_destroy);

    if (!house)
        return -ENOMEM;
    house->calls = calls;
    map_init(&house->accounts);
    map_init(&house->desks);
    list_init(&house->due);
    events_listen(calls, &house->listener, on_call_changed, house);
    *presencep = house;
    return 0;
}
