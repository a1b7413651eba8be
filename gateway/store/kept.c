/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c: the thread that keeps messages, and its bounded queue of jobs. What is queued meanwhile goes into one
 * transaction. Knows no SQL (kept_table.c). */
#include "store/kept.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/worker.h"
#include "store/kept_table.h"
#include "store/wake.h"

#define QUEUE_JOBS_MAX  10000
#define QUEUE_BYTES_MAX (32u << 20)
#define RETRY_MS        1000
#define PURGE_EVERY_MS  60000

struct kept {
    struct kept_table *table; /* the thread's, once it runs */
    pthread_t thread;
    bool is_running;    /* the main thread's */
    bool is_failing;    /* the thread's: one log line when trouble begins, one when it ends */
    uint64_t purged_ms; /* the thread's */
    unsigned expired;   /* the thread's: not yet told to a worker */

    struct wake wake;
    struct list waiting; /* under lock, with the rest */
    unsigned job_count;  /* those of a failed batch included */
    size_t byte_count;
    bool is_closing;
};

static void row_free(struct kept_row *row)
{
    row->account = mem_unref(row->account);
    row->sender = mem_unref(row->sender);
    row->headers = mem_unref(row->headers);
    row->content_type = mem_unref(row->content_type);
    row->body = mem_unref(row->body);
}

static void kept_job_destroy(void *self)
{
    struct kept_job *job = self;

    row_free(&job->row);
    for (unsigned i = 0; i < job->account_count; i++)
        mem_unref(job->accounts[i]);
    mem_unref(job->accounts);
}

struct kept_job *kept_job_new(enum kept_op op, unsigned worker)
{
    struct kept_job *job = mem_new(sizeof(*job), kept_job_destroy);

    if (!job)
        return NULL;
    job->op = op;
    job->worker = worker;
    return job;
}

static struct kept_job *job_of(struct list *link)
{
    return container_of(container_of(link, struct mail, link), struct kept_job, mail);
}

/* ---- answers ---- */

static void receive_answer(struct worker *worker, struct mail *mail)
{
    struct kept_job *job = container_of(mail, struct kept_job, mail);

    job->done(job, job->arg);
    mem_unref(job);
}

static bool is_closing(struct kept *kept)
{
    bool result;

    wake_lock(&kept->wake);
    result = kept->is_closing;
    wake_unlock(&kept->wake);
    return result;
}

static void give_back(struct kept *kept, const struct kept_job *job)
{
    wake_lock(&kept->wake);
    kept->job_count--;
    kept->byte_count -= job->size_bytes;
    wake_unlock(&kept->wake);
}

static void answer(struct kept *kept, struct kept_job *job)
{
    struct worker *worker = worker_get(job->worker);

    give_back(kept, job);
    if (!job->done || !worker || is_closing(kept)) {
        mem_unref(job);
        return;
    }
    job->removed_count = kept->expired;
    kept->expired = 0;
    job->mail.receive = receive_answer;
    mailbox_post(worker, &job->mail);
}

/* ---- one batch ---- */

static void purge(struct kept *kept)
{
    uint64_t now_ms = clock_now_us() / 1000;
    int count;

    if (kept->purged_ms && now_ms - kept->purged_ms < PURGE_EVERY_MS)
        return;
    count = kept_table_purge(kept->table, clock_wall_us() / 1000);
    kept->purged_ms = now_ms;
    kept->expired += count > 0 ? (unsigned)count : 0;
}

static int run_batch(struct kept *kept, struct list *batch)
{
    struct list *link, *tmp;
    int err = kept_table_begin(kept->table);

    if (!err)
        purge(kept);
    list_each (link, tmp, batch)
        if (!err)
            err = kept_table_run(kept->table, job_of(link));
    if (!err)
        err = kept_table_commit(kept->table);
    if (err && !kept->is_failing)
        log_error("messages cannot be kept (reason=\"%s\")", kept_table_error(kept->table));
    else if (!err && kept->is_failing)
        log_info("messages are kept again");
    if (err)
        kept_table_rollback(kept->table);
    kept->is_failing = err != 0;
    return err;
}

/* What nobody waits for is tried again; what somebody waits for is answered. */
static void answer_batch(struct kept *kept, struct list *batch, int err, struct list *again)
{
    struct list *link;

    while ((link = list_first(batch))) {
        struct kept_job *job = job_of(link);

        list_remove(link);
        if (err && !job->done && !is_closing(kept)) {
            list_append(again, link);
            continue;
        }
        if (err)
            job->err = err;
        answer(kept, job);
    }
}

/* Wait for jobs; with some to be tried again not longer than RETRY_MS. @return is it closing, with nothing left? */
static bool wait_for_jobs(struct kept *kept, struct list *batch)
{
    uint64_t until_ms = list_is_empty(batch) ? WAKE_NEVER : wake_in_ms(RETRY_MS);
    bool is_over;

    wake_lock(&kept->wake);
    while (list_is_empty(&kept->waiting) && !kept->is_closing && wake_wait(&kept->wake, until_ms))
        ;
    list_splice(batch, &kept->waiting);
    is_over = kept->is_closing && list_is_empty(batch);
    wake_unlock(&kept->wake);
    return is_over;
}

static void *run_keeper(void *arg)
{
    struct kept *kept = arg;
    struct list batch, again;

    list_init(&batch);
    list_init(&again);
    while (!wait_for_jobs(kept, &batch)) {
        int err = run_batch(kept, &batch);

        answer_batch(kept, &batch, err, &again);
        list_splice(&batch, &again);
    }
    return NULL;
}

/* ---- birth and end ---- */

static void kept_destroy(void *self)
{
    struct kept *kept = self;

    kept_stop(kept);
    kept_table_close(kept->table);
    wake_free(&kept->wake);
}

int kept_open(struct kept **keptp, const char *state, struct text *err_out)
{
    struct kept *kept = mem_new(sizeof(*kept), kept_destroy);
    int err;

    if (!kept)
        return -ENOMEM;
    list_init(&kept->waiting);
    wake_init(&kept->wake);
    err = kept_table_open(&kept->table, state, err_out);
    if (!err)
        err = -pthread_create(&kept->thread, NULL, run_keeper, kept);
    if (err) {
        mem_unref(kept);
        return err;
    }
    kept->is_running = true;
    *keptp = kept;
    return 0;
}

void kept_stop(struct kept *kept)
{
    if (!kept || !kept->is_running)
        return;
    wake_lock(&kept->wake);
    kept->is_closing = true;
    wake_signal(&kept->wake);
    wake_unlock(&kept->wake);
    pthread_join(kept->thread, NULL);
    kept->is_running = false;
}

static size_t size_of(const struct kept_row *row)
{
    const char *const texts[] = {row->account, row->sender, row->headers, row->content_type};
    size_t sum = sizeof(struct kept_job) + row->body_bytes;

    for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        sum += texts[i] ? strlen(texts[i]) : 0;
    return sum;
}

int kept_ask(struct kept *kept, struct kept_job *job)
{
    bool is_taken;

    job->size_bytes = size_of(&job->row);
    wake_lock(&kept->wake);
    is_taken =
        !kept->is_closing &&
        (!job->done || (kept->job_count < QUEUE_JOBS_MAX && kept->byte_count + job->size_bytes <= QUEUE_BYTES_MAX));
    if (is_taken) {
        list_append(&kept->waiting, &job->mail.link);
        kept->byte_count += job->size_bytes;
        kept->job_count++;
        wake_signal(&kept->wake);
    }
    wake_unlock(&kept->wake);
    if (is_taken)
        return 0;
    mem_unref(job);
    return -EBUSY;
}
