/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* warm.h: what a packet will touch, fetched into the cache while the packet before it is worked on. A packet of a call
 * comes every 20 ms, and what hundreds of calls touch does not fit into a core's cache: each pointer followed would be
 * a wait of its own, 1 or 2% of a packet. Only hints: an address that is no longer anything does no harm. */

#define WARM_MAX   31
#define WARM_LINE  64 /* bytes of a cache line */
#define WARM_LINES 63 /* most lines of one entry */

struct warm {
    size_t count;
    uintptr_t entries[WARM_MAX]; /* the first line's address; in its low bits, how many lines follow */
};

/** Add an object, or the part of it that packets touch; what does not fit any more is left out. */
static inline void warm_add(struct warm *warm, const void *at, size_t size_bytes)
{
    uintptr_t first = (uintptr_t)at / WARM_LINE, last = ((uintptr_t)at + size_bytes - 1) / WARM_LINE;

    if (at && size_bytes && last - first <= WARM_LINES && warm->count < WARM_MAX)
        warm->entries[warm->count++] = first * WARM_LINE + (last - first);
}

/** Fetch one object, or what stands where it stood. */
static inline void warm_fetch_object(const void *at, size_t size_bytes)
{
    uintptr_t line = (uintptr_t)at, end = line + size_bytes;

    for (; line < end; line += WARM_LINE)
        __builtin_prefetch((const void *)line);
}

/** Fetch all that it lists; NULL is welcome. Not for many at once: the processor leaves out what it has no room to wait
 * for. */
static inline void warm_fetch(const struct warm *warm)
{
    for (size_t i = 0; warm && i < warm->count; i++)
        warm_fetch_object((const void *)(warm->entries[i] / WARM_LINE * WARM_LINE),
                          (warm->entries[i] % WARM_LINE + 1) * WARM_LINE);
}
