/* SPDX-License-Identifier: Apache-2.0 */
/* dns.c: names to addresses by c-ares on the worker's loop, with a cache by TTL. One look-up per name at a time,
 * however many wait for it. RFC 3263 section 4.2 (A and AAAA). Knows nothing of SIP. */
#include "net/dns.h"

#include <ares.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <uv.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/worker.h"

#define NAMES_MAX     1024
#define ADDRS_MAX     8
#define HOST_BYTES    254 /* RFC 1035 section 2.3.4 */
#define TRY_MS        2000
#define TRIES         2
#define TTL_MIN_S     5
#define TTL_MAX_S     86400
#define TTL_NONE_S    5 /* no such name */
#define TTL_TIMEOUT_S 1

struct dns {
    struct worker *worker;
    ares_channel channel;
    struct map names;
    struct list oldest; /* names, the one used longest ago first */
    struct list watches;
    struct timer timeout;
    bool is_closing;
};

/* A name: looked up just now, or known until it expires. Owned by the table, and by its look-up while that runs. */
struct name {
    struct map_node node;
    struct list age;
    struct dns *dns; /* NULL: the house is gone */
    struct list waiting;
    bool is_pending;
    int err;
    unsigned count;
    struct addr addrs[ADDRS_MAX];
    uint64_t expires_ms;
    size_t host_n;
    char host[HOST_BYTES];
};

struct dns_query {
    struct list link;
    uint16_t port;
    dns_fn *fn;
    void *arg;
};

/* One socket of c-ares. */
struct watch {
    uv_poll_t poll;
    struct list link;
    struct dns *dns;
    ares_socket_t fd;
};

/* The loop's side. */

static void on_timeout(void *arg);

static void set_timeout(struct dns *dns)
{
    struct timeval buf, *left = ares_timeout(dns->channel, NULL, &buf);

    if (left)
        timer_start(dns->worker->wheel, &dns->timeout,
                    (uint64_t)left->tv_sec * 1000 + (uint64_t)left->tv_usec / 1000 + 1, on_timeout, dns);
    else
        timer_stop(&dns->timeout);
}

static void on_timeout(void *arg)
{
    struct dns *dns = arg;

    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timeout(dns);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct dns *dns = watch->dns;
    bool reads = status < 0 || (events & UV_READABLE), writes = status < 0 || (events & UV_WRITABLE);

    worker_note_turn(dns->worker);
    ares_process_fd(dns->channel, reads ? watch->fd : ARES_SOCKET_BAD, writes ? watch->fd : ARES_SOCKET_BAD);
    set_timeout(dns);
}

static void on_closed(uv_handle_t *handle)
{
    mem_unref(handle->data);
}

static struct watch *find_watch(struct dns *dns, ares_socket_t fd)
{
    struct list *link, *next;

    list_each (link, next, &dns->watches) {
        struct watch *watch = container_of(link, struct watch, link);

        if (watch->fd == fd)
            return watch;
    }
    return NULL;
}

static struct watch *add_watch(struct dns *dns, ares_socket_t fd)
{
    struct watch *watch = mem_new(sizeof(*watch), NULL);

    if (!watch)
        return NULL;
    if (uv_poll_init(&dns->worker->loop, &watch->poll, fd))
        return mem_unref(watch);
    watch->poll.data = watch;
    watch->dns = dns;
    watch->fd = fd;
    list_append(&dns->watches, &watch->link);
    return watch;
}

/* c-ares wants to read or write fd, or closes it (neither). Without memory the query runs into its timeout. */
static void on_socket(void *arg, ares_socket_t fd, int reads, int writes)
{
    struct dns *dns = arg;
    struct watch *watch = find_watch(dns, fd);

    if (!reads && !writes) {
        if (watch) {
            list_remove(&watch->link);
            uv_close((uv_handle_t *)&watch->poll, on_closed);
        }
        return;
    }
    if (!watch)
        watch = add_watch(dns, fd);
    if (watch)
        uv_poll_start(&watch->poll, (reads ? UV_READABLE : 0) | (writes ? UV_WRITABLE : 0), on_poll);
}

/* Names. */

static void name_forget(struct name *name)
{
    list_remove(&name->age);
    map_remove(&name->node);
    name->dns = NULL;
    mem_unref(name);
}

static bool has_addr(const struct name *name, const struct addr *addr)
{
    for (unsigned i = 0; i < name->count; i++)
        if (addr_same_host(&name->addrs[i], addr))
            return true;
    return false;
}

static int add_addrs(struct name *name, const struct ares_addrinfo *info)
{
    int ttl_s = TTL_MAX_S;

    name->count = 0;
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        struct addr addr;

        if (addr_from_sockaddr(&addr, node->ai_addr, node->ai_addrlen) || has_addr(name, &addr))
            continue;
        if (name->count < ADDRS_MAX)
            name->addrs[name->count++] = addr;
        if (node->ai_ttl < ttl_s)
            ttl_s = node->ai_ttl;
    }
    return ttl_s < TTL_MIN_S ? TTL_MIN_S : ttl_s;
}

