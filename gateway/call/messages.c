/* SPDX-License-Identifier: Apache-2.0 */
/* messages.c: a MESSAGE from its arrival to the answer to its sender. RFC 3428. Routed as a call is: an account by name
 * or number, or whatever the first matching route says. Knows neither devices (message_fork.c) nor how trunks are asked
 * (message_trunk.c). */
#include "call/messages.h"

#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/directory.h"
#include "call/identity.h"
#include "call/message_fork.h"
#include "call/message_trunk.h"

struct messages {
    struct calls *calls;
    struct list deliveries;
};

/* One message whose sender still waits. */
struct delivery {
    struct list link;
    struct messages *house; /* NULL: it has gone down */
    struct server_tx *tx;
    struct message *message;
    char account[SIP_ACCOUNT_MAX]; /* who gets it; "": a trunk */
    struct message_fork *fork;
    struct message_trunk *trunk;
};

static void delivery_destroy(void *self)
{
    struct delivery *delivery = self;

    list_remove(&delivery->link);
    mem_unref(delivery->fork);
    mem_unref(delivery->trunk);
    mem_unref(delivery->message);
    mem_unref(delivery->tx);
}

static void messages_destroy(void *self)
{
    struct messages *house = self;
    struct list *link, *tmp;

    list_each (link, tmp, &house->deliveries)
        mem_unref(container_of(link, struct delivery, link));
}

int messages_new(struct messages **messagesp, struct calls *calls)
{
    struct messages *house = mem_new(sizeof(*house), messages_destroy);

    if (!house)
        return -ENOMEM;
    house->calls = calls;
    list_init(&house->deliveries);
    *messagesp = house;
    return 0;
}

/* ---- answers ---- */

static void refuse(struct server_tx *tx, unsigned status, const char *why)
{
    stats_count(STAT_MESSAGES_REFUSED);
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why});
}

static void answer(struct delivery *delivery, unsigned status, const char *why)
{
    if (status < 300) {
        stats_count(STAT_MESSAGES_DELIVERED);
        server_tx_reply(delivery->tx, &(struct sip_reply){.status = status});
    } else {
        refuse(delivery->tx, status, why);
    }
    mem_unref(delivery);
}

static void on_trunk_answer(unsigned status, const char *why, void *arg)
{
    answer(arg, status, why);
}

/* ---- to an account ---- */

static void on_fork_answer(enum message_outcome outcome, unsigned status, void *arg)
{
    if (outcome == MESSAGE_DELIVERED)
        answer(arg, 200, NULL);
    else if (outcome == MESSAGE_REFUSED)
        answer(arg, status, "no device of the account takes this message");
    else
        answer(arg, 480, "no device of the account can be reached");
}

static void on_bindings(int err, const struct bindings *bindings, void *arg)
{
    struct delivery *delivery = arg;

    if (delivery->house &&
        message_fork_new(&delivery->fork, &(struct message_fork_options){.calls = delivery->house->calls,
                                                                         .message = delivery->message,
                                                                         .account = delivery->account,
                                                                         .bindings = bindings,
                                                                         .done = on_fork_answer,
                                                                         .arg = delivery}))
        answer(delivery, 500, "no memory for the message");
    mem_unref(delivery);
}

/* ---- arrival ---- */

static void begin(struct messages *house, struct delivery *delivery, const struct route_pick *pick)
{
    struct calls *calls = house->calls;

    if (pick->account) {
        span_copy(span_of(pick->account->name), delivery->account, sizeof(delivery->account));
        location_find(calls->store, span_of(delivery->account), on_bindings, mem_ref(delivery));
    } else if (message_trunk_new(&delivery->trunk, &(struct message_trunk_options){.calls = calls,
                                                                                   .message = delivery->message,
                                                                                   .trunks = pick->trunks,
                                                                                   .number = pick->number,
                                                                                   .done = on_trunk_answer,
                                                                                   .arg = delivery})) {
        answer(delivery, 500, "no memory for the message");
    }
}

/* @return 0, or the status of a refusal */
static unsigned find_way(struct route_pick *pick, struct calls *calls, const struct sip_msg *msg,
                         const struct route_caller *caller, const char **why)
{
    char dialled[ROUTE_NUMBER_MAX];
    int err;

    if (!caller->account && !caller->trunk) {
        *why = "neither an account nor a trunk of this gateway";
        return 403;
    }
    if (msg->body.n > calls->conf->messages.max_size) {
        *why = "the message is too large";
        return 413;
    }
    *why = "nobody has that name or number";
    if (identity_take_dialled(dialled, &msg->uri))
        return 404;
    err = route_pick(pick, calls->directory, caller, span_of(dialled));
    if (err == -EACCES)
        *why = "this account may not send messages there";
    if (err)
        return err == -EACCES ? 403 : 404;
    *why = "no messages are taken there";
    return pick->account || pick->trunks ? 0 : 404;
}

void messages_receive(struct messages *house, struct server_tx *tx, const char *account)
{
    const struct sip_msg *msg = server_tx_request(tx);
    struct calls *calls = house->calls;
    struct delivery *delivery;
    struct route_caller caller = {0};
    struct route_pick pick = {0};
    const char *why = "no memory for the message";
    unsigned status;
    int err;

    if (account[0])
        caller.account = directory_account(calls->directory, span_of(account));
    else
        caller.trunk = directory_trunk_from(calls->directory, &server_tx_flow(tx)->remote);
    status = find_way(&pick, calls, msg, &caller, &why);
    if (status) {
        refuse(tx, status, why);
        return;
    }
    delivery = mem_new(sizeof(*delivery), delivery_destroy);
    err = delivery ? message_new(&delivery->message, calls, msg, &caller, &why) : -ENOMEM;
    if (err) {
        refuse(tx, err == -EBADMSG ? 400 : 500, why);
        mem_unref(delivery);
        return;
    }
    delivery->house = house;
    delivery->tx = mem_ref(tx);
    list_append(&house->deliveries, &delivery->link);
    begin(house, delivery, &pick);
}
