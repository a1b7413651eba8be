/* SPDX-License-Identifier: Apache-2.0 */
/* directory.c: accounts and trunks of one snapshot, by name, number and source address. Knows no calls. */
#include "call/directory.h"

#include <errno.h>
#include <stdio.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "sip/uri.h"

struct entry {
    struct map_node node;
    const struct conf_account *account;
};

struct directory {
    struct conf *conf;
    struct map names, numbers;
    struct entry *name_entries, *number_entries;
    struct trunk *trunks;
    size_t trunk_count;
    bool has_registrars;
};

static void directory_destroy(void *self)
{
    struct directory *directory = self;

    map_free(&directory->names);
    map_free(&directory->numbers);
    mem_unref(directory->name_entries);
    mem_unref(directory->number_entries);
    for (size_t i = 0; directory->trunks && i < directory->trunk_count; i++)
        mem_unref(directory->trunks[i].host);
    mem_unref(directory->trunks);
    conf_unref(directory->conf);
}

static struct span without_plus(struct span number)
{
    return number.n && number.p[0] == '+' ? span_sub(number, 1, number.n) : number;
}

static int index_accounts(struct directory *directory)
{
    const struct conf *conf = directory->conf;
    size_t number_count = 0, next = 0;
    int err = 0;

    for (size_t i = 0; i < conf->account_count; i++)
        number_count += conf->accounts[i].numbers.count;
    directory->name_entries = mem_new((conf->account_count + 1) * sizeof(struct entry), NULL);
    directory->number_entries = mem_new((number_count + 1) * sizeof(struct entry), NULL);
    if (!directory->name_entries || !directory->number_entries)
        return -ENOMEM;
    for (size_t i = 0; i < conf->account_count && !err; i++) {
        const struct conf_account *account = &conf->accounts[i];

        directory->name_entries[i].account = account;
        err = map_put(&directory->names, &directory->name_entries[i].node, span_of(account->name));
        for (size_t j = 0; j < account->numbers.count && err != -ENOMEM; j++) {
            struct entry *entry = &directory->number_entries[next++];

            entry->account = account;
            err = map_put(&directory->numbers, &entry->node, without_plus(span_of(account->numbers.items[j])));
        }
        if (err == -EEXIST)
            err = 0; /* the configuration check has warned; the first one wins */
    }
    return err;
}

static int parse_trunk(struct trunk *trunk, const struct conf_trunk *conf)
{
    struct span transport;
    struct addr numeric;
    struct uri uri;

    trunk->conf = conf;
    if (uri_parse(&uri, span_of(conf->uri)))
        return -EINVAL;
    trunk->host = mem_text(uri.host.p, uri.host.n);
    trunk->peer = (struct sip_peer){trunk->host, conf->name};
    if (locate_read(&trunk->wish, &uri)) /* other transports: as if none was named */
        trunk->wish = (struct locate_wish){.port = uri.port, .is_sips = uri.scheme == URI_SIPS};
    trunk->wish.host = span_of(trunk->host);
    trunk->transport = uri.scheme == URI_SIPS ? SIP_TLS : SIP_UDP;
    if (uri_param(&uri, SPAN("transport"), &transport))
        trunk->transport = span_ieq(transport, SPAN("tls"))   ? SIP_TLS
                           : span_ieq(transport, SPAN("tcp")) ? SIP_TCP
                                                              : trunk->transport;
    trunk->port = uri.port ? uri.port : trunk->transport == SIP_TLS ? 5061 : 5060;
    for (size_t i = 0; i < conf->accept.count && trunk->accept_count < TRUNK_ACCEPT_MAX; i++)
        if (!cidr_parse(&trunk->accept[trunk->accept_count], span_of(conf->accept.items[i])))
            trunk->accept_count++;
    if (!addr_parse(&numeric, uri.host, 0) && trunk->accept_count < TRUNK_ACCEPT_MAX)
        cidr_parse(&trunk->accept[trunk->accept_count++], uri.host); /* where we send to may answer and call */
    return trunk->host ? 0 : -ENOMEM;
}

/* The same over restarts, and says nothing: FNV-1a of the name. */
static uint32_t line_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* Trunks that register at the same host are told apart by a parameter of the Contact, too: not every registrar sends
 * calls with the Contact's user. */
static void mark_lines(struct directory *directory)
{
    for (size_t i = 0; i < directory->trunk_count; i++)
        for (size_t j = 0; j < directory->trunk_count; j++) {
            struct trunk *one = &directory->trunks[i], *other = &directory->trunks[j];

            if (i != j && one->conf->is_register && other->conf->is_register &&
                span_ieq(span_of(one->host), span_of(other->host)))
                snprintf(one->contact_param, sizeof(one->contact_param), ";line=%08x", line_of(one->conf->name));
        }
}

int directory_new(struct directory **directoryp, struct conf *conf)
{
    struct directory *directory = mem_new(sizeof(*directory), directory_destroy);
    int err;

    if (!directory)
        return -ENOMEM;
    directory->conf = conf_ref(conf);
    map_init(&directory->names);
    map_init(&directory->numbers);
    err = index_accounts(directory);
    directory->trunks = mem_new((conf->trunk_count + 1) * sizeof(struct trunk), NULL);
    if (!directory->trunks)
        err = -ENOMEM;
    for (size_t i = 0; i < conf->trunk_count && !err; i++) {
        directory->trunk_count = i + 1;
        directory->trunks[i].index = (unsigned)i;
        directory->has_registrars |= conf->trunks[i].registrar != NULL;
        err = parse_trunk(&directory->trunks[i], &conf->trunks[i]);
    }
    if (err) {
        mem_unref(directory);
        return err;
    }
    mark_lines(directory);
    *directoryp = directory;
    return 0;
}

