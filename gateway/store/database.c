/* SPDX-License-Identifier: Apache-2.0 */
/* database.c: opening the SQLite files of the state folder. Knows no tables and no threads. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "store/database.h"

#define BUSY_TIMEOUT_MS 5000
#define PATH_BYTES      4096

int database_run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

void database_rollback(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        database_run(db, "ROLLBACK");
}

int database_explain(sqlite3 *db, struct text *err_out)
{
    const char *path = sqlite3_db_filename(db, "main");

    text_addf(err_out, "%s cannot be used: %s", path ? path : "the database", sqlite3_errmsg(db));
    return -EIO;
}

/* Texts of people: for nobody else's eyes. SQLite gives its other files the same mode. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd); /* else SQLite says what is wrong with it */
}

/* @return the version that the file was made with, 0 for a new one, -EIO */
static int read_version(sqlite3 *db)
{
    sqlite3_stmt *query;
    int version = -EIO;

    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &query, NULL) != SQLITE_OK)
        return -EIO;
    if (sqlite3_step(query) == SQLITE_ROW)
        version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return version;
}

static int look_at(sqlite3 *db, const struct database_options *options, struct text *err_out)
{
    int version = read_version(db);

    if (version > options->version_known) {
        text_addf(err_out, "%s was written by a newer sipway (version %d, known %d)", sqlite3_db_filename(db, "main"),
                  version, options->version_known);
        return -EPROTO;
    }
    if (version < 0 || (options->pragmas && database_run(db, options->pragmas)))
        return database_explain(db, err_out);
    return 0;
}

int database_open(sqlite3 **db, const struct database_options *options, struct text *err_out)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (options->must_exist ? 0 : SQLITE_OPEN_CREATE);
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", options->folder, options->name);
    if (options->is_private)
        make_private(path);
    if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) {
        text_addf(err_out, "%s cannot be opened: %s", path, sqlite3_errmsg(*db));
        return -EIO;
    }
    sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
    return look_at(*db, options, err_out);
}
