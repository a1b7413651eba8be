/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "store/record.h"
#include "store/state.h"

static char folder[64], db_path[96];
static struct text why;

static void ignore(enum log_level level, const char *line)
{
}

static int setup(void **state)
{
    strcpy(folder, "/tmp/sipway-record-XXXXXX");
    log_set_sink(ignore);
    text_init(&why, 1000);
    if (!mkdtemp(folder))
        return -1;
    strcat(folder, "/state"); /* made by the code under test */
    snprintf(db_path, sizeof(db_path), "%s/sipway.db", folder);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"sipway.db", "sipway.db-wal", "sipway.db-shm", "lock"};
    char path[96];

    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(rmdir(folder), 0);
    text_free(&why);
    log_set_sink(NULL);
    return 0;
}

static struct record *open_ok(void)
{
    struct record *record = NULL;
    int err = record_open(&record, folder, &why);

    if (err)
        fail_msg("%d: %s", err, why.data ? why.data : "");
    return record;
}

static void run_sql(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The first row of a query, its columns joined by '|'. */
static const char *ask(const char *sql)
{
    static char answer[2048];
    sqlite3_stmt *query;
    sqlite3 *db;

    answer[0] = '\0';
    assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    for (int i = 0; i < sqlite3_column_count(query); i++) {
        const char *column = (const char *)sqlite3_column_text(query, i);

        snprintf(answer + strlen(answer), sizeof(answer) - strlen(answer), "%s%s", i ? "|" : "",
                 column ? column : "NULL");
    }
    sqlite3_finalize(query);
    sqlite3_close(db);
    return answer;
}

static const struct cdr_row sample = {
    .id = "7f3a",
    .started_ms = 1764064800123u,
    .answered_ms = 1764064803000u,
    .ended_ms = 1764064810500u,
    .caller = "alice'; DROP TABLE cdr; --",
    .callee = "+12025550123",
    .account = "alice",
    .trunk = "acme",
    .route = "national",
    .direction = "out",
    .status = 200,
    .cause = "the caller hung up",
    .ended_by = "caller",
    .cause_id = "loss",
    .in = {.kind = "browser",
           .name = "alice",
           .peer = "alice",
           .remote = "wss:198.51.100.7:50000",
           .status = 200,
           .codec = "opus",
           .packet_count = 500,
           .lost_count = 3,
           .jitter_us = 1200,
           .mos_x100 = 431,
           .sent_count = 488,
           .sent_lost_count = 2,
           .rtt_us = 31000},
    .out = {.kind = "trunk",
            .name = "acme",
            .peer = "+12025550123",
            .remote = "udp:203.0.113.5:5060",
            .status = 200,
            .codec = "PCMU",
            .packet_count = 490,
            .jitter_us = 800,
            .mos_x100 = 440,
            .sent_count = 499},
};

static void test_a_row_comes_back_whole(void **state)
{
    struct record *record = open_ok();

    assert_int_equal(record_cdr(record, &sample), 0);
    record_close(record);
    assert_string_equal(ask("SELECT * FROM cdr"),
                        "7f3a|2025-11-25T10:00:00.123Z|2025-11-25T10:00:03.000Z|2025-11-25T10:00:10.500Z|"
                        "1764064800123|1764064803000|1764064810500|7500|alice'; DROP TABLE cdr; --|+12025550123|"
                        "alice|acme|national|out|200|the caller hung up|caller|opus|500|3|1200|PCMU|490|0|800|"
                        "2877|loss|browser|alice|alice|wss:198.51.100.7:50000|200|488|2|31000|431|"
                        "trunk|acme|+12025550123|udp:203.0.113.5:5060|200|499|0|0|440");
}

static void test_what_did_not_happen_is_null(void **state)
{
    struct cdr_row row = {.id = "1", .started_ms = 1000, .ended_ms = 2000, .status = 486};
    struct record *record = open_ok();

    assert_int_equal(record_cdr(record, &row), 0);
    record_close(record);
    assert_string_equal(ask("SELECT answered, answered_ms, duration_ms, status, trunk FROM cdr"), "NULL|NULL|0|486|");
}

static void *record_many(void *arg)
{
    struct cdr_row row = sample;

    for (int i = 0; i < 1000; i++) {
        snprintf(row.id, sizeof(row.id), "%d", i);
        if (record_cdr(arg, &row))
            return arg;
    }
    return NULL;
}

static void test_close_writes_what_waits_and_reopening_keeps_it(void **state)
{
    struct record *record = open_ok();
    pthread_t threads[3];
    void *failed;

    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, record), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    record_close(record);
    assert_string_equal(ask("SELECT count(*), count(DISTINCT id) FROM cdr"), "3000|1000");
    record = open_ok();
    assert_int_equal(record_cdr(record, &sample), 0);
    record_close(record);
    assert_string_equal(ask("SELECT count(*) FROM cdr"), "3001");
    assert_string_equal(ask("PRAGMA journal_mode"), "wal");
}

static void test_a_second_gateway_is_refused_in_one_sentence(void **state)
{
    struct record *record = open_ok(), *second = NULL;
    char wanted[200];

    assert_int_equal(record_open(&second, folder, &why), -EBUSY);
    assert_null(second);
    snprintf(wanted, sizeof(wanted), "state folder %s is in use by another sipway (process %ld)", folder,
             (long)getpid());
    assert_string_equal(why.data, wanted);
    record_close(record);
    record_close(open_ok()); /* the lock goes with its holder */
    record_close(NULL);
}

