/* SPDX-License-Identifier: Apache-2.0 */
/* redirect.c: 3xx of a trunk: whom it names, who of them may be called, one after the other. RFC 3261 8.1.3.4, 19.1.5.
 * Whoever can make a trunk say 302 could spend somebody's money: nothing is called that is not allowed anyway. */
#include "call/redirect.h"

#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "call/call_private.h"
#include "call/dial_limits.h"
#include "call/identity.h"
#include "call/leg_sip_private.h"
#include "call/trunk_limit.h"
#include "sip/params.h"

struct contact {
    char number[ROUTE_NUMBER_MAX]; /* decoded user part */
    char where[160];               /* "host:port", to see it again */
    struct leg_sip_target target;  /* at the trunk */
    const struct trunk *trunk;     /* NULL: ours, the routes know */
    unsigned q;                    /* 0 to 1000 */
    bool is_passed;                /* the caller is told, and nobody called */
};

struct redirect {
    struct contact items[REDIRECT_MAX + 1]; /* the first is whom we called */
    unsigned count, next;
};

static enum conf_redirect policy_of(const struct leg *leg)
{
    return leg->trunk && !leg->call->pbx ? leg->trunk->conf->redirect : CONF_REDIRECT_OFF;
}

bool redirect_passes(const struct leg *leg, unsigned status)
{
    return (status == 300 || status == 301 || status == 302) && policy_of(leg) == CONF_REDIRECT_PASS;
}

/* q=0.25; without one it is 1 (RFC 3261 20.10). */
static unsigned parse_q(struct span params)
{
    unsigned q = 0, scale = 1000;
    struct span value;

    if (!params_get(params, SPAN("q"), &value) || !value.n || value.p[0] == '1')
        return 1000;
    for (size_t i = 2; i < value.n && i < 5 && value.p[i] >= '0' && value.p[i] <= '9'; i++)
        q += (unsigned)(value.p[i] - '0') * (scale /= 10);
    return q;
}

static bool is_known(const struct redirect *redirect, const struct contact *contact)
{
    for (unsigned i = 0; i < redirect->count; i++)
        if (!strcmp(redirect->items[i].number, contact->number) &&
            !strcasecmp(redirect->items[i].where, contact->where))
            return true;
    return false;
}

/* Behind those of the same q, before what is less wanted; never among those that were called. */
static void insert(struct redirect *redirect, const struct contact *contact)
{
    unsigned at = redirect->count;

    while (at > redirect->next && redirect->items[at - 1].q < contact->q) {
        redirect->items[at] = redirect->items[at - 1];
        at--;
    }
    redirect->items[at] = *contact;
    redirect->count++;
}

static bool is_ours(const struct call *call, struct span host)
{
    return span_ieq(host, span_of(call->conf->domain));
}

/* @return why it may not be called; NULL: it may */
static const char *read_contact(struct contact *out, const struct leg *leg, const struct name_addr *contact)
{
    const struct uri *uri = &contact->uri;

    if (contact->is_star || (uri->scheme != URI_SIP && uri->scheme != URI_SIPS) ||
        identity_take_dialled(out->number, uri)) {
        out->number[0] = '\0';
        return "it is not the SIP URI of a number";
    }
    snprintf(out->where, sizeof(out->where), "%.*s:%u", SPAN_ARG(uri->host), uri->port);
    out->q = parse_q(contact->params);
    if (is_ours(leg->call, uri->host))
        return NULL;
    out->trunk = leg->trunk;
    if (span_ieq(uri->host, span_of(leg->trunk->host)) && (!uri->port || uri->port == leg->trunk->port))
        return NULL; /* where its uri leads */
    out->target.transport = leg->trunk->transport;
    return trunk_find_hop(leg->trunk, contact->uri_text, &out->target.transport, &out->target.addr)
               ? NULL
               : "it is not in the trunk's accept list";
}

static struct redirect *begin(struct leg *leg)
{
    const struct leg_sip *sip = container_of(leg, struct leg_sip, leg);
    struct redirect *redirect = mem_new(sizeof(*redirect), NULL);

    if (!redirect)
        return NULL;
    snprintf(redirect->items[0].number, sizeof(redirect->items[0].number), "%s", sip->number);
    snprintf(redirect->items[0].where, sizeof(redirect->items[0].where), "%s:%u", leg->trunk->host, leg->trunk->port);
    redirect->count = redirect->next = 1;
    return redirect;
}

