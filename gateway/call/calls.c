/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c: the call floor of one worker: what the SIP stack calls, what the operator asks, birth, reload, drain. */
#include "call/calls.h"

#include <errno.h>

#include "base/mem.h"
#include "base/worker.h"
#include "call/call.h"
#include "call/guard.h"
#include "call/home.h"
#include "call/incoming.h"
#include "call/location.h"
#include "call/messages.h"
#include "call/pbx.h"
#include "call/place.h"
#include "call/presence.h"
#include "call/transfer.h"
#include "call/trunk_board.h"
#include "call/trunk_duty.h"
#include "call/trunk_pace.h"

static unsigned place(const struct sip_msg *msg, const struct sip_flow *flow, void *arg)
{
    struct calls *calls = arg;
    int home = pbx_place(calls, msg);

    if (home >= 0)
        return (unsigned)home;
    if (msg->method != SIP_INVITE && msg->method != SIP_CANCEL && msg->method != SIP_ACK &&
        msg->method != SIP_SUBSCRIBE && msg->method != SIP_PUBLISH)
        return calls->worker;
    if (msg->method == SIP_SUBSCRIBE || msg->method == SIP_PUBLISH)
        return place_event(msg, calls->directory, worker_count());
    return place_call(msg, worker_count());
}

static void admit(const struct sip_incoming *incoming, struct sip_verdict *verdict, void *arg)
{
    guard_admit(arg, incoming, verdict);
}

static void on_request(struct server_tx *tx, const char *account, void *arg)
{
    incoming_receive(arg, tx, account);
}

static void on_flow_lost(const struct sip_flow *flow, const char *account, void *arg)
{
    struct home_news news = {.kind = HOME_REGISTERED};
    struct calls *calls = arg;

    call_flow_lost(calls, flow);
    if (account[0] && calls->presence)
        presence_flow_lost(calls->presence, flow, account);
    if (calls->duties)
        trunk_duties_flow_lost(calls->duties, flow);
    if (calls->pbx)
        pbx_flow_lost(calls->pbx, flow);
    if (account[0] && flow->worker == calls->worker) {
        location_drop_flow(calls->store, span_of(account), flow);
        span_copy(span_of(account), news.account, sizeof(news.account));
        home_tell(calls, &news);
    }
}

static void advertise(struct addr *out, const struct addr *local, const struct addr *towards, void *arg)
{
    struct calls *calls = arg;

    media_advertised(out, calls->conf, local, towards);
    addr_set_port(out, addr_port(local));
}

const struct sip_user calls_sip_user = {
    .place = place, .admit = admit, .on_request = on_request, .on_flow_lost = on_flow_lost, .advertise = advertise};

static void on_sweep(void *arg)
{
    struct calls *calls = arg;

    call_sweep(calls);
    timer_start(calls->stack->wheel, &calls->sweep, 1000, on_sweep, calls);
}

int calls_set_stack(struct calls *calls, struct sip_stack *stack)
{
    int err;

    calls->stack = stack;
    timer_start(stack->wheel, &calls->sweep, 1000, on_sweep, calls);
    err = trunk_pace_new(&calls->pace, calls->store, stack->wheel);
    if (err)
        return err;
    err = messages_new(&calls->messages, calls);
    if (!err)
        err = presence_new(&calls->presence, calls);
    if (!err)
        err = pbx_new(&calls->pbx, calls);
    return err ? err : trunk_duties_new(&calls->duties, calls);
}

/* Each of them knows two calls, of which either may go first. */
static void drop_transfers(struct calls *calls)
{
    struct map_node *node;

    for (node = map_next(&calls->by_id, NULL); node; node = map_next(&calls->by_id, node))
        transfer_drop(container_of(node, struct call, node));
}

