/* SPDX-License-Identifier: Apache-2.0 */
/* export_rows.c: reads the table `cdr` behind a target's mark, a record a line of JSON whatever its columns are, and
 * keeps the mark in the table `cdr_export`. A connection of its own: SQLite's WAL lets it read while the writer writes.
 */
#include "store/export_rows.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/mem.h"
#include "store/cdr.h"
#include "store/database.h"

#define BATCH_BYTES    (256 * 1024)
#define LINE_BYTES_MAX (64 * 1024)

struct export_rows {
    sqlite3 *db;
    sqlite3_stmt *next, *done;
};

static void rows_destroy(void *self)
{
    struct export_rows *rows = self;

    sqlite3_finalize(rows->next);
    sqlite3_finalize(rows->done);
    sqlite3_close(rows->db);
}

static int prepare(struct export_rows *rows, const char *sql, sqlite3_stmt **stmtp)
{
    return sqlite3_prepare_v2(rows->db, sql, -1, stmtp, NULL) == SQLITE_OK ? 0 : -EIO;
}

static int open_tables(struct export_rows *rows)
{
    static const char table[] =
        "CREATE TABLE IF NOT EXISTS cdr_export (target TEXT PRIMARY KEY, last INTEGER NOT NULL)";
    int err = database_run(rows->db, table);

    if (!err)
        err = prepare(rows,
                      "SELECT rowid AS record, * FROM cdr WHERE rowid > (SELECT last FROM cdr_export WHERE target = ?1)"
                      " ORDER BY rowid LIMIT ?2",
                      &rows->next);
    if (!err)
        err = prepare(rows, "UPDATE cdr_export SET last = ?2 WHERE target = ?1", &rows->done);
    return err;
}

int export_rows_open(struct export_rows **rowsp, const char *folder, struct text *err_out)
{
    struct export_rows *rows = mem_new(sizeof(*rows), rows_destroy);
    int err;

    if (!rows)
        return -ENOMEM;
    err = database_open(&rows->db,
                        &(struct database_options){
                            .folder = folder, .name = "sipway.db", .version_known = CDR_VERSION, .must_exist = true},
                        err_out);
    if (!err) {
        err = open_tables(rows);
        if (err)
            database_explain(rows->db, err_out);
    }
    if (err)
        mem_unref(rows);
    else
        *rowsp = rows;
    return err;
}

void export_rows_close(struct export_rows *rows)
{
    mem_unref(rows);
}

int export_rows_begin(struct export_rows *rows, const char *target)
{
    sqlite3_stmt *stmt;
    int result;

    if (prepare(rows, "INSERT OR IGNORE INTO cdr_export SELECT ?1, coalesce(max(rowid), 0) FROM cdr", &stmt))
        return -EIO;
    sqlite3_bind_text(stmt, 1, target, -1, SQLITE_STATIC);
    result = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    return result == SQLITE_DONE ? 0 : -EIO;
}

static struct span text_of(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);

    return text ? span_make(text, (size_t)sqlite3_column_bytes(stmt, column)) : SPAN_NULL;
}

static void write_row(struct text *out, sqlite3_stmt *stmt)
{
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
        text_addf(out, "%s\"%s\": ", i ? ", " : "{", sqlite3_column_name(stmt, i));
        switch (sqlite3_column_type(stmt, i)) {
        case SQLITE_NULL:
            text_add_str(out, "null");
            break;
        case SQLITE_INTEGER:
            text_addf(out, "%lld", (long long)sqlite3_column_int64(stmt, i));
            break;
        default:
            text_add_json(out, text_of(stmt, i));
        }
    }
    text_add_str(out, "}\n");
}

int export_rows_next(struct export_rows *rows, const char *target, unsigned max, struct export_batch *batch)
{
    sqlite3_stmt *stmt = rows->next;
    int result = SQLITE_ROW;

    text_init(&batch->lines, BATCH_BYTES + LINE_BYTES_MAX); /* a row's texts are bounded (record.h): it always fits */
    batch->count = 0;
    sqlite3_bind_text(stmt, 1, target, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, (int)max);
    while (batch->lines.len < BATCH_BYTES && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
        batch->last_rowid = sqlite3_column_int64(stmt, 0);
        write_row(&batch->lines, stmt);
        batch->count++;
    }
    sqlite3_reset(stmt);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return -EIO;
    return text_err(&batch->lines);
}

int export_rows_done(struct export_rows *rows, const char *target, int64_t last_rowid)
{
    int result;

    sqlite3_bind_text(rows->done, 1, target, -1, SQLITE_STATIC);
    sqlite3_bind_int64(rows->done, 2, last_rowid);
    result = sqlite3_step(rows->done);
    sqlite3_reset(rows->done);
    return result == SQLITE_DONE ? 0 : -EIO;
}
