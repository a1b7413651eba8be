/* SPDX-License-Identifier: Apache-2.0 */
/* dns_name.c: the table of names: asked for once however many wait, kept by TTL, bounded. RFC 1035 section 7.4, RFC
 * 2308. Knows no sockets and no SIP. */
#include <ctype.h>
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "net/dns_private.h"

#define NONE_S 5 /* no such name */
#define NO_RECORDS_S                                                                                                   \
    60 /* no SRV or NAPTR, or no answer about them: most names have none, and are asked at each call                   \
        */
#define NO_ANSWER_S   1
#define STALE_S       900 /* how long after their time records still do */
#define STALE_RETRY_S 10  /* and how often the name servers are tried meanwhile */
#define CLASS_IN      1
#define TYPE_SRV      33
#define TYPE_NAPTR    35
#define KEY_MAX       (DNS_HOST_MAX + 1)

/* A name and kind: looked up just now, or known until it expires. Owned by the table, and by its look-up while that
 * runs. */
struct name {
    struct map_node node;
    struct list age;
    struct dns *dns; /* NULL: the house is gone */
    struct list waiting;
    enum dns_kind kind;
    bool is_pending;
    int err;
    unsigned count;
    void *records; /* of the kind; replaced whole */
    uint64_t expires_ms;
    uint64_t stale_ms; /* until then the records do where the name servers cannot be asked: RFC 8767 */
    size_t key_n;
    char key[KEY_MAX]; /* the kind's letter, then the host in lower case */
};

struct dns_query {
    struct list link;
    struct dns_wish wish;
};

static const char letters[] = {[DNS_ADDR] = 'a', [DNS_SRV] = 's', [DNS_NAPTR] = 'n'};

static void name_forget(struct name *name)
{
    list_remove(&name->age);
    map_remove(&name->node);
    name->dns = NULL;
    stats_add(STAT_DNS_NAMES, -1);
    mem_unref(name);
}

void dns_forget_all(struct dns *dns)
{
    struct list *link;

    while ((link = list_first(&dns->oldest)))
        name_forget(container_of(link, struct name, age));
    map_free(&dns->names);
}

/* ---- answers ---- */

static void tell_addrs(const struct dns_wish *wish, int err, const struct addr *known, unsigned count)
{
    struct addr addrs[DNS_ADDR_MAX];

    for (unsigned i = 0; i < count; i++) {
        addrs[i] = known[i];
        addr_set_port(&addrs[i], wish->port);
    }
    wish->on_addrs(err, addrs, count, wish->arg);
}

/* The records stay until told, whatever becomes of the name meanwhile. */
static void tell(const struct name *name, const struct dns_wish *wish)
{
    unsigned count = name->err ? 0 : name->count;
    void *records = name->records ? mem_ref(name->records) : NULL;

    if (wish->kind == DNS_SRV)
        wish->on_srvs(name->err, records, count, wish->arg);
    else if (wish->kind == DNS_NAPTR)
        wish->on_naptrs(name->err, records, count, wish->arg);
    else
        tell_addrs(wish, name->err, records, count);
    mem_unref(records);
}

static bool is_silence(int status)
{
    return status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED;
}

static unsigned negative_ttl_s(const struct name *name, int status)
{
    if (name->kind != DNS_ADDR)
        return NO_RECORDS_S;
    return is_silence(status) ? NO_ANSWER_S : NONE_S;
}

/* Nobody could be asked, which says nothing of the name. */
static bool is_outage(int status)
{
    return is_silence(status) || status == ARES_ESERVFAIL || status == ARES_EREFUSED;
}

/* What was known goes on for a while when name servers are away: a trunk must not go down with them. */
static bool keeps_records(struct name *name, int status, const struct dns_records *records)
{
    if (records->count || !name->count || name->err || !is_outage(status) || name->stale_ms <= clock_now_ms())
        return false;
    stats_count(STAT_DNS_STALE);
    return true;
}

static void take_records(struct name *name, int status, const struct dns_records *records)
{
    unsigned ttl_s = records->count ? records->ttl_s : negative_ttl_s(name, status);

    mem_unref(name->records);
    name->records = records->items;
    name->count = records->count;
    name->err = records->count ? 0 : is_silence(status) ? -ETIMEDOUT : -ENOENT;
    name->expires_ms = clock_now_ms() + ttl_s * 1000ull;
    name->stale_ms = name->expires_ms + STALE_S * 1000ull;
}

/* The look-up has ended. @param records empty where it brought nothing */
static void settle(struct name *name, int status, const struct dns_records *records)
{
    struct list *link;

    name->is_pending = false;
    if (keeps_records(name, status, records))
        name->expires_ms = clock_now_ms() + STALE_RETRY_S * 1000ull;
    else
        take_records(name, status, records);
    while (name->dns && !name->dns->is_closing && (link = list_first(&name->waiting))) {
        struct dns_wish wish = container_of(link, struct dns_query, link)->wish;

        list_remove(link);
        tell(name, &wish);
    }
    mem_unref(name);
}

