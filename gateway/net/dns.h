/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "net/addr.h"

/* dns.h: names to addresses, SRV and NAPTR records by c-ares on the worker's loop; never blocks. A numeric host answers
 * at once (before return). Answers are cached by TTL, "no such record" for a short while, at most 1,024 of them; what
 * was used longest ago makes room. What the records mean for SIP is sip/locate.c's. */

struct dns;       /* one per worker */
struct dns_query; /* leave with mem_unref(): no callback after */

#define DNS_HOST_MAX   255 /* RFC 1035 section 2.3.4, with NUL */
#define DNS_ADDR_MAX   8
#define DNS_RECORD_MAX 32

struct dns_srv { /* RFC 2782 */
    uint16_t priority, weight, port;
    char target[DNS_HOST_MAX]; /* "": the service is decidedly not there */
};

struct dns_naptr { /* RFC 3403 */
    uint16_t order, preference;
    char flags[8], service[32];
    char replacement[DNS_HOST_MAX];
};

/** @param servers ADDRESS or ADDRESS:PORT each, of IPv6 in brackets; none: the system's (resolv.conf) */
int dns_new(struct dns **dnsp, const struct conf_strings *servers);

/** @param addrs at most DNS_ADDR_MAX, with the port given; count 0 and err -ENOENT/-ETIMEDOUT when there is none */
typedef void dns_fn(int err, const struct addr *addrs, unsigned count, void *arg);
/** A and AAAA, in the order of RFC 6724. @return 0; *queryp is NULL if it was answered before return; -EINVAL: not a
 * name; -EBUSY, -ENOMEM */
int dns_resolve(struct dns_query **queryp, struct dns *dns, struct span host, uint16_t port, dns_fn *fn, void *arg);

/** @param records at most DNS_RECORD_MAX in the order of the answer, borrowed for the call */
typedef void dns_srv_fn(int err, const struct dns_srv *records, unsigned count, void *arg);
typedef void dns_naptr_fn(int err, const struct dns_naptr *records, unsigned count, void *arg);
/** @return as dns_resolve() */
int dns_find_srv(struct dns_query **queryp, struct dns *dns, struct span name, dns_srv_fn *fn, void *arg);
int dns_find_naptr(struct dns_query **queryp, struct dns *dns, struct span name, dns_naptr_fn *fn, void *arg);
