/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about calls travel from worker to worker: each gets exactly one answer, also when a worker takes no mail.
 * The calls and the HTTP side are this file's. */
#include "../unit.h"

#include "api/rest.c"

#define HOME_COUNT 3

static struct worker *workers[HOME_COUNT];
static unsigned answer_count, answer_status;
static char answer[32768], path[40];
static size_t live_count;

/* ---- in place of the floors below ---- */

void http_reply(struct http_request *request, unsigned status, const char *content_type, struct span body)
{
    assert_ptr_equal(worker_current(), workers[0]); /* a request is its worker's */
    answer_count++;
    answer_status = status;
    span_copy(body, answer, sizeof(answer));
}

struct span http_path(const struct http_request *request)
{
    return span_of(path);
}

int http_add(struct ws_house *house, const struct http_handler *handler)
{
    return 0;
}

void rest_get_trunks(struct http_request *request, void *arg)
{
}

bool app_is_draining(const struct app *app)
{
    return false;
}

struct calls *house_calls(const struct worker *worker)
{
    return (struct calls *)(uintptr_t)worker;
}

struct conf *house_conf(const struct worker *worker)
{
    return NULL;
}

void calls_write_list(struct calls *calls, bool is_recent, struct text *out)
{
    text_addf(out, "%u", ((struct worker *)calls)->id);
}

int calls_write_one(struct calls *calls, struct span id, struct text *out)
{
    if (!span_eq(id, SPAN("w1.known")))
        return -ENOENT;
    text_addf(out, "call of %u", ((struct worker *)calls)->id);
    return 0;
}

int calls_owner(struct span id)
{
    return id.n > 1 && id.p[0] == 'w' ? id.p[1] - '0' : -1;
}

/* ---- the rig ---- */

static int setup(void **state)
{
    live_count = mem_live_count();
    clock_set_test(1000000);
    answer_count = 0;
    for (unsigned i = 0; i < HOME_COUNT; i++) {
        assert_int_equal(worker_new(&workers[i], i, HOME_COUNT), 0);
        mailbox_set_open(workers[i]->mailbox, true);
    }
    return 0;
}

static int teardown(void **state)
{
    for (unsigned i = HOME_COUNT; i-- > 0;) {
        mailbox_set_open(workers[i]->mailbox, false);
        worker_set_current(workers[i]);
        workers[i] = mem_unref(workers[i]);
    }
    worker_set_current(NULL);
    clock_set_test(0);
    assert_int_equal(mem_live_count(), live_count);
    return 0;
}

/* Letters arrive, on each worker as long as there are some. */
static void deliver(void)
{
    for (unsigned round = 0; round < 3 * HOME_COUNT; round++) {
        struct worker *worker = workers[round % HOME_COUNT];

        worker_set_current(worker);
        uv_run(&worker->loop, UV_RUN_NOWAIT);
    }
    worker_set_current(workers[0]);
}

static void let_pass(unsigned ms)
{
    clock_set_test(clock_now_us() + ms * 1000ull);
    timer_wheel_run(workers[0]->wheel, clock_now_ms());
}

static void ask(const char *what)
{
    snprintf(path, sizeof(path), "%s", what);
    worker_set_current(workers[0]);
    get_call((struct http_request *)path, NULL);
}

static void test_a_list_visits_every_worker_and_comes_home(void **state)
{
    ask("/calls/");
    deliver();
    assert_int_equal(answer_count, 1);
    assert_int_equal(answer_status, 200);
    assert_string_equal(answer, "[\n0,\n1,\n2\n]\n");
    let_pass(10000);
    assert_int_equal(answer_count, 1);
}

static void test_one_call_is_asked_of_its_worker(void **state)
{
    ask("/calls/w1.known");
    deliver();
    assert_int_equal(answer_status, 200);
    assert_string_equal(answer, "call of 1\n");
    ask("/calls/w2.unknown");
    deliver();
    assert_int_equal(answer_status, 404);
    ask("/calls/nonsense");
    assert_int_equal(answer_status, 404);
    assert_int_equal(answer_count, 3);
}

static void test_a_worker_that_takes_no_mail_on_the_way_makes_it_503(void **state)
{
    mailbox_set_open(workers[1]->mailbox, false);
    ask("/calls/");
    deliver();
    assert_int_equal(answer_count, 0);
    let_pass(3000);
    assert_int_equal(answer_count, 1);
    assert_int_equal(answer_status, 503);
    assert_non_null(strstr(answer, "did not answer"));
}

static void test_an_owner_that_takes_no_mail_makes_it_503_at_once(void **state)
{
    mailbox_set_open(workers[1]->mailbox, false);
    ask("/calls/w1.known");
    assert_int_equal(answer_count, 1);
    assert_int_equal(answer_status, 503);
    let_pass(10000);
    assert_int_equal(answer_count, 1);
}

static void test_a_letter_that_comes_too_late_finds_nobody(void **state)
{
    ask("/calls/");
    let_pass(3000);
    assert_int_equal(answer_status, 503);
    deliver();
    assert_int_equal(answer_count, 1);
    ask("/calls/"); /* the next one gets its own */
    deliver();
    assert_int_equal(answer_count, 2);
    assert_int_equal(answer_status, 200);
}

static void test_without_memory_there_is_one_answer_and_nothing_is_left(void **state)
{
    for (int n = 0; n < 20; n++) {
        answer_count = 0;
        mem_fail_after(n);
        ask("/calls/");
        mem_fail_after(-1);
        deliver();
        let_pass(3000);
        assert_int_equal(answer_count, 1);
    }
    assert_int_equal(answer_status, 200);
}

/* The thread that writes records has no block of its own. */
static void test_metrics_have_the_counts_of_workers_and_of_other_threads(void **state)
{
    uint64_t before = stats_shared()->value[STAT_RECORD_DROPPED];
    char line[60];

    workers[1]->stats.value[STAT_RECORD_DROPPED] = 2;
    workers[2]->stats.value[STAT_RECORD_DROPPED] = 3;
    stats_bind(NULL);
    stats_add(STAT_RECORD_DROPPED, 7);
    worker_set_current(workers[0]);
    get_metrics((struct http_request *)path, NULL);
    assert_int_equal(answer_status, 200);
    snprintf(line, sizeof(line), "\nsipway_records_dropped_total %llu\n", (unsigned long long)before + 12);
    assert_non_null(strstr(answer, line));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_list_visits_every_worker_and_comes_home),
        T(test_one_call_is_asked_of_its_worker),
        T(test_a_worker_that_takes_no_mail_on_the_way_makes_it_503),
        T(test_an_owner_that_takes_no_mail_makes_it_503_at_once),
        T(test_a_letter_that_comes_too_late_finds_nobody),
        T(test_metrics_have_the_counts_of_workers_and_of_other_threads),
        T(test_without_memory_there_is_one_answer_and_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
