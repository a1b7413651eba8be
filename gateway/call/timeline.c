/* SPDX-License-Identifier: Apache-2.0 */
/* timeline.c: the bounded story of one call. Knows texts and times only. */
#include "call/timeline.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/print.h"

#define HEAD_COUNT 32
#define TAIL_COUNT 32
#define LINE_MAX   200

struct entry {
    uint64_t at_us;
    char *text;
};

struct timeline {
    uint64_t began_us;
    struct entry head[HEAD_COUNT], tail[TAIL_COUNT];
    unsigned head_count, tail_count; /* tail_count: ever written; the ring keeps the last TAIL_COUNT */
};

static void timeline_destroy(void *self)
{
    struct timeline *timeline = self;

    for (unsigned i = 0; i < HEAD_COUNT; i++)
        mem_unref(timeline->head[i].text);
    for (unsigned i = 0; i < TAIL_COUNT; i++)
        mem_unref(timeline->tail[i].text);
}

int timeline_new(struct timeline **timelinep)
{
    struct timeline *timeline = mem_new(sizeof(*timeline), timeline_destroy);

    if (!timeline)
        return -ENOMEM;
    timeline->began_us = clock_now_us();
    *timelinep = timeline;
    return 0;
}

static struct entry *next_entry(struct timeline *timeline)
{
    if (timeline->head_count < HEAD_COUNT)
        return &timeline->head[timeline->head_count++];
    return &timeline->tail[timeline->tail_count++ % TAIL_COUNT];
}

void timeline_add(struct timeline *timeline, const char *call_id, const char *format, ...)
{
    struct entry *entry;
    struct text text;
    char line[LINE_MAX], escaped[4 * LINE_MAX + 1];
    va_list args;

    va_start(args, format);
    print_args_into(line, sizeof(line), format, args);
    va_end(args);
    text_init_fixed(&text, escaped, sizeof(escaped));
    text_add_escaped(&text, span_of(line));
    log_debug("call %s: %s", call_id, escaped);
    entry = next_entry(timeline);
    mem_unref(entry->text);
    entry->at_us = clock_now_us();
    entry->text = text_take(&text);
}

static void write_entry(const struct timeline *timeline, const struct entry *entry, struct text *out, bool is_first)
{
    text_addf(out, "%s{\"ms\": %.1f, \"text\": ", is_first ? "" : ", ",
              (double)(entry->at_us - timeline->began_us) / 1000.0);
    text_add_json(out, span_of(entry->text ? entry->text : ""));
    text_add_char(out, '}');
}

void timeline_write(const struct timeline *timeline, struct text *out)
{
    unsigned kept = timeline->tail_count < TAIL_COUNT ? timeline->tail_count : TAIL_COUNT;
    unsigned lost = timeline->tail_count - kept;

    text_add_char(out, '[');
    for (unsigned i = 0; i < timeline->head_count; i++)
        write_entry(timeline, &timeline->head[i], out, i == 0);
    if (lost)
        text_addf(out, ", {\"ms\": null, \"text\": \"(%u entries left out)\"}", lost);
    for (unsigned i = 0; i < kept; i++)
        write_entry(timeline, &timeline->tail[(timeline->tail_count - kept + i) % TAIL_COUNT], out, false);
    text_add_char(out, ']');
}
