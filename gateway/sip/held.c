/* SPDX-License-Identifier: Apache-2.0 */
/* held.c: refusals on their way to a guesser: one for each flow and asker, sent by a timer. Knows bytes and flows, not
 * why they are held. */
#include "sip/held.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"

#define KEY_BYTES (ADDR_KEY_MAX + 8 + 2 * sizeof(uint32_t) + sizeof(size_t))

struct held {
    struct map_node node; /* stack->held */
    struct sip_stack *stack;
    struct timer timer;
    struct sip_flow flow;
    bool closes;
    char key[KEY_BYTES];
    size_t n;
    char bytes[];
};

static struct span write_key(char key[static KEY_BYTES], const struct sip_flow *flow, size_t whose)
{
    struct span addr;
    size_t n = 0;

    memset(key, 0, KEY_BYTES);
    key[n++] = (char)flow->transport;
    if (flow->transport != SIP_UDP) {
        key[n++] = (char)flow->worker;
        memcpy(key + n, &flow->slot, sizeof(flow->slot));
        n += sizeof(flow->slot);
        memcpy(key + n, &flow->serial, sizeof(flow->serial));
        n += sizeof(flow->serial);
    }
    memcpy(key + n, &whose, sizeof(whose));
    n += sizeof(whose);
    addr = addr_key(&flow->remote, key + n);
    return span_make(key, n + addr.n);
}

static void held_destroy(void *self)
{
    struct held *held = self;

    timer_stop(&held->timer);
    map_remove(&held->node);
}

bool held_is_waiting(const struct sip_stack *stack, const struct sip_flow *flow, size_t whose)
{
    char key[KEY_BYTES];

    return stack->held.count && map_find(&stack->held, write_key(key, flow, whose));
}

static void on_time(void *arg)
{
    struct held *held = arg;
    struct sip_transports *transports = held->stack->transports;
    struct sip_flow flow = held->flow;
    bool closes = held->closes;

    transport_send(transports, &flow, span_make(held->bytes, held->n));
    mem_unref(held);
    if (closes)
        transport_close(transports, &flow);
}

static int hold_back(struct sip_stack *stack, const struct sip_flow *flow, const struct sip_hold *hold,
                     struct span bytes)
{
    struct held *held = stack->held.count < HELD_MAX ? mem_new(sizeof(*held) + bytes.n, held_destroy) : NULL;

    if (!held)
        return -ENOMEM;
    held->stack = stack;
    held->flow = *flow;
    held->closes = hold->closes;
    held->n = bytes.n;
    memcpy(held->bytes, bytes.p, bytes.n);
    if (map_put(&stack->held, &held->node, write_key(held->key, flow, hold->whose))) {
        mem_unref(held);
        return -ENOMEM;
    }
    timer_start(stack->wheel, &held->timer, hold->ms, on_time, held);
    return 0;
}

void held_send(struct sip_stack *stack, const struct sip_flow *flow, const struct sip_hold *hold, struct span bytes)
{
    if (!hold_back(stack, flow, hold, bytes))
        return;
    stats_count(STAT_SIP_HELD_LIMIT);
    transport_close(stack->transports, flow);
}

void held_end_all(struct sip_stack *stack)
{
    struct map_node *node;

    while ((node = map_next(&stack->held, NULL)))
        mem_unref(container_of(node, struct held, node));
    map_free(&stack->held);
}
