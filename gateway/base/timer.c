/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c: hierarchical timer wheel (Varghese and Lauck 1987): 4 levels of 256 slots, 1 ms, 256 ms, 65 s, 4.6 h wide.
 * A bit per slot tells the next busy one, so that idle time costs nothing. Knows no loop and no worker. */
#include "base/timer.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define LEVEL_COUNT 4
#define LEVEL_BITS  8
#define SLOT_COUNT  256u
#define WORD_COUNT  (SLOT_COUNT / 64)
#define SPAN_MS     ((uint64_t)1 << (LEVEL_COUNT * LEVEL_BITS))

struct timer_wheel {
    uint64_t now_ms; /* every timer due before this has run */
    bool is_in_run;
    struct list due;   /* the slot that is being run */
    struct list fresh; /* started in this run with nothing to wait for: next run's first */
    struct list slots[LEVEL_COUNT][SLOT_COUNT];
    uint64_t busy[LEVEL_COUNT][WORD_COUNT];
};

static void unlink_all(struct list *head)
{
    struct list *link;

    while ((link = list_first(head)))
        list_remove(link);
}

static void timer_wheel_destroy(void *self)
{
    struct timer_wheel *wheel = self;
    struct list *slot = &wheel->slots[0][0];

    unlink_all(&wheel->due);
    unlink_all(&wheel->fresh);
    for (size_t i = 0; i < (size_t)LEVEL_COUNT * SLOT_COUNT; i++)
        unlink_all(slot + i);
}

int timer_wheel_new(struct timer_wheel **wheelp, uint64_t now_ms)
{
    struct timer_wheel *wheel = mem_new(sizeof(*wheel), timer_wheel_destroy);
    struct list *slot;

    if (!wheel)
        return -ENOMEM;
    wheel->now_ms = now_ms;
    list_init(&wheel->due);
    list_init(&wheel->fresh);
    slot = &wheel->slots[0][0];
    for (size_t i = 0; i < (size_t)LEVEL_COUNT * SLOT_COUNT; i++)
        list_init(slot + i);
    *wheelp = wheel;
    return 0;
}

static void insert(struct timer_wheel *wheel, struct timer *timer)
{
    uint64_t at_ms = timer->due_ms > wheel->now_ms ? timer->due_ms : wheel->now_ms;
    unsigned level = 0, slot;

    if (at_ms - wheel->now_ms >= SPAN_MS)
        at_ms = wheel->now_ms + SPAN_MS - 1; /* comes by again and is sorted in then */
    while ((at_ms - wheel->now_ms) >> (LEVEL_BITS * (level + 1)))
        level++;
    slot = (at_ms >> (LEVEL_BITS * level)) & (SLOT_COUNT - 1);
    list_append(&wheel->slots[level][slot], &timer->link);
    wheel->busy[level][slot / 64] |= (uint64_t)1 << slot % 64;
}

/* Steps from slot `from` to the first busy one, going round: 0..255; -1: none is busy. */
static int steps_to_busy(const uint64_t busy[WORD_COUNT], unsigned from)
{
    unsigned word = from / 64, bit = from % 64;
    uint64_t bits = busy[word] >> bit;

    if (bits)
        return __builtin_ctzll(bits);
    for (unsigned i = 1; i <= WORD_COUNT; i++) {
        bits = busy[(word + i) % WORD_COUNT];
        if (bits)
            return (int)((64 * i - bit + (unsigned)__builtin_ctzll(bits)) % SLOT_COUNT);
    }
    return -1;
}

/* The first tick from from_ms on at which there is something to run or to sort down. */
static bool find_next_tick(const struct timer_wheel *wheel, uint64_t from_ms, uint64_t *tickp)
{
    bool is_found = false;
    int steps = steps_to_busy(wheel->busy[0], from_ms & (SLOT_COUNT - 1));

    if (steps >= 0) {
        *tickp = from_ms + (uint64_t)steps;
        is_found = true;
    }
    for (unsigned level = 1; level < LEVEL_COUNT; level++) {
        unsigned shift = LEVEL_BITS * level;
        uint64_t block = (wheel->now_ms >> shift) + 1; /* the current one has been sorted down already */
        uint64_t tick;

        steps = steps_to_busy(wheel->busy[level], block & (SLOT_COUNT - 1));
        if (steps < 0)
            continue;
        tick = (block + (uint64_t)steps) << shift;
        if (!is_found || tick < *tickp)
            *tickp = tick;
        is_found = true;
    }
    return is_found;
}

