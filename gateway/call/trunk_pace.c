/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_pace.c: the line in front of a trunk with max_cps. The store keeps, for each trunk, when the next free turn is;
 * who comes takes it and moves it on by 1/max_cps of a second (compare and set, so that two workers never get the same
 * one). In order of coming; nobody polls. Knows names and times; no calls. */
#include "call/trunk_pace.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"

#define KEY_MAX  140
#define TRY_MAX  64      /* of compare and set: as many workers would have to be faster, each time */
#define SLACK_US 1000000 /* a turn further away than anybody waits is a clock that was set back */

struct trunk_pace {
    struct store *store;
    struct timer_wheel *wheel;
    struct list line; /* of all trunks, by turn */
    unsigned count;
};

struct pace_wait {
    struct list link;
    struct trunk_pace *pace;
    char key[KEY_MAX];
    uint64_t interval_us, patience_us;
    uint64_t turn_us;
    unsigned tries;
    struct timer timer;
    pace_fn *fn;
    void *arg;
    bool has_outcome, is_entering;
    int outcome;
};

static void pace_wait_destroy(void *self)
{
    struct pace_wait *wait = self;

    timer_stop(&wait->timer);
    mem_unref(wait->pace);
}

/* ---- the line of this worker ---- */

static void leave_line(struct pace_wait *wait)
{
    timer_stop(&wait->timer);
    if (!list_is_linked(&wait->link))
        return;
    list_remove(&wait->link);
    wait->pace->count--;
    stats_add(STAT_CALLS_PACED_WAITING, -1);
}

static void tell(struct pace_wait *wait, int err)
{
    pace_fn *fn = wait->fn;

    leave_line(wait);
    wait->fn = NULL;
    if (fn)
        fn(err, wait->arg);
}

static void on_turn(void *arg)
{
    struct pace_wait *wait = arg;

    mem_ref(wait);
    tell(wait, wait->outcome);
    mem_unref(wait);
}

static void start_timer(struct pace_wait *wait)
{
    uint64_t now_us = clock_wall_us();
    uint64_t us = wait->turn_us > now_us ? wait->turn_us - now_us : 0;

    timer_start(wait->pace->wheel, &wait->timer, (us + 999) / 1000, on_turn, wait);
}

static void get_in_line(struct pace_wait *wait)
{
    struct list *before = wait->pace->line.prev;

    while (before != &wait->pace->line && container_of(before, struct pace_wait, link)->turn_us > wait->turn_us)
        before = before->prev;
    list_prepend(before, &wait->link);
    wait->pace->count++;
    stats_count(STAT_CALLS_PACED);
    stats_add(STAT_CALLS_PACED_WAITING, 1);
    start_timer(wait);
}

/* ---- the next free turn, in the store ---- */

static uint64_t read_turn(struct span value)
{
    uint64_t turn_us;

    return span_to_u64(value, UINT64_MAX, &turn_us) ? 0 : turn_us;
}

static struct span write_turn(char text[static 24], uint64_t turn_us)
{
    return span_make(text, (size_t)snprintf(text, 24, "%llu", (unsigned long long)turn_us));
}

static uint64_t ttl_ms(const struct pace_wait *wait)
{
    return (wait->patience_us + wait->interval_us + SLACK_US) / 1000;
}

static void decide(struct pace_wait *wait, int err)
{
    wait->has_outcome = true;
    wait->outcome = err;
    if (!wait->fn) { /* left meanwhile */
    } else if (!err && wait->turn_us > clock_wall_us()) {
        get_in_line(wait);
    } else if (!wait->is_entering) {
        timer_start(wait->pace->wheel, &wait->timer, 0, on_turn, wait);
    }
    if (err == -EBUSY)
        stats_count(STAT_CALLS_PACE_REFUSED);
}

static void take_turn(struct pace_wait *wait, struct span value, uint64_t version);

static void on_taken(int err, struct span value, uint64_t version, void *arg)
{
    struct pace_wait *wait = arg;

    if (err == -EAGAIN && ++wait->tries < TRY_MAX)
        take_turn(wait, value, version);
    else
        decide(wait, 0); /* a store that does not work stops no call */
    mem_unref(wait);
}