void redirect_take(struct leg *leg, const struct sip_msg *response)
{
    struct call *call = leg->call;
    struct sip_walk walk = {0};
    struct name_addr contact;

    if (policy_of(leg) == CONF_REDIRECT_OFF || (!call->redirect && !(call->redirect = begin(leg))))
        return;
    while (sip_msg_next_addr(response, SIP_H_CONTACT, &walk, &contact) > 0) {
        struct contact item = {.is_passed = policy_of(leg) == CONF_REDIRECT_PASS};
        const char *why = read_contact(&item, leg, &contact);

        if (why && item.is_passed && item.number[0])
            why = NULL; /* the caller gets the number alone */
        if (!why && is_known(call->redirect, &item))
            why = "it was called before: a loop";
        if (!why && call->redirect->count > REDIRECT_MAX)
            why = "there are too many";
        if (why)
            call_note(call, "redirected to %.*s, which is not followed: %s",
                      (int)(contact.uri_text.n < 100 ? contact.uri_text.n : 100), contact.uri_text.p, why);
        else
            insert(call->redirect, &item);
    }
}

static bool is_barred(struct call *call, const struct contact *contact, const char *why)
{
    if (why)
        call_note(call, "redirected to %s, which is not followed: %s", contact->number, why);
    return why != NULL;
}

static bool follow_routes(struct call *call, const struct contact *contact)
{
    struct route_pick pick = {0};
    int err = route_pick(&pick, call->directory, &call->rights, span_of(contact->number));
    const char *why = err ? "no route of the caller's leads there" : NULL;

    if (!why && pick.trunks)
        why = dial_limits_enter(call->calls->store, call->conf, &call->rights, &pick);
    if (is_barred(call, contact, why))
        return false;
    call_note(call, "redirected to %s, by the routes", contact->number);
    call_leave_trunk(call);
    call->pick = pick;
    call->trunk_try = (struct trunk_try){0};
    call_dial(call);
    return true;
}

/* @return its place in the pick's list; -1: the pick does not lead there */
static int find_trunk(const struct route_pick *pick, const struct trunk *trunk)
{
    for (size_t i = 0; pick->trunks && i < pick->trunks->count; i++)
        if (!strcmp(pick->trunks->items[i], trunk->conf->name))
            return (int)i;
    return -1;
}

/* The call keeps its place in the trunk's max_calls, or leaves another one's for it. @return NULL, or why not */
static const char *enter_trunk(struct call *call, const struct trunk *trunk)
{
    const char *why;

    if (call->is_counted_trunk && !strcmp(call->pick.trunks->items[call->trunk_try.at], trunk->conf->name))
        return NULL;
    why = trunk_limit_enter(call->calls->store, trunk->conf);
    if (why)
        return why;
    call_leave_trunk(call);
    call->is_counted_trunk = true;
    return NULL;
}

/* A number at the trunk is one that the caller could have dialled himself, and would have got there. It is dialled as
 * the trunk has written it. */
static bool follow_trunk(struct call *call, const struct contact *contact)
{
    const struct trunk *trunk = contact->trunk;
    struct route_pick pick = {0};
    const char *why = NULL;
    int at = -1;

    if (!route_pick(&pick, call->directory, &call->rights, span_of(contact->number)))
        at = find_trunk(&pick, trunk);
    if (at < 0)
        why = "no route of the caller's leads there by this trunk";
    snprintf(pick.number, sizeof(pick.number), "%s", contact->number);
    if (!why)
        why = dial_limits_enter(call->calls->store, call->conf, &call->rights, &pick);
    if (!why)
        why = enter_trunk(call, trunk);
    if (is_barred(call, contact, why))
        return false;
    call_note(call, "redirected to %s at %s", contact->number, contact->where);
    call->pick = pick;
    call->trunk_try = (struct trunk_try){.tried = UINT64_C(1) << at, .at = (size_t)at};
    return call_ring(call, &(struct leg_sip_dial){.trunk = trunk, .target = &contact->target});
}

bool redirect_follow(struct call *call)
{
    struct redirect *redirect = call->redirect;

    if (!redirect || redirect->next >= redirect->count || call->best_status >= 600)
        return false;
    while (redirect->next < redirect->count && !redirect->items[redirect->next].is_passed) {
        const struct contact *contact = &redirect->items[redirect->next++];

        if (contact->trunk ? follow_trunk(call, contact) : follow_routes(call, contact))
            return true;
    }
    return false;
}

void redirect_write(struct text *out, const struct call *call)
{
    const struct redirect *redirect = call->redirect;

    for (unsigned i = redirect ? redirect->next : 0; redirect && i < redirect->count; i++) {
        const struct contact *contact = &redirect->items[i];

        if (!contact->is_passed)
            continue;
        text_add_str(out, "Contact: <sip:");
        uri_write_user(out, span_of(contact->number));
        text_addf(out, "@%s>;q=%u.%03u\r\n", call->conf->domain, contact->q / 1000, contact->q % 1000);
    }
}
