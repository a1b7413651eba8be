/* SPDX-License-Identifier: Apache-2.0 */
/* load_register.c: browsers that connect, register with digest and stay. Marks: empty, registered (connect + register,
 * `rate` a second), refreshed (REGISTER again on the open connections), closed. */
#include <stdio.h>

#include "pool.h"

enum { PAUSE_MS = 1000 };

static struct peer_timer pause;
static bool has_refreshed;

static void print(const struct pool *pool, const char *name)
{
    char statuses[512], times[128];
    double seconds = (double)(peer_loop_now_ns(pool->loop) - pool->pace.start_ns) / 1e9;

    pool_print_statuses(pool, statuses, sizeof(statuses));
    mark(name, "\"accounts\":%u,\"failed\":%u,\"seconds\":%.3f,%s,%s", pool->registered_count, pool->failed_count,
         seconds, histogram_json(times, "answer_ms", &pool->register_us, 1000), statuses);
}

static void next_step(void *ctx)
{
    struct pool *pool = ctx;

    if (has_refreshed) {
        peer_loop_stop(pool->loop);
        return;
    }
    has_refreshed = true;
    mark_plain("refresh");
    pool_refresh(pool, pool->options->rate);
}

static void ready(struct pool *pool)
{
    print(pool, has_refreshed ? "refreshed" : "registered");
    pause = (struct peer_timer){.on_due = next_step, .ctx = pool};
    peer_timer_start_ms(pool->loop, &pause, PAUSE_MS);
}

int run_register(struct peer_loop *loop, const struct options *options)
{
    static struct pool pool;

    pool = (struct pool){.loop = loop, .options = options, .on_ready = ready};
    pool_init(&pool, options->users);
    peer_loop_set_round(loop, options->round_us, options->slack_us);
    mark_plain("empty");
    pool_register(&pool, options->rate);
    peer_loop_run(loop);
    mark_plain("closed");
    return 0; /* the process's end closes the connections */
}
