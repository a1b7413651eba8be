/* SPDX-License-Identifier: Apache-2.0 */
/* conf.c: a configuration file, or its text, to a checked snapshot; the snapshot's references and look-ups; the list of
 * keys. The reading is conf_yaml.c's, the checking across keys conf_check.c's. */
#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf_row.h"
#include "base/err.h"
#include "base/mem.h"

#define FILE_MAX_BYTES (16u << 20)

static void conf_destroy(void *self)
{
    struct conf *conf = self;

    map_free(&conf->account_by_name);
    map_free(&conf->trunk_by_name);
    conf_drop_table(&conf_top_table, conf);
    mem_unref(conf->file);
}

struct conf *conf_ref(struct conf *conf)
{
    if (conf)
        __atomic_fetch_add(&conf->refs, 1, __ATOMIC_RELAXED);
    return conf;
}

void conf_unref(struct conf *conf)
{
    if (conf && __atomic_sub_fetch(&conf->refs, 1, __ATOMIC_ACQ_REL) == 0)
        mem_unref(conf);
}

static int conf_new(struct conf **confp, const char *file)
{
    struct conf *conf = mem_new(sizeof(*conf), conf_destroy);

    if (!conf)
        return -ENOMEM;
    conf->refs = 1;
    conf->file = mem_text(file, strlen(file));
    if (!conf->file) {
        mem_unref(conf);
        return -ENOMEM;
    }
    *confp = conf;
    return 0;
}

static int fail_yaml(struct conf_reader *reader, const yaml_parser_t *parser)
{
    size_t line = parser->error == YAML_READER_ERROR ? 0 : parser->problem_mark.line + 1;

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    return conf_fail_at(reader, (unsigned)line, "", "is not YAML: %s%s%s",
                        parser->problem ? parser->problem : "unknown trouble", parser->context ? " " : "",
                        parser->context ? parser->context : "");
}

/* A second document would silently count for nothing. */
static int refuse_more(struct conf_reader *reader, yaml_parser_t *parser)
{
    yaml_document_t more;
    yaml_node_t *root;
    int err = 0;

    if (!yaml_parser_load(parser, &more))
        return fail_yaml(reader, parser);
    root = yaml_document_get_root_node(&more);
    if (root)
        err = conf_fail_at(reader, (unsigned)root->start_mark.line + 1, "", "has a second document");
    yaml_document_delete(&more);
    return err;
}

static int read_document(struct conf_reader *reader, struct span yaml)
{
    yaml_document_t document;
    yaml_parser_t parser;
    int err = 0;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)(yaml.n ? yaml.p : ""), yaml.n);
    if (!yaml_parser_load(&parser, &document)) {
        err = fail_yaml(reader, &parser);
    } else {
        yaml_node_t *root = yaml_document_get_root_node(&document);

        reader->document = &document;
        err = conf_read_table(reader, &conf_top_table, root, reader->conf, reader->top_lines);
        if (err != -ENOMEM)
            err = conf_check(reader);
        if (!err && root)
            err = refuse_more(reader, &parser);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return err;
}

/* @return 0; -EINVAL with texts; -ENOMEM */
static int parse(struct conf_reader *reader, struct span yaml)
{
    int err = read_document(reader, yaml);

    return err == -ENOMEM ? err : reader->error_count ? -EINVAL : 0;
}

int conf_parse(struct conf **confp, const char *file, struct span yaml, struct text *err_out)
{
    struct conf_reader reader = {.err_out = err_out};
    int err = conf_new(&reader.conf, file);

    if (err)
        return err;
    err = parse(&reader, yaml);
    if (!err)
        *confp = reader.conf;
    else
        conf_unref(reader.conf);
    return err;
}

static int read_all(int fd, struct text *out)
{
    char buf[16384];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text_add(out, span_make(buf, (size_t)n));
        if (text_err(out))
            return text_err(out) == -ENOSPC ? -EFBIG : text_err(out);
    }
    return 0;
}

