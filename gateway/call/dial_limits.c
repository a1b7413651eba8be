/* SPDX-License-Identifier: Apache-2.0 */
/* dial_limits.c: limits of destination. A number is compared in its international form ('+' and digits) with prefixes
 * in that form, and as it is with the others. Days are those of UTC and are counted in the store, so for all workers.
 */
#include "call/dial_limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/print.h"
#include "base/stats.h"
#include "call/trunk_limit.h"

#define DAY_MS               86400000u
#define INTERNATIONAL_DIGITS 8 /* "00" in front of fewer is a short code, not a country */

static bool is_separator(char c)
{
    return strchr("-. ()/", c) != NULL && c;
}

static bool has_international_prefix(const char *digits, size_t n, size_t *prefix_bytes)
{
    static const char *const prefixes[] = {"00", "011"};

    for (size_t i = 0; i < 2; i++) {
        *prefix_bytes = strlen(prefixes[i]);
        if (n >= *prefix_bytes + INTERNATIONAL_DIGITS && !strncmp(digits, prefixes[i], *prefix_bytes))
            return true;
    }
    return false;
}

size_t dial_normal(char *out, size_t size_bytes, struct span number)
{
    size_t n = 0, prefix_bytes;

    for (size_t i = 0; i < number.n; i++) {
        if (is_separator(number.p[i]))
            continue;
        if (n + 1 >= size_bytes)
            return 0;
        out[n++] = number.p[i];
    }
    out[n] = '\0';
    if (has_international_prefix(out, n, &prefix_bytes)) {
        memmove(out + 1, out + prefix_bytes, n - prefix_bytes + 1);
        out[0] = '+';
        n -= prefix_bytes - 1;
    }
    return n;
}

/* @return the prefix of the list that it begins with, or NULL */
static const char *find_prefix(const struct conf_strings *prefixes, const char *number)
{
    for (size_t i = 0; i < prefixes->count; i++)
        if (!strncmp(number, prefixes->items[i], strlen(prefixes->items[i])))
            return prefixes->items[i];
    return NULL;
}

static bool is_day_used_up(struct store *store, const struct conf_account *account)
{
    char name[160];

    if (!account->calls_per_day)
        return false;
    print_into(name, sizeof(name), "%s:%llu", account->name, (unsigned long long)(clock_wall_us() / 1000 / DAY_MS));
    return limit_count(store, "day", name, 1, account->calls_per_day, 2 * (uint64_t)DAY_MS) == -EBUSY;
}

static const char *refuse(const char *format, const char *word)
{
    static _Thread_local char why[200];

    snprintf(why, sizeof(why), format, word);
    stats_count(STAT_DIAL_REFUSED);
    return why;
}

/* @param normal its international form. @return the prefix that makes it cost extra where the route does not allow that
 */
static const char *find_premium(const struct conf *conf, const struct conf_route *route, const char *normal)
{
    return route && route->is_premium ? NULL : find_prefix(&conf->dialling.premium, normal);
}

int dial_costs_extra(const struct conf *conf, const struct conf_route *route, const char *number)
{
    char normal[ROUTE_NUMBER_MAX];

    if (!dial_normal(normal, sizeof(normal), span_of(number)) || !find_premium(conf, route, normal))
        return 0;
    stats_count(STAT_DIAL_REFUSED);
    return -EACCES;
}

const char *dial_limits_enter(struct store *store, const struct conf *conf, const struct route_caller *caller,
                              const struct route_pick *pick)
{
    const struct conf_account *account = caller->account;
    char number[ROUTE_NUMBER_MAX];
    const char *prefix;

    if (!dial_normal(number, sizeof(number), span_of(pick->number)))
        return refuse("%s", "the number is empty or too long");
    prefix = find_premium(conf, pick->route, number);
    if (prefix)
        return refuse("numbers that begin with %s cost extra: only a route with `premium: true` dials them", prefix);
    if (account && account->allowed.count && !find_prefix(&account->allowed, number))
        return refuse("account %s may only dial the prefixes of its `allowed`", account->name);
    if (account && is_day_used_up(store, account))
        return refuse("account %s has made its `calls_per_day`", account->name);
    return NULL;
}
