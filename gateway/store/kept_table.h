/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "store/kept.h"

/* kept_table.h: the table of kept messages in a database of its own, messages.db. For kept.c's thread alone. */

struct kept_table;

/** Open the database in the folder; a message that was being delivered when the process ended waits again.
 *  @return 0; -EIO with a sentence; -ENOMEM */
int kept_table_open(struct kept_table **tablep, const char *folder, struct text *err_out);
/** NULL is welcome. */
void kept_table_close(struct kept_table *table);

/** A batch of jobs in one transaction. @return 0; -EIO */
int kept_table_begin(struct kept_table *table);
int kept_table_commit(struct kept_table *table);
void kept_table_rollback(struct kept_table *table);

/** Run one job: its answer goes into it. @return 0; -EIO: the whole batch has failed */
int kept_table_run(struct kept_table *table, struct kept_job *job);
/** Delete what has expired at now_ms. @return how many, or -EIO */
int kept_table_purge(struct kept_table *table, uint64_t now_ms);
const char *kept_table_error(const struct kept_table *table);