static void test_a_folder_that_cannot_be_is_named(void **state)
{
    struct record *record = NULL;
    int fd;

    assert_int_equal(record_open(&record, "/nonexistent/deeper", &why), -ENOENT);
    assert_string_equal(why.data, "state folder /nonexistent/deeper cannot be made: no such file or directory");
    text_reset(&why);
    assert_int_equal(state_lock(&fd, "/dev/null", &why), -ENOTDIR);
    state_unlock(-1);
    record_close(open_ok()); /* teardown expects a folder */
}

/* As the first version made it, with a row in it. */
static void test_an_older_database_gets_the_new_columns(void **state)
{
    struct record *record;

    assert_int_equal(mkdir(folder, 0700), 0);
    run_sql(
        "CREATE TABLE cdr (id TEXT NOT NULL, started TEXT NOT NULL, answered TEXT, ended TEXT,"
        " started_ms INTEGER NOT NULL, answered_ms INTEGER, ended_ms INTEGER, duration_ms INTEGER NOT NULL,"
        " caller TEXT NOT NULL, callee TEXT NOT NULL, account TEXT NOT NULL, trunk TEXT NOT NULL, route TEXT NOT NULL,"
        " direction TEXT NOT NULL, status INTEGER NOT NULL, cause TEXT NOT NULL, ended_by TEXT NOT NULL,"
        " in_codec TEXT NOT NULL, in_packets INTEGER NOT NULL, in_lost INTEGER NOT NULL, in_jitter_us INTEGER NOT NULL,"
        " out_codec TEXT NOT NULL, out_packets INTEGER NOT NULL, out_lost INTEGER NOT NULL,"
        " out_jitter_us INTEGER NOT NULL); PRAGMA user_version = 1;"
        "INSERT INTO cdr VALUES ('old', 'x', NULL, NULL, 1, NULL, NULL, 0, 'a', 'b', 'a', 't', 'r', 'out', 486, 'busy',"
        " 'callee', '', 0, 0, 0, '', 0, 0, 0)");
    record = open_ok();
    assert_int_equal(record_cdr(record, &sample), 0);
    record_close(record);
    assert_string_equal(ask("SELECT status, in_kind, out_mos_x100 FROM cdr WHERE id = 'old'"), "486||0");
    assert_string_equal(ask("SELECT status, in_kind, out_mos_x100 FROM cdr WHERE id = '7f3a'"), "200|browser|440");
}

static void test_a_newer_database_is_left_alone(void **state)
{
    struct record *record = NULL;

    record_close(open_ok());
    run_sql("PRAGMA user_version = 99");
    assert_int_equal(record_open(&record, folder, &why), -EPROTO);
    assert_non_null(strstr(why.data, "was written by a newer sipway (version 99, known 1)"));
    run_sql("PRAGMA user_version = 1");
    record_close(open_ok());
}

static void test_a_file_that_is_no_database_is_refused(void **state)
{
    struct record *record = NULL;
    FILE *file;

    record_close(open_ok());
    file = fopen(db_path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database. ", file);
    fclose(file);
    assert_int_equal(record_open(&record, folder, &why), -EIO);
    assert_non_null(strstr(why.data, "cannot be used: file is not a database"));
}

/* While somebody else holds the database the queue fills up to its limit; then rows are refused, counted, and nobody
 * waits. */
static void test_a_full_queue_refuses_and_counts(void **state)
{
    uint64_t before = stats_block()->value[STAT_RECORD_DROPPED];
    struct record *record = open_ok();
    sqlite3 *other;
    int taken = 0;

    assert_int_equal(sqlite3_open(db_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    while (record_cdr(record, &sample) == 0)
        taken++;
    assert_int_equal(taken, 4096);
    assert_int_equal(record_cdr(record, &sample), -EBUSY);
    assert_int_equal(stats_block()->value[STAT_RECORD_DROPPED] - before, 2);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    record_close(record);
    assert_string_equal(ask("SELECT count(*) FROM cdr"), "4096");
}

static void test_texts_are_cut_and_cleaned(void **state)
{
    char field[8];

    cdr_set(field, sizeof(field), SPAN("short"));
    assert_string_equal(field, "short");
    cdr_set(field, sizeof(field), SPAN("1234567890"));
    assert_string_equal(field, "1234567");
    cdr_set(field, sizeof(field), SPAN("123456\xc3\xb6")); /* would be cut in its middle */
    assert_string_equal(field, "123456");
    cdr_set(field, sizeof(field), SPAN("a\r\n\xff\xc3\xb6"));
    assert_string_equal(field, "a???\xc3\xb6");
    cdr_set(field, sizeof(field), SPAN_NULL);
    assert_string_equal(field, "");
}

static int open_and_close(void *arg)
{
    struct record *record;
    struct text reason;
    char buf[200];
    int err;

    text_init_fixed(&reason, buf, sizeof(buf));
    err = record_open(&record, folder, &reason);
    if (err)
        return err;
    err = record_cdr(record, &sample);
    record_close(record);
    return err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    assert_true(oom_run(open_and_close, NULL) >= 3); /* the record, its table, a row; and the texts of SQL */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_row_comes_back_whole),
        TEST(test_what_did_not_happen_is_null),
        TEST(test_close_writes_what_waits_and_reopening_keeps_it),
        TEST(test_a_second_gateway_is_refused_in_one_sentence),
        TEST(test_a_folder_that_cannot_be_is_named),
        TEST(test_an_older_database_gets_the_new_columns),
        TEST(test_a_newer_database_is_left_alone),
        TEST(test_a_file_that_is_no_database_is_refused),
        TEST(test_a_full_queue_refuses_and_counts),
        TEST(test_texts_are_cut_and_cleaned),
        TEST(test_no_memory_is_an_error_that_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
