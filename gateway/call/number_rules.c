/* SPDX-License-Identifier: Apache-2.0 */
/* number_rules.c: rewrites numbers by expressions. Knows texts; no trunks, no calls. */
#include "call/number_rules.h"

#include <errno.h>
#include <string.h>

int number_expand(char *out, size_t size_bytes, const char *replacement, const char *subject,
                  const regmatch_t groups[static NUMBER_GROUP_MAX])
{
    size_t n = 0;

    for (const char *p = replacement; *p; p++) {
        struct span part = {p, 1};

        if (p[0] == '\\' && p[1] >= '0' && p[1] <= '9') {
            const regmatch_t *group = &groups[*++p - '0'];

            part = group->rm_so >= 0 ? span_make(subject + group->rm_so, (size_t)(group->rm_eo - group->rm_so))
                                     : SPAN_NULL;
        }
        if (n + part.n >= size_bytes)
            return -ENOSPC;
        if (part.n)
            memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    out[n] = '\0';
    return (int)n;
}

int number_rules_apply(const struct conf_rules *rules, char number[static ROUTE_NUMBER_MAX])
{
    regmatch_t groups[NUMBER_GROUP_MAX];
    char written[ROUTE_NUMBER_MAX];

    for (size_t i = 0; i < rules->count; i++) {
        const struct conf_rule *rule = &rules->items[i];

        if (regexec(&rule->regex, number, NUMBER_GROUP_MAX, groups, 0))
            continue;
        if (number_expand(written, sizeof(written), rule->replacement, number, groups) <= 0)
            return -ENOENT;
        memcpy(number, written, sizeof(written));
        return 0;
    }
    return 0;
}
