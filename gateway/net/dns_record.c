/* SPDX-License-Identifier: Apache-2.0 */
/* dns_record.c: from a name server's answer to records: addresses, SRV (RFC 2782), NAPTR (RFC 3403), and how long they
 * hold. Keeps nothing. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "net/dns_private.h"

#define TTL_MIN_S 5
#define TTL_MAX_S 86400
#define HEAD_SIZE 12 /* RFC 1035 section 4.1.1 */

/* ---- time to live: c-ares tells that of addresses only ---- */

static unsigned read_u16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)read_u16(p) << 16 | read_u16(p + 2);
}

/* Behind a name: its labels up to the root or to a pointer. @return 0: the bytes end within */
static size_t skip_name(const unsigned char *bytes, size_t n, size_t at)
{
    while (at < n && bytes[at] && bytes[at] < 0xc0)
        at += bytes[at] + 1u;
    if (at >= n)
        return 0;
    at += bytes[at] ? 2 : 1;
    return at <= n ? at : 0;
}

static unsigned bound_ttl(uint32_t ttl_s)
{
    return ttl_s < TTL_MIN_S ? TTL_MIN_S : ttl_s > TTL_MAX_S ? TTL_MAX_S : ttl_s;
}

/* The least one of all records of the answer section, CNAMEs on the way included. */
static unsigned least_ttl_s(const unsigned char *bytes, size_t n)
{
    uint32_t least_s = TTL_MAX_S;
    size_t at = HEAD_SIZE;

    if (n < HEAD_SIZE)
        return TTL_MIN_S;
    for (unsigned left = read_u16(bytes + 4); left && at; left--) {
        at = skip_name(bytes, n, at);
        at = at && at + 4 <= n ? at + 4 : 0;
    }
    for (unsigned left = read_u16(bytes + 6); left && at; left--) {
        at = skip_name(bytes, n, at);
        if (!at || at + 10 > n)
            return TTL_MIN_S;
        if (read_u32(bytes + at + 4) < least_s)
            least_s = read_u32(bytes + at + 4);
        at += 10 + read_u16(bytes + at + 8);
    }
    return bound_ttl(least_s);
}

/* ---- addresses ---- */

static bool has_addr(const struct addr *addrs, unsigned count, const struct addr *addr)
{
    for (unsigned i = 0; i < count; i++)
        if (addr_same_host(&addrs[i], addr))
            return true;
    return false;
}

int dns_take_addrs(struct dns_records *records, const struct ares_addrinfo *info)
{
    struct addr *addrs = mem_new(DNS_ADDR_MAX * sizeof(*addrs), NULL);
    uint32_t ttl_s = TTL_MAX_S;
    unsigned count = 0;

    if (!addrs)
        return -ENOMEM;
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        struct addr addr;

        if (addr_from_sockaddr(&addr, node->ai_addr, node->ai_addrlen) || has_addr(addrs, count, &addr))
            continue;
        if (count < DNS_ADDR_MAX)
            addrs[count++] = addr;
        if (node->ai_ttl < (int)ttl_s)
            ttl_s = node->ai_ttl < 0 ? 0 : (uint32_t)node->ai_ttl;
    }
    if (!count) {
        mem_unref(addrs);
        return -ENOENT;
    }
    *records = (struct dns_records){.items = addrs, .count = count, .ttl_s = bound_ttl(ttl_s)};
    return 0;
}

/* ---- SRV and NAPTR ---- */

/* A text of the answer into a field. @return false: it is too long for what it claims to be */
static bool take_text(char *out, size_t size_bytes, const char *text)
{
    size_t n = text ? strlen(text) : 0;

    if (n >= size_bytes)
        return false;
    memcpy(out, text ? text : "", n + 1);
    return true;
}

/* A host name; "." is none. */
static bool take_host(char out[static DNS_HOST_MAX], const char *text)
{
    return take_text(out, DNS_HOST_MAX, text && strcmp(text, ".") != 0 ? text : "");
}

static int parse_err(int status)
{
    return status == ARES_SUCCESS ? 0 : status == ARES_ENOMEM ? -ENOMEM : status == ARES_ENODATA ? -ENOENT : -EBADMSG;
}

static int finish(struct dns_records *records, void *items, unsigned count, const unsigned char *bytes, int n)
{
    if (!count) {
        mem_unref(items);
        return -ENOENT;
    }
    *records = (struct dns_records){.items = items, .count = count, .ttl_s = least_ttl_s(bytes, (size_t)n)};
    return 0;
}

int dns_take_srvs(struct dns_records *records, const unsigned char *bytes, int n)
{
    struct ares_srv_reply *list = NULL;
    int err = parse_err(ares_parse_srv_reply(bytes, n, &list));
    struct dns_srv *srvs = err ? NULL : mem_new(DNS_RECORD_MAX * sizeof(*srvs), NULL);
    unsigned count = 0;

    if (!err && !srvs)
        err = -ENOMEM;
    for (const struct ares_srv_reply *one = list; one && !err && count < DNS_RECORD_MAX; one = one->next) {
        struct dns_srv *srv = &srvs[count];

        srv->priority = one->priority;
        srv->weight = one->weight;
        srv->port = one->port;
        count += take_host(srv->target, one->host);
    }
    ares_free_data(list);
    return err ? err : finish(records, srvs, count, bytes, n);
}

int dns_take_naptrs(struct dns_records *records, const unsigned char *bytes, int n)
{
    struct ares_naptr_reply *list = NULL;
    int err = parse_err(ares_parse_naptr_reply(bytes, n, &list));
    struct dns_naptr *naptrs = err ? NULL : mem_new(DNS_RECORD_MAX * sizeof(*naptrs), NULL);
    unsigned count = 0;

    if (!err && !naptrs)
        err = -ENOMEM;
    for (const struct ares_naptr_reply *one = list; one && !err && count < DNS_RECORD_MAX; one = one->next) {
        struct dns_naptr *naptr = &naptrs[count];

        naptr->order = one->order;
        naptr->preference = one->preference;
        count += take_text(naptr->flags, sizeof(naptr->flags), (const char *)one->flags) &&
                 take_text(naptr->service, sizeof(naptr->service), (const char *)one->service) &&
                 take_host(naptr->replacement, one->replacement);
    }
    ares_free_data(list);
    return err ? err : finish(records, naptrs, count, bytes, n);
}
