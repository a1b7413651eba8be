/* SPDX-License-Identifier: Apache-2.0 */
/* messages.c: a MESSAGE from its arrival to the answer to its sender. RFC 3428. Routed as a call is: an account by name
 * or number, or whatever the first matching route says. What nobody can take now is kept. Knows neither devices
 * (message_fork.c) nor how trunks are asked (message_trunk.c), nor what becomes of kept ones (message_box.c). */
#include "call/messages.h"
#include "call/number_rules.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/dial_limits.h"
#include "call/directory.h"
#include "call/home.h"
#include "call/identity.h"
#include "call/message_box.h"
#include "call/message_fork.h"
#include "call/message_trunk.h"
#include "store/kept.h"

#define PATIENCE_T1 16 /* so many T1 for the devices; the sender waits 64 */

struct messages {
    struct calls *calls;
    struct message_box *box;
    struct list deliveries;
};

/* One message, until its sender has an answer and no device is asked any more.
 *
 *   asked --2xx--> 200
 *     |-----refused--> that answer
 *     |-----nobody there, or patience is over--> kept (202) --late 2xx--> dropped
 *                                                     \-----no device took it--> waits in the box */
struct delivery {
    struct list link;
    struct messages *house;
    struct server_tx *tx;
    struct message *message;
    char account[SIP_ACCOUNT_MAX]; /* who gets it; "": a trunk */
    struct message_fork *fork;
    struct message_trunk *trunk;
    struct timer patience;
    bool is_answered, is_impatient;
    bool is_over; /* no device is asked any more */
    enum message_outcome outcome;
    unsigned status;
    bool is_keeping, is_kept; /* asked for; answered */
    int keep_err;
    int64_t kept_id;
};

static void delivery_destroy(void *self)
{
    struct delivery *delivery = self;

    timer_stop(&delivery->patience);
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
    mem_unref(house->box);
}

struct message_box *messages_box(struct messages *house)
{
    return house->box;
}

int messages_new(struct messages **messagesp, struct calls *calls)
{
    struct messages *house = mem_new(sizeof(*house), messages_destroy);
    int err;

    if (!house)
        return -ENOMEM;
    house->calls = calls;
    list_init(&house->deliveries);
    err = message_box_new(&house->box, calls);
    if (err)
        mem_unref(house);
    else
        *messagesp = house;
    return err;
}

/* ---- answers ---- */

static void refuse(struct server_tx *tx, unsigned status, const char *why)
{
    stats_count(STAT_MESSAGES_REFUSED);
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why});
}

static void answer(struct delivery *delivery, unsigned status, const char *why)
{
    delivery->is_answered = true;
    timer_stop(&delivery->patience);
    if (status >= 300)
        refuse(delivery->tx, status, why);
    else
        server_tx_reply(delivery->tx, &(struct sip_reply){.status = status});
}

static void on_trunk_answer(unsigned status, const char *why, void *arg)
{
    struct delivery *delivery = arg;

    if (status < 300)
        stats_count(STAT_MESSAGES_DELIVERED);
    answer(delivery, status, why);
    mem_unref(delivery);
}

/* ---- kept ---- */

static void settle(struct delivery *delivery);

static void on_kept(struct kept_job *job, void *arg)
{
    struct delivery *delivery = arg;

    stats_add(STAT_MESSAGES_EXPIRED, job->removed_count);
    stats_add(STAT_MESSAGES_WAITING, (job->err ? 0 : 1) - (int64_t)job->removed_count);
    delivery->is_kept = true;
    delivery->keep_err = job->err;
    delivery->kept_id = job->row.id;
    settle(delivery);
}

static struct kept_job *keep_job(struct delivery *delivery)
{
    const struct conf *conf = delivery->house->calls->conf;
    struct kept_job *job = kept_job_new(KEPT_ADD, delivery->house->calls->worker);

    if (!job)
        return NULL;
    job->done = on_kept;
    job->arg = delivery;
    job->is_held = !delivery->is_over;
    job->account_limit = conf->messages.max_per_account;
    job->limit = conf->messages.max_kept;
    job->row.account = mem_text(delivery->account, strlen(delivery->account));
    if (!job->row.account || message_to_row(delivery->message, &job->row))
        return mem_unref(job);
    return job;
}

/* A sender may want its message now or never (Expires: 0), as the configuration may. */
static void keep(struct delivery *delivery)
{
    struct kept_job *job;

    if (delivery->message->expires_ms <= clock_wall_us() / 1000) {
        answer(delivery, 480, "nobody is there to take the message, and it is not to be kept");
        return;
    }
    job = keep_job(delivery);
    delivery->is_keeping = true;
    if (job && !kept_ask(delivery->house->calls->kept, job))
        return;
    delivery->is_kept = true;
    delivery->keep_err = -EIO;
}

static void answer_kept(struct delivery *delivery)
{
    if (!delivery->keep_err) {
        stats_count(STAT_MESSAGES_KEPT);
        answer(delivery, 202, NULL);
    } else if (delivery->keep_err == -EBUSY) {
        answer(delivery, 480, "nobody is there to take the message, and too many wait already");
    } else {
        answer(delivery, 503, "nobody is there to take the message, and it could not be kept");
    }
}

