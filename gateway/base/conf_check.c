/* SPDX-License-Identifier: Apache-2.0 */
/* conf_check.c: what no single key can know: names that refer to others, pairs that belong together, and what is needed
 * only sometimes. Runs after the whole file was read, also when parts of it were wrong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/conf_row.h"
#include "base/mem.h"

unsigned conf_line_of(const struct conf_reader *reader, const char *key)
{
    for (size_t i = 0; i < conf_top_table.count; i++) {
        if (strcmp(conf_top_table.rows[i].key, key) == 0)
            return reader->top_lines[i];
    }
    return 0;
}

static int fail_top(struct conf_reader *reader, const char *key, const char *message)
{
    return conf_fail_at(reader, conf_line_of(reader, key), key, "%s", message);
}

/* "accounts[3].routes" */
static const char *item_key(char buf[64], const char *list, size_t index, const char *key)
{
    snprintf(buf, 64, "%s[%zu]%s%s", list, index, key[0] ? "." : "", key);
    return buf;
}

/* ---- listeners ---- */

static const struct conf_row *top_row(const char *key)
{
    const struct conf_row *row = conf_top_table.rows;

    while (strcmp(row->key, key) != 0)
        row++;
    return row;
}

static bool has_scheme(const struct conf_listens *listens, const char *scheme)
{
    for (size_t i = 0; i < listens->count; i++) {
        if (strcmp(listens->items[i].scheme, scheme) == 0)
            return true;
    }
    return false;
}

static int check_doubles(struct conf_reader *reader, const char *key, const struct conf_listens *listens)
{
    for (size_t i = 0; i < listens->count; i++) {
        const struct conf_listen *one = &listens->items[i];

        for (size_t j = 0; j < i; j++) {
            const struct conf_listen *other = &listens->items[j];

            if (one->port && one->port == other->port && strcmp(one->host, other->host) == 0 &&
                (strcmp(one->scheme, "udp") == 0) == (strcmp(other->scheme, "udp") == 0))
                return conf_fail_at(reader, conf_line_of(reader, key), key, "%s port %u stands twice", one->host,
                                    one->port);
        }
    }
    return 0;
}

struct secure_listens {
    const char *listen_key, *certificate_key, *key_key;
    const char *scheme, *fallback;
    struct conf_listens *listens;
    const char *certificate, *key;
};

static int check_secure(struct conf_reader *reader, const struct secure_listens *secure)
{
    int err = 0;

    if (secure->certificate && !secure->key)
        fail_top(reader, secure->certificate_key, "needs a key beside it");
    if (secure->key && !secure->certificate)
        fail_top(reader, secure->key_key, "needs a certificate beside it");
    if (!conf_line_of(reader, secure->listen_key) && secure->certificate)
        err = conf_parse_listen_item(reader, top_row(secure->listen_key), span_of(secure->fallback), secure->listens);
    else if (has_scheme(secure->listens, secure->scheme) && !secure->certificate)
        conf_fail_at(reader, conf_line_of(reader, secure->listen_key), secure->listen_key,
                     "%s needs a certificate and a key", secure->scheme);
    check_doubles(reader, secure->listen_key, secure->listens);
    return err;
}

