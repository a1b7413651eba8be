/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c: one thread with one loop: drives the timer wheel by a single uv timer, and watches how long a turn takes.
 *
 * One turn of libuv 1.44: timers, prepare, poll (socket callbacks run inside), check. The uv timer is set in prepare,
 * and only when the wheel's next tick is another than the one it is set to. A turn begins when poll returns, which
 * libuv does not tell: whoever is called first notes it (worker_note_turn); where nobody did, the loop's own time in
 * check is a millisecond's guess. */
#include "base/worker.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/spare.h"

#define STALL_US 5000
#define NOT_SET  UINT64_MAX

static struct worker *workers[WORKER_MAX];
static unsigned count_of_workers;
static _Thread_local struct worker *current;

struct worker *worker_current(void)
{
    return current;
}

void worker_set_current(struct worker *worker)
{
    current = worker;
}

struct worker *worker_get(unsigned id)
{
    return id < WORKER_MAX ? __atomic_load_n(&workers[id], __ATOMIC_ACQUIRE) : NULL;
}

unsigned worker_count(void)
{
    return __atomic_load_n(&count_of_workers, __ATOMIC_ACQUIRE);
}

static void on_tick(uv_timer_t *tick)
{
    struct worker *worker = tick->data;

    worker->tick_due_ms = NOT_SET;
    worker_note_turn(worker);
    timer_wheel_run(worker->wheel, clock_now_ms());
}

static void finish_turn(struct worker *worker, uint64_t now_us)
{
    uint64_t turn_us;

    if (!worker->turn_began_us)
        return;
    turn_us = now_us > worker->turn_began_us ? now_us - worker->turn_began_us : 0;
    worker->turn_began_us = 0;
    stats_observe(HIST_LOOP_US, turn_us);
    if (turn_us > STALL_US)
        stats_count(STAT_WORKER_STALLS);
}

/* Before poll. The loop's time is as old as the turn, so it is renewed before a timer is set by it. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct worker *worker = prepare->data;
    uint64_t now_us = clock_now_us(), due_ms;
    int64_t next_ms = timer_wheel_next_ms(worker->wheel, now_us / 1000);

    due_ms = next_ms < 0 ? NOT_SET : now_us / 1000 + (uint64_t)next_ms;
    if (due_ms != worker->tick_due_ms) {
        worker->tick_due_ms = due_ms;
        if (next_ms < 0) {
            uv_timer_stop(&worker->tick);
        } else {
            uv_update_time(&worker->loop);
            uv_timer_start(&worker->tick, on_tick, (uint64_t)next_ms, 0);
        }
    }
    finish_turn(worker, now_us);
}

static void on_check(uv_check_t *check)
{
    struct worker *worker = check->data;
    uint64_t loop_us = uv_now(&worker->loop) * 1000, now_us;

    if (worker->turn_began_us)
        return;
    now_us = clock_now_us();
    worker->turn_began_us = now_us > loop_us + 2000 && now_us < loop_us + 60000000 ? loop_us : now_us;
}

static void on_stop(uv_async_t *async)
{
    uv_stop(async->loop);
}

static void close_handle(uv_handle_t *handle)
{
    if (handle->loop && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void count_open(uv_handle_t *handle, void *arg)
{
    if (!uv_is_closing(handle))
        ++*(unsigned *)arg;
}

static void close_loop(struct worker *worker)
{
    unsigned open_count = 0;

    uv_walk(&worker->loop, count_open, &open_count);
    assert(open_count == 0); /* somebody upstairs left a handle open: waiting for it would never end */
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&worker->loop))
        assert(!"the loop is not empty");
}

static void worker_destroy(void *self)
{
    struct worker *worker = self;

    assert(!worker->is_running);
    if (worker_get(worker->id) == worker) {
        __atomic_store_n(&workers[worker->id], NULL, __ATOMIC_RELEASE);
    }
    mailbox_close(worker->mailbox);
    close_handle((uv_handle_t *)&worker->tick);
    close_handle((uv_handle_t *)&worker->prepare);
    close_handle((uv_handle_t *)&worker->check);
    close_handle((uv_handle_t *)&worker->stop_async);
    if (worker->loop.data == worker)
        close_loop(worker);
    mem_unref(worker->wheel);
}

static int open_handles(struct worker *worker)
{
    int err = uv_async_init(&worker->loop, &worker->stop_async, on_stop);

    if (err)
        return err;
    uv_timer_init(&worker->loop, &worker->tick);
    uv_prepare_init(&worker->loop, &worker->prepare);
    uv_check_init(&worker->loop, &worker->check);
    worker->tick.data = worker->prepare.data = worker->check.data = worker;
    worker->tick_due_ms = NOT_SET;
    uv_prepare_start(&worker->prepare, on_prepare);
    uv_check_start(&worker->check, on_check);
    return 0;
}

int worker_new(struct worker **workerp, unsigned id, unsigned count)
{
    struct worker *worker;
    int err;

    assert(id < count && count <= WORKER_MAX);
    worker = mem_new(sizeof(*worker), worker_destroy);
    if (!worker)
        return -ENOMEM;
    worker->id = id;
    err = uv_loop_init(&worker->loop);
    if (err)
        goto out;
    worker->loop.data = worker; /* tells the destructor that there is a loop */
    err = timer_wheel_new(&worker->wheel, clock_now_ms());
    if (err)
        goto out;
    err = open_handles(worker);
    if (err)
        goto out;
    err = mailbox_new(&worker->mailbox, worker);
    if (err)
        goto out;
    __atomic_store_n(&workers[id], worker, __ATOMIC_RELEASE);
    __atomic_store_n(&count_of_workers, count, __ATOMIC_RELEASE);
    *workerp = worker;
    worker = NULL;
out:
    mem_unref(worker);
    return err;
}

void worker_run(struct worker *worker)
{
    worker_set_current(worker);
    stats_bind(&worker->stats);
    mailbox_set_open(worker->mailbox, true);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    mailbox_set_open(worker->mailbox, false);
    stats_bind(NULL);
    spare_drop();
    worker_set_current(NULL);
}

static void run_thread(void *arg)
{
    worker_run(arg);
}

int worker_start(struct worker *worker)
{
    int err = uv_thread_create(&worker->thread, run_thread, worker);

    if (!err)
        worker->is_running = 1;
    return err;
}

void worker_stop(struct worker *worker)
{
    uv_async_send(&worker->stop_async);
}

void worker_join(struct worker *worker)
{
    if (!worker->is_running)
        return;
    uv_thread_join(&worker->thread);
    worker->is_running = 0;
}
