/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"

/* report.h: what a readiness check has found: findings in order, for the screen or as JSON. Knows no checks. */

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };

#define FINDING_TEXT_MAX  512
#define FINDING_VALUE_MAX 8
#define REPORT_MAX        48 /* findings of one trunk; more are dropped */

struct finding {
    enum finding_level level;
    const char *check;             /* static: "DNS", "media" */
    char text[FINDING_TEXT_MAX];   /* what was found: one sentence, printable ASCII */
    char advice[FINDING_TEXT_MAX]; /* what to do about it; "" */
    struct {
        const char *name; /* static, as in the JSON: "round_trip_ms" */
        double number;
    } values[FINDING_VALUE_MAX];
    unsigned value_count;
};

/** Of one trunk. */
struct report {
    char name[160], uri[576];
    struct finding findings[REPORT_MAX];
    unsigned count;
    unsigned took_ms;
};

/** A finding; further calls add to the last one. What a peer said in it is made printable. */
void report_add(struct report *report, enum finding_level level, const char *check, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_advise(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_value(struct report *report, const char *name, double number);

unsigned report_count(const struct report *report, enum finding_level level);

/** The lines for a screen of `columns`, wrapped between words. */
void report_write_screen(struct text *out, const struct report *report, unsigned columns);
/** The last line, over all reports. */
void report_write_sum(struct text *out, struct report *const *reports, unsigned count);
/** The same as one JSON object, with a line end. @return 0; -ENOMEM */
int report_write_json(struct text *out, const char *file, struct report *const *reports, unsigned count);
/** 0: nothing has failed; 1. */
int report_exit(struct report *const *reports, unsigned count);