static int read_file(const char *file, struct text *out)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC), err;

    if (fd < 0)
        return -errno;
    err = read_all(fd, out);
    close(fd);
    return err;
}

static void check_readable(struct conf_reader *reader, const char *key, const char *path, unsigned line)
{
    if (path && access(path, R_OK) != 0)
        conf_fail_at(reader, line, key, "%s: %s", path, err_text(-errno));
}

static void check_files(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;

    check_readable(reader, "web.certificate", conf->web.certificate, conf_line_of(reader, "web.certificate"));
    check_readable(reader, "web.key", conf->web.key, conf_line_of(reader, "web.key"));
    check_readable(reader, "sip.certificate", conf->sip.certificate, conf_line_of(reader, "sip.certificate"));
    check_readable(reader, "sip.key", conf->sip.key, conf_line_of(reader, "sip.key"));
    for (size_t i = 0; i < conf->trunk_count; i++) {
        check_readable(reader, "trunks.certificate", conf->trunks[i].certificate, conf->trunks[i].line);
        check_readable(reader, "trunks.key", conf->trunks[i].key, conf->trunks[i].line);
        check_readable(reader, "trunks.ca", conf->trunks[i].ca, conf->trunks[i].line);
    }
    for (size_t i = 0; i < conf->token_count; i++)
        check_readable(reader, "tokens.key", conf->tokens[i].key, conf->tokens[i].line);
}

int conf_load(struct conf **confp, const char *file, struct text *err_out)
{
    struct conf_reader reader = {.err_out = err_out};
    struct text yaml;
    int err;

    text_init(&yaml, FILE_MAX_BYTES);
    err = read_file(file, &yaml);
    if (err) {
        text_addf(err_out, "%s: %s\n", file, err_text(err));
        goto out;
    }
    err = conf_new(&reader.conf, file);
    if (err)
        goto out;
    err = parse(&reader, text_span(&yaml));
    if (err != -ENOMEM) {
        check_files(&reader);
        err = reader.error_count ? -EINVAL : 0;
    }
    if (!err) {
        *confp = reader.conf;
        reader.conf = NULL;
    }
out:
    conf_unref(reader.conf);
    mem_wipe(yaml.data, yaml.len);
    text_free(&yaml);
    return err;
}

const struct conf_account *conf_find_account(const struct conf *conf, struct span name)
{
    struct map_node *node = map_find(&conf->account_by_name, name);

    return node ? container_of(node, struct conf_account, by_name) : NULL;
}

const struct conf_trunk *conf_find_trunk(const struct conf *conf, struct span name)
{
    struct map_node *node = map_find(&conf->trunk_by_name, name);

    return node ? container_of(node, struct conf_trunk, by_name) : NULL;
}

static void write_row(struct text *text, const char *prefix, const struct conf_row *row)
{
    const char *wants = conf_kinds[row->kind].wants;

    text_addf(text, "%s%s: %s", prefix, row->key, row->help);
    text_addf(text, " (%s", row->kind == KIND_CHOICE || row->kind == KIND_FLAG ? row->unit : wants);
    if (row->kind == KIND_MICROSECONDS || row->kind == KIND_MILLISECONDS || row->kind == KIND_SECONDS)
        text_addf(text, ", a bare number is in %s", row->unit);
    if (!row->fallback)
        text_add_str(text, ")\n");
    else if (strcmp(row->fallback, CONF_NEEDED) == 0)
        text_add_str(text, "; needed)\n");
    else
        text_addf(text, "; default %s)\n", row->fallback[0] ? row->fallback : "empty");
}

static void write_table(struct text *text, const char *prefix, const struct conf_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        write_row(text, prefix, &table->rows[i]);
}

void conf_write_help(struct text *text)
{
    write_table(text, "", &conf_top_table);
    write_table(text, "tokens[].", &conf_token_table);
    write_table(text, "accounts[].", &conf_account_table);
    write_table(text, "trunks[].", &conf_trunk_table);
    write_table(text, "routes[].", &conf_route_table);
}
