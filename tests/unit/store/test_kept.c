/* SPDX-License-Identifier: Apache-2.0 */
/* Kept messages: in order, within limits, held while somebody tries, there again after a restart. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/worker.h"
#include "store/kept.h"
#include "store/kept_table.h"

static char folder[64];
static struct text why;
static struct kept_table *table;

static void open_table(void)
{
    int err = kept_table_open(&table, folder, &why);

    if (err)
        fail_msg("%d: %s", err, why.data ? why.data : "");
}

static int setup(void **state)
{
    strcpy(folder, "/tmp/sipway-kept-XXXXXX");
    text_init(&why, 1000);
    if (!mkdtemp(folder))
        return -1;
    open_table();
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"messages.db", "messages.db-wal", "messages.db-shm"};
    char path[96];

    kept_table_close(table);
    table = NULL;
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    text_free(&why);
    return 0;
}

static char *copy(const char *text)
{
    return mem_text(text, strlen(text));
}

static struct kept_job *add_job(const char *account, const char *body)
{
    struct kept_job *job = kept_job_new(KEPT_ADD, 0);

    assert_non_null(job);
    job->account_limit = 3;
    job->limit = 5;
    job->row.account = copy(account);
    job->row.sender = copy("<sip:alice@example.com>");
    job->row.headers = copy("Subject: x\r\n");
    job->row.content_type = copy("text/plain");
    job->row.body = copy(body);
    job->row.body_bytes = strlen(body);
    snprintf(job->row.call_id, sizeof(job->row.call_id), "w0.call");
    snprintf(job->row.tag, sizeof(job->row.tag), "w0.tag");
    job->row.received_ms = clock_wall_us() / 1000;
    job->row.expires_ms = job->row.received_ms + 60000;
    return job;
}

/* @return the job's answer; idp may be NULL */
static int run(struct kept_job *job, int64_t *idp)
{
    int err;

    assert_int_equal(kept_table_begin(table), 0);
    assert_int_equal(kept_table_run(table, job), 0);
    assert_int_equal(kept_table_commit(table), 0);
    err = job->err;
    if (idp)
        *idp = job->row.id;
    mem_unref(job);
    return err;
}

static int64_t add(const char *account, const char *body)
{
    int64_t id = 0;

    assert_int_equal(run(add_job(account, body), &id), 0);
    return id;
}

static struct kept_job *next(const char *account, int64_t behind)
{
    struct kept_job *job = kept_job_new(KEPT_NEXT, 0);

    job->row.account = copy(account);
    job->row.id = behind;
    assert_int_equal(kept_table_run(table, job), 0);
    return job;
}

/* What comes behind an id is this message. @return its id */
static int64_t expect_next(const char *account, int64_t behind, const char *body)
{
    struct kept_job *job = next(account, behind);
    int64_t id = job->row.id;

    assert_int_equal(job->err, 0);
    assert_span_equal(span_make(job->row.body, job->row.body_bytes), body);
    assert_string_equal(job->row.sender, "<sip:alice@example.com>");
    assert_string_equal(job->row.call_id, "w0.call");
    mem_unref(job);
    return id;
}

static void expect_none(const char *account, int64_t behind)
{
    struct kept_job *job = next(account, behind);

    assert_int_equal(job->err, -ENOENT);
    mem_unref(job);
}

static void change(enum kept_op op, int64_t id)
{
    struct kept_job *job = kept_job_new(op, 0);

    job->row.id = id;
    run(job, NULL);
}

static void test_messages_come_in_order_and_only_to_their_account(void **state)
{
    int64_t first, second;

    add("bob", "one");
    add("carol", "hers");
    add("bob", "two");
    first = expect_next("bob", 0, "one");
    second = expect_next("bob", first, "two");
    expect_none("bob", second);
    expect_none("alice", 0);
    change(KEPT_DROP, first);
    expect_next("bob", 0, "two");
}

static void test_limits_of_an_account_and_of_all(void **state)
{
    for (int i = 0; i < 3; i++)
        add("bob", "x");
    assert_int_equal(run(add_job("bob", "x"), NULL), -EBUSY);
    add("carol", "x");
    add("dave", "x");
    assert_int_equal(run(add_job("eve", "x"), NULL), -EBUSY); /* five in all */
    change(KEPT_DROP, expect_next("dave", 0, "x"));
    add("eve", "x");
}

static void test_a_held_message_is_passed_over_until_it_is_released(void **state)
{
    struct kept_job *job = add_job("bob", "held");
    int64_t id = 0;

    job->is_held = true;
    assert_int_equal(run(job, &id), 0);
    expect_none("bob", 0);
    change(KEPT_RELEASE, id);
    expect_next("bob", 0, "held");
}

