/* SPDX-License-Identifier: Apache-2.0 */
/* conf_yaml.c: walks the nodes of a YAML document by the tables: finds each key's row, expands ${NAME}, takes <<
 * merges, sets defaults, and reports what is unknown, double, missing or of the wrong shape. Does not know what the
 * values mean. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_row.h"
#include "base/mem.h"

#define EXPANDED_MAX    65536
#define MERGE_DEPTH_MAX 4

/* One mapping being read into one struct. */
struct walk {
    const struct conf_table *table;
    void *base;
    unsigned *lines;
    unsigned merge_depth; /* above 0: reading what << points at; keys that stand already win */
};

static unsigned line_of(const yaml_node_t *node)
{
    return (unsigned)node->start_mark.line + 1;
}

static struct span scalar_of(const yaml_node_t *node)
{
    return span_make(node->data.scalar.value, node->data.scalar.length);
}

static bool is_null(const yaml_node_t *node)
{
    struct span text;

    if (node->type == YAML_NO_NODE)
        return true;
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    text = scalar_of(node);
    return !text.n || span_eq(text, SPAN("~")) || span_eq(text, SPAN("null"));
}

static void report(struct conf_reader *reader, unsigned line, const char *key, const char *format, va_list args)
{
    char message[1024];
    int n;

    if (++reader->error_count > CONF_ERROR_MAX) {
        if (reader->error_count == CONF_ERROR_MAX + 1)
            text_addf(reader->err_out, "%s: more errors are not shown\n", reader->conf->file);
        return;
    }
    n = snprintf(message, sizeof(message) / 2, "%s%s", key, key[0] ? ": " : "");
    vsnprintf(message + n, sizeof(message) - (size_t)n, format, args);
    for (char *c = message; *c; c++) { /* a value may hold anything, and one error is one line */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
    text_addf(reader->err_out, "%s:%u: %s\n", reader->conf->file, line ? line : 1, message);
}

int conf_fail(struct conf_reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(reader, reader->line, reader->path, format, args);
    va_end(args);
    return -EINVAL;
}

int conf_fail_at(struct conf_reader *reader, unsigned line, const char *key, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(reader, line, key, format, args);
    va_end(args);
    return -EINVAL;
}

size_t conf_enter(struct conf_reader *reader, const yaml_node_t *node, struct span key)
{
    size_t length = strlen(reader->path);

    reader->line = line_of(node);
    snprintf(reader->path + length, sizeof(reader->path) - length, "%s%.*s", length ? "." : "", SPAN_ARG(key));
    return length;
}

size_t conf_enter_item(struct conf_reader *reader, const yaml_node_t *node, size_t index)
{
    size_t length = strlen(reader->path);

    reader->line = line_of(node);
    snprintf(reader->path + length, sizeof(reader->path) - length, "[%zu]", index);
    return length;
}

void conf_leave(struct conf_reader *reader, size_t length)
{
    reader->path[length] = '\0';
}

/* ${NAME} from the environment; $${ stands for ${ itself. @return 0; -EINVAL, reported; -ENOMEM */
static int expand(struct conf_reader *reader, struct text *out, struct span text)
{
    while (text.n) {
        ptrdiff_t at = span_find_span(text, SPAN("${")), end;
        char name[128];
        const char *value;

        if (at < 0) {
            text_add(out, text);
            break;
        }
        if (at > 0 && text.p[at - 1] == '$') {
            text_add(out, span_sub(text, 0, (size_t)at - 1));
            text_add(out, SPAN("${"));
            text = span_sub(text, (size_t)at + 2, text.n);
            continue;
        }
        text_add(out, span_sub(text, 0, (size_t)at));
        text = span_sub(text, (size_t)at + 2, text.n);
        end = span_find(text, '}');
        if (end <= 0 || span_copy(span_sub(text, 0, (size_t)end), name, sizeof(name)) < 0)
            return conf_fail(reader, "${ without a name and a }");
        value = getenv(name);
        if (!value)
            return conf_fail(reader, "environment variable %s is not set", name);
        text_add_str(out, value);
        text = span_sub(text, (size_t)end + 1, text.n);
    }
    return text_err(out) == -ENOSPC ? conf_fail(reader, "is too long") : text_err(out);
}

static int wrong_shape(struct conf_reader *reader, const struct conf_row *row, const yaml_node_t *node)
{
    const char *is = node->type == YAML_SCALAR_NODE     ? "a single value"
                     : node->type == YAML_SEQUENCE_NODE ? "a list"
                                                        : "a mapping";

    return conf_fail(reader, "is %s, but should be %s", is, conf_kinds[row->kind].wants);
}

int conf_read_scalar(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field)
{
    struct text expanded;
    int err;

    if (node->type != YAML_SCALAR_NODE)
        return wrong_shape(reader, row, node);
    text_init(&expanded, EXPANDED_MAX);
    err = expand(reader, &expanded, scalar_of(node));
    if (!err)
        err = conf_kinds[row->kind].parse(reader, row, text_span(&expanded), field);
    mem_wipe(expanded.data, expanded.len);
    text_free(&expanded);
    return err;
}

static int read_list(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return wrong_shape(reader, row, node);
    if (node->data.sequence.items.top - node->data.sequence.items.start > row->max)
        return conf_fail(reader, "has more than %d items", (int)row->max);
    for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        yaml_node_t *child = yaml_document_get_node(reader->document, *item);
        int err;

        reader->line = line_of(child);
        if (child->type != YAML_SCALAR_NODE)
            err = conf_fail(reader, "has an item that is not a single value");
        else
            err = conf_read_scalar(reader, row, child, field);
        if (err == -ENOMEM)
            return err;
    }
    return 0;
}

