/* SPDX-License-Identifier: Apache-2.0 */
/* peer_loop.h: the event loop under the scripted peers (browser, trunk): epoll, timers, rounds.
 * Deliberately not the gateway's loop: a peer that shared code with what it measures would share its faults. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct peer_loop;

/** A descriptor under watch. Embedded in its owner; `on_ready` gets EPOLL* bits. */
struct peer_watch {
    int fd;
    void (*on_ready)(void *ctx, uint32_t events);
    void *ctx;
};

/** One shot in the future. Embedded in its owner, zeroed means idle; stop is immediate and idempotent. */
struct peer_timer {
    void (*on_due)(void *ctx);
    void *ctx;
    uint64_t due_ns;
    size_t slot; /* place in the heap, from 1; 0 = not running */
};

/** Something to do at the end of each round, before the loop sleeps: send what was queued. */
struct peer_flush {
    void (*on_flush)(void *ctx);
    void *ctx;
    struct peer_flush *next;
};

/** @return 0, or a negative errno. The loop belongs to the caller's thread. */
int peer_loop_new(struct peer_loop **loopp);
void peer_loop_free(struct peer_loop *loop);

/** Take what came in only every @p round_us (0: at once); timers stay exact. A generator that does so costs little,
 * wakes up at nobody's expense, and loses nothing where the kernel stamps the packets.
 *  @param slack_us timers due within it fire together: fewer wake-ups, at most so many packets in one burst. */
void peer_loop_set_round(struct peer_loop *loop, unsigned round_us, unsigned slack_us);

/** Run until peer_loop_stop(). @return 0, or a negative errno of epoll. */
int peer_loop_run(struct peer_loop *loop);
void peer_loop_stop(struct peer_loop *loop);

/** Monotonic nanoseconds as read at the start of the round. */
uint64_t peer_loop_now_ns(const struct peer_loop *loop);

/** @p events as for epoll_ctl; a second start changes them. @return 0 or a negative errno. */
int peer_watch_start(struct peer_loop *loop, struct peer_watch *watch, uint32_t events);
void peer_watch_stop(struct peer_loop *loop, struct peer_watch *watch);

/** (Re)start @p timer to fire once at @p due_ns of the loop's clock. Aborts when out of memory: a test tool. */
void peer_timer_start(struct peer_loop *loop, struct peer_timer *timer, uint64_t due_ns);
/** The same, @p ms milliseconds from now. */
void peer_timer_start_ms(struct peer_loop *loop, struct peer_timer *timer, unsigned ms);
void peer_timer_stop(struct peer_loop *loop, struct peer_timer *timer);

void peer_flush_add(struct peer_loop *loop, struct peer_flush *flush);
void peer_flush_remove(struct peer_loop *loop, struct peer_flush *flush);
