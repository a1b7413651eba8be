/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/text.h"

/* export_rows.h: call records of the database as JSON lines, and how far each target has got. For export.c's thread
 * alone. */

struct export_rows;

int export_rows_open(struct export_rows **rowsp, const char *folder, struct text *err_out);
void export_rows_close(struct export_rows *rows);

/** Make a target known; it begins behind the newest record. @return 0, -EIO */
int export_rows_begin(struct export_rows *rows, const char *target);

struct export_batch {
    struct text lines; /* whole JSON objects, a line each */
    unsigned count;
    int64_t last_rowid; /* of the last one */
};

/** The next records for this target, at most max and about 256 kB. @return 0 (count 0: none), -EIO, -ENOMEM */
int export_rows_next(struct export_rows *rows, const char *target, unsigned max, struct export_batch *batch);
/** They have arrived. @return 0, -EIO */
int export_rows_done(struct export_rows *rows, const char *target, int64_t last_rowid);
