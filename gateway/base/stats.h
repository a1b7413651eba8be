/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* stats.h: counters, gauges and histograms, one block per worker, written by its own thread only, read by any (relaxed
 * atomics: a reader may see a value a moment old). The rows are in stats.def; the metrics page is made from them. */

#define COUNTER(id, name, help) STAT_##id,
#define GAUGE(id, name, help)   STAT_##id,
#define HISTOGRAM(id, name, help)
enum stat_id {
#include "base/stats.def"
    STAT_COUNT
};
#undef HISTOGRAM
#undef GAUGE
#undef COUNTER

#define COUNTER(id, name, help)
#define GAUGE(id, name, help)
#define HISTOGRAM(id, name, help) HIST_##id,
enum hist_id {
#include "base/stats.def"
    HIST_COUNT
};
#undef HISTOGRAM
#undef GAUGE
#undef COUNTER

/** Buckets: upper bounds 1, 2, 5, 10, 20, 50, ... 50000 and infinity, in the histogram's own unit. */
#define HIST_BUCKET_COUNT 16

struct stats {
    uint64_t value[STAT_COUNT];
    struct {
        uint64_t bucket[HIST_BUCKET_COUNT];
        uint64_t sum;
    } hist[HIST_COUNT];
};

/** Bind this thread to its block (kept by the caller); before that, a block shared by all unbound threads is used. */
void stats_bind(struct stats *block);

/** Count on this thread's block. Packet path: no lock, no allocation. */
void stats_add(enum stat_id id, int64_t n);
static inline void stats_count(enum stat_id id)
{
    stats_add(id, 1);
}
void stats_observe(enum hist_id id, uint64_t value);

/** This thread's block. */
struct stats *stats_block(void);
/** What the threads that are no workers count: belongs into every sum. */
struct stats *stats_shared(void);

/** Sum of n blocks into *sum. */
void stats_sum(struct stats *sum, struct stats *const *blocks, unsigned n);

struct text;
/** Prometheus text format of a summed block, names with prefix sipway_, help and type lines. */
void stats_write(struct text *text, const struct stats *sum);
