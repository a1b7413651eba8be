/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c: counted blocks with a header in front: birth, references, destructor, the live count, and failing on purpose.
 * Does not know what it holds. */
#include "base/mem.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_LIVE 0x51b3a7e1u
#define MAGIC_DEAD 0xdeadb10cu

#define LARGE_BYTES 32768

struct header {
    alignas(max_align_t) uint32_t magic;
    uint32_t refs;
    mem_destroy_fn *destroy;
    size_t size_bytes;
};

/* Each thread counts in a line of its own, so that workers do not take the line from each other at every allocation. A
 * block that dies on another thread leaves one count too high and one too low: only the sum means something. */
#define COUNTER_COUNT 64

static struct {
    alignas(64) long live;
} counters[COUNTER_COUNT];
static unsigned threads_seen;
static _Thread_local unsigned own_counter; /* index + 1; 0: not chosen yet */
static _Thread_local int fail_left = -1;

static void count_live(long by)
{
    if (!own_counter)
        own_counter = __atomic_fetch_add(&threads_seen, 1, __ATOMIC_RELAXED) % COUNTER_COUNT + 1;
    __atomic_fetch_add(&counters[own_counter - 1].live, by, __ATOMIC_RELAXED);
}

static struct header *header_of(void *object)
{
    struct header *header = (struct header *)object - 1;

    assert(header->magic == MAGIC_LIVE);
    return header;
}

static void *birth(size_t size_bytes, mem_destroy_fn *destroy, int is_zeroed)
{
    struct header *header;
    int is_large;

    if (fail_left == 0 || size_bytes > SIZE_MAX - sizeof(*header))
        return NULL;
    if (fail_left > 0)
        fail_left--;
    /* glibc's calloc() passes by the thread's cache of small blocks; large ones may come zeroed from the kernel. */
    is_large = size_bytes > LARGE_BYTES;
    header = is_zeroed && is_large ? calloc(1, sizeof(*header) + size_bytes) : malloc(sizeof(*header) + size_bytes);
    if (!header)
        return NULL;
    if (is_zeroed && !is_large)
        memset(header + 1, 0, size_bytes);
    *header = (struct header){.magic = MAGIC_LIVE, .refs = 1, .destroy = destroy, .size_bytes = size_bytes};
    count_live(1);
    return header + 1;
}

void *mem_new(size_t size_bytes, mem_destroy_fn *destroy)
{
    return birth(size_bytes, destroy, 1);
}

void *mem_bytes(size_t size_bytes)
{
    return birth(size_bytes, NULL, 0);
}

void *mem_ref(void *object)
{
    if (object)
        header_of(object)->refs++;
    return object;
}

void *mem_unref(void *object)
{
    struct header *header;

    if (!object)
        return NULL;
    header = header_of(object);
    assert(header->refs > 0);
    if (--header->refs)
        return NULL;
    if (header->destroy)
        header->destroy(object);
    header->magic = MAGIC_DEAD; /* a second unref of the same block stops here, not in somebody else's memory */
    count_live(-1);
    free(header);
    return NULL;
}

char *mem_text(const char *bytes, size_t n)
{
    char *text = n < SIZE_MAX ? birth(n + 1, NULL, 0) : NULL;

    if (!text)
        return NULL;
    if (n)
        memcpy(text, bytes, n);
    text[n] = '\0';
    return text;
}

void mem_fail_after(int n)
{
    fail_left = n;
}

size_t mem_live_count(void)
{
    long sum = 0;

    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        sum += __atomic_load_n(&counters[i].live, __ATOMIC_RELAXED);
    return (size_t)sum;
}

void mem_wipe(void *bytes, size_t n)
{
    if (bytes && n)
        explicit_bzero(bytes, n);
}
