/* SPDX-License-Identifier: Apache-2.0 */
/* peer_loop.c: epoll, a heap of timers and the end-of-round flush. Knows no protocol. */
#include "peer_loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_PER_ROUND = 512, NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct peer_loop {
    int epoll_fd;
    bool is_running;
    uint64_t now_ns;
    uint64_t round_ns, slack_ns;
    struct peer_timer **heap; /* heap[1] is the earliest */
    size_t heap_count, heap_room;
    struct peer_flush *flushes;
    struct epoll_event events[EVENTS_PER_ROUND];
    int event_count, event_next;
};

static uint64_t clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Never back: it may be ahead by the slack. */
static void read_clock(struct peer_loop *loop)
{
    uint64_t now_ns = clock_ns();

    if (now_ns > loop->now_ns)
        loop->now_ns = now_ns;
}

int peer_loop_new(struct peer_loop **loopp)
{
    struct peer_loop *loop = calloc(1, sizeof(*loop));

    if (!loop)
        return -ENOMEM;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        int err = -errno;
        free(loop);
        return err;
    }
    /* the default slack of 50 us would smear the pace of the packets */
    prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
    loop->now_ns = clock_ns();
    *loopp = loop;
    return 0;
}

void peer_loop_free(struct peer_loop *loop)
{
    if (!loop)
        return;
    close(loop->epoll_fd);
    free(loop->heap);
    free(loop);
}

void peer_loop_set_round(struct peer_loop *loop, unsigned round_us, unsigned slack_us)
{
    loop->round_ns = (uint64_t)round_us * NS_PER_US;
    loop->slack_ns = (uint64_t)slack_us * NS_PER_US;
}

void peer_loop_stop(struct peer_loop *loop)
{
    loop->is_running = false;
}

uint64_t peer_loop_now_ns(const struct peer_loop *loop)
{
    return loop->now_ns;
}

int peer_watch_start(struct peer_loop *loop, struct peer_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    if (!epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event))
        return 0;
    if (errno == EEXIST && !epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event))
        return 0;
    return -errno;
}

void peer_watch_stop(struct peer_loop *loop, struct peer_watch *watch)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = loop->event_next; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL; /* its owner may be freed before its turn comes */
    }
}

static void heap_put(struct peer_loop *loop, size_t slot, struct peer_timer *timer)
{
    loop->heap[slot] = timer;
    timer->slot = slot;
}

static void heap_up(struct peer_loop *loop, size_t slot, struct peer_timer *timer)
{
    while (slot > 1 && loop->heap[slot / 2]->due_ns > timer->due_ns) {
        heap_put(loop, slot, loop->heap[slot / 2]);
        slot /= 2;
    }
    heap_put(loop, slot, timer);
}

static void heap_down(struct peer_loop *loop, size_t slot, struct peer_timer *timer)
{
    for (;;) {
        size_t child = slot * 2;

        if (child > loop->heap_count)
            break;
        if (child < loop->heap_count && loop->heap[child + 1]->due_ns < loop->heap[child]->due_ns)
            child++;
        if (loop->heap[child]->due_ns >= timer->due_ns)
            break;
        heap_put(loop, slot, loop->heap[child]);
        slot = child;
    }
    heap_put(loop, slot, timer);
}

static void heap_grow(struct peer_loop *loop)
{
    size_t room = loop->heap_room ? loop->heap_room * 2 : 256;
    void *heap = realloc(loop->heap, room * sizeof(*loop->heap));

    if (!heap)
        abort();
    loop->heap = heap;
    loop->heap_room = room;
}

void peer_timer_start(struct peer_loop *loop, struct peer_timer *timer, uint64_t due_ns)
{
    peer_timer_stop(loop, timer);
    timer->due_ns = due_ns;
    if (loop->heap_count + 1 >= loop->heap_room)
        heap_grow(loop);
    heap_up(loop, ++loop->heap_count, timer);
}

