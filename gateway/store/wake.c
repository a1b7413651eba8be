/* SPDX-License-Identifier: Apache-2.0 */
/* wake.c: waiting on the kernel's monotonic clock, which a test's clock does not move: threads sleep for real. */
#include "store/wake.h"

#include <time.h>

void wake_init(struct wake *wake)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&wake->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wake->cond, &attr);
    pthread_condattr_destroy(&attr);
}

void wake_free(struct wake *wake)
{
    pthread_cond_destroy(&wake->cond);
    pthread_mutex_destroy(&wake->lock);
}

uint64_t wake_in_ms(uint64_t ms)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + ms;
}

bool wake_wait(struct wake *wake, uint64_t until_ms)
{
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};

    if (until_ms == WAKE_NEVER)
        return !pthread_cond_wait(&wake->cond, &wake->lock);
    return !pthread_cond_timedwait(&wake->cond, &wake->lock, &until);
}