static void take_turn(struct pace_wait *wait, struct span value, uint64_t version)
{
    uint64_t now_us = clock_wall_us(), next_us = read_turn(value);
    char text[24];

    if (next_us > now_us + wait->patience_us + wait->interval_us + SLACK_US)
        next_us = now_us;
    wait->turn_us = next_us > now_us ? next_us : now_us;
    if (wait->turn_us > now_us + wait->patience_us || (wait->turn_us > now_us && wait->pace->count >= PACE_WAIT_MAX)) {
        decide(wait, -EBUSY);
        return;
    }
    store_cas(wait->pace->store, span_of(wait->key), version, write_turn(text, wait->turn_us + wait->interval_us),
              ttl_ms(wait), on_taken, mem_ref(wait));
}

static void on_read(int err, struct span value, uint64_t version, void *arg)
{
    struct pace_wait *wait = arg;

    if (err && err != -ENOENT)
        decide(wait, 0);
    else
        take_turn(wait, value, err ? 0 : version);
    mem_unref(wait);
}

int trunk_pace_enter(struct pace_wait **waitp, struct trunk_pace *pace, const struct conf_trunk *trunk, pace_fn *fn,
                     void *arg)
{
    struct pace_wait *wait;
    int err;

    *waitp = NULL;
    if (!trunk->max_cps || !trunk->cps_wait_ms)
        return 0;
    wait = mem_new(sizeof(*wait), pace_wait_destroy);
    if (!wait)
        return -ENOMEM;
    wait->pace = mem_ref(pace);
    wait->interval_us = 1000000 / trunk->max_cps;
    wait->patience_us = trunk->cps_wait_ms * 1000ull;
    wait->fn = fn;
    wait->arg = arg;
    wait->is_entering = true;
    snprintf(wait->key, sizeof(wait->key), "pace:%s", trunk->name);
    store_get(pace->store, span_of(wait->key), on_read, mem_ref(wait));
    wait->is_entering = false;
    if (!wait->has_outcome || list_is_linked(&wait->link)) {
        *waitp = wait;
        return -EINPROGRESS;
    }
    err = wait->outcome;
    mem_unref(wait);
    return err;
}

/* ---- out of the line ---- */

/* The last turn is free again: it goes back, unless somebody has taken the one after it. */
struct give_back {
    struct store *store;
    char key[KEY_MAX];
    uint64_t turn_us, interval_us, ttl_ms;
};

static void on_given(int err, struct span value, uint64_t version, void *arg)
{
}

static void on_read_back(int err, struct span value, uint64_t version, void *arg)
{
    struct give_back *back = arg;
    char text[24];

    if (!err && read_turn(value) == back->turn_us + back->interval_us)
        store_cas(back->store, span_of(back->key), version, write_turn(text, back->turn_us), back->ttl_ms, on_given,
                  NULL);
    mem_unref(back);
}

static void give_back(const struct pace_wait *wait, uint64_t turn_us)
{
    struct give_back *back = mem_new(sizeof(*back), NULL);

    if (!back)
        return; /* the turn passes unused */
    back->store = wait->pace->store;
    memcpy(back->key, wait->key, sizeof(back->key));
    back->turn_us = turn_us;
    back->interval_us = wait->interval_us;
    back->ttl_ms = ttl_ms(wait);
    store_get(back->store, span_of(back->key), on_read_back, back);
}

/* Each of those behind gets the turn of the one before it. @return the turn that is left over */
static uint64_t move_up(struct pace_wait *wait)
{
    uint64_t free_us = wait->turn_us;

    for (struct list *link = wait->link.next; link != &wait->pace->line; link = link->next) {
        struct pace_wait *behind = container_of(link, struct pace_wait, link);
        uint64_t turn_us = behind->turn_us;

        if (strcmp(behind->key, wait->key) != 0)
            continue;
        behind->turn_us = free_us;
        start_timer(behind);
        free_us = turn_us;
    }
    return free_us;
}

struct pace_wait *trunk_pace_leave(struct pace_wait *wait)
{
    if (!wait)
        return NULL;
    wait->fn = NULL;
    if (list_is_linked(&wait->link)) {
        uint64_t free_us = move_up(wait);

        leave_line(wait);
        give_back(wait, free_us);
    }
    return mem_unref(wait);
}

int trunk_pace_new(struct trunk_pace **pacep, struct store *store, struct timer_wheel *wheel)
{
    struct trunk_pace *pace = mem_new(sizeof(*pace), NULL);

    if (!pace)
        return -ENOMEM;
    pace->store = store;
    pace->wheel = wheel;
    list_init(&pace->line);
    *pacep = pace;
    return 0;
}
