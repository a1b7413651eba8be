/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c: counting on this thread's block, summing the blocks, and the metrics page (Prometheus text format 0.0.4). */
#include "base/stats.h"

#include <stddef.h>

#include "base/text.h"

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct row {
    enum kind kind;
    unsigned index;
    const char *name;
    const char *help;
};

#define COUNTER(id, name, help)   {KIND_COUNTER, STAT_##id, name, help},
#define GAUGE(id, name, help)     {KIND_GAUGE, STAT_##id, name, help},
#define HISTOGRAM(id, name, help) {KIND_HISTOGRAM, HIST_##id, name, help},
static const struct row rows[] = {
#include "base/stats.def"
};
#undef HISTOGRAM
#undef GAUGE
#undef COUNTER

static const char *const kind_names[] = {"counter", "gauge", "histogram"};
static const uint64_t bounds[HIST_BUCKET_COUNT - 1] = {1,   2,    5,    10,   20,    50,    100,  200,
                                                       500, 1000, 2000, 5000, 10000, 20000, 50000};

static struct stats shared;
static _Thread_local struct stats *bound;

void stats_bind(struct stats *block)
{
    bound = block;
}

struct stats *stats_block(void)
{
    return bound ? bound : &shared;
}

struct stats *stats_shared(void)
{
    return &shared;
}

static void add(uint64_t *value, uint64_t n)
{
    /* A bound block has one writer, so two plain moves do; the shared one has many. */
    if (bound)
        __atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
    else
        __atomic_fetch_add(value, n, __ATOMIC_RELAXED);
}

void stats_add(enum stat_id id, int64_t n)
{
    add(&stats_block()->value[id], (uint64_t)n);
}

void stats_observe(enum hist_id id, uint64_t value)
{
    struct stats *block = stats_block();
    unsigned i = 0;

    while (i < HIST_BUCKET_COUNT - 1 && value > bounds[i])
        i++;
    add(&block->hist[id].bucket[i], 1);
    add(&block->hist[id].sum, value);
}

static void sum_words(uint64_t *sum, const uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += __atomic_load_n(&words[i], __ATOMIC_RELAXED);
}

void stats_sum(struct stats *sum, struct stats *const *blocks, unsigned n)
{
    *sum = (struct stats){0};
    for (unsigned i = 0; i < n; i++) {
        sum_words(sum->value, blocks[i]->value, STAT_COUNT);
        for (unsigned h = 0; h < HIST_COUNT; h++) {
            sum_words(sum->hist[h].bucket, blocks[i]->hist[h].bucket, HIST_BUCKET_COUNT);
            sum_words(&sum->hist[h].sum, &blocks[i]->hist[h].sum, 1);
        }
    }
}

static void write_histogram(struct text *text, const char *name, const struct stats *sum, unsigned index)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < HIST_BUCKET_COUNT; i++) {
        count += sum->hist[index].bucket[i];
        text_addf(text, "sipway_%s_bucket{le=\"", name);
        if (i < HIST_BUCKET_COUNT - 1)
            text_add_u64(text, bounds[i]);
        else
            text_add_str(text, "+Inf");
        text_addf(text, "\"} %llu\n", (unsigned long long)count);
    }
    text_addf(text, "sipway_%s_sum %llu\nsipway_%s_count %llu\n", name, (unsigned long long)sum->hist[index].sum, name,
              (unsigned long long)count);
}

void stats_write(struct text *text, const struct stats *sum)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];

        text_addf(text, "# HELP sipway_%s %s\n# TYPE sipway_%s %s\n", row->name, row->help, row->name,
                  kind_names[row->kind]);
        if (row->kind == KIND_HISTOGRAM)
            write_histogram(text, row->name, sum, row->index);
        else if (row->kind ==
                 KIND_GAUGE) /* one worker may take back what another one added: only the sum is never below 0 */
            text_addf(text, "sipway_%s %lld\n", row->name, (long long)sum->value[row->index]);
        else
            text_addf(text, "sipway_%s %llu\n", row->name, (unsigned long long)sum->value[row->index]);
    }
}
