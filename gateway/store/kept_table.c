/* SPDX-License-Identifier: Apache-2.0 */
/* kept_table.c: kept messages in SQLite: schema, and a prepared statement for each thing that is asked. Knows no
 * threads. */
#include "store/kept_table.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/database.h"

#define SCHEMA_VERSION 1
#define ACCOUNTS_MAX   1000000

/* FULL: the sender is told that its message is kept, so it has to be on the disk. */
static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS message ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT," /* never used again: the order of arrival */
    " account TEXT NOT NULL, sender TEXT NOT NULL, headers TEXT NOT NULL, content_type TEXT NOT NULL,"
    " body BLOB NOT NULL, call_id TEXT NOT NULL, tag TEXT NOT NULL,"
    " received_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " is_held INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS message_by_account ON message (account, id);"
    "CREATE INDEX IF NOT EXISTS message_by_expiry ON message (expires_ms);"
    "UPDATE message SET is_held = 0 WHERE is_held <> 0;"
    "PRAGMA user_version = 1;";

#define STATEMENTS(X)                                                                                                  \
    X(ADD, "INSERT INTO message (account, sender, headers, content_type, body, call_id, tag, received_ms, expires_ms," \
           " is_held) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                                               \
    X(COUNT_ACCOUNT, "SELECT COUNT(*) FROM message WHERE account = ?1")                                                \
    X(COUNT, "SELECT COUNT(*) FROM message")                                                                           \
    X(RELEASE, "UPDATE message SET is_held = 0 WHERE id = ?1")                                                         \
    X(DROP, "DELETE FROM message WHERE id = ?1")                                                                       \
    X(NEXT, "SELECT id, sender, headers, content_type, body, call_id, tag, received_ms, expires_ms FROM message"       \
            " WHERE account = ?1 AND id > ?2 AND is_held = 0 AND expires_ms > ?3 ORDER BY id LIMIT 1")                 \
    X(PURGE, "DELETE FROM message WHERE expires_ms <= ?1 AND is_held = 0")                                             \
    X(ACCOUNTS, "SELECT DISTINCT account FROM message LIMIT ?1")

enum {
#define X(name, sql) STMT_##name,
    STATEMENTS(X)
#undef X
        STMT_COUNT_OF_ALL
};

struct kept_table {
    sqlite3 *db;
    sqlite3_stmt *stmts[STMT_COUNT_OF_ALL];
    int64_t count; /* of all messages; counted anew after a rollback */
};

static void kept_table_destroy(void *self)
{
    struct kept_table *table = self;

    for (unsigned i = 0; i < STMT_COUNT_OF_ALL; i++)
        sqlite3_finalize(table->stmts[i]);
    sqlite3_close(table->db);
}

const char *kept_table_error(const struct kept_table *table)
{
    return sqlite3_errmsg(table->db);
}

static void reset(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

/* A statement without rows. @return rows changed, or -EIO */
static int change(struct kept_table *table, sqlite3_stmt *stmt)
{
    int result = sqlite3_step(stmt);

    reset(stmt);
    return result == SQLITE_DONE ? sqlite3_changes(table->db) : -EIO;
}

/* A statement with one number. @return it, or -EIO */
static int64_t ask_number(sqlite3_stmt *stmt)
{
    int64_t number = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -EIO;

    reset(stmt);
    return number;
}

/* ---- birth and end ---- */

static int prepare(struct kept_table *table)
{
    static const char *const texts[] = {
#define X(name, sql) sql,
        STATEMENTS(X)
#undef X
    };

    for (unsigned i = 0; i < STMT_COUNT_OF_ALL; i++)
        if (sqlite3_prepare_v3(table->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &table->stmts[i], NULL) != SQLITE_OK)
            return -EIO;
    return 0;
}

static int open_schema(struct kept_table *table, struct text *err_out)
{
    if (database_run(table->db, schema) || prepare(table))
        return database_explain(table->db, err_out);
    table->count = ask_number(table->stmts[STMT_COUNT]);
    return table->count < 0 ? database_explain(table->db, err_out) : 0;
}

int kept_table_open(struct kept_table **tablep, const char *folder, struct text *err_out)
{
    struct kept_table *table = mem_new(sizeof(*table), kept_table_destroy);
    int err;

    if (!table)
        return -ENOMEM;
    err = database_open(&table->db,
                        &(struct database_options){.folder = folder,
                                                   .name = "messages.db",
                                                   .version_known = SCHEMA_VERSION,
                                                   .pragmas = pragmas,
                                                   .is_private = true},
                        err_out);
    if (!err)
        err = open_schema(table, err_out);
    if (err)
        mem_unref(table);
    else
        *tablep = table;
    return err;
}

void kept_table_close(struct kept_table *table)
{
    mem_unref(table);
}

int kept_table_begin(struct kept_table *table)
{
    return database_run(table->db, "BEGIN IMMEDIATE");
}

int kept_table_commit(struct kept_table *table)
{
    return database_run(table->db, "COMMIT");
}

void kept_table_rollback(struct kept_table *table)
{
    int64_t count;

    database_rollback(table->db);
    count = ask_number(table->stmts[STMT_COUNT]);
    if (count >= 0)
        table->count = count;
}

/* ---- jobs ---- */

/* Texts stay where they are until the statement has run. */
static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text ? text : "", -1, SQLITE_STATIC);
}

