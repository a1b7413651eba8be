/* SPDX-License-Identifier: Apache-2.0 */
/* dns.c: c-ares on the worker's loop: its sockets, its timer, its servers, and the questions that can be put. RFC 1035.
 * Who waits for what is in dns_name.c. Knows nothing of SIP. */
#include "net/dns.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <uv.h>

#include "base/mem.h"
#include "base/worker.h"
#include "net/dns_private.h"

#define TRY_MS      2000
#define TRIES       2
#define SERVERS_MAX 8

/* One socket of c-ares. */
struct watch {
    uv_poll_t poll;
    struct list link;
    struct dns *dns;
    ares_socket_t fd;
};

/* The loop's side. */

static void on_timeout(void *arg);

void dns_set_timeout(struct dns *dns)
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
    dns_set_timeout(dns);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct dns *dns = watch->dns;
    bool reads = status < 0 || (events & UV_READABLE), writes = status < 0 || (events & UV_WRITABLE);

    worker_note_turn(dns->worker);
    ares_process_fd(dns->channel, reads ? watch->fd : ARES_SOCKET_BAD, writes ? watch->fd : ARES_SOCKET_BAD);
    dns_set_timeout(dns);
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

/* ---- questions ---- */

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
    *queryp = NULL;
    if (answer_numeric(host, port, fn, arg))
        return 0;
    return dns_find(queryp, dns, host, &(struct dns_wish){.kind = DNS_ADDR, .port = port, .on_addrs = fn, .arg = arg});
}

int dns_find_srv(struct dns_query **queryp, struct dns *dns, struct span name, dns_srv_fn *fn, void *arg)
{
    return dns_find(queryp, dns, name, &(struct dns_wish){.kind = DNS_SRV, .on_srvs = fn, .arg = arg});
}

int dns_find_naptr(struct dns_query **queryp, struct dns *dns, struct span name, dns_naptr_fn *fn, void *arg)
{
    return dns_find(queryp, dns, name, &(struct dns_wish){.kind = DNS_NAPTR, .on_naptrs = fn, .arg = arg});
}

/* ---- the house ---- */

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static void dns_destroy(void *self)
{
    struct dns *dns = self;

    dns->is_closing = true;
    timer_stop(&dns->timeout);
    if (dns->channel)
        ares_destroy(dns->channel);
    dns_forget_all(dns);
}

/* ADDRESS, [ADDRESS]:PORT or ADDRESS:PORT. */
static int parse_server(struct addr *addr, struct span text)
{
    size_t colon = text.n;
    uint32_t port;

    if (!addr_parse(addr, text, 53))
        return 0;
    while (colon && text.p[colon - 1] != ':')
        colon--;
    if (!colon || span_to_u32(span_sub(text, colon, text.n), UINT16_MAX, &port))
        return -EINVAL;
    return addr_parse(addr, span_sub(text, 0, colon - 1), (uint16_t)port);
}

static int set_servers(struct dns *dns, const struct conf_strings *servers)
{
    struct ares_addr_port_node nodes[SERVERS_MAX] = {0};
    unsigned count = 0;

    for (size_t i = 0; i < servers->count && count < SERVERS_MAX; i++) {
        struct ares_addr_port_node *node = &nodes[count];
        struct addr addr;

        if (parse_server(&addr, span_of(servers->items[i])))
            return -EINVAL;
        node->family = addr.sa.sa_family;
        if (addr_is_v6(&addr))
            memcpy(&node->addr.addr6, &addr.in6.sin6_addr, sizeof(node->addr.addr6));
        else
            node->addr.addr4 = addr.in.sin_addr;
        node->udp_port = node->tcp_port = addr_port(&addr);
        if (count)
            nodes[count - 1].next = node;
        count++;
    }
    return count && ares_set_servers_ports(dns->channel, nodes) ? -EIO : 0;
}

int dns_new(struct dns **dnsp, const struct conf_strings *servers)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ares_options options = {.timeout = TRY_MS, .tries = TRIES, .sock_state_cb = on_socket};
    struct dns *dns = mem_new(sizeof(*dns), dns_destroy);
    int err = 0;

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
        err = -EIO;
    }
    if (!err && servers)
        err = set_servers(dns, servers);
    if (err) {
        mem_unref(dns);
        return err;
    }
    *dnsp = dns;
    return 0;
}