struct conf *directory_conf(const struct directory *directory)
{
    return directory->conf;
}

static const struct conf_account *find(const struct map *map, struct span key)
{
    struct map_node *node = map_find(map, key);

    return node ? container_of(node, struct entry, node)->account : NULL;
}

const struct conf_account *directory_account(const struct directory *directory, struct span name)
{
    return find(&directory->names, name);
}

const struct conf_account *directory_account_called(const struct directory *directory, struct span dialled)
{
    const struct conf_account *account = find(&directory->names, dialled);

    return account ? account : find(&directory->numbers, without_plus(dialled));
}

const struct trunk *directory_trunk(const struct directory *directory, struct span name)
{
    for (size_t i = 0; i < directory->trunk_count; i++)
        if (span_eq(span_of(directory->trunks[i].conf->name), name))
            return &directory->trunks[i];
    return NULL;
}

const struct trunk *directory_trunk_at(const struct directory *directory, size_t index)
{
    return index < directory->trunk_count ? &directory->trunks[index] : NULL;
}

const struct trunk *directory_trunk_registrar(const struct directory *directory, struct span domain)
{
    for (size_t i = 0; directory->has_registrars && i < directory->trunk_count; i++) {
        const char *registrar = directory->trunks[i].conf->registrar;

        if (registrar && span_ieq(span_of(registrar), domain))
            return &directory->trunks[i];
    }
    return NULL;
}

void directory_note_addresses(struct directory *directory, struct span name, const struct addr *addrs, unsigned count)
{
    struct trunk *trunk = (struct trunk *)directory_trunk(directory, name);

    if (!trunk)
        return;
    trunk->resolved_count = count < TRUNK_RESOLVED_MAX ? count : TRUNK_RESOLVED_MAX;
    for (unsigned i = 0; i < trunk->resolved_count; i++)
        trunk->resolved[i] = addrs[i];
}

bool trunk_accepts(const struct trunk *trunk, const struct addr *source)
{
    for (unsigned i = 0; i < trunk->accept_count; i++)
        if (cidr_has(&trunk->accept[i], source))
            return true;
    for (unsigned i = 0; i < trunk->resolved_count; i++)
        if (addr_same_host(&trunk->resolved[i], source))
            return true;
    return false;
}

bool trunk_find_hop(const struct trunk *trunk, struct span next_hop, enum sip_transport *transport, struct addr *addr)
{
    struct span named;
    struct uri uri;

    if (uri_parse(&uri, next_hop))
        return false;
    if (uri.scheme == URI_SIPS)
        *transport = SIP_TLS;
    else if (uri_param(&uri, SPAN("transport"), &named))
        *transport = span_ieq(named, SPAN("tls")) ? SIP_TLS : span_ieq(named, SPAN("tcp")) ? SIP_TCP : SIP_UDP;
    return !addr_parse(addr, uri.host,
                       uri.port                ? uri.port
                       : *transport == SIP_TLS ? 5061
                                               : 5060) &&
           trunk_accepts(trunk, addr);
}

void trunk_write_uri(struct text *out, const struct trunk *trunk, const char *user, bool is_target)
{
    text_add_str(out, "sip:");
    uri_write_user(out, span_of(user));
    text_add_char(out, '@');
    uri_write_host(out, span_of(trunk->host));
    if (!is_target)
        return;
    if (trunk->port != (trunk->transport == SIP_TLS ? 5061 : 5060))
        text_addf(out, ":%u", trunk->port);
    if (trunk->transport != SIP_UDP)
        text_addf(out, ";transport=%s", sip_transport_param(trunk->transport));
}

/* Is it at this very address and port? Several PBXs may share a host. */
static bool is_at(const struct trunk *trunk, const struct addr *source)
{
    struct addr own;

    if (trunk->port != addr_port(source))
        return false;
    if (!addr_parse(&own, span_of(trunk->host), trunk->port))
        return addr_same_host(&own, source);
    for (unsigned i = 0; i < trunk->resolved_count; i++)
        if (addr_same_host(&trunk->resolved[i], source))
            return true;
    return false;
}

/* Does the Request-URI hold what we registered there as our Contact? @return 0: no, else the more the surer */
static unsigned fit_contact(const struct trunk *trunk, const struct uri *uri)
{
    char user[128];
    struct span line;

    if (!trunk->conf->is_register || !uri)
        return 0;
    if (trunk->contact_param[0] && uri_param(uri, SPAN("line"), &line))
        return span_ends(span_of(trunk->contact_param), line) && line.n == strlen(trunk->contact_param) - 6 ? 4 : 0;
    return uri_decode(uri->user, user, sizeof(user)) > 0 && span_eq(span_of(user), span_of(trunk->conf->username)) ? 3
                                                                                                                   : 0;
}

const struct trunk *directory_trunk_called(const struct directory *directory, const struct addr *source,
                                           const struct uri *uri)
{
    const struct trunk *best = NULL;
    unsigned best_fit = 0;

    for (size_t i = 0; i < directory->trunk_count; i++) {
        const struct trunk *trunk = &directory->trunks[i];
        unsigned fit;

        if (!trunk_accepts(trunk, source))
            continue;
        fit = fit_contact(trunk, uri);
        if (!fit)
            fit = is_at(trunk, source) ? 2 : 1;
        if (fit > best_fit) {
            best = trunk;
            best_fit = fit;
        }
    }
    return best;
}

const struct trunk *directory_trunk_from(const struct directory *directory, const struct addr *source)
{
    return directory_trunk_called(directory, source, NULL);
}
