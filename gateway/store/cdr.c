/* SPDX-License-Identifier: Apache-2.0 */
/* cdr.c: the table `cdr` in SQLite: schema, and one prepared statement that takes a row. Knows no threads. */
#include "store/cdr.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

#define SCHEMA_VERSION  1
#define BUSY_TIMEOUT_MS 5000
#define PATH_BYTES      4096

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS cdr ("
    " id TEXT NOT NULL,"
    " started TEXT NOT NULL, answered TEXT, ended TEXT,"
    " started_ms INTEGER NOT NULL, answered_ms INTEGER, ended_ms INTEGER,"
    " duration_ms INTEGER NOT NULL," /* from answer to end */
    " caller TEXT NOT NULL, callee TEXT NOT NULL,"
    " account TEXT NOT NULL, trunk TEXT NOT NULL, route TEXT NOT NULL, direction TEXT NOT NULL,"
    " status INTEGER NOT NULL, cause TEXT NOT NULL, ended_by TEXT NOT NULL,"
    " in_codec TEXT NOT NULL, in_packets INTEGER NOT NULL, in_lost INTEGER NOT NULL, in_jitter_us INTEGER NOT NULL,"
    " out_codec TEXT NOT NULL, out_packets INTEGER NOT NULL, out_lost INTEGER NOT NULL,"
    " out_jitter_us INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS cdr_by_id ON cdr (id);"
    "CREATE INDEX IF NOT EXISTS cdr_by_start ON cdr (started_ms);"
    "PRAGMA user_version = 1;";

static const char insert[] = "INSERT INTO cdr VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
                             " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)";

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

static int run(struct cdr_table *table, const char *sql)
{
    return sqlite3_exec(table->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

/* @return the version that the file was made with, 0 for a new one, -EIO */
static int read_version(struct cdr_table *table)
{
    sqlite3_stmt *query;
    int version = -EIO;

    if (sqlite3_prepare_v2(table->db, "PRAGMA user_version", -1, &query, NULL) != SQLITE_OK)
        return -EIO;
    if (sqlite3_step(query) == SQLITE_ROW)
        version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return version;
}

static int open_schema(struct cdr_table *table, const char *path, struct text *err_out)
{
    int version = read_version(table);

    if (version > SCHEMA_VERSION) {
        text_addf(err_out, "%s was written by a newer sipway (version %d, known %d)", path, version, SCHEMA_VERSION);
        return -EPROTO;
    }
    /* NORMAL in WAL: a power cut may cost the last rows, never the file. */
    if (version < 0 || run(table, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;") || run(table, schema) ||
        sqlite3_prepare_v3(table->db, insert, -1, SQLITE_PREPARE_PERSISTENT, &table->insert, NULL) != SQLITE_OK) {
        text_addf(err_out, "%s cannot be used: %s", path, cdr_table_error(table));
        return -EIO;
    }
    return 0;
}

int cdr_table_open(struct cdr_table **tablep, const char *folder, struct text *err_out)
{
    struct cdr_table *table = mem_new(sizeof(*table), cdr_table_destroy);
    char path[PATH_BYTES];
    int err;

    if (!table)
        return -ENOMEM;
    snprintf(path, sizeof(path), "%s/sipway.db", folder);
    if (sqlite3_open_v2(path, &table->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        text_addf(err_out, "%s cannot be opened: %s", path, cdr_table_error(table));
        err = -EIO;
    } else {
        sqlite3_busy_timeout(table->db, BUSY_TIMEOUT_MS);
        err = open_schema(table, path, err_out);
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
    return run(table, "BEGIN IMMEDIATE");
}

int cdr_table_commit(struct cdr_table *table)
{
    return run(table, "COMMIT");
}

void cdr_table_rollback(struct cdr_table *table)
{
    if (!sqlite3_get_autocommit(table->db))
        run(table, "ROLLBACK");
}

/* ISO 8601 in UTC with milliseconds; NULL for what did not happen. */
static void bind_time(sqlite3_stmt *stmt, int text_at, int ms_at, uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    char buf[64];
    struct tm tm;

    if (!ms || !gmtime_r(&seconds, &tm)) {
        sqlite3_bind_null(stmt, text_at);
        sqlite3_bind_null(stmt, ms_at);
        return;
    }
    snprintf(buf, sizeof(buf), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(ms % 1000));
    sqlite3_bind_text(stmt, text_at, buf, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(stmt, ms_at, (sqlite3_int64)ms);
}

/* Texts stay where they are until the statement has run. */
static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static void bind_stream(sqlite3_stmt *stmt, int at, const struct cdr_stream *stream)
{
    bind_text(stmt, at, stream->codec);
    sqlite3_bind_int64(stmt, at + 1, (sqlite3_int64)stream->packet_count);
    sqlite3_bind_int64(stmt, at + 2, (sqlite3_int64)stream->lost_count);
    sqlite3_bind_int64(stmt, at + 3, stream->jitter_us);
}

static uint64_t duration_ms(const struct cdr_row *row)
{
    return row->answered_ms && row->ended_ms > row->answered_ms ? row->ended_ms - row->answered_ms : 0;
}

int cdr_table_write(struct cdr_table *table, const struct cdr_row *row)
{
    const char *const texts[] = {row->caller, row->callee, row->account, row->trunk, row->route, row->direction};
    sqlite3_stmt *stmt = table->insert;
    int result;

    bind_text(stmt, 1, row->id);
    bind_time(stmt, 2, 5, row->started_ms);
    bind_time(stmt, 3, 6, row->answered_ms);
    bind_time(stmt, 4, 7, row->ended_ms);
    sqlite3_bind_int64(stmt, 8, (sqlite3_int64)duration_ms(row));
    for (int i = 0; i < 6; i++)
        bind_text(stmt, 9 + i, texts[i]);
    sqlite3_bind_int64(stmt, 15, row->status);
    bind_text(stmt, 16, row->cause);
    bind_text(stmt, 17, row->ended_by);
    bind_stream(stmt, 18, &row->in);
    bind_stream(stmt, 22, &row->out);
    result = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
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
