/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: the dial plan. Knows rules and texts; no calls, no SIP. */
#include "call/route.h"

#include <errno.h>
#include <string.h>

#include "call/number_rules.h"

static bool is_from(const struct conf_route *route, const struct route_caller *caller)
{
    struct span from = span_of(route->from ? route->from : "accounts");
    struct span kind = span_cut(&from, ':');

    if (span_eq(kind, SPAN("any"))) /* any of those who have an account or are a trunk, not anybody */
        return caller->account || caller->trunk;
    if (span_eq(kind, SPAN("accounts")))
        return caller->account != NULL;
    if (span_eq(kind, SPAN("trunks")))
        return caller->trunk != NULL;
    if (span_eq(kind, SPAN("trunk")))
        return caller->trunk && span_eq(from, span_of(caller->trunk->conf->name));
    if (span_eq(kind, SPAN("account")))
        return caller->account && span_eq(from, span_of(caller->account->name));
    return false;
}

static bool may_use(const struct conf_route *route, const struct route_caller *caller)
{
    const struct conf_strings *names = caller->account ? &caller->account->routes : NULL;

    if (!names || !names->count)
        return true;
    for (size_t i = 0; i < names->count; i++)
        if (route->name && !strcmp(route->name, names->items[i]))
            return true;
    return false;
}

static bool matches(const struct conf_route *route, const char *dialled, regmatch_t groups[NUMBER_GROUP_MAX])
{
    if (!route->to) {
        for (unsigned i = 0; i < NUMBER_GROUP_MAX; i++)
            groups[i] = (regmatch_t){-1, -1};
        return true;
    }
    return regexec(&route->to_regex, dialled, NUMBER_GROUP_MAX, groups, 0) == 0;
}

static int take(struct route_pick *pick, const struct directory *directory, const struct conf_route *route,
                const char *dialled, const regmatch_t *groups)
{
    char name[ROUTE_NUMBER_MAX];

    pick->route = route;
    if (number_expand(pick->number, sizeof(pick->number), route->number ? route->number : dialled, dialled, groups) < 0)
        return -ENOENT;
    if (route->trunks.count) {
        pick->trunks = &route->trunks;
        return 0;
    }
    if (!route->account || number_expand(name, sizeof(name), route->account, dialled, groups) < 0)
        return -ENOENT;
    pick->account = directory_account_called(directory, span_of(name));
    return pick->account ? 0 : -ENOENT;
}

int route_pick(struct route_pick *pick, const struct directory *directory, const struct route_caller *caller,
               struct span dialled)
{
    const struct conf *conf = directory_conf(directory);
    regmatch_t groups[NUMBER_GROUP_MAX];
    char text[ROUTE_NUMBER_MAX];
    bool was_barred = false;

    *pick = (struct route_pick){0};
    if (span_copy(dialled, text, sizeof(text)) < 0)
        return -ENOENT;
    for (size_t i = 0; i < conf->route_count; i++) {
        const struct conf_route *route = &conf->routes[i];

        if (!is_from(route, caller) || !matches(route, text, groups))
            continue;
        if (may_use(route, caller))
            return take(pick, directory, route, text, groups);
        was_barred = true;
    }
    if (caller->account)
        pick->account = directory_account_called(directory, dialled);
    memcpy(pick->number, text, sizeof(text));
    return pick->account ? 0 : was_barred ? -EACCES : -ENOENT;
}