static void on_addrs(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct dns_records records = {0};

    if (status == ARES_SUCCESS)
        dns_take_addrs(&records, info);
    if (info)
        ares_freeaddrinfo(info);
    settle(arg, status, &records);
}

static void on_bytes(void *arg, int status, int timeouts, unsigned char *bytes, int n)
{
    struct name *name = arg;
    struct dns_records records = {0};

    if (status == ARES_SUCCESS && name->kind == DNS_SRV)
        dns_take_srvs(&records, bytes, n);
    else if (status == ARES_SUCCESS)
        dns_take_naptrs(&records, bytes, n);
    settle(name, status, &records);
}

/* The look-up holds a reference until its answer, which may come at once. */
static void look_up(struct dns *dns, struct name *name)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    const char *host = name->key + 1;

    stats_count(STAT_DNS_LOOKUPS);
    name->is_pending = true;
    mem_ref(name);
    if (name->kind == DNS_ADDR)
        ares_getaddrinfo(dns->channel, host, NULL, &hints, on_addrs, name);
    else
        ares_query(dns->channel, host, CLASS_IN, name->kind == DNS_SRV ? TYPE_SRV : TYPE_NAPTR, on_bytes, name);
    dns_set_timeout(dns);
}

/* ---- the table ---- */

static void name_destroy(void *self)
{
    struct name *name = self;
    struct list *link;

    while ((link = list_first(&name->waiting)))
        list_remove(link);
    mem_unref(name->records);
}

/* Lower case and of a name's letters, so that the table has one entry per name and nothing odd is asked. */
static int make_key(char key[static KEY_MAX], enum dns_kind kind, struct span host)
{
    if (!host.n || host.n >= DNS_HOST_MAX)
        return -EINVAL;
    key[0] = letters[kind];
    for (size_t i = 0; i < host.n; i++) {
        unsigned char byte = (unsigned char)host.p[i];

        if (!isalnum(byte) && byte != '-' && byte != '.' && byte != '_')
            return -EINVAL;
        key[i + 1] = (char)tolower(byte);
    }
    key[host.n + 1] = '\0';
    return 0;
}

static int make_room(struct dns *dns)
{
    struct list *link, *next;

    if (dns->names.count < DNS_NAMES_MAX)
        return 0;
    list_each (link, next, &dns->oldest) {
        struct name *name = container_of(link, struct name, age);

        if (!name->is_pending) {
            stats_count(STAT_DNS_EVICTED);
            name_forget(name);
            return 0;
        }
    }
    return -EBUSY;
}

static int name_new(struct name **namep, struct dns *dns, enum dns_kind kind, const char *key)
{
    struct name *name = mem_new(sizeof(*name), name_destroy);
    int err;

    if (!name)
        return -ENOMEM;
    list_init(&name->waiting);
    name->dns = dns;
    name->kind = kind;
    name->key_n = strlen(key);
    memcpy(name->key, key, name->key_n + 1);
    err = make_room(dns);
    if (!err)
        err = map_put(&dns->names, &name->node, span_make(name->key, name->key_n));
    if (err) {
        mem_unref(name);
        return err;
    }
    stats_add(STAT_DNS_NAMES, 1);
    list_append(&dns->oldest, &name->age);
    *namep = name;
    return 0;
}

static int get_name(struct name **namep, struct dns *dns, enum dns_kind kind, struct span host)
{
    struct map_node *node;
    char key[KEY_MAX];
    int err = make_key(key, kind, host);

    if (err)
        return err;
    node = map_find(&dns->names, span_make(key, host.n + 1));
    if (!node)
        return name_new(namep, dns, kind, key);
    *namep = container_of(node, struct name, node);
    list_remove(&(*namep)->age);
    list_append(&dns->oldest, &(*namep)->age);
    return 0;
}

static void query_destroy(void *self)
{
    struct dns_query *query = self;

    list_remove(&query->link);
}

int dns_find(struct dns_query **queryp, struct dns *dns, struct span host, const struct dns_wish *wish)
{
    struct dns_query *query;
    struct name *name;
    int err;

    *queryp = NULL;
    err = get_name(&name, dns, wish->kind, host);
    if (err)
        return err;
    query = mem_new(sizeof(*query), query_destroy);
    if (!query)
        return -ENOMEM;
    if (!name->is_pending && name->expires_ms <= clock_now_ms())
        look_up(dns, name);
    if (!name->is_pending) {
        mem_unref(query);
        tell(name, wish);
        return 0;
    }
    query->wish = *wish;
    list_append(&name->waiting, &query->link);
    *queryp = query;
    return 0;
}
