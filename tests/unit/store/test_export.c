/* SPDX-License-Identifier: Apache-2.0 */
/* Call records reach each target once and in order, from where it was left; a file may be moved away at any time. */
#include "../unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/export.h"
#include "store/export_rows.h"
#include "store/record.h"

static char folder[64], file[96];
static struct text why;

static void ignore(enum log_level level, const char *line)
{
}

static int setup(void **state)
{
    strcpy(folder, "/tmp/sipway-export-XXXXXX");
    log_set_sink(ignore);
    text_init(&why, 1000);
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof(file), "%s/cdr.jsonl", folder);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"sipway.db", "sipway.db-wal", "sipway.db-shm",
                                        "lock",      "cdr.jsonl",     "old.jsonl"};
    char path[128];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    text_free(&why);
    log_set_sink(NULL);
    return 0;
}

/* One life of the gateway in which these calls ended. */
static void record_calls(const char *const *ids, bool has_file)
{
    struct export *export = NULL;
    struct record *record;

    assert_int_equal(record_open(&record, folder, &why), 0);
    if (has_file)
        assert_int_equal(export_open(&export, &(struct export_options){.folder = folder, .file = file}, &why), 0);
    for (; *ids; ids++) {
        struct cdr_row row = {.started_ms = 1000, .ended_ms = 2000, .status = 486, .cause_id = "busy"};

        cdr_set(row.id, sizeof(row.id), span_of(*ids));
        cdr_set(row.caller, sizeof(row.caller), SPAN("\"a\\b\" \xc3\xb6"));
        assert_int_equal(record_cdr(record, &row), 0);
    }
    record_close(record);
    export_close(export);
}

#define CALLS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The ids in the file, each line parsed. */
static const char *exported(const char *path)
{
    static char ids[256];
    char line[8192];
    FILE *in = fopen(path, "r");

    ids[0] = '\0';
    while (in && fgets(line, sizeof(line), in)) {
        json_t *json = json_loads(line, 0, NULL);

        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "caller")), "\"a\\b\" \xc3\xb6");
        assert_int_equal(json_integer_value(json_object_get(json, "status")), 486);
        assert_true(json_is_null(json_object_get(json, "answered_ms")));
        strcat(strcat(ids, json_string_value(json_object_get(json, "id"))), " ");
        json_decref(json);
    }
    if (in)
        fclose(in);
    return ids;
}

static void a_new_target_begins_now_and_goes_on_where_it_was(void **state)
{
    record_calls(CALLS("before"), false);
    record_calls(CALLS("1", "2"), true);
    record_calls(CALLS("3"), false); /* the target was taken out of the configuration for a while */
    record_calls(CALLS("4"), true);
    assert_string_equal(exported(file), "1 2 3 4 ");
}

static void a_file_that_was_moved_away_is_made_anew(void **state)
{
    char old[96];

    snprintf(old, sizeof(old), "%s/old.jsonl", folder);
    record_calls(CALLS("1"), true);
    assert_int_equal(rename(file, old), 0);
    record_calls(CALLS("2"), true);
    assert_string_equal(exported(old), "1 ");
    assert_string_equal(exported(file), "2 ");
}

static void a_file_that_cannot_be_written_loses_nothing(void **state)
{
    char good[96];

    strcpy(good, file);
    record_calls(CALLS("1"), true);
    snprintf(file, sizeof(file), "%s/missing/cdr.jsonl", folder);
    record_calls(CALLS("2"), true);
    strcpy(file, good);
    record_calls(CALLS("3"), true);
    assert_string_equal(exported(file), "1 2 3 ");
}

/* As on a disk that is full: of a line there is room for a part. The file is larger than the database, which the limit
 * must not meet. */
static void a_line_is_whole_or_not_there(void **state)
{
    enum { BEFORE_BYTES = 4 << 20 };
    struct rlimit before, small;
    FILE *out = fopen(file, "w");

    for (unsigned i = 0; i < BEFORE_BYTES; i++)
        putc('\n', out);
    fclose(out);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = BEFORE_BYTES + 20, .rlim_max = before.rlim_max};
    record_calls(CALLS(NULL), true); /* it begins now */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    record_calls(CALLS("1", "2"), true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    out = fopen(file, "r");
    fseek(out, 0, SEEK_END);
    assert_int_equal(ftell(out), BEFORE_BYTES);
    fclose(out);
    assert_int_equal(truncate(file, 0), 0);
    record_calls(CALLS("3"), true);
    assert_string_equal(exported(file), "1 2 3 ");
}

static void a_batch_has_a_limit(void **state)
{
    struct export_rows *rows;
    struct export_batch batch;

    record_calls(CALLS("0"), false);
    assert_int_equal(export_rows_open(&rows, folder, &why), 0);
    assert_int_equal(export_rows_begin(rows, "x"), 0);
    record_calls(CALLS("1", "2", "3"), false);
    assert_int_equal(export_rows_next(rows, "x", 2, &batch), 0);
    assert_int_equal(batch.count, 2);
    text_free(&batch.lines);
    assert_int_equal(export_rows_done(rows, "x", batch.last_rowid), 0);
    assert_int_equal(export_rows_next(rows, "x", 2, &batch), 0);
    assert_int_equal(batch.count, 1);
    text_free(&batch.lines);
    export_rows_close(rows);
}

static void a_database_that_is_not_there_is_an_error_in_words(void **state)
{
    struct export *export;

    assert_true(export_open(&export, &(struct export_options){.folder = "/nowhere", .file = file}, &why) < 0);
    assert_non_null(strstr(why.data, "/nowhere/sipway.db cannot be opened"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_target_begins_now_and_goes_on_where_it_was),
        TEST(a_file_that_was_moved_away_is_made_anew),
        TEST(a_file_that_cannot_be_written_loses_nothing),
        TEST(a_line_is_whole_or_not_there),
        TEST(a_batch_has_a_limit),
        TEST(a_database_that_is_not_there_is_an_error_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