static void test_everything_is_there_after_a_restart_and_nothing_is_held(void **state)
{
    struct kept_job *job = add_job("bob", "held");

    job->is_held = true;
    run(job, NULL);
    add("carol", "hers");
    kept_table_close(table);
    open_table();
    expect_next("bob", 0, "held");
    job = kept_job_new(KEPT_ACCOUNTS, 0);
    assert_int_equal(kept_table_run(table, job), 0);
    assert_int_equal(job->account_count, 2);
    assert_int_equal(job->message_count, 2);
    mem_unref(job);
}

static void test_ids_are_never_used_again(void **state)
{
    int64_t id = add("bob", "x");

    change(KEPT_DROP, id);
    assert_true(add("bob", "y") > id); /* a late DROP of the first one must not hit it */
}

static void test_what_has_expired_is_not_delivered_and_goes(void **state)
{
    struct kept_job *job = add_job("bob", "old");

    job->row.expires_ms = job->row.received_ms - 1;
    run(job, NULL);
    add("bob", "new");
    expect_next("bob", 0, "new");
    assert_int_equal(kept_table_purge(table, clock_wall_us() / 1000), 1);
    assert_int_equal(kept_table_purge(table, clock_wall_us() / 1000), 0);
}

static void test_a_body_with_nul_bytes_comes_back_whole(void **state)
{
    struct kept_job *job = add_job("bob", "");

    mem_unref(job->row.body);
    job->row.body = mem_text("a\0b\xff", 4);
    job->row.body_bytes = 4;
    run(job, NULL);
    job = next("bob", 0);
    assert_int_equal(job->row.body_bytes, 4);
    assert_memory_equal(job->row.body, "a\0b\xff", 4);
    mem_unref(job);
}

static void test_nobody_else_may_read_the_files(void **state)
{
    static const char *const names[] = {"messages.db", "messages.db-wal"};
    struct stat info;
    char path[96];

    add("bob", "secret");
    for (unsigned i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0077, 0);
    }
}

static void test_a_rollback_forgets_the_count_too(void **state)
{
    struct kept_job *job;

    for (int i = 0; i < 10; i++) {
        job = add_job("bob", "x");
        assert_int_equal(kept_table_begin(table), 0);
        assert_int_equal(kept_table_run(table, job), 0);
        kept_table_rollback(table);
        mem_unref(job);
    }
    add("bob", "x");
    change(KEPT_DROP, expect_next("bob", 0, "x"));
    expect_none("bob", 0);
}

/* ---- the thread ---- */

static unsigned answered;
static int64_t last_id;

static void on_answer(struct kept_job *job, void *arg)
{
    struct worker *worker = arg;

    assert_int_equal(job->err, 0);
    last_id = job->row.id;
    if (++answered == 3)
        worker_stop(worker);
}

static void test_answers_come_to_the_worker_that_asked(void **state)
{
    struct worker *worker;
    struct kept *kept;

    answered = 0;
    assert_int_equal(worker_new(&worker, 0, 1), 0);
    assert_int_equal(kept_open(&kept, folder, &why), 0);
    for (int i = 0; i < 3; i++) {
        struct kept_job *job = add_job("bob", "x");

        job->done = on_answer;
        job->arg = worker;
        assert_int_equal(kept_ask(kept, job), 0);
    }
    worker_run(worker);
    assert_int_equal(answered, 3);
    {
        struct kept_job *job = kept_job_new(KEPT_DROP, 0); /* nobody waits: done before it stops */

        job->row.id = last_id;
        assert_int_equal(kept_ask(kept, job), 0);
    }
    kept_stop(kept);
    assert_int_equal(kept_ask(kept, add_job("bob", "late")), -EBUSY);
    mem_unref(kept);
    mem_unref(worker);
    expect_none("bob", expect_next("bob", expect_next("bob", 0, "x"), "x"));
}

static int open_and_close(void *arg)
{
    struct kept_table *it;
    int err = kept_table_open(&it, folder, &why);

    if (!err)
        kept_table_close(it);
    return err;
}

static void test_opening_survives_any_allocation_failing(void **state)
{
    oom_run(open_and_close, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_messages_come_in_order_and_only_to_their_account),
        TEST(test_limits_of_an_account_and_of_all),
        TEST(test_a_held_message_is_passed_over_until_it_is_released),
        TEST(test_everything_is_there_after_a_restart_and_nothing_is_held),
        TEST(test_ids_are_never_used_again),
        TEST(test_what_has_expired_is_not_delivered_and_goes),
        TEST(test_a_body_with_nul_bytes_comes_back_whole),
        TEST(test_nobody_else_may_read_the_files),
        TEST(test_a_rollback_forgets_the_count_too),
        TEST(test_answers_come_to_the_worker_that_asked),
        TEST(test_opening_survives_any_allocation_failing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
