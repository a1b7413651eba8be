/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* rand.h: the only source of randomness (the kernel's, fetched in blocks per thread). Tests inject a seed. */

/** n unpredictable bytes; aborts if the kernel gives none. */
void rand_bytes(void *bytes, size_t n);
uint32_t rand_u32(void);
uint64_t rand_u64(void);

/** n characters of [a-z0-9] plus a NUL into buf (so n + 1 bytes): about 5.2 bits each. For tags, branches, ufrag, pwd.
 */
void rand_text(char *buf, size_t n);

/** Test hook for the calling thread: a repeatable sequence from this seed; 0 gives the real one back. */
void rand_set_test(uint64_t seed);
