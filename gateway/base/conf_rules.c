/* SPDX-License-Identifier: Apache-2.0 */
/* conf_rules.c: the kinds of configuration value with a grammar of their own: number rules, lists of SIP codes, trunks
 * with priority and weight. */
#include <errno.h>
#include <limits.h>

#include "base/conf_row.h"
#include "base/list.h"
#include "base/mem.h"

#define PRIORITY_NONE UINT_MAX /* until the whole list is known */
#define PRIORITY_MAX  65535
#define RULE_MAX      1024

/* ---- "PATTERN => REPLACEMENT" ---- */

/* The array doubles at powers of two, so its size need not be kept. */
static int make_room(struct conf_rules *rules)
{
    struct conf_rule *items;

    if (rules->count & (rules->count - 1))
        return 0;
    items = mem_new((rules->count ? rules->count * 2 : 1) * sizeof(*items), NULL);
    if (!items)
        return -ENOMEM;
    if (rules->count)
        memcpy(items, rules->items, rules->count * sizeof(*items));
    mem_unref(rules->items);
    rules->items = items;
    return 0;
}

static int add_rule(struct conf_reader *reader, struct conf_rules *rules, struct span pattern, struct span replacement)
{
    int err = make_room(rules);
    struct conf_rule *rule;
    char *copy;

    if (err)
        return err;
    rule = &rules->items[rules->count];
    copy = mem_text(replacement.n ? replacement.p : "", replacement.n);
    if (!copy)
        return -ENOMEM;
    err = conf_compile_pattern(reader, pattern, &rule->regex);
    if (err) {
        mem_unref(copy);
        return err;
    }
    rule->replacement = copy;
    rules->count++;
    conf_check_groups(reader, reader->line, reader->path, copy, rule->regex.re_nsub, "the pattern");
    return 0;
}

int conf_parse_rule_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    ptrdiff_t at = span_find_span(text, SPAN("=>"));
    int err = conf_check_text(reader, row, text);
    struct span pattern, replacement;

    if (err)
        return err;
    if (at < 0)
        return conf_fail(reader, "\"%.*s\" is not PATTERN => REPLACEMENT", SPAN_ARG(text));
    pattern = span_trim(span_sub(text, 0, (size_t)at));
    replacement = span_trim(span_sub(text, (size_t)at + 2, text.n));
    if (!pattern.n || !replacement.n)
        return conf_fail(reader, "\"%.*s\" lacks a %s", SPAN_ARG(text), pattern.n ? "replacement" : "pattern");
    if (text.n > RULE_MAX)
        return conf_fail(reader, "is longer than %d characters", RULE_MAX);
    return add_rule(reader, field, pattern, replacement);
}

void conf_drop_rules(void *field)
{
    struct conf_rules *rules = field;

    for (size_t i = 0; i < rules->count; i++) {
        regfree(&rules->items[i].regex);
        mem_unref(rules->items[i].replacement);
    }
    rules->items = mem_unref(rules->items);
    rules->count = 0;
}

/* ---- 503, 500-599 ---- */

int conf_parse_code_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf_codes *codes = field;
    struct span rest = text, first = span_cut(&rest, '-');
    bool is_range = first.n < text.n;
    uint32_t from, to;

    if (span_to_u32(span_trim(first), 999, &from) || (is_range && span_to_u32(span_trim(rest), 999, &to)))
        return conf_fail(reader, "\"%.*s\" is neither a code nor CODE-CODE", SPAN_ARG(text));
    if (!is_range)
        to = from;
    if (from < 400 || to > 599 || from > to)
        return conf_fail(reader, "%.*s is not within 400-599", SPAN_ARG(text));
    if (codes->count == CONF_CODES_MAX)
        return conf_fail(reader, "has more than %d codes", CONF_CODES_MAX);
    codes->items[codes->count++] = (struct conf_code_range){(uint16_t)from, (uint16_t)to};
    return 0;
}

/* ---- carrier, carrier/1, carrier/1/70 ---- */

static int read_rank(struct conf_reader *reader, struct span text, struct conf_rank *rank)
{
    struct span rest = text, name = span_cut(&rest, '/'), priority = span_cut(&rest, '/');

    *rank = (struct conf_rank){PRIORITY_NONE, 1};
    if (name.n == text.n)
        return 0;
    if (span_to_u32(priority, PRIORITY_MAX, &rank->priority) ||
        (rest.n && span_to_u32(rest, PRIORITY_MAX, &rank->weight)))
        return conf_fail(reader, "\"%.*s\" is not NAME/PRIORITY/WEIGHT with numbers up to %d", SPAN_ARG(text),
                         PRIORITY_MAX);
    return 0;
}

int conf_parse_ranked_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf_route *route = container_of(field, struct conf_route, trunks);
    struct span rest = text;
    struct conf_rank rank;
    int err = read_rank(reader, text, &rank);

    if (!err && !route->ranks)
        route->ranks = mem_new(CONF_ROUTE_TRUNKS_MAX * sizeof(*route->ranks), NULL);
    if (!err && !route->ranks)
        return -ENOMEM;
    if (!err)
        err = conf_parse_name_item(reader, row, span_cut(&rest, '/'), field);
    if (!err)
        route->ranks[route->trunks.count - 1] = rank;
    return err;
}

void conf_drop_ranked(void *field)
{
    struct conf_route *route = container_of(field, struct conf_route, trunks);

    route->ranks = mem_unref(route->ranks);
    for (size_t i = 0; i < route->trunks.count; i++)
        mem_unref(route->trunks.items[i]);
    route->trunks.items = mem_unref(route->trunks.items);
    route->trunks.count = 0;
}

void conf_check_ranks(struct conf_reader *reader, struct conf_route *route, const char *key)
{
    size_t plain_count = 0;

    for (size_t i = 0; i < route->trunks.count; i++)
        plain_count += route->ranks[i].priority == PRIORITY_NONE;
    if (plain_count && plain_count < route->trunks.count)
        conf_fail_at(reader, route->line, key, "give each trunk a priority, or none");
    for (size_t i = 0; plain_count && i < route->trunks.count; i++)
        route->ranks[i] = (struct conf_rank){(unsigned)i, 1};
}