static void tell_keeper(struct delivery *delivery, enum kept_op op)
{
    struct kept_job *job = kept_job_new(op, delivery->house->calls->worker);

    if (!job)
        return;
    job->row.id = delivery->kept_id;
    kept_ask(delivery->house->calls->kept, job);
}

/* The message is in the database and no device is asked any more. */
static void end_kept(struct delivery *delivery)
{
    struct home_news news = {.kind = HOME_KEPT, .since_ms = delivery->message->received_ms};

    if (delivery->outcome == MESSAGE_DELIVERED) {
        stats_add(STAT_MESSAGES_WAITING, -1);
        tell_keeper(delivery, KEPT_DROP);
        return;
    }
    tell_keeper(delivery, KEPT_RELEASE);
    span_copy(span_of(delivery->account), news.account, sizeof(news.account));
    home_tell(delivery->house->calls, &news);
}

/* ---- to an account ---- */

static void answer_over(struct delivery *delivery)
{
    if (delivery->outcome == MESSAGE_DELIVERED)
        answer(delivery, 200, NULL);
    else if (delivery->outcome == MESSAGE_REFUSED)
        answer(delivery, delivery->status, "no device of the account takes this message");
}

/* Something has changed: what is to be done next? */
static void settle(struct delivery *delivery)
{
    if (!delivery->is_answered && delivery->is_over)
        answer_over(delivery);
    if (!delivery->is_answered && !delivery->is_keeping && (delivery->is_over || delivery->is_impatient))
        keep(delivery);
    if (!delivery->is_answered && delivery->is_kept)
        answer_kept(delivery);
    if (!delivery->is_answered || !delivery->is_over || (delivery->is_keeping && !delivery->is_kept))
        return;
    if (delivery->is_keeping && !delivery->keep_err)
        end_kept(delivery);
    mem_unref(delivery);
}

static void on_fork_answer(enum message_outcome outcome, unsigned status, void *arg)
{
    struct delivery *delivery = arg;

    if (outcome == MESSAGE_DELIVERED)
        stats_count(STAT_MESSAGES_DELIVERED);
    delivery->is_over = true;
    delivery->outcome = outcome;
    delivery->status = status;
    settle(delivery);
}

/* The sender's transaction does not wait for ever, and a device that is gone without a word never answers. */
static void on_patience(void *arg)
{
    struct delivery *delivery = arg;

    delivery->is_impatient = true;
    settle(delivery);
}

static void on_bindings(int err, const struct bindings *bindings, void *arg)
{
    struct delivery *delivery = arg;
    struct sip_stack *stack = delivery->house->calls->stack;

    if (message_fork_new(&delivery->fork, &(struct message_fork_options){.calls = delivery->house->calls,
                                                                         .message = delivery->message,
                                                                         .account = delivery->account,
                                                                         .bindings = bindings,
                                                                         .done = on_fork_answer,
                                                                         .arg = delivery})) {
        answer(delivery, 500, "no memory for the message");
        mem_unref(delivery);
        return;
    }
    timer_start(stack->wheel, &delivery->patience, PATIENCE_T1 * stack->timers.t1_ms, on_patience, delivery);
}

/* ---- arrival ---- */

static void begin(struct messages *house, struct delivery *delivery, const struct route_pick *pick)
{
    struct calls *calls = house->calls;

    if (pick->account) {
        span_copy(span_of(pick->account->name), delivery->account, sizeof(delivery->account));
        location_find(calls->store, span_of(delivery->account), on_bindings, delivery);
    } else if (message_trunk_new(&delivery->trunk, &(struct message_trunk_options){.calls = calls,
                                                                                   .message = delivery->message,
                                                                                   .route = pick->route,
                                                                                   .number = pick->number,
                                                                                   .done = on_trunk_answer,
                                                                                   .arg = delivery})) {
        answer(delivery, 500, "no memory for the message");
        mem_unref(delivery);
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
    *why = "Max-Forwards leaves nothing for the next hop: a loop?";
    if (msg->max_forwards <= 1)
        return 483;
    *why = "nobody has that name or number";
    if (identity_take_dialled(dialled, &msg->uri) ||
        (caller->trunk && number_rules_apply(&caller->trunk->conf->numbers_in, dialled)))
        return 404;
    err = route_pick(pick, calls->directory, caller, span_of(dialled));
    if (err == -EACCES)
        *why = "this account may not send messages there";
    if (err)
        return err == -EACCES ? 403 : 404;
    if (pick->trunks) {
        *why = dial_limits_enter(calls->store, calls->conf, caller, pick); /* it may cost as a call does */
        return *why ? 403 : 0;
    }
    *why = "no messages are taken there";
    return pick->account ? 0 : 404;
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
        caller.trunk = directory_trunk_called(calls->directory, &server_tx_flow(tx)->remote, &msg->uri);
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
