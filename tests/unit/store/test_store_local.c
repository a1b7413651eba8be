/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"
#include "store/store.h"

#define START_US 5000000u
#define KEY      SPAN("loc:alice")

static struct store *store;

static struct {
    int calls;
    int err;
    char value[64];
    uint64_t version;
} seen;

static void see(int err, struct span value, uint64_t version, void *arg)
{
    seen.calls++;
    seen.err = err;
    seen.version = version;
    assert_true(span_copy(value, seen.value, sizeof(seen.value)) >= 0);
}

static int get(struct span key)
{
    seen.calls = 0;
    store_get(store, key, see, NULL);
    assert_int_equal(seen.calls, 1); /* before the call returns, and once */
    return seen.err;
}

static void sleep_ms(uint64_t ms)
{
    clock_set_test(clock_now_us() + ms * 1000);
}

static int setup(void **state)
{
    clock_set_test(START_US);
    return store_local_new(&store, 100);
}

static int teardown(void **state)
{
    store = mem_unref(store);
    clock_set_test(0);
    return 0;
}

static void test_what_was_put_is_got_until_dropped(void **state)
{
    uint64_t version;

    assert_int_equal(get(KEY), -ENOENT);
    store_put(store, KEY, SPAN("one"), 0, see, NULL);
    version = seen.version;
    assert_true(version > 0);
    assert_int_equal(get(KEY), 0);
    assert_string_equal(seen.value, "one");
    assert_true(seen.version == version);
    store_put(store, KEY, SPAN("two"), 0, NULL, NULL);
    assert_int_equal(get(KEY), 0);
    assert_string_equal(seen.value, "two");
    assert_true(seen.version > version);
    store_drop(store, KEY, see, NULL);
    assert_int_equal(seen.err, 0);
    assert_int_equal(get(KEY), -ENOENT);
    store_drop(store, KEY, see, NULL);
    assert_int_equal(seen.err, -ENOENT);
}

static void test_compare_and_set_takes_only_the_version_that_stands(void **state)
{
    uint64_t first;

    store_cas(store, KEY, 7, SPAN("x"), 0, see, NULL);
    assert_int_equal(seen.err, -EAGAIN);
    assert_true(seen.version == 0);
    store_cas(store, KEY, 0, SPAN("one"), 0, see, NULL);
    assert_int_equal(seen.err, 0);
    first = seen.version;
    store_cas(store, KEY, 0, SPAN("other"), 0, see, NULL);
    assert_int_equal(seen.err, -EAGAIN);
    assert_string_equal(seen.value, "one");
    assert_true(seen.version == first);
    store_cas(store, KEY, first, SPAN("two"), 0, see, NULL);
    assert_int_equal(seen.err, 0);
    store_cas(store, KEY, seen.version, SPAN(""), 0, see, NULL); /* empty deletes */
    assert_int_equal(seen.err, 0);
    assert_int_equal(get(KEY), -ENOENT);
    store_cas(store, KEY, 0, SPAN("again"), 0, see, NULL);
    assert_true(seen.version > first); /* a version never comes back */
}

static void test_values_expire_to_the_millisecond(void **state)
{
    store_put(store, KEY, SPAN("x"), 1000, NULL, NULL);
    sleep_ms(999);
    assert_int_equal(get(KEY), 0);
    sleep_ms(1);
    assert_int_equal(get(KEY), -ENOENT);
    store_put(store, KEY, SPAN("x"), 1000, NULL, NULL);
    store_expire(store, KEY, 5000, see, NULL);
    assert_int_equal(seen.err, 0);
    sleep_ms(4999);
    assert_int_equal(get(KEY), 0);
    store_put(store, KEY, SPAN("x"), 0, NULL, NULL); /* for ever again */
    sleep_ms(86400000);
    assert_int_equal(get(KEY), 0);
    store_expire(store, SPAN("nothing"), 1, see, NULL);
    assert_int_equal(seen.err, -ENOENT);
}