static void take_slot(struct timer_wheel *wheel, unsigned level, struct list *to)
{
    unsigned slot = (wheel->now_ms >> (LEVEL_BITS * level)) & (SLOT_COUNT - 1);

    list_splice(to, &wheel->slots[level][slot]);
    wheel->busy[level][slot / 64] &= ~((uint64_t)1 << slot % 64);
}

/* At the first tick of a block: spread the timers of the wider slots over the narrower ones, widest first. */
static void sort_down(struct timer_wheel *wheel)
{
    struct list moving, *link;
    unsigned level = 0;

    list_init(&moving);
    while (level + 1 < LEVEL_COUNT && !(wheel->now_ms & (((uint64_t)1 << (LEVEL_BITS * (level + 1))) - 1)))
        level++;
    for (; level > 0; level--) {
        take_slot(wheel, level, &moving);
        while ((link = list_first(&moving))) {
            list_remove(link);
            insert(wheel, container_of(link, struct timer, link));
        }
    }
}

static void run_tick(struct timer_wheel *wheel)
{
    struct list *link;

    take_slot(wheel, 0, &wheel->due);
    while ((link = list_first(&wheel->due))) {
        struct timer *timer = container_of(link, struct timer, link);

        list_remove(link);
        timer->fn(timer->arg);
    }
}

void timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ms)
{
    uint64_t from_ms = wheel->now_ms, tick;
    struct list *link;

    if (now_ms < wheel->now_ms || wheel->is_in_run)
        return;
    wheel->is_in_run = true;
    while (find_next_tick(wheel, from_ms, &tick) && tick <= now_ms) {
        bool is_new_tick = tick != wheel->now_ms;

        wheel->now_ms = tick;
        if (is_new_tick)
            sort_down(wheel);
        run_tick(wheel);
        from_ms = tick + 1;
    }
    wheel->now_ms = now_ms;
    wheel->is_in_run = false;
    while ((link = list_first(&wheel->fresh))) {
        list_remove(link);
        insert(wheel, container_of(link, struct timer, link));
    }
}

int64_t timer_wheel_next_ms(const struct timer_wheel *wheel, uint64_t now_ms)
{
    uint64_t tick;

    if (!find_next_tick(wheel, wheel->now_ms, &tick))
        return -1;
    return tick > now_ms ? (int64_t)(tick - now_ms) : 0;
}

void timer_start(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms, timer_fn *fn, void *arg)
{
    uint64_t base_ms = clock_now_ms();

    timer_stop(timer);
    if (base_ms < wheel->now_ms)
        base_ms = wheel->now_ms;
    timer->wheel = wheel;
    timer->due_ms = delay_ms < UINT64_MAX - base_ms ? base_ms + delay_ms : UINT64_MAX;
    timer->fn = fn;
    timer->arg = arg;
    if (wheel->is_in_run && (delay_ms == 0 || timer->due_ms <= wheel->now_ms))
        list_append(&wheel->fresh, &timer->link);
    else
        insert(wheel, timer);
}

void timer_stop(struct timer *timer)
{
    struct list *head = timer->link.next;
    struct list *first = timer->wheel ? &timer->wheel->slots[0][0] : NULL;
    bool is_alone = timer_is_running(timer) && head == timer->link.prev;

    list_remove(&timer->link);
    /* The last one of a slot clears the slot's bit: the head says which slot that was. */
    if (is_alone && head >= first && head < first + (size_t)LEVEL_COUNT * SLOT_COUNT) {
        size_t at = (size_t)(head - first);

        timer->wheel->busy[at / SLOT_COUNT][at % SLOT_COUNT / 64] &= ~((uint64_t)1 << at % 64);
    }
}

uint64_t timer_left_ms(const struct timer *timer)
{
    uint64_t now_ms;

    if (!timer_is_running(timer))
        return 0;
    now_ms = clock_now_ms();
    if (now_ms < timer->wheel->now_ms)
        now_ms = timer->wheel->now_ms;
    return timer->due_ms > now_ms ? timer->due_ms - now_ms : 0;
}
