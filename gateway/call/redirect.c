/* SPDX-License-Identifier: Apache-2.0 */
/* redirect.c: 3xx of a trunk: whom it names, who of them may be called, one after the other. RFC 3261 8.1.3.4, 19.1.5.
 * Whoever can make a trunk say 302 could spend somebody's money: nothing is called that is not allowed anyway. */
#include "call/redirect.h"

#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "call/call_private.h"
#include "call/dial_limits.h"
#include "call/leg_sip_private.h"
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
        uri_decode(uri->user, out->number, sizeof(out->number)) <= 0)
        return "it is not the SIP URI of a number";
    snprintf(out->where, sizeof(out->where), "%.*s:%u", SPAN_ARG(uri->host), uri->port);
    out->q = parse_q(contact->params);
    if (is_ours(leg->call, uri->host))
        return NULL;
    out->trunk = leg->trunk;
    if (span_ieq(uri->host, span_of(leg->trunk->host)) && (!uri->port || uri->port == leg->trunk->port))
        return NULL; /* where its uri leads */
    out->target.transport = leg->trunk->transport;
    return leg_sip_find_hop(leg->trunk, contact->uri_text, &out->target.transport, &out->target.addr)
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

static bool follow_routes(struct call *call, const struct route_caller *caller, const struct contact *contact)
{
    struct route_pick pick = {0};
    int err = route_pick(&pick, call->directory, caller, span_of(contact->number));
    const char *why = err ? "no route of the caller's leads there" : NULL;

    if (!why && pick.trunks)
        why = dial_limits_enter(call->calls->store, call->conf, caller, &pick);
    if (why) {
        call_note(call, "redirected to %s, which is not followed: %s", contact->number, why);
        return false;
    }
    call_note(call, "redirected to %s, by the routes", contact->number);
    call_leave_trunk(call);
    call->pick = pick;
    call->trunk_try = (struct trunk_try){0};
    call_dial(call);
    return true;
}

static bool follow_trunk(struct call *call, const struct route_caller *caller, const struct contact *contact)
{
    struct route_pick pick = call->pick;
    const char *why;

    snprintf(pick.number, sizeof(pick.number), "%s", contact->number);
    why = dial_limits_enter(call->calls->store, call->conf, caller, &pick);
    if (why) {
        call_note(call, "redirected to %s, which is not followed: %s", contact->number, why);
        return false;
    }
    call_note(call, "redirected to %s at %s", contact->number, contact->where);
    memcpy(call->pick.number, pick.number, sizeof(call->pick.number));
    return call_ring(call, &(struct leg_sip_dial){.trunk = contact->trunk, .target = &contact->target});
}

bool redirect_follow(struct call *call)
{
    struct redirect *redirect = call->redirect;
    struct route_caller caller = {.trunk = call->in->trunk};

    if (!redirect || redirect->next >= redirect->count || call->best_status >= 600)
        return false;
    if (call->in->account[0])
        caller.account = directory_account(call->directory, span_of(call->in->account));
    while (redirect->next < redirect->count && !redirect->items[redirect->next].is_passed) {
        const struct contact *contact = &redirect->items[redirect->next++];

        if (contact->trunk ? follow_trunk(call, &caller, contact) : follow_routes(call, &caller, contact))
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