/* @return index of the row, -1: none */
static int find_row(const struct conf_table *table, struct span key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (span_eq(span_of(table->rows[i].key), key))
            return (int)i;
    }
    return -1;
}

/* Do keys of the table stand below this one? */
static bool is_group(const struct conf_table *table, struct span key)
{
    for (size_t i = 0; i < table->count; i++) {
        struct span row = span_of(table->rows[i].key);

        if (row.n > key.n && span_starts(row, key) && row.p[key.n] == '.')
            return true;
    }
    return false;
}

/* Edits between two short words (Levenshtein); 99 for long ones. */
static unsigned distance(struct span left, struct span right)
{
    unsigned row[33];

    if (left.n > 32 || right.n > 32 || !left.p || !right.p)
        return 99;
    for (unsigned j = 0; j <= right.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= left.n; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= right.n; j++) {
            unsigned changed = diagonal + (left.p[i - 1] != right.p[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < changed)
                changed = row[j] + 1;
            if (row[j - 1] + 1 < changed)
                changed = row[j - 1] + 1;
            row[j] = changed;
        }
    }
    return row[right.n];
}

static int fail_unknown(struct conf_reader *reader, const struct conf_table *table, struct span prefix, struct span key)
{
    struct span best = SPAN_NULL;
    unsigned best_distance = key.n > 4 ? 3 : 2; /* nearer than this */

    for (size_t i = 0; i < table->count; i++) {
        struct span rest = span_of(table->rows[i].key), word;
        unsigned edits;

        if (!span_starts(rest, prefix))
            continue;
        rest = span_sub(rest, prefix.n, rest.n);
        word = span_cut(&rest, '.');
        edits = distance(key, word);
        if (edits < best_distance) {
            best = word;
            best_distance = edits;
        }
    }
    if (best.n)
        return conf_fail(reader, "unknown key; did you mean \"%.*s\"?", SPAN_ARG(best));
    return conf_fail(reader, "unknown key");
}

/* A secret that stands there but is wrong should not be called missing as well. */
static int mark_wrong_secret(const struct conf_row *row, void *field)
{
    char **text = field;

    if ((row->kind == KIND_SECRET || row->kind == KIND_HA1) && !*text)
        *text = mem_text("", 0);
    return -EINVAL;
}

static int read_row(struct conf_reader *reader, struct walk *walk, int at, yaml_node_t *node)
{
    const struct conf_row *row = &walk->table->rows[at];
    const struct conf_kind_row *kind = &conf_kinds[row->kind];
    void *field = (char *)walk->base + row->offset;
    int err;

    if (walk->lines[at])
        return walk->merge_depth ? 0 : conf_fail(reader, "stands twice, first in line %u", walk->lines[at]);
    if (is_null(node))
        return 0;
    walk->lines[at] = reader->line;
    if (kind->read)
        return node->type == YAML_SCALAR_NODE ? wrong_shape(reader, row, node) : kind->read(reader, row, node, field);
    if (kind->is_list)
        return read_list(reader, row, node, field);
    err = conf_read_scalar(reader, row, node, field);
    return err == -EINVAL ? mark_wrong_secret(row, field) : err;
}