static void test_a_number_stays_within_its_limit(void **state)
{
    for (uint64_t i = 1; i <= 3; i++) {
        store_count(store, KEY, 1, 3, 0, see, NULL);
        assert_int_equal(seen.err, 0);
        assert_true(seen.version == i);
    }
    store_count(store, KEY, 1, 3, 0, see, NULL);
    assert_int_equal(seen.err, -EBUSY);
    store_count(store, KEY, -1, 3, 0, see, NULL);
    assert_true(seen.version == 2);
    store_count(store, KEY, 2, 3, 0, see, NULL);
    assert_int_equal(seen.err, -EBUSY);
    store_count(store, KEY, -100, 3, 0, see, NULL);
    assert_int_equal(seen.err, 0);
    assert_true(seen.version == 0);
    assert_int_equal(get(KEY), -ENOENT);
    store_count(store, KEY, 1, 3, 0, see, NULL); /* what was given back too often gives no room for more */
    assert_true(seen.version == 1);
    store_count(store, KEY, INT64_MAX, 0, 0, see, NULL);
    store_count(store, KEY, INT64_MAX, 0, 0, see, NULL);
    store_count(store, KEY, INT64_MAX, 0, 0, see, NULL);
    assert_int_equal(seen.err, -EBUSY);
}

static void test_a_window_of_time_begins_with_its_first_count(void **state)
{
    store_count(store, KEY, 1, 2, 1000, see, NULL);
    sleep_ms(900);
    store_count(store, KEY, 1, 2, 1000, see, NULL);
    store_count(store, KEY, 1, 2, 1000, see, NULL);
    assert_int_equal(seen.err, -EBUSY);
    sleep_ms(100);
    store_count(store, KEY, 1, 2, 1000, see, NULL);
    assert_int_equal(seen.err, 0);
    assert_true(seen.version == 1);
}

static void test_a_number_is_raised_only(void **state)
{
    store_raise(store, KEY, 1, 60000, see, NULL);
    assert_int_equal(seen.err, 0);
    store_raise(store, KEY, 1, 60000, see, NULL);
    assert_int_equal(seen.err, -EALREADY);
    store_raise(store, KEY, 5, 60000, see, NULL);
    assert_int_equal(seen.err, 0);
    store_raise(store, KEY, 4, 60000, see, NULL);
    assert_int_equal(seen.err, -EALREADY);
    store_raise(store, SPAN("zero"), 0, 60000, see, NULL);
    assert_int_equal(seen.err, -EALREADY);
    assert_int_equal(get(KEY), 0);
    assert_true(seen.version == 5);
}

static void test_numbers_and_values_do_not_mix(void **state)
{
    store_put(store, KEY, SPAN("x"), 0, NULL, NULL);
    store_count(store, KEY, 1, 0, 0, see, NULL);
    assert_int_equal(seen.err, -EPROTO);
    store_count(store, SPAN("n"), 1, 0, 0, NULL, NULL);
    store_cas(store, SPAN("n"), 1, SPAN("x"), 0, see, NULL);
    assert_int_equal(seen.err, -EPROTO);
}

static void test_the_store_has_limits(void **state)
{
    static char large[STORE_VALUE_MAX + 1];
    char key[16];

    store_put(store, span_make(large, STORE_KEY_MAX + 1), SPAN("x"), 0, see, NULL);
    assert_int_equal(seen.err, -EMSGSIZE);
    store_put(store, KEY, span_make(large, sizeof(large)), 0, see, NULL);
    assert_int_equal(seen.err, -EMSGSIZE);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        store_put(store, span_of(key), SPAN("x"), i < 50 ? 1000 : 0, see, NULL);
        assert_int_equal(seen.err, 0);
    }
    store_put(store, SPAN("more"), SPAN("x"), 0, see, NULL);
    assert_int_equal(seen.err, -ENOMEM);
    store_put(store, SPAN("key99"), SPAN("y"), 0, see, NULL); /* what is there may still change */
    assert_int_equal(seen.err, 0);
    sleep_ms(1000);
    store_run(store); /* what has expired gives room */
    store_put(store, SPAN("more"), SPAN("x"), 0, see, NULL);
    assert_int_equal(seen.err, 0);
}

/* ---- many threads ---- */

#define THREADS 4
#define ROUNDS  2000

static void count_up(int err, struct span value, uint64_t version, void *arg)
{
    *(unsigned *)arg += err == 0;
}

struct adder {
    uint64_t version;
    uint64_t number;
};

static void take_value(int err, struct span value, uint64_t version, void *arg)
{
    struct adder *adder = arg;

    adder->version = version;
    adder->number = 0;
    span_to_u64(value, UINT64_MAX, &adder->number);
}

static void take_result(int err, struct span value, uint64_t version, void *arg)
{
    *(int *)arg = err;
}

static void *hammer(void *arg)
{
    unsigned *admitted = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct adder adder;
        char text[24];
        int err;

        store_count(store, SPAN("calls"), 1, 1000, 0, count_up, admitted);
        do { /* an increment by compare-and-set, as the location table does it */
            store_get(store, SPAN("sum"), take_value, &adder);
            snprintf(text, sizeof(text), "%llu", (unsigned long long)adder.number + 1);
            store_cas(store, SPAN("sum"), adder.version, span_of(text), 0, take_result, &err);
        } while (err == -EAGAIN);
        assert_int_equal(err, 0);
    }
    return NULL;
}

