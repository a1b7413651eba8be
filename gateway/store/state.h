/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct text;

/* state.h: the state folder belongs to one gateway at a time. */

/** Make the folder if it is missing (its parent must be there) and lock the file `lock` in it.
 *  @param fdp holds the lock until closed (state_unlock())
 *  @param err_out one sentence on failure
 *  @return 0; -EBUSY: another process holds it; another negative errno. Main thread. */
int state_lock(int *fdp, const char *folder, struct text *err_out);
void state_unlock(int fd);
