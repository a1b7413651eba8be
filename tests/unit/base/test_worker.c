/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"

#define MAILS_PER_PAIR 5000
#define WORKERS        3

struct ball {
    struct mail mail;
    unsigned from;
    unsigned number;
};

static unsigned next_number[WORKERS][WORKERS]; /* [to][from], touched by worker `to` only */
static unsigned stopped_count;

static void receive_ball(struct worker *worker, struct mail *mail)
{
    struct ball *ball = (struct ball *)mail;

    assert_ptr_equal(worker_current(), worker);
    assert_int_equal(next_number[worker->id][ball->from], ball->number); /* in order, none lost */
    next_number[worker->id][ball->from]++;
    mem_unref(ball);
}

static void throw_balls(struct worker *worker, void *arg)
{
    for (unsigned number = 0; number < MAILS_PER_PAIR; number++) {
        for (unsigned to = 0; to < worker_count(); to++) {
            struct ball *ball = mem_new(sizeof(*ball), NULL);

            ball->mail.receive = receive_ball;
            ball->from = worker->id;
            ball->number = number;
            assert_int_equal(mailbox_post(worker_get(to), &ball->mail), 0);
        }
    }
}

static void stop_when_complete(void *arg)
{
    struct worker *worker = worker_current();
    struct timer *timer = arg;

    for (unsigned from = 0; from < WORKERS; from++) {
        if (next_number[worker->id][from] < MAILS_PER_PAIR) {
            worker_timer(timer, 1, stop_when_complete, timer);
            return;
        }
    }
    __atomic_fetch_add(&stopped_count, 1, __ATOMIC_SEQ_CST);
    worker_stop(worker);
}

static void watch(struct worker *worker, void *arg)
{
    worker_timer(arg, 1, stop_when_complete, arg);
}

static void test_mail_between_workers_arrives_once_and_in_order(void **state)
{
    struct worker *workers[WORKERS];
    struct timer timers[WORKERS] = {0};
    size_t before = mem_live_count();

    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(worker_new(&workers[i], i, WORKERS), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(mailbox_call(workers[i], throw_balls, NULL), 0);
        assert_int_equal(mailbox_call(workers[i], watch, &timers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(worker_start(workers[i]), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_join(workers[i]);
    assert_int_equal(stopped_count, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++)
        mem_unref(workers[i]);
    assert_int_equal(mem_live_count(), before);
    assert_null(worker_get(0));
}

static void nothing(struct worker *worker, void *arg)
{
    ++*(int *)arg;
}

static void stop_now(struct worker *worker, void *arg)
{
    worker_stop(worker);
}

static void test_a_full_mailbox_refuses_and_takes_the_mail(void **state)
{
    uint64_t before = stats_block()->value[STAT_MAILBOX_FULL];
    size_t live = mem_live_count();
    struct worker *worker;
    int count = 0;

    assert_int_equal(worker_new(&worker, 0, 1), 0);
    for (int i = 0; i < 65536; i++)
        assert_int_equal(mailbox_call(worker, nothing, &count), 0);
    assert_int_equal(mailbox_call(worker, nothing, &count), -EBUSY);
    assert_int_equal(stats_block()->value[STAT_MAILBOX_FULL] - before, 1);
    assert_int_equal(count, 0);
    mem_unref(worker);
    assert_int_equal(mem_live_count(), live);
}

static void test_a_stopped_worker_takes_no_mail(void **state)
{
    struct worker *worker;
    int count = 0;

    assert_int_equal(worker_new(&worker, 0, 1), 0);
    assert_int_equal(mailbox_call(worker, nothing, &count), 0);
    assert_int_equal(mailbox_call(worker, stop_now, NULL), 0);
    worker_run(worker);
    assert_int_equal(count, 1);
    assert_null(worker_current());
    assert_int_equal(mailbox_call(worker, nothing, &count), -EBUSY);
    mem_unref(worker);
}

static uint64_t seen_us[4];
static unsigned seen_count;

static void note_time(void *arg)
{
    seen_us[seen_count++] = clock_now_us();
    if (seen_count == 3)
        worker_stop(worker_current());
}

static void start_timers(struct worker *worker, void *arg)
{
    struct timer *timers = arg;

    seen_us[seen_count++] = clock_now_us();
    worker_timer(&timers[1], 300, note_time, NULL); /* through the second level of the wheel */
    worker_timer(&timers[0], 20, note_time, NULL);
}

static void test_timers_of_a_worker_are_never_early(void **state)
{
    struct timer timers[2] = {0};
    struct worker *worker;

    seen_count = 0;
    assert_int_equal(worker_new(&worker, 0, 1), 0);
    assert_int_equal(mailbox_call(worker, start_timers, timers), 0);
    worker_run(worker);
    assert_true(seen_us[1] - seen_us[0] >= 19000); /* both ends are cut to whole milliseconds */
    assert_true(seen_us[2] - seen_us[0] >= 299000);
    mem_unref(worker);
}

static void stall(struct worker *worker, void *arg)
{
    uint64_t until_us = clock_now_us() + 8000;

    while (clock_now_us() < until_us)
        ;
    mailbox_call(worker, stop_now, NULL); /* the turn ends where the next one waits */
}

static void test_the_watchdog_counts_a_long_turn(void **state)
{
    struct worker *worker;

    assert_int_equal(worker_new(&worker, 0, 1), 0);
    assert_int_equal(mailbox_call(worker, nothing, &(int){0}), 0);
    assert_int_equal(mailbox_call(worker, stall, NULL), 0);
    worker_run(worker);
    assert_int_equal(worker->stats.value[STAT_WORKER_STALLS], 1);
    assert_true(worker->stats.hist[HIST_LOOP_US].sum >= 8000);
    mem_unref(worker);
}

static int build(void *arg)
{
    struct worker *worker;
    int err = worker_new(&worker, 0, 1);

    if (!err)
        mem_unref(worker);
    return err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    assert_int_equal(oom_run(build, NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_between_workers_arrives_once_and_in_order),
        cmocka_unit_test(test_a_full_mailbox_refuses_and_takes_the_mail),
        cmocka_unit_test(test_a_stopped_worker_takes_no_mail),
        cmocka_unit_test(test_timers_of_a_worker_are_never_early),
        cmocka_unit_test(test_the_watchdog_counts_a_long_turn),
        cmocka_unit_test(test_no_memory_is_an_error_that_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
