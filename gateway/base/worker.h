/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/stats.h"
#include "base/timer.h"

/* worker.h: one thread, one libuv loop, one timer wheel, one mailbox, one block of statistics. Shares nothing.
 * Knows nothing of SIP or media: the house built on a worker hangs at `house`. */

#define WORKER_MAX 64

struct mailbox;

struct worker {
    unsigned id; /* 0 .. worker_count - 1; written into our tags and branches */
    uv_loop_t loop;
    struct timer_wheel *wheel;
    struct mailbox *mailbox;
    struct stats stats;
    void *house; /* the app's struct for this worker */

    /* private to worker.c */
    uv_timer_t tick;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_async_t stop_async;
    uint64_t turn_began_us; /* 0: not noted in this turn */
    uint64_t tick_due_ms;   /* what the uv timer is set to; UINT64_MAX: not running */
    uv_thread_t thread;
    int is_running;
    int wants_stop;
};

/** Create worker `id` of `count`: loop, wheel, mailbox, all on the calling thread; nothing runs yet.
 *  Leave with mem_unref() after worker_join(); that runs the loop until every closing handle is gone. */
int worker_new(struct worker **workerp, unsigned id, unsigned count);

/** Run the loop on a thread of its own until worker_stop(). */
int worker_start(struct worker *worker);
/** Run it on the calling thread instead (tests, one-worker tools). */
void worker_run(struct worker *worker);
/** Any thread: leave the loop after the current turn. */
void worker_stop(struct worker *worker);
void worker_join(struct worker *worker);

/** The worker of the calling thread, or NULL. worker_start() and worker_run() set it; tests may. */
struct worker *worker_current(void);
void worker_set_current(struct worker *worker);

/** Worker by number, NULL if there is none; number of workers. Any thread, after all were created. */
struct worker *worker_get(unsigned id);
unsigned worker_count(void);

/** Note that this turn has begun, for the watchdog: called first by whatever the loop wakes (socket callbacks,
 * mailbox). Costs one look at the clock per turn. */
static inline void worker_note_turn(struct worker *worker)
{
    if (worker && !worker->turn_began_us)
        worker->turn_began_us = clock_now_us();
}

/** Start a timer on this thread's worker. */
static inline void worker_timer(struct timer *timer, uint64_t delay_ms, timer_fn *fn, void *arg)
{
    timer_start(worker_current()->wheel, timer, delay_ms, fn, arg);
}
