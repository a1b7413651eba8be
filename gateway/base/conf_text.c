/* SPDX-License-Identifier: Apache-2.0 */
/* conf_text.c: the kinds of configuration value that are words: names, secrets, patterns, choices, and lists of them.
 * Checks the shape of one value; whether a name exists is conf_check.c's question. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/conf_row.h"
#include "base/mem.h"

#define REPEAT_MAX 20000 /* of a pattern: glibc unrolls {m,n} when it compiles */

static int set_text(char **field, struct span text)
{
    char *copy = mem_text(text.p, text.n);

    if (!copy)
        return -ENOMEM;
    mem_unref(*field);
    *field = copy;
    return 0;
}

/* Lengths, and no control bytes: what stands here ends up in SIP headers, SQL and logs. */
int conf_check_text(struct conf_reader *reader, const struct conf_row *row, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return conf_fail(reader, "contains a control character");
    }
    if (conf_kinds[row->kind].is_list)
        return text.n ? 0 : conf_fail(reader, "has an empty item");
    if ((int64_t)text.n < row->min)
        return text.n ? conf_fail(reader, "is shorter than %d characters", (int)row->min)
                      : conf_fail(reader, "is empty");
    if ((int64_t)text.n > row->max)
        return conf_fail(reader, "is longer than %d characters", (int)row->max);
    return 0;
}

static bool consists_of(struct span text, const char *more)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!isalnum((unsigned char)text.p[i]) && !strchr(more, text.p[i]))
            return false;
    }
    return text.n > 0;
}

int conf_parse_text(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = conf_check_text(reader, row, text);

    return err ? err : set_text(field, text);
}

/* Relative paths start at the folder of the configuration file. */
int conf_parse_path(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    const char *slash = strrchr(reader->conf->file, '/');
    int err = conf_check_text(reader, row, text);
    struct text path;

    if (err)
        return err;
    if (!slash || !text.n || text.p[0] == '/')
        return set_text(field, text);
    text_init(&path, 4096);
    text_add(&path, span_make(reader->conf->file, (size_t)(slash + 1 - reader->conf->file)));
    text_add(&path, text);
    err = text_err(&path) ? text_err(&path) : set_text(field, text_span(&path));
    text_free(&path);
    return err;
}

static int check_name(struct conf_reader *reader, const struct conf_row *row, struct span text)
{
    int err = conf_check_text(reader, row, text);

    if (!err && !consists_of(text, "-_.+~!*'&=$"))
        return conf_fail(reader, "\"%.*s\" is not a name: letters, digits and -_.+~!*'&=$", SPAN_ARG(text));
    return err;
}

int conf_parse_name(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = check_name(reader, row, text);

    return err ? err : set_text(field, text);
}

int conf_parse_domain(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = conf_check_text(reader, row, text);

    if (err)
        return err;
    if (!consists_of(text, "-.") && !conf_is_address(text))
        return conf_fail(reader, "\"%.*s\" is not a host name", SPAN_ARG(text));
    return set_text(field, text);
}

int conf_parse_ha1(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    char digits[33];

    if (text.n != 32)
        return conf_fail(reader, "is not 32 hex digits");
    for (size_t i = 0; i < 32; i++) {
        if (!isxdigit((unsigned char)text.p[i]))
            return conf_fail(reader, "is not 32 hex digits");
        digits[i] = (char)tolower((unsigned char)text.p[i]);
    }
    return set_text(field, span_make(digits, 32));
}

int conf_parse_from(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    bool is_named = span_starts(text, SPAN("trunk:")) || span_starts(text, SPAN("account:"));
    int err = conf_check_text(reader, row, text);

    if (err)
        return err;
    if (!is_named && !span_eq(text, SPAN("accounts")) && !span_eq(text, SPAN("any")))
        return conf_fail(reader, "\"%.*s\" is none of accounts, any, trunk:NAME, account:NAME", SPAN_ARG(text));
    return set_text(field, text);
}

/* @return the product of all {n} and {m,n}, cut at REPEAT_MAX + 1; 0: it goes back to a group of its own */
static unsigned long weigh_pattern(struct span pattern)
{
    unsigned long product = 1;

    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] == '\\' && i + 1 < pattern.n) {
            i++;
            if (pattern.p[i] >= '1' && pattern.p[i] <= '9')
                return 0;
        } else if (pattern.p[i] == '{') {
            unsigned long low = 0, count = 0;

            for (i++; i < pattern.n && pattern.p[i] != '}'; i++) {
                if (pattern.p[i] == ',') {
                    low = count;
                    count = 0;
                } else if (isdigit((unsigned char)pattern.p[i]) && count <= REPEAT_MAX) {
                    count = count * 10 + (unsigned long)(pattern.p[i] - '0');
                }
            }
            product *= count > low ? count : low ? low : 1;
            if (product > REPEAT_MAX)
                return REPEAT_MAX + 1;
        }
    }
    return product;
}