static void answer(const struct name *name, uint16_t port, dns_fn *fn, void *arg)
{
    struct addr addrs[ADDRS_MAX];
    unsigned count = name->err ? 0 : name->count;

    for (unsigned i = 0; i < count; i++) {
        addrs[i] = name->addrs[i];
        addr_set_port(&addrs[i], port);
    }
    fn(name->err, addrs, count, arg);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct name *name = arg;
    struct list *link;
    int ttl_s = status == ARES_ETIMEOUT ? TTL_TIMEOUT_S : TTL_NONE_S;

    if (status == ARES_SUCCESS)
        ttl_s = add_addrs(name, info);
    if (info)
        ares_freeaddrinfo(info);
    if (!name->count || status != ARES_SUCCESS)
        name->err = status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED ? -ETIMEDOUT : -ENOENT;
    else
        name->err = 0;
    name->is_pending = false;
    name->expires_ms = clock_now_ms() + (uint64_t)ttl_s * 1000;
    while (name->dns && !name->dns->is_closing && (link = list_first(&name->waiting))) {
        struct dns_query *query = container_of(link, struct dns_query, link);

        list_remove(link);
        answer(name, query->port, query->fn, query->arg);
    }
    mem_unref(name);
}

static void name_destroy(void *self)
{
    struct name *name = self;
    struct list *link;

    while ((link = list_first(&name->waiting)))
        list_remove(link);
}

/* Lower case and of a name's letters, so that the cache has one entry per name and nothing odd is asked. */
static int set_host(struct name *name, struct span host)
{
    if (!host.n || host.n >= HOST_BYTES)
        return -EINVAL;
    for (size_t i = 0; i < host.n; i++) {
        unsigned char byte = (unsigned char)host.p[i];

        if (!isalnum(byte) && byte != '-' && byte != '.' && byte != '_')
            return -EINVAL;
        name->host[i] = (char)tolower(byte);
    }
    name->host[host.n] = '\0';
    name->host_n = host.n;
    return 0;
}

static int make_room(struct dns *dns)
{
    struct list *link, *next;

    if (dns->names.count < NAMES_MAX)
        return 0;
    list_each (link, next, &dns->oldest) {
        struct name *name = container_of(link, struct name, age);

        if (!name->is_pending) {
            name_forget(name);
            return 0;
        }
    }
    return -EBUSY;
}

static int name_new(struct name **namep, struct dns *dns, struct span host)
{
    struct name *name = mem_new(sizeof(*name), name_destroy);
    int err;

    if (!name)
        return -ENOMEM;
    list_init(&name->waiting);
    name->dns = dns;
    err = set_host(name, host);
    if (!err)
        err = make_room(dns);
    if (!err)
        err = map_put(&dns->names, &name->node, span_make(name->host, name->host_n));
    if (err) {
        mem_unref(name);
        return err;
    }
    list_append(&dns->oldest, &name->age);
    *namep = name;
    return 0;
}

static int get_name(struct name **namep, struct dns *dns, struct span host)
{
    struct name probe;
    struct map_node *node;
    int err = set_host(&probe, host);

    if (err)
        return err;
    node = map_find(&dns->names, span_make(probe.host, probe.host_n));
    if (!node)
        return name_new(namep, dns, host);
    *namep = container_of(node, struct name, node);
    list_remove(&(*namep)->age);
    list_append(&dns->oldest, &(*namep)->age);
    return 0;
}

static void look_up(struct dns *dns, struct name *name)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};

    name->is_pending = true;
    name->count = 0;
    mem_ref(name); /* the look-up's, until on_answer(), which may come at once */
    ares_getaddrinfo(dns->channel, name->host, NULL, &hints, on_answer, name);
    set_timeout(dns);
}

static void query_destroy(void *self)
{
    struct dns_query *query = self;

    list_remove(&query->link);
}

static bool answer_numeric(struct span host, uint16_t port, dns_fn *fn, void *arg)
{
    struct addr addr;

    if (addr_parse(&addr, host, port))
        return false;
    fn(0, &addr, 1, arg);
    return true;
}

int dns_resolve(struct dns_query **queryp, struct dns *dns, struct span host, uint16_t port, dns_fn *fn, void *arg)
{
    struct dns_query *query;
    struct name *name;
    int err;

    *queryp = NULL;
    if (answer_numeric(host, port, fn, arg))
        return 0;
    err = get_name(&name, dns, host);
    if (err)
        return err;
    query = mem_new(sizeof(*query), query_destroy);
    if (!query)
        return -ENOMEM;
    if (!name->is_pending && name->expires_ms <= clock_now_ms())
        look_up(dns, name);
    if (!name->is_pending) {
        mem_unref(query);
        answer(name, port, fn, arg);
        return 0;
    }
    query->port = port;
    query->fn = fn;
    query->arg = arg;
    list_append(&name->waiting, &query->link);
    *queryp = query;
    return 0;
}

/* The house. */

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static void dns_destroy(void *self)
{
    struct dns *dns = self;
    struct list *link;

    dns->is_closing = true;
    timer_stop(&dns->timeout);
    if (dns->channel)
        ares_destroy(dns->channel);
    while ((link = list_first(&dns->oldest)))
        name_forget(container_of(link, struct name, age));
    map_free(&dns->names);
}

int dns_new(struct dns **dnsp)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ares_options options = {.timeout = TRY_MS, .tries = TRIES, .sock_state_cb = on_socket};
    struct dns *dns = mem_new(sizeof(*dns), dns_destroy);

    if (!dns)
        return -ENOMEM;
    assert(worker_current());
    pthread_once(&once, init_library);
    dns->worker = worker_current();
    map_init(&dns->names);
    list_init(&dns->oldest);
    list_init(&dns->watches);
    options.sock_state_cb_data = dns;
    if (ares_init_options(&dns->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB)) {
        dns->channel = NULL;
        mem_unref(dns);
        return -EIO;
    }
    *dnsp = dns;
    return 0;
}
