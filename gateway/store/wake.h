/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* wake.h: a lock, and a condition on the monotonic clock, for a thread that waits for work: the writers of this floor.
 */

#define WAKE_NEVER UINT64_MAX

struct wake {
    pthread_mutex_t lock;
    pthread_cond_t cond;
};

void wake_init(struct wake *wake);
void wake_free(struct wake *wake);

static inline void wake_lock(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
}

static inline void wake_unlock(struct wake *wake)
{
    pthread_mutex_unlock(&wake->lock);
}

/** Under lock. */
static inline void wake_signal(struct wake *wake)
{
    pthread_cond_signal(&wake->cond);
}

/** Under lock: sleep until a signal or until this time, as wake_in_ms() says; WAKE_NEVER: no such time. May return
 * early.
 * @return false: it is that time */
bool wake_wait(struct wake *wake, uint64_t until_ms);

/** So many ms from now, by the clock that a thread waits by. */
uint64_t wake_in_ms(uint64_t ms);
