/* SPDX-License-Identifier: Apache-2.0 */
/* cdr.c: the table `cdr` in SQLite: its columns (cdr.def) and one prepared statement that takes a row.
 * Knows no threads. */
#include "store/cdr.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/database.h"

/* NORMAL in WAL: a power cut may cost the last rows, never the file. */
static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";

/* ---- the columns, each kind of row in cdr.def by its own meaning ---- */

static const struct column {
    const char *name, *type;
} columns[] = {
#define TEXT(column, value)  {#column, "TEXT NOT NULL DEFAULT ''"},
#define INT(column, value)   {#column, "INTEGER NOT NULL DEFAULT 0"},
#define TIME(column, value)  {#column, "INTEGER"},
#define STAMP(column, value) {#column, "TEXT"},
#include "store/cdr.def"
#undef TEXT
#undef INT
#undef TIME
#undef STAMP
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

struct cdr_table {
    sqlite3 *db;
    sqlite3_stmt *insert;
};

static void cdr_table_destroy(void *self)
{
    struct cdr_table *table = self;

    sqlite3_finalize(table->insert);
    sqlite3_close(table->db);
}

const char *cdr_table_error(const struct cdr_table *table)
{
    return sqlite3_errmsg(table->db);
}

static void write_create(struct text *sql)
{
    text_add_str(sql, "CREATE TABLE IF NOT EXISTS cdr (");
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        text_addf(sql, "%s%s %s", i ? ", " : "", columns[i].name, columns[i].type);
    text_add_str(sql, "); CREATE INDEX IF NOT EXISTS cdr_by_id ON cdr (id);"
                      "CREATE INDEX IF NOT EXISTS cdr_by_start ON cdr (started_ms);");
}

static void write_insert(struct text *sql)
{
    text_add_str(sql, "INSERT INTO cdr (");
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        text_addf(sql, "%s%s", i ? ", " : "", columns[i].name);
    text_add_str(sql, ") VALUES (?");
    for (size_t i = 1; i < COLUMN_COUNT; i++)
        text_add_str(sql, ", ?");
    text_add_char(sql, ')');
}

static bool has_column(struct cdr_table *table, const char *name)
{
    sqlite3_stmt *query;
    bool is_there;

    if (sqlite3_prepare_v2(table->db, "SELECT 1 FROM pragma_table_info('cdr') WHERE name = ?", -1, &query, NULL) !=
        SQLITE_OK)
        return true; /* the next statement will tell */
    sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
    is_there = sqlite3_step(query) == SQLITE_ROW;
    sqlite3_finalize(query);
    return is_there;
}

/* A database of an older version lacks the columns that came later. */
static int add_columns(struct cdr_table *table)
{
    char sql[200];
    int err = 0;

    for (size_t i = 0; i < COLUMN_COUNT && !err; i++) {
        if (has_column(table, columns[i].name))
            continue;
        snprintf(sql, sizeof(sql), "ALTER TABLE cdr ADD COLUMN %s %s", columns[i].name, columns[i].type);
        err = database_run(table->db, sql);
    }
    return err;
}

/* @return 0, -EIO, -ENOMEM */
static int make_table(struct cdr_table *table)
{
    struct text create, insert;
    int err;

    text_init(&create, 8192);
    text_init(&insert, 8192);
    write_create(&create);
    text_addf(&create, "PRAGMA user_version = %d;", CDR_VERSION);
    write_insert(&insert);
    err = text_err(&create) ? text_err(&create) : text_err(&insert);
    if (!err)
        err = database_run(table->db, create.data);
    if (!err)
        err = add_columns(table);
    if (!err &&
        sqlite3_prepare_v3(table->db, insert.data, -1, SQLITE_PREPARE_PERSISTENT, &table->insert, NULL) != SQLITE_OK)
        err = -EIO;
    text_free(&create);
    text_free(&insert);
    return err;
}

int cdr_table_open(struct cdr_table **tablep, const char *folder, struct text *err_out)
{
    struct cdr_table *table = mem_new(sizeof(*table), cdr_table_destroy);
    int err;

    if (!table)
        return -ENOMEM;
    err = database_open(&table->db,
                        &(struct database_options){
                            .folder = folder, .name = "sipway.db", .version_known = CDR_VERSION, .pragmas = pragmas},
                        err_out);
    if (!err) {
        err = make_table(table);
        if (err)
            database_explain(table->db, err_out);
    }
    if (err)
        mem_unref(table);
    else
        *tablep = table;
    return err;
}

void cdr_table_close(struct cdr_table *table)
{
    mem_unref(table);
}

int cdr_table_begin(struct cdr_table *table)
{
    return database_run(table->db, "BEGIN IMMEDIATE");
}

int cdr_table_commit(struct cdr_table *table)
{
    return database_run(table->db, "COMMIT");
}

void cdr_table_rollback(struct cdr_table *table)
{
    database_rollback(table->db);
}

/* ---- a row ---- */

/* Texts stay where they are until the statement has run. */
static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static void bind_int(sqlite3_stmt *stmt, int at, uint64_t value)
{
    sqlite3_bind_int64(stmt, at, (sqlite3_int64)value);
}

/* NULL for what did not happen. */
static void bind_time(sqlite3_stmt *stmt, int at, uint64_t ms)
{
    if (ms)
        bind_int(stmt, at, ms);
    else
        sqlite3_bind_null(stmt, at);
}

/* ISO 8601 in UTC with milliseconds */
static void bind_stamp(sqlite3_stmt *stmt, int at, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    char buf[64];
    struct tm tm;

    if (!ms || !gmtime_r(&seconds, &tm)) {
        sqlite3_bind_null(stmt, at);
        return;
    }
    snprintf(buf, sizeof(buf), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(ms % 1000));
    sqlite3_bind_text(stmt, at, buf, -1, SQLITE_TRANSIENT);
}

static uint64_t span_of_time(uint64_t from_ms, uint64_t to_ms)
{
    return from_ms && to_ms > from_ms ? to_ms - from_ms : 0;
}

static void bind_row(sqlite3_stmt *stmt, const struct cdr_row *row)
{
    int at = 0;

#define TEXT(column, value)  bind_text(stmt, ++at, value);
#define INT(column, value)   bind_int(stmt, ++at, value);
#define TIME(column, value)  bind_time(stmt, ++at, value);
#define STAMP(column, value) bind_stamp(stmt, ++at, value);
#include "store/cdr.def"
#undef TEXT
#undef INT
#undef TIME
#undef STAMP
}

int cdr_table_write(struct cdr_table *table, const struct cdr_row *row)
{
    int result;

    bind_row(table->insert, row);
    result = sqlite3_step(table->insert);
    sqlite3_reset(table->insert);
    sqlite3_clear_bindings(table->insert);
    return result == SQLITE_DONE ? 0 : -EIO;
}

void cdr_set(char *field, size_t size_bytes, struct span text)
{
    size_t at = 0;

    while (text.n && at + 1 < size_bytes) {
        size_t n = span_utf8_length(text);
        bool is_bad = n == 0 || (unsigned char)text.p[0] < 0x20 || text.p[0] == 0x7f;

        if (!is_bad && at + n + 1 > size_bytes)
            break;
        if (is_bad)
            field[at++] = '?';
        else
            memcpy(field + at, text.p, n);
        at += is_bad ? 0 : n;
        text = span_sub(text, is_bad ? 1 : n, text.n);
    }
    if (size_bytes)
        field[at] = '\0';
}