static void test_threads_never_lose_an_update(void **state)
{
    unsigned admitted[THREADS] = {0}, sum = 0;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &admitted[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += admitted[i];
    }
    assert_int_equal(sum, 1000);
    assert_int_equal(get(SPAN("sum")), 0);
    assert_string_equal(seen.value, "8000");
}

/* ---- watching: the news goes through workers ---- */

static struct store_watch *watch;
static char news[256];

static void hear(void *arg, struct span key, struct span value, bool is_gone)
{
    size_t length = strlen(news);

    assert_ptr_equal(worker_current(), arg);
    snprintf(news + length, sizeof(news) - length, "%.*s=%.*s%s;", SPAN_ARG(key), SPAN_ARG(value),
             is_gone ? "gone" : "");
}

static void start_watching(struct worker *worker, void *arg)
{
    assert_int_equal(store_watch(store, &watch, SPAN("loc:"), hear, worker), 0);
}

static void change_things(struct worker *worker, void *arg)
{
    store_put(store, SPAN("loc:a"), SPAN("1"), 0, NULL, NULL);
    store_put(store, SPAN("other"), SPAN("1"), 0, NULL, NULL);
    store_cas(store, SPAN("loc:b"), 0, SPAN("2"), 10, NULL, NULL);
    store_count(store, SPAN("loc:n"), 1, 0, 0, NULL, NULL);
    store_drop(store, SPAN("loc:a"), NULL, NULL);
    clock_set_test(clock_now_us() + 10000);
    store_run(store);
    clock_set_test(0);
    assert_string_equal(news, ""); /* never from within */
}

static void unwatch_with_news_under_way(struct worker *worker, void *arg)
{
    store_put(store, SPAN("loc:c"), SPAN("3"), 0, NULL, NULL);
    store_unwatch(store, watch);
    store_unwatch(store, NULL);
}

static void stop(struct worker *worker, void *arg)
{
    worker_stop(worker);
}

static void run_both(struct worker *first, struct worker *second, void (*fn)(struct worker *, void *))
{
    mailbox_call(second, fn, NULL);
    mailbox_call(second, stop, NULL);
    worker_run(second); /* its changes are posted to the first */
    mailbox_call(first, stop, NULL);
    worker_run(first);
}

static void test_watchers_hear_of_changes_on_their_worker(void **state)
{
    struct worker *first, *second;

    clock_set_test(0);
    news[0] = '\0';
    assert_int_equal(worker_new(&first, 0, 2), 0);
    assert_int_equal(worker_new(&second, 1, 2), 0);
    mailbox_call(first, start_watching, NULL);
    mailbox_call(first, stop, NULL);
    worker_run(first);
    mailbox_set_open(first->mailbox, true);
    run_both(first, second, change_things);
    assert_string_equal(news, "loc:a=1;loc:b=2;loc:a=gone;loc:b=gone;");
    mailbox_set_open(first->mailbox, true);
    mailbox_call(first, unwatch_with_news_under_way, NULL);
    mailbox_call(first, stop, NULL);
    worker_run(first);
    assert_string_equal(news, "loc:a=1;loc:b=2;loc:a=gone;loc:b=gone;");
    mem_unref(first);
    mem_unref(second);
}

static int build(void *arg)
{
    struct store *other;
    int err = store_local_new(&other, 10), put_err = 0;

    if (err)
        return err;
    store_put(other, KEY, SPAN("x"), 0, take_result, &put_err);
    if (!put_err)
        store_count(other, SPAN("n"), 1, 0, 0, take_result, &put_err);
    if (!put_err)
        store_get(other, KEY, take_result, &put_err);
    mem_unref(other);
    return put_err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    assert_true(oom_run(build, NULL) > 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_put_is_got_until_dropped),
        TEST(test_compare_and_set_takes_only_the_version_that_stands),
        TEST(test_values_expire_to_the_millisecond),
        TEST(test_a_number_stays_within_its_limit),
        TEST(test_a_window_of_time_begins_with_its_first_count),
        TEST(test_a_number_is_raised_only),
        TEST(test_numbers_and_values_do_not_mix),
        TEST(test_the_store_has_limits),
        TEST(test_threads_never_lose_an_update),
        TEST(test_watchers_hear_of_changes_on_their_worker),
        TEST(test_no_memory_is_an_error_that_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
