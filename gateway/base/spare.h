/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* spare.h: malloc() for libraries that take and give back blocks of 16 to 32 kB all the time, as OpenSSL does for every
 * handshake: each thread keeps a few of them. Other sizes go straight to malloc(). Any thread; a block may end on
 * another thread than it began. */

void *spare_malloc(size_t size_bytes);
void *spare_realloc(void *block, size_t size_bytes);
void spare_free(void *block);
/** Give back what this thread keeps, before it ends. */
void spare_drop(void);