static int check_listens(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    int err;

    err = check_secure(reader, &(struct secure_listens){"web.listen", "web.certificate", "web.key", "https",
                                                        "https://0.0.0.0:8443", &conf->web.listen,
                                                        conf->web.certificate, conf->web.key});
    if (err == -ENOMEM)
        return err;
    return check_secure(reader, &(struct secure_listens){"sip.listen", "sip.certificate", "sip.key", "tls",
                                                         "tls://0.0.0.0:5061", &conf->sip.listen, conf->sip.certificate,
                                                         conf->sip.key});
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static bool is_loopback_url(const char *rest)
{
    return strncmp(rest, "127.", 4) == 0 || strncmp(rest, "[::1]", 5) == 0 || strncmp(rest, "localhost", 9) == 0;
}

/* ---- single keys of the file ---- */

static void check_top(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    unsigned last_port = conf->media.webrtc_port + (conf->workers ? conf->workers : 1) - 1;

    if (conf->cdr.token && conf->cdr.http && !strncasecmp(conf->cdr.http, "http://", 7) &&
        !is_loopback_url(conf->cdr.http + 7))
        fail_top(reader, "cdr.http", "is not https, so cdr.token would be readable on the way");
    if (conf->admin.listen.host && !is_loopback(conf->admin.listen.host) && !conf->admin.token &&
        !conf_line_of(reader, "admin.token"))
        fail_top(reader, "admin.listen", "is not loopback, so admin.token is needed");
    if (conf->sip.min_expires_s > conf->sip.max_expires_s)
        fail_top(reader, "sip.min_expires", "is more than sip.max_expires");
    if (conf->sip.session_expires_s && conf->sip.session_expires_s < 90)
        fail_top(reader, "sip.session_expires", "is less than the 90 seconds of RFC 4028");
    if (last_port > UINT16_MAX)
        fail_top(reader, "media.webrtc", "has no port for each worker: they go past 65535");
    if (conf->media.webrtc_port && conf->media.webrtc_port <= conf->media.rtp_port_max &&
        last_port >= conf->media.rtp_port_min)
        fail_top(reader, "media.rtp.ports", "overlaps the ports of media.webrtc");
    conf->demo.is_on = conf->demo.account || conf->demo.numbers.count;
    if (conf->demo.account && !conf_find_account(conf, span_of(conf->demo.account)))
        fail_top(reader, "demo.account", "names no account");
}

static void check_tokens(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    char key[64];

    for (size_t i = 0; i < conf->token_count; i++) {
        if (!conf->tokens[i].algorithms.count)
            conf_fail_at(reader, conf->tokens[i].line, item_key(key, "tokens", i, "algorithms"), "is missing");
    }
}

/* ---- names ---- */

static int index_accounts(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    char key[64];

    for (size_t i = 0; i < conf->account_count; i++) {
        struct conf_account *account = &conf->accounts[i];
        int err = account->name ? map_put(&conf->account_by_name, &account->by_name, span_of(account->name)) : 0;

        if (err == -ENOMEM)
            return err;
        if (err)
            conf_fail_at(reader, account->line, item_key(key, "accounts", i, "name"), "\"%s\" stands twice",
                         account->name);
    }
    return 0;
}

static int index_trunks(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    char key[64];

    for (size_t i = 0; i < conf->trunk_count; i++) {
        struct conf_trunk *trunk = &conf->trunks[i];
        int err = trunk->name ? map_put(&conf->trunk_by_name, &trunk->by_name, span_of(trunk->name)) : 0;

        if (err == -ENOMEM)
            return err;
        if (err)
            conf_fail_at(reader, trunk->line, item_key(key, "trunks", i, "name"), "\"%s\" stands twice", trunk->name);
    }
    return 0;
}

static const struct conf_route *find_route(const struct conf *conf, const char *name, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        if (conf->routes[i].name && strcmp(conf->routes[i].name, name) == 0)
            return &conf->routes[i];
    }
    return NULL;
}

/* Names of accounts, or "*". */
static void check_names(struct conf_reader *reader, const struct conf_account *account,
                        const struct conf_strings *names, const char *key)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], "*") && !conf_find_account(reader->conf, span_of(names->items[i])))
            conf_fail_at(reader, account->line, key, "there is no account \"%s\"", names->items[i]);
}

static void check_account(struct conf_reader *reader, size_t index)
{
    struct conf *conf = reader->conf;
    struct conf_account *account = &conf->accounts[index];
    char key[64];

    if (account->password && account->ha1)
        conf_fail_at(reader, account->line, item_key(key, "accounts", index, "ha1"), "stands beside a password");
    if (!account->password && !account->ha1 && !conf->token_count)
        conf_fail_at(reader, account->line, item_key(key, "accounts", index, ""), "needs a password or ha1");
    for (size_t i = 0; i < account->routes.count; i++) {
        if (!find_route(conf, account->routes.items[i], conf->route_count))
            conf_fail_at(reader, account->line, item_key(key, "accounts", index, "routes"), "there is no route \"%s\"",
                         account->routes.items[i]);
    }
    check_names(reader, account, &account->watchers, item_key(key, "accounts", index, "watchers"));
    check_names(reader, account, &account->pickup, item_key(key, "accounts", index, "pickup"));
}

/* Who is asked for the password of name@domain must be one. */
static void check_registrar(struct conf_reader *reader, size_t index)
{
    const struct conf *conf = reader->conf;
    const struct conf_trunk *trunk = &conf->trunks[index];
    char key[64];

    item_key(key, "trunks", index, "registrar");
    if (trunk->registrar && conf->domain && strcasecmp(trunk->registrar, conf->domain) == 0)
        conf_fail_at(reader, trunk->line, key, "is the gateway's own domain");
    for (size_t i = 0; trunk->registrar && i < index; i++)
        if (conf->trunks[i].registrar && strcasecmp(trunk->registrar, conf->trunks[i].registrar) == 0)
            conf_fail_at(reader, trunk->line, key, "\"%s\" stands twice", trunk->registrar);
}

