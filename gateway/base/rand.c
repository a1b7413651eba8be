/* SPDX-License-Identifier: Apache-2.0 */
/* rand.c: unpredictable bytes from the kernel, fetched in blocks per thread; a seeded sequence for tests. */
#include "base/rand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

#define BLOCK_BYTES 256 /* what getrandom() gives in one piece without being interrupted */

static _Thread_local struct {
    unsigned char block[BLOCK_BYTES];
    size_t left;
    uint64_t test_state;
    int is_test;
} source;

static void fetch(unsigned char *bytes, size_t n)
{
    while (n) {
        ssize_t got = getrandom(bytes, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        bytes += got;
        n -= (size_t)got;
    }
}

/* SplitMix64: short, and good enough for tests. */
static uint64_t test_u64(void)
{
    uint64_t z = source.test_state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void test_bytes(unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(test_u64() >> 56);
}

void rand_bytes(void *bytes, size_t n)
{
    unsigned char *from;

    if (source.is_test) {
        test_bytes(bytes, n);
        return;
    }
    if (n > BLOCK_BYTES) {
        fetch(bytes, n);
        return;
    }
    if (source.left < n) {
        fetch(source.block, BLOCK_BYTES);
        source.left = BLOCK_BYTES;
    }
    from = source.block + BLOCK_BYTES - source.left;
    memcpy(bytes, from, n);
    mem_wipe(from, n); /* what was handed out as a key must not be found here */
    source.left -= n;
}

uint32_t rand_u32(void)
{
    uint32_t value;

    rand_bytes(&value, sizeof(value));
    return value;
}

uint64_t rand_u64(void)
{
    uint64_t value;

    rand_bytes(&value, sizeof(value));
    return value;
}

void rand_text(char *buf, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t at = 0;

    while (at < n) {
        unsigned char bytes[32];
        size_t count = n - at < sizeof(bytes) ? n - at : sizeof(bytes);

        rand_bytes(bytes, count);
        for (size_t i = 0; i < count; i++) {
            if (bytes[i] < 252) /* 7 * 36: no letter is likelier than another */
                buf[at++] = letters[bytes[i] % 36];
        }
    }
    buf[n] = '\0';
}

void rand_set_test(uint64_t seed)
{
    source.is_test = seed != 0;
    source.test_state = seed;
}