static int read_mapping(struct conf_reader *reader, struct walk *walk, yaml_node_t *node, struct span prefix);

static int read_pair(struct conf_reader *reader, struct walk *walk, yaml_node_t *key_node, yaml_node_t *value,
                     struct span prefix)
{
    struct span key = scalar_of(key_node), full;
    char buf[128];
    int at, n;

    n = snprintf(buf, sizeof(buf), "%.*s%.*s", SPAN_ARG(prefix), SPAN_ARG(key));
    if (n < 0 || (size_t)n + 1 >= sizeof(buf))
        return conf_fail(reader, "unknown key");
    full = span_make(buf, (size_t)n);
    at = find_row(walk->table, full);
    if (at >= 0)
        return read_row(reader, walk, at, value);
    if (!is_group(walk->table, full))
        return fail_unknown(reader, walk->table, prefix, key);
    if (is_null(value))
        return 0;
    buf[n] = '.';
    return read_mapping(reader, walk, value, span_make(buf, (size_t)n + 1));
}

/* YAML's merge key: what it points at fills only what does not stand here. */
static int read_merge(struct conf_reader *reader, struct walk *walk, yaml_node_t *node, struct span prefix)
{
    int err;

    if (node->type != YAML_MAPPING_NODE)
        return conf_fail(reader, "<< should point at a mapping");
    if (walk->merge_depth >= MERGE_DEPTH_MAX)
        return conf_fail(reader, "<< points on too often");
    walk->merge_depth++;
    err = read_mapping(reader, walk, node, prefix);
    walk->merge_depth--;
    return err;
}

static int read_mapping(struct conf_reader *reader, struct walk *walk, yaml_node_t *node, struct span prefix)
{
    int err = 0;

    if (node->type != YAML_MAPPING_NODE)
        return conf_fail(reader, "is not a mapping");
    for (int is_merging = 0; is_merging < 2; is_merging++) {
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
            yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
            bool is_merge = key->type == YAML_SCALAR_NODE && span_eq(scalar_of(key), SPAN("<<"));
            size_t length;

            if (is_merge != is_merging || reader->error_count > CONF_ERROR_MAX)
                continue;
            if (key->type != YAML_SCALAR_NODE) {
                conf_fail_at(reader, line_of(key), reader->path, "has a key that is not a word");
                continue;
            }
            length = conf_enter(reader, key, scalar_of(key));
            err = is_merge ? read_merge(reader, walk, value, prefix) : read_pair(reader, walk, key, value, prefix);
            conf_leave(reader, length);
            if (err == -ENOMEM)
                return err;
        }
    }
    return 0;
}

static int set_default(struct conf_reader *reader, const struct conf_row *row, void *field)
{
    struct span rest = span_of(row->fallback);
    int err = 0;

    if (!conf_kinds[row->kind].is_list)
        return conf_kinds[row->kind].parse(reader, row, rest, field);
    while (rest.n && !err)
        err = conf_kinds[row->kind].parse(reader, row, span_cut(&rest, ' '), field);
    return err;
}

static int set_defaults(struct conf_reader *reader, struct walk *walk, unsigned line)
{
    for (size_t i = 0; i < walk->table->count; i++) {
        const struct conf_row *row = &walk->table->rows[i];
        int err = 0;

        if (walk->lines[i] || !row->fallback)
            continue;
        if (strcmp(row->fallback, CONF_NEEDED) == 0)
            conf_fail_at(reader, line, reader->path, "%s is missing", row->key);
        else
            err = set_default(reader, row, (char *)walk->base + row->offset);
        if (err == -ENOMEM)
            return err;
    }
    return 0;
}

int conf_read_table(struct conf_reader *reader, const struct conf_table *table, yaml_node_t *node, void *base,
                    unsigned *lines)
{
    unsigned own_lines[CONF_ROW_MAX] = {0};
    struct walk walk = {.table = table, .base = base, .lines = lines ? lines : own_lines};
    unsigned line = node ? line_of(node) : 1;
    int err = 0;

    if (table->line_offset != SIZE_MAX)
        *(unsigned *)(void *)((char *)base + table->line_offset) = line;
    reader->line = line;
    if (node && !is_null(node))
        err = read_mapping(reader, &walk, node, SPAN(""));
    return err == -ENOMEM ? err : set_defaults(reader, &walk, line);
}
