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

struct header {
    alignas(max_align_t) uint32_t magic;
    uint32_t refs;
    mem_destroy_fn *destroy;
    size_t size_bytes;
};

static size_t live_count;
static _Thread_local int fail_left = -1;

static struct header *header_of(void *object)
{
    struct header *header = (struct header *)object - 1;

    assert(header->magic == MAGIC_LIVE);
    return header;
}

static void *birth(size_t size_bytes, mem_destroy_fn *destroy, int is_zeroed)
{
    struct header *header;

    if (fail_left == 0 || size_bytes > SIZE_MAX - sizeof(*header))
        return NULL;
    if (fail_left > 0)
        fail_left--;
    header = is_zeroed ? calloc(1, sizeof(*header) + size_bytes) : malloc(sizeof(*header) + size_bytes);
    if (!header)
        return NULL;
    *header = (struct header){.magic = MAGIC_LIVE, .refs = 1, .destroy = destroy, .size_bytes = size_bytes};
    __atomic_fetch_add(&live_count, 1, __ATOMIC_RELAXED);
    return header + 1;
}

void *mem_new(size_t size_bytes, mem_destroy_fn *destroy)
{
    return birth(size_bytes, destroy, 1);
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
    __atomic_fetch_sub(&live_count, 1, __ATOMIC_RELAXED);
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
    return __atomic_load_n(&live_count, __ATOMIC_RELAXED);
}

void mem_wipe(void *bytes, size_t n)
{
    if (bytes && n)
        explicit_bzero(bytes, n);
}
