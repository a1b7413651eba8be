/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: the writer thread and its bounded queue. After the first row it waits a moment for more and writes all of
 * them in one transaction: one for each call took a third of what a call's whole signalling takes. A batch that fails
 * stays and is tried again. Knows no SQL (cdr.c). */
#include "store/record.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "store/cdr.h"
#include "store/state.h"
#include "store/wake.h"

#define QUEUE_MAX  4096
#define RETRY_MS   1000
#define GATHER_MS  100 /* a row waits at most that long for others ... */
#define BATCH_ROWS 512 /* ... and not at all when there are that many */

struct item {
    struct list link;
    struct cdr_row row;
};

struct record {
    struct cdr_table *table; /* the thread's, once it runs */
    int lock_fd;
    pthread_t thread;
    bool is_failing; /* the thread's: one log line when trouble begins, one when it ends */

    struct wake wake;
    struct list waiting; /* under lock, with the two below */
    unsigned count;      /* rows not yet written, those of a failed batch included */
    bool is_closing;
    void (*on_written)(void *arg);
    void *arg;
};

static void drop_all(struct list *items)
{
    struct list *link;

    while ((link = list_first(items))) {
        list_remove(link);
        mem_unref(container_of(link, struct item, link));
    }
}

static int write_batch(struct record *record, struct list *batch)
{
    struct list *link, *tmp;
    int err = cdr_table_begin(record->table);

    list_each (link, tmp, batch) {
        if (!err)
            err = cdr_table_write(record->table, &container_of(link, struct item, link)->row);
    }
    if (!err)
        err = cdr_table_commit(record->table);
    if (err && !record->is_failing)
        log_error("call records cannot be written, trying again (reason=\"%s\")", cdr_table_error(record->table));
    if (err)
        cdr_table_rollback(record->table);
    else if (record->is_failing)
        log_info("call records are written again");
    record->is_failing = err != 0;
    return err;
}

/* Until so many rows are there, or it is closing, or the time is up. Under lock. */
static void wait_for_rows(struct record *record, unsigned rows, unsigned ms)
{
    uint64_t until_ms = wake_in_ms(ms);

    while (record->count < rows && !record->is_closing)
        if (!wake_wait(&record->wake, until_ms))
            return;
}

/* Wait for rows, for the end, or after a failure for a while. @return is it closing? */
static bool wait_for_work(struct record *record, struct list *batch)
{
    bool is_closing;

    wake_lock(&record->wake);
    if (list_is_empty(batch)) {
        while (list_is_empty(&record->waiting) && !record->is_closing)
            wake_wait(&record->wake, WAKE_NEVER);
        wait_for_rows(record, BATCH_ROWS, GATHER_MS);
    } else {
        wait_for_rows(record, UINT_MAX, RETRY_MS);
    }
    list_splice(batch, &record->waiting);
    is_closing = record->is_closing;
    wake_unlock(&record->wake);
    return is_closing;
}

static unsigned count_links(struct list *items)
{
    struct list *link, *tmp;
    unsigned count = 0;

    list_each (link, tmp, items)
        count++;
    return count;
}

static void give_back(struct record *record, unsigned count)
{
    wake_lock(&record->wake);
    record->count -= count;
    wake_unlock(&record->wake);
}

/* Under lock, so that nobody is told any more once record_on_written() has said so. */
static void tell_written(struct record *record)
{
    wake_lock(&record->wake);
    if (record->on_written)
        record->on_written(record->arg);
    wake_unlock(&record->wake);
}

static void *run_writer(void *arg)
{
    struct record *record = arg;
    bool is_closing;
    struct list batch;

    list_init(&batch);
    do {
        unsigned count;

        is_closing = wait_for_work(record, &batch);
        count = count_links(&batch);
        if (count && write_batch(record, &batch)) {
            if (!is_closing)
                continue;
            log_error("call records are lost (count=%u)", count);
            stats_add(STAT_RECORD_DROPPED, count);
        } else if (count) {
            tell_written(record);
        }
        drop_all(&batch);
        give_back(record, count);
    } while (!is_closing);
    return NULL;
}

static void record_destroy(void *self)
{
    struct record *record = self;

    drop_all(&record->waiting);
    cdr_table_close(record->table);
    wake_free(&record->wake);
    state_unlock(record->lock_fd);
}

int record_open(struct record **recordp, const char *state, struct text *err_out)
{
    struct record *record = mem_new(sizeof(*record), record_destroy);
    int err;

    if (!record)
        return -ENOMEM;
    record->lock_fd = -1;
    list_init(&record->waiting);
    wake_init(&record->wake);
    err = state_lock(&record->lock_fd, state, err_out);
    if (!err)
        err = cdr_table_open(&record->table, state, err_out);
    if (!err)
        err = -pthread_create(&record->thread, NULL, run_writer, record);
    if (err) {
        mem_unref(record);
        return err;
    }
    *recordp = record;
    return 0;
}

void record_close(struct record *record)
{
    if (!record)
        return;
    wake_lock(&record->wake);
    record->is_closing = true;
    wake_signal(&record->wake);
    wake_unlock(&record->wake);
    pthread_join(record->thread, NULL);
    mem_unref(record);
}

void record_on_written(struct record *record, void (*fn)(void *arg), void *arg)
{
    wake_lock(&record->wake);
    record->on_written = fn;
    record->arg = arg;
    wake_unlock(&record->wake);
}

int record_cdr(struct record *record, const struct cdr_row *row)
{
    struct item *item = mem_new(sizeof(*item), NULL);
    bool is_taken;

    if (!item) {
        stats_count(STAT_RECORD_DROPPED);
        return -ENOMEM;
    }
    item->row = *row;
    wake_lock(&record->wake);
    is_taken = record->count < QUEUE_MAX && !record->is_closing;
    if (is_taken) {
        list_append(&record->waiting, &item->link);
        if (++record->count == 1 || record->count == BATCH_ROWS)
            wake_signal(&record->wake);
    }
    wake_unlock(&record->wake);
    if (is_taken)
        return 0;
    stats_count(STAT_RECORD_DROPPED);
    mem_unref(item);
    return -EBUSY;
}
