/* SPDX-License-Identifier: Apache-2.0 */
/* keep_alive.c: keep-alives: the peers' are answered, registered UDP flows behind a NAT get ours. RFC 5626 3.5, 4.4, 8.
 * Knows flows; has never heard of accounts. */
#include "sip/keep_alive.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "sip/keep_stun.h"
#include "sip/stack.h"

#define TICK_MS     100
#define LAP_MS      60000 /* where nothing is pinged: how often each flow is looked at */
#define KEPT_MAX    200000
#define PING        SPAN("\r\n\r\n")
#define PONG        SPAN("\r\n")
#define KEY_MAX     (ADDR_KEY_MAX + 2)
#define STUN_METHOD 0x01 /* a request's second byte of type; the first is 0: no SIP message begins so */

struct kept {
    struct map_node node;
    struct list link; /* in the ring; the first is the next one to be looked at */
    struct sip_flow flow;
    uint64_t until_ms;
    unsigned users;
    bool is_nat;
    char key[KEY_MAX];
};

/* A ring that is gone round once in sip.nat_ping, some steps each tick, however many there are. */
struct keep_alive {
    struct sip_stack *stack;
    struct map by_flow;
    struct list ring;
    struct timer tick;
    uint64_t credit; /* steps that are due, times the length of a lap in ms */
};

static struct span write_key(char key[static KEY_MAX], const struct sip_flow *flow)
{
    struct span addr = addr_key(&flow->remote, key + 2);

    key[0] = (char)(flow->listener >> 8);
    key[1] = (char)flow->listener;
    return span_make(key, addr.n + 2);
}

static struct kept *find(const struct keep_alive *keep, const struct sip_flow *flow)
{
    char key[KEY_MAX];
    struct map_node *node = map_find(&keep->by_flow, write_key(key, flow));

    return node ? container_of(node, struct kept, node) : NULL;
}

static void forget(struct kept *kept)
{
    map_remove(&kept->node);
    list_remove(&kept->link);
    stats_add(STAT_SIP_KEPT_FLOWS, -1);
    mem_unref(kept);
}

/* ---- our pings ---- */

static uint64_t lap_ms(const struct keep_alive *keep)
{
    return keep->stack->conf->sip.nat_ping_s ? keep->stack->conf->sip.nat_ping_s * 1000ull : LAP_MS;
}

static void look_at(struct keep_alive *keep, struct kept *kept, uint64_t now_ms)
{
    if (kept->until_ms <= now_ms) {
        forget(kept);
        return;
    }
    list_remove(&kept->link);
    list_append(&keep->ring, &kept->link);
    if (!kept->is_nat || !keep->stack->conf->sip.nat_ping_s)
        return;
    stats_count(STAT_SIP_PINGS);
    transport_send(keep->stack->transports, &kept->flow, PING);
}

static void on_tick(void *arg)
{
    struct keep_alive *keep = arg;
    uint64_t now_ms = clock_now_us() / 1000, lap = lap_ms(keep);

    keep->credit += keep->by_flow.count * TICK_MS;
    for (; keep->credit >= lap && !list_is_empty(&keep->ring); keep->credit -= lap)
        look_at(keep, container_of(list_first(&keep->ring), struct kept, link), now_ms);
    if (list_is_empty(&keep->ring))
        keep->credit = 0;
    else
        timer_start(keep->stack->wheel, &keep->tick, TICK_MS, on_tick, keep);
}

/* ---- who is registered where ---- */

static struct kept *add(struct keep_alive *keep, const struct sip_flow *flow)
{
    struct kept *kept = keep->by_flow.count < KEPT_MAX ? mem_new(sizeof(*kept), NULL) : NULL;

