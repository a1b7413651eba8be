/* SPDX-License-Identifier: Apache-2.0 */
/* conf_kinds.c: the tables made of conf.def, the handlers of each kind of value, and the values that are mappings or
 * lists of mappings. Knows the structs' layout; the shapes of single values are conf_text.c, conf_number.c and
 * conf_address.c. */
#include <errno.h>
#include <string.h>

#include "base/conf_row.h"
#include "base/mem.h"

#define ROW(type, key, kind, field, min, max, fallback, unit, help)                                                    \
    {key, KIND_##kind, offsetof(struct type, field), min, max, fallback, unit, help},

#define TOP(...) ROW(conf, __VA_ARGS__)
#define TOKEN(...)
#define ACCOUNT(...)
#define TRUNK(...)
#define ROUTE(...)
static const struct conf_row top_rows[] = {
#include "base/conf.def"
};
#undef TOP
#undef TOKEN

#define TOP(...)
#define TOKEN(...) ROW(conf_token, __VA_ARGS__)
static const struct conf_row token_rows[] = {
#include "base/conf.def"
};
#undef TOKEN
#undef ACCOUNT

#define TOKEN(...)
#define ACCOUNT(...) ROW(conf_account, __VA_ARGS__)
static const struct conf_row account_rows[] = {
#include "base/conf.def"
};
#undef ACCOUNT
#undef TRUNK

#define ACCOUNT(...)
#define TRUNK(...) ROW(conf_trunk, __VA_ARGS__)
static const struct conf_row trunk_rows[] = {
#include "base/conf.def"
};
#undef TRUNK
#undef ROUTE

#define TRUNK(...)
#define ROUTE(...) ROW(conf_route, __VA_ARGS__)
static const struct conf_row route_rows[] = {
#include "base/conf.def"
};

#define TABLE(rows, type, line_at)                                                                                     \
    {                                                                                                                  \
        rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct type), line_at                                           \
    }

const struct conf_table conf_top_table = TABLE(top_rows, conf, SIZE_MAX);
const struct conf_table conf_token_table = TABLE(token_rows, conf_token, offsetof(struct conf_token, line));
const struct conf_table conf_account_table = TABLE(account_rows, conf_account, offsetof(struct conf_account, line));
const struct conf_table conf_trunk_table = TABLE(trunk_rows, conf_trunk, offsetof(struct conf_trunk, line));
const struct conf_table conf_route_table = TABLE(route_rows, conf_route, offsetof(struct conf_route, line));

_Static_assert(sizeof(top_rows) / sizeof(top_rows[0]) <= CONF_ROW_MAX, "raise CONF_ROW_MAX");

/* ---- freeing ---- */

static void drop_text(void *field)
{
    char **text = field;

    *text = mem_unref(*text);
}

static void drop_secret(void *field)
{
    char **text = field;

    if (*text)
        mem_wipe(*text, strlen(*text));
    *text = mem_unref(*text);
}

static void drop_pattern(void *field)
{
    struct conf_route *route = container_of(field, struct conf_route, to);

    if (route->to)
        regfree(&route->to_regex);
    route->to = mem_unref(route->to);
}

static void drop_strings(void *field)
{
    struct conf_strings *strings = field;

    for (size_t i = 0; i < strings->count; i++)
        mem_unref(strings->items[i]);
    strings->items = mem_unref(strings->items);
    strings->count = 0;
}

static void drop_listen(void *field)
{
    struct conf_listen *listen = field;

    listen->host = mem_unref(listen->host);
}

static void drop_listens(void *field)
{
    struct conf_listens *listens = field;

    for (size_t i = 0; i < listens->count; i++)
        drop_listen(&listens->items[i]);
    listens->items = mem_unref(listens->items);
    listens->count = 0;
}

static void drop_advertise(void *field)
{
    struct conf *conf = container_of(field, struct conf, media.advertise);

    for (size_t i = 0; i < conf->media.advertise_count; i++) {
        mem_unref(conf->media.advertise[i].network);
        mem_unref(conf->media.advertise[i].address);
    }
    conf->media.advertise = mem_unref(conf->media.advertise);
    conf->media.advertise_count = 0;
}

