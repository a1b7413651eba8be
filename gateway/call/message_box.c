/* SPDX-License-Identifier: Apache-2.0 */
/* message_box.c: kept messages find their way when their account is back. RFC 3428. Knows neither who sent them nor how
 * they are kept. */
#include "call/message_box.h"

#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/home.h"
#include "call/location.h"
#include "call/message_fork.h"
#include "store/kept.h"

struct message_box {
    struct calls *calls;
    struct map waiting; /* by account */
};

/* An account for whom something waits. */
struct waiting {
    struct map_node node;
    struct message_box *box;
    char account[SIP_ACCOUNT_MAX];
    bool is_delivering, is_wanted_again;
    unsigned left_count; /* in this run: messages that stay */
    int64_t last_id;     /* of this run */
    struct message *message;
    struct message_fork *fork;
};

static void waiting_destroy(void *self)
{
    struct waiting *waiting = self;

    map_remove(&waiting->node);
    mem_unref(waiting->fork);
    mem_unref(waiting->message);
}

static void message_box_destroy(void *self)
{
    struct message_box *box = self;
    struct map_node *node;

    while ((node = map_next(&box->waiting, NULL)))
        mem_unref(container_of(node, struct waiting, node));
    map_free(&box->waiting);
}

static struct waiting *find(struct message_box *box, const char *account)
{
    struct map_node *node = map_find(&box->waiting, span_of(account));

    return node ? container_of(node, struct waiting, node) : NULL;
}

static struct waiting *get(struct message_box *box, const char *account)
{
    struct waiting *waiting = find(box, account);

    if (waiting)
        return waiting;
    waiting = mem_new(sizeof(*waiting), waiting_destroy);
    if (!waiting || span_copy(span_of(account), waiting->account, sizeof(waiting->account)) < 0 ||
        map_put(&box->waiting, &waiting->node, span_of(waiting->account)))
        return mem_unref(waiting);
    waiting->box = box;
    return waiting;
}

/* ---- one run: all messages of an account, in order ---- */

static void run(struct waiting *waiting);
static void ask_next(struct waiting *waiting);

static void end_run(struct waiting *waiting)
{
    waiting->is_delivering = false;
    if (waiting->is_wanted_again)
        run(waiting);
    else if (!waiting->left_count)
        mem_unref(waiting);
}

static void drop(struct waiting *waiting)
{
    struct kept_job *job = kept_job_new(KEPT_DROP, waiting->box->calls->worker);

    if (!job)
        return; /* it comes again after a restart: twice is better than never */
    job->row.id = waiting->last_id;
    kept_ask(waiting->box->calls->kept, job);
}

static void on_fork_answer(enum message_outcome outcome, unsigned status, void *arg)
{
    struct waiting *waiting = arg;

    waiting->fork = mem_unref(waiting->fork);
    waiting->message = mem_unref(waiting->message);
    if (outcome == MESSAGE_DELIVERED) {
        stats_count(STAT_MESSAGES_DELIVERED);
        stats_add(STAT_MESSAGES_WAITING, -1);
        drop(waiting);
    } else {
        waiting->left_count++;
        log_debug("message for %s stays (status=%u)", waiting->account, status);
    }
    if (outcome == MESSAGE_UNREACHED)
        end_run(waiting); /* the next ones would not get there either */
    else
        ask_next(waiting);
}

static void on_bindings(int err, const struct bindings *bindings, void *arg)
{
    struct waiting *waiting = arg;

    if (err || !bindings->count ||
        message_fork_new(&waiting->fork, &(struct message_fork_options){.calls = waiting->box->calls,
                                                                        .message = waiting->message,
                                                                        .account = waiting->account,
                                                                        .bindings = bindings,
                                                                        .done = on_fork_answer,
                                                                        .arg = waiting})) {
        waiting->message = mem_unref(waiting->message);
        waiting->left_count++;
        end_run(waiting);
    }
}

static void on_next(struct kept_job *job, void *arg)
{
    struct waiting *waiting = arg;

    stats_add(STAT_MESSAGES_EXPIRED, job->removed_count);
    stats_add(STAT_MESSAGES_WAITING, -(int64_t)job->removed_count);
    if (job->err || message_of_row(&waiting->message, &job->row)) {
        waiting->left_count += job->err != -ENOENT;
        end_run(waiting);
        return;
    }
    waiting->last_id = job->row.id;
    location_find(waiting->box->calls->store, span_of(waiting->account), on_bindings, waiting);
}

static void ask_next(struct waiting *waiting)
{
    struct kept_job *job = kept_job_new(KEPT_NEXT, waiting->box->calls->worker);

    if (job) {
        job->row.account = mem_text(waiting->account, strlen(waiting->account));
        job->row.id = waiting->last_id;
        job->done = on_next;
        job->arg = waiting;
    }
    if (!job || kept_ask(waiting->box->calls->kept, job)) {
        waiting->left_count++;
        waiting->is_wanted_again = false;
        end_run(waiting);
    }
}

static void run(struct waiting *waiting)
{
    waiting->is_wanted_again = waiting->is_delivering;
    if (waiting->is_delivering)
        return;
    waiting->is_delivering = true;
    waiting->left_count = 0;
    waiting->last_id = 0;
    ask_next(waiting);
}

/* ---- when ---- */

void message_box_on_registered(struct message_box *box, const char *account)
{
    struct waiting *waiting = find(box, account);

    if (waiting)
        run(waiting);
}

struct since {
    struct waiting *waiting;
    uint64_t ms;
    bool is_new;
};

static void on_look(int err, const struct bindings *bindings, void *arg)
{
    struct since *since = arg;

    for (unsigned i = 0; !err && i < bindings->count; i++)
        since->is_new |= bindings->items[i].registered_wall_ms >= since->ms;
}

void message_box_on_kept(struct message_box *box, const char *account, uint64_t since_ms)
{
    struct since since = {.waiting = get(box, account), .ms = since_ms};

    if (!since.waiting)
        return; /* out of memory: found again after a restart, or when the next one is kept */
    location_find(box->calls->store, span_of(account), on_look, &since);
    if (since.is_new)
        run(since.waiting);
}

static void on_accounts(struct kept_job *job, void *arg)
{
    struct message_box *box = arg;

    if (job->err)
        log_error("the accounts for whom messages wait cannot be read (reason=%d)", job->err);
    if (box->calls->worker == 0)
        stats_add(STAT_MESSAGES_WAITING, job->message_count);
    for (unsigned i = 0; i < job->account_count; i++)
        if (home_of(span_of(job->accounts[i])) == box->calls->worker)
            message_box_on_kept(box, job->accounts[i], 0);
}

int message_box_new(struct message_box **boxp, struct calls *calls)
{
    struct message_box *box = mem_new(sizeof(*box), message_box_destroy);
    struct kept_job *job;

    if (!box)
        return -ENOMEM;
    box->calls = calls;
    map_init(&box->waiting);
    job = calls->kept ? kept_job_new(KEPT_ACCOUNTS, calls->worker) : NULL;
    if (job) {
        job->done = on_accounts;
        job->arg = box;
        kept_ask(calls->kept, job);
    }
    *boxp = box;
    return 0;
}
