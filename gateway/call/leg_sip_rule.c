/* SPDX-License-Identifier: Apache-2.0 */
/* leg_sip_rule.c: whom a SIP leg that has ended still listens to: the ACK its BYE waits for and a crossing BYE may come
 * from another address of the trunk, or from another connection of the account. Outlives the leg; knows no call. */
#include "base/mem.h"
#include "call/call.h"
#include "call/leg_sip_private.h"

struct source_rule {
    struct directory *directory; /* holds the trunk */
    const struct trunk *trunk;
    char account[SIP_ACCOUNT_MAX];
};

static void source_rule_destroy(void *self)
{
    struct source_rule *rule = self;

    mem_unref(rule->directory);
}

void *leg_sip_rule_new(const struct leg *leg)
{
    struct source_rule *rule = mem_new(sizeof(*rule), source_rule_destroy);

    if (!rule)
        return NULL;
    rule->directory = mem_ref(leg->directory ? leg->directory : leg->call->directory);
    rule->trunk = leg->trunk;
    span_copy(span_of(leg->account), rule->account, sizeof(rule->account));
    return rule;
}

bool leg_sip_rule_allows(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg)
{
    const struct source_rule *rule = arg;

    if (!rule)
        return false;
    if (rule->trunk)
        return trunk_accepts(rule->trunk, &flow->remote);
    if (!account.n || !span_eq(account, span_of(rule->account)))
        return false;
    invite_set_flow(invite, flow);
    return true;
}