int conf_compile_pattern(struct conf_reader *reader, struct span text, regex_t *regex)
{
    unsigned long weight = weigh_pattern(text);
    char message[128], *copy;
    int err;

    if (weight == 0)
        return conf_fail(reader, "a pattern cannot refer to its own groups");
    if (weight > REPEAT_MAX)
        return conf_fail(reader, "has too many repetitions");
    copy = mem_text(text.p, text.n);
    if (!copy)
        return -ENOMEM;
    err = regcomp(regex, copy, REG_EXTENDED);
    mem_unref(copy);
    if (!err)
        return 0;
    regerror(err, regex, message, sizeof(message));
    return conf_fail(reader, "is not a POSIX extended expression: %s", message);
}

int conf_parse_pattern(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf_route *route = container_of(field, struct conf_route, to);
    int err = conf_check_text(reader, row, text);
    char *copy;

    if (err)
        return err;
    copy = mem_text(text.p, text.n);
    if (!copy)
        return -ENOMEM;
    err = conf_compile_pattern(reader, text, &route->to_regex);
    if (err)
        mem_unref(copy);
    else
        route->to = copy;
    return err;
}

static int find_word(struct span words, struct span text)
{
    for (int i = 0; words.n; i++) {
        if (span_eq(span_cut(&words, '|'), text))
            return i;
    }
    return -ENOENT;
}

static int pick_word(struct conf_reader *reader, const struct conf_row *row, struct span text)
{
    int at = find_word(span_of(row->unit), text);

    return at >= 0 ? at : conf_fail(reader, "\"%.*s\" is none of %s", SPAN_ARG(text), row->unit);
}

int conf_parse_choice(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int at = pick_word(reader, row, text);

    if (at < 0)
        return at;
    *(unsigned *)field = (unsigned)at;
    return 0;
}

int conf_parse_flag(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int at = pick_word(reader, row, text);

    if (at < 0)
        return at;
    *(bool *)field = at == 1;
    return 0;
}

int conf_strings_add(struct conf_strings *strings, struct span text)
{
    /* The array doubles at powers of two, so its size need not be kept. */
    bool is_full = (strings->count & (strings->count - 1)) == 0;
    char *copy = mem_text(text.p, text.n);

    if (!copy)
        return -ENOMEM;
    if (is_full) {
        char **items = mem_new((strings->count ? strings->count * 2 : 1) * sizeof(*items), NULL);

        if (!items) {
            mem_unref(copy);
            return -ENOMEM;
        }
        if (strings->count)
            memcpy(items, strings->items, strings->count * sizeof(*items));
        mem_unref(strings->items);
        strings->items = items;
    }
    strings->items[strings->count++] = copy;
    return 0;
}

bool conf_strings_has(const struct conf_strings *strings, const char *text)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (strcmp(strings->items[i], text) == 0)
            return true;
    }
    return false;
}

bool conf_names_allow(const struct conf_strings *names, const char *name)
{
    return conf_strings_has(names, "*") || conf_strings_has(names, name);
}

int conf_parse_string_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = conf_check_text(reader, row, text);

    return err ? err : conf_strings_add(field, text);
}

int conf_parse_name_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = check_name(reader, row, text);

    return err ? err : conf_strings_add(field, text);
}

int conf_parse_watcher_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = span_eq(text, SPAN("*")) ? 0 : check_name(reader, row, text);

    return err ? err : conf_strings_add(field, text);
}

int conf_parse_number_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct span digits = span_starts(text, SPAN("+")) ? span_sub(text, 1, text.n) : text;

    for (size_t i = 0; i < digits.n; i++) {
        if (!isdigit((unsigned char)digits.p[i]) && !strchr("*#", digits.p[i]))
            return conf_fail(reader, "\"%.*s\" is not a number: digits, * and #, perhaps after a +", SPAN_ARG(text));
    }
    if (!digits.n || digits.n > 64)
        return conf_fail(reader, "\"%.*s\" is not a number of 1 to 64 digits", SPAN_ARG(text));
    return conf_strings_add(field, text);
}

int conf_parse_network_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    if (!conf_is_network(text))
        return conf_fail(reader, "\"%.*s\" is not a network: ADDRESS or ADDRESS/BITS", SPAN_ARG(text));
    return conf_strings_add(field, text);
}

int conf_parse_codec_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    char name[33];

    if (!consists_of(text, "-") || text.n >= sizeof(name))
        return conf_fail(reader, "\"%.*s\" is not the name of a codec", SPAN_ARG(text));
    for (size_t i = 0; i < text.n; i++)
        name[i] = (char)toupper((unsigned char)text.p[i]);
    return conf_strings_add(field, span_make(name, text.n));
}

int conf_parse_origin_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct span rest = text, scheme;
    ptrdiff_t at = span_find_span(text, SPAN("://"));

    if (at > 0) {
        scheme = span_sub(text, 0, (size_t)at);
        rest = span_sub(text, (size_t)at + 3, text.n);
    }
    if (at <= 0 || !consists_of(scheme, "+-.") || !consists_of(rest, "-.:[]"))
        return conf_fail(reader, "\"%.*s\" is not an origin: SCHEME://HOST[:PORT], nothing behind it", SPAN_ARG(text));
    return conf_strings_add(field, text);
}

int conf_parse_algorithm_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int at = pick_word(reader, row, text);

    return at < 0 ? at : conf_strings_add(field, text);
}

int conf_parse_word_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int at = pick_word(reader, row, text);

    if (at < 0)
        return at;
    *(unsigned *)field |= 1u << at;
    return 0;
}