void conf_drop_table(const struct conf_table *table, void *base)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_row *row = &table->rows[i];

        if (conf_kinds[row->kind].drop)
            conf_kinds[row->kind].drop((char *)base + row->offset);
    }
}

static void drop_array(const struct conf_table *table, void *array, size_t count)
{
    for (size_t i = 0; i < count; i++)
        conf_drop_table(table, (char *)array + i * table->size_bytes);
    mem_unref(array);
}

static void drop_tokens(void *field)
{
    struct conf *conf = container_of(field, struct conf, tokens);

    drop_array(&conf_token_table, conf->tokens, conf->token_count);
}

static void drop_accounts(void *field)
{
    struct conf *conf = container_of(field, struct conf, accounts);

    drop_array(&conf_account_table, conf->accounts, conf->account_count);
}

static void drop_trunks(void *field)
{
    struct conf *conf = container_of(field, struct conf, trunks);

    drop_array(&conf_trunk_table, conf->trunks, conf->trunk_count);
}

static void drop_routes(void *field)
{
    struct conf *conf = container_of(field, struct conf, routes);

    drop_array(&conf_route_table, conf->routes, conf->route_count);
}

/* ---- mappings ---- */

static struct span key_text(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? span_make(node->data.scalar.value, node->data.scalar.length) : SPAN_NULL;
}

static bool has_network(const struct conf *conf, struct span network)
{
    for (size_t i = 0; i < conf->media.advertise_count; i++) {
        if (span_eq(span_of(conf->media.advertise[i].network), network))
            return true;
    }
    return false;
}

static int read_advertised(struct conf_reader *reader, struct span network, yaml_node_t *value)
{
    static const struct conf_row address_row = {"", KIND_ADDRESS, 0, 1, 64, NULL, "", ""};
    struct conf *conf = reader->conf;
    struct conf_advertise *advertise = &conf->media.advertise[conf->media.advertise_count];

    if (!conf_is_network(network))
        return conf_fail(reader, "is not a network: ADDRESS/BITS");
    if (has_network(conf, network))
        return conf_fail(reader, "stands twice");
    advertise->network = mem_text(network.p, network.n);
    if (!advertise->network)
        return -ENOMEM;
    conf->media.advertise_count++;
    return conf_read_scalar(reader, &address_row, value, &advertise->address);
}

static int read_advertise(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field)
{
    struct conf *conf = reader->conf;
    yaml_node_pair_t *pairs;
    size_t count;

    if (node->type != YAML_MAPPING_NODE)
        return conf_fail(reader, "is not a mapping of networks to addresses");
    pairs = node->data.mapping.pairs.start;
    count = (size_t)(node->data.mapping.pairs.top - pairs);
    if (count > (size_t)row->max)
        return conf_fail(reader, "has more than %d networks", (int)row->max);
    conf->media.advertise = mem_new((count + 1) * sizeof(*conf->media.advertise), NULL);
    if (!conf->media.advertise)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, pairs[i].key);
        size_t length = conf_enter(reader, key, key_text(key));
        int err = read_advertised(reader, key_text(key), yaml_document_get_node(reader->document, pairs[i].value));

        conf_leave(reader, length);
        if (err == -ENOMEM)
            return err;
    }
    return 0;
}

static int read_plugin(struct conf_reader *reader, const struct conf_row *row, struct span name, yaml_node_t *options)
{
    struct conf_strings *plugins = &reader->conf->plugins;
    int err;

    err = conf_parse_name_item(reader, row, name, plugins);
    if (err)
        return err;
    for (size_t i = 0; i + 1 < plugins->count; i++) {
        if (span_eq(span_of(plugins->items[i]), name))
            return conf_fail(reader, "stands twice");
    }
    if (options->type == YAML_SCALAR_NODE
            ? options->data.scalar.length > 0
            : options->type != YAML_MAPPING_NODE || options->data.mapping.pairs.top > options->data.mapping.pairs.start)
        return conf_fail(reader, "takes no options; write {}");
    return 0;
}

