/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/conf.h"
#include "base/list.h"

/* conf_row.h: what the rooms of the configuration share among themselves: the rows of conf.def, the kinds of value, and
 * the reader that knows where it stands in the file. Nobody else includes this. */

#define CONF_ERROR_MAX 50
#define CONF_ROW_MAX   128 /* rows of one table */
#define CONF_NEEDED    "*" /* as a default: the key must stand there */

enum conf_kind {
    KIND_TEXT,
    KIND_SECRET, /* text that is wiped */
    KIND_PATH,
    KIND_NAME,
    KIND_DOMAIN,
    KIND_URI,
    KIND_HA1,
    KIND_ADDRESS,
    KIND_SERVER,
    KIND_WEB_URL, /* may hold a password */
    KIND_FROM,
    KIND_PATTERN,
    KIND_UINT,
    KIND_MICROSECONDS, /* field in this unit; a bare number is in the row's unit */
    KIND_MILLISECONDS,
    KIND_SECONDS,
    KIND_DSCP,
    KIND_CHOICE, /* unsigned: which of the row's words */
    KIND_FLAG,   /* bool: is it the second of the row's two words */
    KIND_LISTEN,
    KIND_HOSTPORT,
    KIND_PORTS,
    /* lists: each item is a scalar */
    KIND_STRINGS,
    KIND_NAMES,
    KIND_WATCHERS,
    KIND_NUMBERS,
    KIND_NETWORKS,
    KIND_CODECS,
    KIND_ORIGINS,
    KIND_ALGORITHMS,
    KIND_LISTENS,
    KIND_RESOLVERS,
    KIND_RULES,
    KIND_CODES,
    KIND_WORDS, /* unsigned: a bit for each of the row's words */
    KIND_HEADER_LINES,
    KIND_HEADERS,
    KIND_RANKED, /* names of trunks with their ranks */
    /* mappings, and lists of mappings */
    KIND_ADVERTISE,
    KIND_PLUGINS,
    KIND_TOKENS,
    KIND_ACCOUNTS,
    KIND_TRUNKS,
    KIND_ROUTES,
    KIND_COUNT
};

struct conf_row {
    const char *key;
    enum conf_kind kind;
    size_t offset;
    int64_t min, max;
    const char *fallback;
    const char *unit;
    const char *help;
};

struct conf_table {
    const struct conf_row *rows;
    size_t count;
    size_t size_bytes;  /* of the struct that the rows fill */
    size_t line_offset; /* where its line goes; SIZE_MAX: nowhere */
};

extern const struct conf_table conf_top_table, conf_token_table, conf_account_table, conf_trunk_table, conf_route_table;

struct conf_reader {
    struct conf *conf;
    yaml_document_t *document;
    struct text *err_out;
    unsigned error_count;
    unsigned top_lines[CONF_ROW_MAX]; /* where each key of the file stands; 0: it does not */
    /* where the reader stands */
    unsigned line;
    char path[160];
};

/** Report an error where the reader stands, or at a line and key. @return -EINVAL */
int conf_fail(struct conf_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
int conf_fail_at(struct conf_reader *reader, unsigned line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* conf_text.c, conf_number.c, conf_address.c: a handler reads one scalar into the field; lists append it.
 * @return 0; -EINVAL, reported; -ENOMEM */
typedef int conf_parse_fn(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field);

conf_parse_fn conf_parse_text, conf_parse_path, conf_parse_name, conf_parse_domain, conf_parse_ha1, conf_parse_from,
    conf_parse_pattern, conf_parse_choice, conf_parse_flag;
conf_parse_fn conf_parse_uint, conf_parse_duration, conf_parse_dscp, conf_parse_ports;
conf_parse_fn conf_parse_uri, conf_parse_address, conf_parse_server, conf_parse_web_url, conf_parse_listen,
    conf_parse_hostport;
conf_parse_fn conf_parse_string_item, conf_parse_name_item, conf_parse_watcher_item, conf_parse_number_item,
    conf_parse_network_item, conf_parse_codec_item, conf_parse_origin_item, conf_parse_algorithm_item,
    conf_parse_listen_item, conf_parse_resolver_item, conf_parse_word_item;
/* conf_rules.c */
conf_parse_fn conf_parse_rule_item, conf_parse_code_item, conf_parse_ranked_item;
/* conf_header.c */
conf_parse_fn conf_parse_header_line_item, conf_parse_header_item;
void conf_drop_rules(void *field);
void conf_drop_ranked(void *field);
/** Either all trunks of a route have a priority, or they are tried as they stand. */
void conf_check_ranks(struct conf_reader *reader, struct conf_route *route, const char *key);

/** Length and characters by the row, reported. @return 0; -EINVAL */
int conf_check_text(struct conf_reader *reader, const struct conf_row *row, struct span text);
/** Compile a POSIX extended expression whose cost is bounded. @return 0; -EINVAL, reported; -ENOMEM */
int conf_compile_pattern(struct conf_reader *reader, struct span text, regex_t *regex);
/** Do all \1 ... \9 of a replacement name groups that are there? What is wrong is reported, under the key. */
void conf_check_groups(struct conf_reader *reader, unsigned line, const char *key, const char *text, size_t groups,
                       const char *pattern_name);

/** Is it a network as ADDRESS or ADDRESS/BITS; a numeric address? */
bool conf_is_network(struct span text);
bool conf_is_address(struct span text);

/** Append a copy. @return 0; -ENOMEM */
int conf_strings_add(struct conf_strings *strings, struct span text);
bool conf_strings_has(const struct conf_strings *strings, const char *text);

/** The handlers of one kind of value. */
struct conf_kind_row {
    const char *wants;    /* for "should be ..." and the help */
    conf_parse_fn *parse; /* a scalar, or one item of a list */
    bool is_list;         /* of scalars */
    int (*read)(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field); /* mappings */
    void (*drop)(void *field); /* free what the field holds */
};

extern const struct conf_kind_row conf_kinds[KIND_COUNT];

/** Fill `base` from a mapping by a table; lines (may be NULL) learns where each row stood. @return 0; -ENOMEM. Errors
 * of the file are reported and counted. A NULL node sets the defaults. */
int conf_read_table(struct conf_reader *reader, const struct conf_table *table, yaml_node_t *node, void *base,
                    unsigned *lines);

/** One scalar node, its ${NAME} expanded, into a field. @return 0; -EINVAL, reported; -ENOMEM */
int conf_read_scalar(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field);

/** Step into a key, or into an item of a list: errors name it from now on. @return for conf_leave() */
size_t conf_enter(struct conf_reader *reader, const yaml_node_t *node, struct span key);
size_t conf_enter_item(struct conf_reader *reader, const yaml_node_t *node, size_t index);
void conf_leave(struct conf_reader *reader, size_t length);

/** Free what a struct of this table holds. */
void conf_drop_table(const struct conf_table *table, void *base);

/** The line where a key of the file stands, 0 if it does not. */
unsigned conf_line_of(const struct conf_reader *reader, const char *key);

/** What no single key can know: names that refer to others, pairs that belong together. @return 0; -ENOMEM */
int conf_check(struct conf_reader *reader);
