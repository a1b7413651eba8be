/* SPDX-License-Identifier: Apache-2.0 */
/* spare.c: a few large blocks that each thread keeps for the next one who asks. Without it a DTLS handshake maps and
 * unmaps five of them, and the kernel clears their pages each time. Does not know whose they are. */
#include "base/spare.h"

#include <malloc.h>
#include <stdlib.h>

#define SMALLEST_BYTES 16384
#define BLOCK_BYTES    24576 /* what is asked for is rounded up to it, so that all of them fit all */
#define KEPT_MAX       16

static _Thread_local void *kept[KEPT_MAX];
static _Thread_local unsigned kept_count;

void *spare_malloc(size_t size_bytes)
{
    if (size_bytes < SMALLEST_BYTES || size_bytes > BLOCK_BYTES)
        return malloc(size_bytes);
    return kept_count ? kept[--kept_count] : malloc(BLOCK_BYTES);
}

void *spare_realloc(void *block, size_t size_bytes)
{
    return realloc(block, size_bytes);
}

void spare_free(void *block)
{
    size_t n = block ? malloc_usable_size(block) : 0;

    if (n >= BLOCK_BYTES && n < BLOCK_BYTES + 8192 && kept_count < KEPT_MAX)
        kept[kept_count++] = block;
    else
        free(block);
}

void spare_drop(void)
{
    while (kept_count)
        free(kept[--kept_count]);
}