static int read_plugins(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field)
{
    yaml_node_pair_t *pairs;
    size_t count;

    if (node->type != YAML_MAPPING_NODE)
        return conf_fail(reader, "is not a mapping of plugins to their options");
    pairs = node->data.mapping.pairs.start;
    count = (size_t)(node->data.mapping.pairs.top - pairs);
    if (count > (size_t)row->max)
        return conf_fail(reader, "has more than %d plugins", (int)row->max);
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, pairs[i].key);
        size_t length = conf_enter(reader, key, key_text(key));
        int err = read_plugin(reader, row, key_text(key), yaml_document_get_node(reader->document, pairs[i].value));

        conf_leave(reader, length);
        if (err == -ENOMEM)
            return err;
    }
    return 0;
}

/* ---- lists of mappings ---- */

/* @return the number of items, or -EINVAL */
static int count_items(struct conf_reader *reader, const struct conf_row *row, const yaml_node_t *node)
{
    ptrdiff_t count;

    if (node->type != YAML_SEQUENCE_NODE)
        return conf_fail(reader, "is a mapping, but should be %s", conf_kinds[row->kind].wants);
    count = node->data.sequence.items.top - node->data.sequence.items.start;
    return count <= row->max ? (int)count : conf_fail(reader, "has more than %d items", (int)row->max);
}

static int read_items(struct conf_reader *reader, const struct conf_table *table, yaml_node_t *node, void *array)
{
    yaml_node_item_t *items = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - items);

    for (size_t i = 0; i < count && reader->error_count <= CONF_ERROR_MAX; i++) {
        yaml_node_t *child = yaml_document_get_node(reader->document, items[i]);
        size_t length = conf_enter_item(reader, child, i);
        int err = conf_read_table(reader, table, child, (char *)array + i * table->size_bytes, NULL);

        conf_leave(reader, length);
        if (err == -ENOMEM)
            return err;
    }
    return 0;
}

/* One function per list: the field's type is another each time. */
#define READ_LIST(name, items, item_count, table)                                                                      \
    static int name(struct conf_reader *reader, const struct conf_row *row, yaml_node_t *node, void *field)            \
    {                                                                                                                  \
        struct conf *conf = reader->conf;                                                                              \
        int count = count_items(reader, row, node);                                                                    \
                                                                                                                       \
        if (count <= 0)                                                                                                \
            return count;                                                                                              \
        conf->items = mem_new((size_t)count * sizeof(*conf->items), NULL);                                             \
        if (!conf->items)                                                                                              \
            return -ENOMEM;                                                                                            \
        conf->item_count = (size_t)count;                                                                              \
        return read_items(reader, table, node, conf->items);                                                           \
    }

READ_LIST(read_tokens, tokens, token_count, &conf_token_table)
READ_LIST(read_accounts, accounts, account_count, &conf_account_table)
READ_LIST(read_trunks, trunks, trunk_count, &conf_trunk_table)
READ_LIST(read_routes, routes, route_count, &conf_route_table)

