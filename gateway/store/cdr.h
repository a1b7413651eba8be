/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "store/record.h"

/* cdr.h: the table `cdr` of the database. For record.c's thread alone. */

#define CDR_VERSION 1 /* of the schema; further columns are no new version */

struct cdr_table;

/** Open the database in the folder, make its tables. @return as record_open() */
int cdr_table_open(struct cdr_table **tablep, const char *folder, struct text *err_out);

/** NULL is welcome. */
void cdr_table_close(struct cdr_table *table);

/** A batch in one transaction: begin, write each row, commit; after an error everything since begin is undone by
 * rollback.
 *  @return 0; -EIO (cdr_table_error() tells why) */
int cdr_table_begin(struct cdr_table *table);
int cdr_table_write(struct cdr_table *table, const struct cdr_row *row);
int cdr_table_commit(struct cdr_table *table);
void cdr_table_rollback(struct cdr_table *table);
const char *cdr_table_error(const struct cdr_table *table);