static int add(struct kept_table *table, struct kept_job *job)
{
    const struct kept_row *row = &job->row;
    sqlite3_stmt *stmt = table->stmts[STMT_COUNT_ACCOUNT];
    int64_t count;

    bind_text(stmt, 1, row->account);
    count = ask_number(stmt);
    if (count < 0)
        return -EIO;
    if (count >= job->account_limit || table->count >= job->limit) {
        job->err = -EBUSY;
        return 0;
    }
    stmt = table->stmts[STMT_ADD];
    bind_text(stmt, 1, row->account);
    bind_text(stmt, 2, row->sender);
    bind_text(stmt, 3, row->headers);
    bind_text(stmt, 4, row->content_type);
    sqlite3_bind_blob(stmt, 5, row->body ? row->body : "", (int)row->body_bytes, SQLITE_STATIC);
    bind_text(stmt, 6, row->call_id);
    bind_text(stmt, 7, row->tag);
    sqlite3_bind_int64(stmt, 8, (sqlite3_int64)row->received_ms);
    sqlite3_bind_int64(stmt, 9, (sqlite3_int64)row->expires_ms);
    sqlite3_bind_int(stmt, 10, job->is_held);
    if (change(table, stmt) < 0)
        return -EIO;
    job->row.id = sqlite3_last_insert_rowid(table->db);
    table->count++;
    return 0;
}

static int change_one(struct kept_table *table, sqlite3_stmt *stmt, int64_t id)
{
    sqlite3_bind_int64(stmt, 1, id);
    return change(table, stmt);
}

static char *column(sqlite3_stmt *stmt, int at, size_t *bytesp)
{
    const char *bytes = sqlite3_column_blob(stmt, at);
    size_t n = (size_t)sqlite3_column_bytes(stmt, at);

    if (bytesp)
        *bytesp = n;
    return mem_text(bytes ? bytes : "", bytes ? n : 0);
}

static void read_row(struct kept_job *job, sqlite3_stmt *stmt)
{
    struct kept_row *row = &job->row;

    row->id = sqlite3_column_int64(stmt, 0);
    row->sender = column(stmt, 1, NULL);
    row->headers = column(stmt, 2, NULL);
    row->content_type = column(stmt, 3, NULL);
    row->body = column(stmt, 4, &row->body_bytes);
    snprintf(row->call_id, sizeof(row->call_id), "%s", (const char *)sqlite3_column_text(stmt, 5));
    snprintf(row->tag, sizeof(row->tag), "%s", (const char *)sqlite3_column_text(stmt, 6));
    row->received_ms = (uint64_t)sqlite3_column_int64(stmt, 7);
    row->expires_ms = (uint64_t)sqlite3_column_int64(stmt, 8);
    if (!row->sender || !row->headers || !row->content_type || !row->body)
        job->err = -ENOMEM;
}

static int next(struct kept_table *table, struct kept_job *job)
{
    sqlite3_stmt *stmt = table->stmts[STMT_NEXT];
    int result;

    bind_text(stmt, 1, job->row.account);
    sqlite3_bind_int64(stmt, 2, job->row.id);
    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)(clock_wall_us() / 1000));
    result = sqlite3_step(stmt);
    if (result == SQLITE_ROW)
        read_row(job, stmt);
    else
        job->err = -ENOENT;
    reset(stmt);
    return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : -EIO;
}

static int take_account(struct kept_job *job, sqlite3_stmt *stmt, unsigned *room)
{
    if (job->account_count == *room) {
        unsigned more = *room ? *room * 2 : 64;
        char **grown = mem_new(more * sizeof(*grown), NULL);

        if (!grown)
            return -ENOMEM;
        for (unsigned i = 0; i < job->account_count; i++)
            grown[i] = job->accounts[i];
        mem_unref(job->accounts);
        job->accounts = grown;
        *room = more;
    }
    job->accounts[job->account_count] = column(stmt, 0, NULL);
    return job->accounts[job->account_count] ? (int)++job->account_count : -ENOMEM;
}

static int accounts(struct kept_table *table, struct kept_job *job)
{
    sqlite3_stmt *stmt = table->stmts[STMT_ACCOUNTS];
    unsigned room = 0;
    int result;

    sqlite3_bind_int(stmt, 1, ACCOUNTS_MAX);
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW)
        if (take_account(job, stmt, &room) < 0) {
            job->err = -ENOMEM;
            result = SQLITE_DONE;
            break;
        }
    reset(stmt);
    job->message_count = (unsigned)table->count;
    return result == SQLITE_DONE ? 0 : -EIO;
}

int kept_table_run(struct kept_table *table, struct kept_job *job)
{
    int count;

    switch (job->op) {
    case KEPT_ADD:
        return add(table, job);
    case KEPT_NEXT:
        return next(table, job);
    case KEPT_ACCOUNTS:
        return accounts(table, job);
    case KEPT_RELEASE:
        return change_one(table, table->stmts[STMT_RELEASE], job->row.id) < 0 ? -EIO : 0;
    default:
        count = change_one(table, table->stmts[STMT_DROP], job->row.id);
        table->count -= count > 0;
        return count < 0 ? -EIO : 0;
    }
}

int kept_table_purge(struct kept_table *table, uint64_t now_ms)
{
    sqlite3_stmt *stmt = table->stmts[STMT_PURGE];
    int count;

    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)now_ms);
    count = change(table, stmt);
    table->count -= count > 0 ? count : 0;
    return count;
}