const struct conf_kind_row conf_kinds[KIND_COUNT] = {
    [KIND_TEXT] = {"a text", conf_parse_text, .drop = drop_text},
    [KIND_SECRET] = {"a text", conf_parse_text, .drop = drop_secret},
    [KIND_PATH] = {"a path", conf_parse_path, .drop = drop_text},
    [KIND_NAME] = {"a name", conf_parse_name, .drop = drop_text},
    [KIND_DOMAIN] = {"a host name", conf_parse_domain, .drop = drop_text},
    [KIND_URI] = {"a SIP URI", conf_parse_uri, .drop = drop_text},
    [KIND_HA1] = {"32 hex digits", conf_parse_ha1, .drop = drop_secret},
    [KIND_ADDRESS] = {"a numeric address", conf_parse_address, .drop = drop_text},
    [KIND_SERVER] = {"a server", conf_parse_server, .drop = drop_secret},
    [KIND_WEB_URL] = {"an http or https address", conf_parse_web_url, .drop = drop_secret},
    [KIND_FROM] = {"accounts, any, trunk:NAME or account:NAME", conf_parse_from, .drop = drop_text},
    [KIND_PATTERN] = {"a POSIX extended expression", conf_parse_pattern, .drop = drop_pattern},
    [KIND_UINT] = {"a whole number", conf_parse_uint},
    [KIND_MICROSECONDS] = {"a duration", conf_parse_duration},
    [KIND_MILLISECONDS] = {"a duration", conf_parse_duration},
    [KIND_SECONDS] = {"a duration", conf_parse_duration},
    [KIND_DSCP] = {"a DSCP", conf_parse_dscp},
    [KIND_CHOICE] = {"one word", conf_parse_choice},
    [KIND_FLAG] = {"one word", conf_parse_flag},
    [KIND_LISTEN] = {"SCHEME://ADDRESS:PORT", conf_parse_listen, .drop = drop_listen},
    [KIND_HOSTPORT] = {"ADDRESS:PORT", conf_parse_hostport, .drop = drop_text},
    [KIND_PORTS] = {"a range of ports", conf_parse_ports},
    [KIND_STRINGS] = {"a list of texts", conf_parse_string_item, true, .drop = drop_strings},
    [KIND_NAMES] = {"a list of names", conf_parse_name_item, true, .drop = drop_strings},
    [KIND_WATCHERS] = {"a list of names or *", conf_parse_watcher_item, true, .drop = drop_strings},
    [KIND_NUMBERS] = {"a list of numbers", conf_parse_number_item, true, .drop = drop_strings},
    [KIND_NETWORKS] = {"a list of networks", conf_parse_network_item, true, .drop = drop_strings},
    [KIND_CODECS] = {"a list of codecs", conf_parse_codec_item, true, .drop = drop_strings},
    [KIND_ORIGINS] = {"a list of origins", conf_parse_origin_item, true, .drop = drop_strings},
    [KIND_ALGORITHMS] = {"a list of algorithms", conf_parse_algorithm_item, true, .drop = drop_strings},
    [KIND_LISTENS] = {"a list of SCHEME://ADDRESS:PORT", conf_parse_listen_item, true, .drop = drop_listens},
    [KIND_RESOLVERS] = {"a list of ADDRESS or ADDRESS:PORT", conf_parse_resolver_item, true, .drop = drop_strings},
    [KIND_RULES] = {"a list of \"PATTERN => REPLACEMENT\"", conf_parse_rule_item, true, .drop = conf_drop_rules},
    [KIND_CODES] = {"a list of codes and CODE-CODE", conf_parse_code_item, true},
    [KIND_WORDS] = {"a list of words", conf_parse_word_item, true},
    [KIND_HEADER_LINES] = {"a list of \"NAME: VALUE\"", conf_parse_header_line_item, true, .drop = drop_strings},
    [KIND_HEADERS] = {"a list of header names", conf_parse_header_item, true, .drop = drop_strings},
    [KIND_RANKED] = {"a list of NAME or NAME/PRIORITY/WEIGHT", conf_parse_ranked_item, true, .drop = conf_drop_ranked},
    [KIND_ADVERTISE] = {"a mapping of networks to addresses", .read = read_advertise, .drop = drop_advertise},
    [KIND_PLUGINS] = {"a mapping of plugins to their options", .read = read_plugins, .drop = drop_strings},
    [KIND_TOKENS] = {"a list of mappings", .read = read_tokens, .drop = drop_tokens},
    [KIND_ACCOUNTS] = {"a list of mappings", .read = read_accounts, .drop = drop_accounts},
    [KIND_TRUNKS] = {"a list of mappings", .read = read_trunks, .drop = drop_trunks},
    [KIND_ROUTES] = {"a list of mappings", .read = read_routes, .drop = drop_routes},
};
