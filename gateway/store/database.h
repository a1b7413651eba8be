/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

/* database.h: what all SQLite files of the state folder have in common: how they are opened, which version they are of,
 * a statement without an answer. For the threads of this floor that own one. */

struct text;

struct database_options {
    const char *folder, *name; /* the file */
    int version_known;         /* of the schema; a file of a newer one is refused */
    const char *pragmas;       /* run first; NULL: none */
    bool must_exist;           /* somebody else makes it */
    bool is_private;           /* readable by nobody else; else as the umask says */
};

/** Open the file, wait for its locks up to 5 s.
 *  @param db out, also after an error: close it with sqlite3_close(), which takes NULL
 *  @return 0; -EPROTO: of a newer version; -EIO. With one sentence in err_out */
int database_open(sqlite3 **db, const struct database_options *options, struct text *err_out);

/** @return 0; -EIO: sqlite3_errmsg(db) tells why */
int database_run(sqlite3 *db, const char *sql);

/** Undo what was written since BEGIN, if there was one. */
void database_rollback(sqlite3 *db);

/** "FILE cannot be used: REASON" @return -EIO */
int database_explain(sqlite3 *db, struct text *err_out);
