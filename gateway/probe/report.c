/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: findings as lines for a person and as JSON (RFC 8259) for a program: the same words in both. Judges
 * nothing. */
#include "probe/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK_COLUMNS 14
#define INDENT        (2 + 6 + CHECK_COLUMNS) /* where the sentence begins */

static const char *const level_words[] = {"ok", "warn", "FAIL"};

/* A peer's words must not steer a terminal or break the JSON. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

static struct finding *last_of(struct report *report)
{
    return report->count ? &report->findings[report->count - 1] : NULL;
}

void report_add(struct report *report, enum finding_level level, const char *check, const char *format, ...)
{
    struct finding *finding;
    va_list args;

    if (report->count == REPORT_MAX)
        return;
    finding = &report->findings[report->count++];
    *finding = (struct finding){.level = level, .check = check};
    va_start(args, format);
    vsnprintf(finding->text, sizeof(finding->text), format, args);
    va_end(args);
    make_printable(finding->text);
}

void report_advise(struct report *report, const char *format, ...)
{
    struct finding *finding = last_of(report);
    va_list args;

    if (!finding)
        return;
    va_start(args, format);
    vsnprintf(finding->advice, sizeof(finding->advice), format, args);
    va_end(args);
    make_printable(finding->advice);
}

void report_value(struct report *report, const char *name, double number)
{
    struct finding *finding = last_of(report);

    if (!finding || finding->value_count == FINDING_VALUE_MAX)
        return;
    finding->values[finding->value_count].name = name;
    finding->values[finding->value_count++].number = number;
}

unsigned report_count(const struct report *report, enum finding_level level)
{
    unsigned count = 0;

    for (unsigned i = 0; i < report->count; i++)
        count += report->findings[i].level == level;
    return count;
}

int report_exit(struct report *const *reports, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (report_count(reports[i], FINDING_FAIL))
            return 1;
    return 0;
}

/* ---- the screen ---- */

static void start_line(struct text *out)
{
    text_addf(out, "\n%*s", INDENT, "");
}

/* Words from column `at` on; a word longer than a line stands alone on one. */
static void write_words(struct text *out, const char *words, unsigned at, unsigned columns)
{
    struct span rest = span_of(words);
    bool is_first = true;

    while (rest.n) {
        struct span word = span_cut(&rest, ' ');

        if (!is_first && at + 1 + word.n > columns) {
            start_line(out);
            at = INDENT;
        } else if (!is_first) {
            text_add_char(out, ' ');
            at++;
        }
        text_add(out, word);
        at += (unsigned)word.n;
        is_first = false;
    }
}

static void write_finding(struct text *out, const struct finding *finding, unsigned columns)
{
    text_addf(out, "  %-6s%-*s", level_words[finding->level], CHECK_COLUMNS, finding->check);
    write_words(out, finding->text, INDENT, columns);
    if (finding->advice[0]) {
        start_line(out);
        text_add_str(out, "-> ");
        write_words(out, finding->advice, INDENT + 3, columns);
    }
    text_add_char(out, '\n');
}

void report_write_screen(struct text *out, const struct report *report, unsigned columns)
{
    text_addf(out, "trunk \"%s\" (%s)\n", report->name, report->uri);
    for (unsigned i = 0; i < report->count; i++)
        write_finding(out, &report->findings[i], columns);
}

struct sums {
    unsigned levels[3];
};

static struct sums sums_of(struct report *const *reports, unsigned count)
{
    struct sums sums = {0};

    for (unsigned i = 0; i < count; i++)
        for (unsigned level = FINDING_OK; level <= FINDING_FAIL; level++)
            sums.levels[level] += report_count(reports[i], (enum finding_level)level);
    return sums;
}

void report_write_sum(struct text *out, struct report *const *reports, unsigned count)
{
    struct sums sums = sums_of(reports, count);

    text_addf(out, "%s: %u ok, %u to look at, %u failed\n", sums.levels[FINDING_FAIL] ? "NOT READY" : "ready",
              sums.levels[FINDING_OK], sums.levels[FINDING_WARN], sums.levels[FINDING_FAIL]);
}

/* ---- JSON ---- */

static json_t *finding_json(const struct finding *finding)
{
    json_t *object = json_object();

    json_object_set_new(object, "check", json_string(finding->check));
    json_object_set_new(object, "result", json_string(level_words[finding->level]));
    json_object_set_new(object, "text", json_string(finding->text));
    if (finding->advice[0])
        json_object_set_new(object, "advice", json_string(finding->advice));
    for (unsigned i = 0; i < finding->value_count; i++)
        json_object_set_new(object, finding->values[i].name, json_real(finding->values[i].number));
    return object;
}

static json_t *report_json(const struct report *report)
{
    json_t *object = json_object(), *findings = json_array();

    for (unsigned i = 0; i < report->count; i++)
        json_array_append_new(findings, finding_json(&report->findings[i]));
    json_object_set_new(object, "name", json_string(report->name));
    json_object_set_new(object, "uri", json_string(report->uri));
    json_object_set_new(object, "took_ms", json_integer(report->took_ms));
    json_object_set_new(object, "findings", findings);
    return object;
}

int report_write_json(struct text *out, const char *file, struct report *const *reports, unsigned count)
{
    struct sums sums = sums_of(reports, count);
    json_t *object = json_object(), *trunks = json_array();
    char *dump;

    for (unsigned i = 0; i < count; i++)
        json_array_append_new(trunks, report_json(reports[i]));
    json_object_set_new(object, "configuration", json_string(file));
    json_object_set_new(object, "trunks", trunks);
    json_object_set_new(object, "ok", json_integer(sums.levels[FINDING_OK]));
    json_object_set_new(object, "warn", json_integer(sums.levels[FINDING_WARN]));
    json_object_set_new(object, "failed", json_integer(sums.levels[FINDING_FAIL]));
    json_object_set_new(object, "exit", json_integer(report_exit(reports, count)));
    dump = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(object);
    if (!dump)
        return -ENOMEM;
    text_add_str(out, dump);
    text_add_char(out, '\n');
    free(dump);
    return text_err(out);
}