    if (!kept)
        return NULL;
    kept->flow = *flow;
    if (map_put(&keep->by_flow, &kept->node, write_key(kept->key, flow))) {
        mem_unref(kept);
        return NULL;
    }
    stats_add(STAT_SIP_KEPT_FLOWS, 1);
    list_append(&keep->ring, &kept->link);
    if (!timer_is_running(&keep->tick))
        timer_start(keep->stack->wheel, &keep->tick, TICK_MS, on_tick, keep);
    return kept;
}

void keep_alive_put(struct sip_stack *stack, const struct sip_flow *flow, uint64_t life_ms, bool is_new, bool is_nat)
{
    struct keep_alive *keep = stack->keep;
    uint64_t until_ms = clock_now_us() / 1000 + life_ms;
    struct kept *kept = find(keep, flow);

    if (flow->transport != SIP_UDP)
        return;
    if (!kept) {
        is_new = true; /* it had run out, or there was no room */
        kept = add(keep, flow);
    }
    if (!kept)
        return;
    kept->users += is_new;
    kept->is_nat |= is_nat;
    if (until_ms > kept->until_ms)
        kept->until_ms = until_ms;
}

struct drop_mail {
    struct mail mail;
    struct sip_flow flow;
};

static void receive_drop_mail(struct worker *worker, struct mail *mail)
{
    struct drop_mail *drop = container_of(mail, struct drop_mail, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack)
        keep_alive_drop(stack, &drop->flow);
    mem_unref(drop);
}

/* Not told for lack of memory: it runs out by itself. */
static void drop_elsewhere(const struct sip_flow *flow)
{
    struct worker *worker = worker_get(flow->worker);
    struct drop_mail *drop = worker ? mem_new(sizeof(*drop), NULL) : NULL;

    if (!drop)
        return;
    drop->mail.receive = receive_drop_mail;
    drop->flow = *flow;
    mailbox_post(worker, &drop->mail);
}

void keep_alive_drop(struct sip_stack *stack, const struct sip_flow *flow)
{
    struct kept *kept;

    if (flow->transport != SIP_UDP)
        return;
    if (flow->worker != stack->worker) {
        drop_elsewhere(flow);
        return;
    }
    kept = find(stack->keep, flow);
    if (kept && !--kept->users)
        forget(kept);
}

/* ---- theirs ---- */

static bool is_stun(const char *bytes, size_t n)
{
    return n >= KEEP_STUN_MIN && bytes[0] == 0 && bytes[1] == STUN_METHOD;
}

static void answer_stun(struct sip_stack *stack, const struct sip_flow *flow, const char *bytes, size_t n)
{
    uint8_t reply[KEEP_STUN_MAX];
    int reply_n = find(stack->keep, flow) ? keep_stun_answer(reply, bytes, n, &flow->remote) : -EACCES;

    if (reply_n > 0)
        transport_send(stack->transports, flow, span_make(reply, (size_t)reply_n));
}

bool keep_alive_receive(struct sip_stack *stack, const struct sip_flow *flow, const char *bytes, size_t n)
{
    if (flow->transport == SIP_UDP && is_stun(bytes, n)) {
        answer_stun(stack, flow, bytes, n);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\0')
            return false;
    if (n >= PING.n && (flow->transport != SIP_UDP || find(stack->keep, flow)))
        transport_send(stack->transports, flow, PONG);
    return true;
}

/* ---- birth ---- */

static void keep_alive_destroy(void *self)
{
    struct keep_alive *keep = self;
    struct list *link, *tmp;

    timer_stop(&keep->tick);
    list_each (link, tmp, &keep->ring)
        forget(container_of(link, struct kept, link));
    map_free(&keep->by_flow);
}

int keep_alive_new(struct keep_alive **keepp, struct sip_stack *stack)
{
    struct keep_alive *keep = mem_new(sizeof(*keep), keep_alive_destroy);

    if (!keep)
        return -ENOMEM;
    keep->stack = stack;
    map_init(&keep->by_flow);
    list_init(&keep->ring);
    *keepp = keep;
    return 0;
}