void peer_timer_start_ms(struct peer_loop *loop, struct peer_timer *timer, unsigned ms)
{
    peer_timer_start(loop, timer, loop->now_ns + (uint64_t)ms * NS_PER_MS);
}

void peer_timer_stop(struct peer_loop *loop, struct peer_timer *timer)
{
    size_t slot = timer->slot;
    struct peer_timer *last;

    if (!slot)
        return;
    timer->slot = 0;
    last = loop->heap[loop->heap_count--];
    if (last == timer)
        return;
    if (slot > 1 && loop->heap[slot / 2]->due_ns > last->due_ns)
        heap_up(loop, slot, last);
    else
        heap_down(loop, slot, last);
}

void peer_flush_add(struct peer_loop *loop, struct peer_flush *flush)
{
    flush->next = loop->flushes;
    loop->flushes = flush;
}

void peer_flush_remove(struct peer_loop *loop, struct peer_flush *flush)
{
    struct peer_flush **at = &loop->flushes;

    while (*at && *at != flush)
        at = &(*at)->next;
    if (*at)
        *at = flush->next;
}

static void run_timers(struct peer_loop *loop)
{
    uint64_t limit_ns = loop->now_ns + loop->slack_ns;

    while (loop->heap_count && loop->heap[1]->due_ns <= limit_ns) {
        struct peer_timer *timer = loop->heap[1];

        if (timer->due_ns > loop->now_ns)
            loop->now_ns = timer->due_ns; /* fired early within the slack: to its owner it is due */
        peer_timer_stop(loop, timer);
        timer->on_due(timer->ctx);
    }
}

static void run_events(struct peer_loop *loop)
{
    for (loop->event_next = 0; loop->event_next < loop->event_count;) {
        struct epoll_event *event = &loop->events[loop->event_next++];
        struct peer_watch *watch = event->data.ptr;

        if (watch)
            watch->on_ready(watch->ctx, event->events);
    }
    loop->event_count = 0;
}

static void run_flushes(struct peer_loop *loop)
{
    for (struct peer_flush *flush = loop->flushes; flush; flush = flush->next)
        flush->on_flush(flush->ctx);
}

static void sleep_until(uint64_t until_ns)
{
    struct timespec ts = {.tv_sec = (time_t)(until_ns / NS_PER_S), .tv_nsec = (long)(until_ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR) {
    }
}

/* Till the round is over only timers wake us, so that packets leave in time; what arrives waits, and waking us is not
 * charged to who sent it. On loopback a wake-up costs its sender more than the packet. */
static void wait_round(struct peer_loop *loop)
{
    uint64_t end_ns = loop->now_ns + loop->round_ns;

    while (loop->is_running && loop->now_ns < end_ns) {
        uint64_t due_ns = loop->heap_count ? loop->heap[1]->due_ns : end_ns;

        sleep_until(due_ns < end_ns ? due_ns : end_ns);
        read_clock(loop);
        run_timers(loop);
        run_flushes(loop);
    }
}

static int wait_events(struct peer_loop *loop)
{
    struct timespec ts = {.tv_sec = 1};
    uint64_t now_ns = clock_ns();

    if (loop->heap_count) {
        uint64_t due_ns = loop->heap[1]->due_ns;
        uint64_t rest_ns = due_ns > now_ns ? due_ns - now_ns : 0;

        if (rest_ns < NS_PER_S)
            ts = (struct timespec){.tv_nsec = (long)rest_ns};
    }
    return epoll_pwait2(loop->epoll_fd, loop->events, EVENTS_PER_ROUND, &ts, NULL);
}

int peer_loop_run(struct peer_loop *loop)
{
    loop->is_running = true;
    while (loop->is_running) {
        int count = wait_events(loop);

        if (count < 0 && errno != EINTR)
            return -errno;
        read_clock(loop);
        loop->event_count = count > 0 ? count : 0;
        run_events(loop);
        run_timers(loop);
        run_flushes(loop);
        if (loop->round_ns)
            wait_round(loop);
    }
    return 0;
}