static void check_trunk(struct conf_reader *reader, size_t index)
{
    struct conf_trunk *trunk = &reader->conf->trunks[index];
    char key[64];

    if (trunk->is_register && !(trunk->username && trunk->password))
        conf_fail_at(reader, trunk->line, item_key(key, "trunks", index, "register"),
                     "needs a username and a password");
    if (!trunk->certificate != !trunk->key)
        conf_fail_at(reader, trunk->line, item_key(key, "trunks", index, trunk->key ? "key" : "certificate"),
                     trunk->key ? "needs a certificate beside it" : "needs a key beside it");
    if (trunk->identity & CONF_FROM_ONLY && trunk->identity != CONF_FROM_ONLY)
        conf_fail_at(reader, trunk->line, item_key(key, "trunks", index, "identity"), "from-only stands alone");
    if (!trunk->is_register && trunk->password && !trunk->username)
        conf_fail_at(reader, trunk->line, item_key(key, "trunks", index, "password"), "needs a username");
    check_registrar(reader, index);
}

/* ---- routes ---- */

void conf_check_groups(struct conf_reader *reader, unsigned line, const char *key, const char *text, size_t groups,
                       const char *pattern_name)
{
    for (const char *c = text; c && *c; c++) {
        if (c[0] != '\\')
            continue;
        c++;
        if (*c < '1' || *c > '9')
            conf_fail_at(reader, line, key, "a \\ must be followed by 1 to 9");
        else if ((size_t)(*c - '0') > groups)
            conf_fail_at(reader, line, key, "\\%c: %s has only %zu groups", *c, pattern_name, groups);
        if (!*c)
            return;
    }
}

static void check_groups(struct conf_reader *reader, size_t index, const char *name, const char *text)
{
    const struct conf_route *route = &reader->conf->routes[index];
    char key[64];

    conf_check_groups(reader, route->line, item_key(key, "routes", index, name), text,
                      route->to ? route->to_regex.re_nsub : 0, "`to`");
}

static void check_from(struct conf_reader *reader, size_t index)
{
    const struct conf_route *route = &reader->conf->routes[index];
    struct span name = span_of(route->from);
    char key[64];

    span_cut(&name, ':');
    if (!route->from || !strchr(route->from, ':'))
        return;
    if (route->from[0] == 't' && !conf_find_trunk(reader->conf, name))
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "from"), "there is no trunk \"%.*s\"",
                     SPAN_ARG(name));
    if (route->from[0] == 'a' && !conf_find_account(reader->conf, name))
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "from"), "there is no account \"%.*s\"",
                     SPAN_ARG(name));
}

static void check_target(struct conf_reader *reader, size_t index)
{
    struct conf *conf = reader->conf;
    const struct conf_route *route = &conf->routes[index];
    char key[64];

    if ((route->trunks.count > 0) + (route->account != NULL) + (route->plugin != NULL) != 1)
        conf_fail_at(reader, route->line, item_key(key, "routes", index, ""),
                     "needs exactly one of trunks, account and plugin");
    for (size_t i = 0; i < route->trunks.count; i++) {
        if (!conf_find_trunk(conf, span_of(route->trunks.items[i])))
            conf_fail_at(reader, route->line, item_key(key, "routes", index, "trunks"), "there is no trunk \"%s\"",
                         route->trunks.items[i]);
    }
    if (route->account && !strchr(route->account, '\\') && !conf_find_account(conf, span_of(route->account)))
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "account"), "there is no account \"%s\"",
                     route->account);
    if (route->plugin && !conf_strings_has(&conf->plugins, route->plugin))
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "plugin"), "\"%s\" does not stand in plugins",
                     route->plugin);
    if (route->room && !route->plugin)
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "room"), "needs a plugin");
    if (route->number && route->plugin)
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "number"), "a plugin is not dialled");
}

static void check_route(struct conf_reader *reader, size_t index)
{
    const struct conf_route *route = &reader->conf->routes[index];
    char key[64];

    if (route->name && find_route(reader->conf, route->name, index))
        conf_fail_at(reader, route->line, item_key(key, "routes", index, "name"), "\"%s\" stands twice", route->name);
    check_from(reader, index);
    check_target(reader, index);
    conf_check_ranks(reader, &reader->conf->routes[index], item_key(key, "routes", index, "trunks"));
    check_groups(reader, index, "account", route->account);
    check_groups(reader, index, "room", route->room);
    check_groups(reader, index, "number", route->number);
}

int conf_check(struct conf_reader *reader)
{
    struct conf *conf = reader->conf;
    int err = index_accounts(reader);

    if (!err)
        err = index_trunks(reader);
    if (!err)
        err = check_listens(reader);
    if (err == -ENOMEM)
        return err;
    check_top(reader);
    check_tokens(reader);
    for (size_t i = 0; i < conf->account_count; i++)
        check_account(reader, i);
    for (size_t i = 0; i < conf->trunk_count; i++)
        check_trunk(reader, i);
    for (size_t i = 0; i < conf->route_count; i++)
        check_route(reader, i);
    return 0;
}
