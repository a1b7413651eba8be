/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* mem.h: every object of ours is born here and leaves by one door.
 * A counted block: one reference at birth, the destructor runs when the last one goes.
 * Counts are ordinary integers: an object lives its whole life on one worker, or is handed over whole by the mailbox.
 */

typedef void mem_destroy_fn(void *self);

/** A zeroed object of size_bytes with one reference.
 *  @param destroy undoes construction in reverse, copes with a half-built object; may be NULL
 *  @return NULL when memory is out (or the test limit says so) */
void *mem_new(size_t size_bytes, mem_destroy_fn *destroy);

/** Room for size_bytes, not zeroed. Else as mem_new() without a destructor. */
void *mem_bytes(size_t size_bytes);

/** One more reference; NULL is welcome. @return the object itself */
void *mem_ref(void *object);

/** One reference less; the last one destroys. NULL is welcome. @return always NULL, so: p = mem_unref(p) */
void *mem_unref(void *object);

/** A counted, NUL-ended copy of n bytes. @return NULL when memory is out; leave it with mem_unref() */
char *mem_text(const char *bytes, size_t n);

/** Test hook: let the next n allocations of this thread succeed and every later one fail; negative: no limit. */
void mem_fail_after(int n);

/** Live objects of the whole process (exact in tests, a gauge in production). Any thread. */
size_t mem_live_count(void);

/** Overwrite a secret so that the compiler cannot leave it out. */
void mem_wipe(void *bytes, size_t n);