static void calls_destroy(void *self)
{
    struct calls *calls = self;
    struct map_node *node, *next;
    struct list *link, *tmp;

    timer_stop(&calls->sweep);
    drop_transfers(calls);
    mem_unref(calls->pbx);
    mem_unref(calls->presence);
    mem_unref(calls->messages);
    mem_unref(calls->duties);
    for (node = map_next(&calls->by_id, NULL); node; node = next) {
        next = map_next(&calls->by_id, node);
        mem_unref(container_of(node, struct call, node));
    }
    list_each (link, tmp, &calls->history)
        mem_unref(container_of(link, struct call, link));
    map_free(&calls->by_id);
    map_free(&calls->far_legs);
    mem_unref(calls->pace);
    mem_unref(calls->board);
    mem_unref(calls->directory);
    conf_unref(calls->conf);
}

int calls_new(struct calls **callsp, const struct calls_options *options)
{
    struct calls *calls = mem_new(sizeof(*calls), calls_destroy);
    int err;

    if (!calls)
        return -ENOMEM;
    calls->worker = options->worker;
    calls->media = options->media;
    calls->store = options->store;
    calls->record = options->record;
    calls->kept = options->kept;
    calls->dns = options->dns;
    calls->guesses = options->guesses;
    map_init(&calls->by_id);
    map_init(&calls->far_legs);
    list_init(&calls->history);
    list_init(&calls->listeners);
    err = trunk_board_new(&calls->board, calls);
    if (!err)
        err = calls_reload(calls, options->conf);
    if (err) {
        mem_unref(calls);
        return err;
    }
    *callsp = calls;
    return 0;
}

int calls_reload(struct calls *calls, struct conf *conf)
{
    struct directory *former = calls->directory, *directory;
    int err = directory_new(&directory, conf);

    if (err)
        return err;
    calls->directory = directory;
    if (former && calls->stack)
        guard_review(calls, former);
    mem_unref(former);
    conf_unref(calls->conf);
    calls->conf = conf_ref(conf);
    trunk_board_apply(calls->board);
    if (calls->duties)
        trunk_duties_reload(calls->duties);
    if (calls->presence)
        presence_reload(calls->presence);
    if (calls->pbx)
        pbx_reload(calls->pbx);
    return 0;
}

void calls_drain(struct calls *calls)
{
    calls->is_draining = true;
    trunk_duties_drain(calls->duties);
    presence_drain(calls->presence);
}

void calls_end_all(struct calls *calls, const char *why)
{
    struct map_node *node, *next;

    for (node = map_next(&calls->by_id, NULL); node; node = next) {
        next = map_next(&calls->by_id, node);
        call_end(container_of(node, struct call, node), 503, "gateway", why);
    }
}

/* ---- for the operator ---- */

static void write_item(const struct call *call, struct text *out, bool *is_first)
{
    if (!*is_first)
        text_add_str(out, ",\n");
    *is_first = false;
    call_write_brief(call, out);
}

void calls_write_list(struct calls *calls, bool is_recent, struct text *out)
{
    struct map_node *node;
    struct list *link, *tmp;
    bool is_first = true;

    if (is_recent) {
        list_each (link, tmp, &calls->history)
            write_item(container_of(link, struct call, link), out, &is_first);
        return;
    }
    for (node = map_next(&calls->by_id, NULL); node; node = map_next(&calls->by_id, node))
        write_item(container_of(node, struct call, node), out, &is_first);
}

int calls_write_one(struct calls *calls, struct span id, struct text *out)
{
    struct map_node *node = map_find(&calls->by_id, id);
    struct list *link, *tmp;

    if (node) {
        call_write_full(container_of(node, struct call, node), out);
        return 0;
    }
    list_each (link, tmp, &calls->history) {
        const struct call *call = container_of(link, struct call, link);

        if (span_eq(span_of(call->id), id)) {
            call_write_full(call, out);
            return 0;
        }
    }
    return -ENOENT;
}

int calls_owner(struct span id)
{
    return sip_tag_worker(id);
}
