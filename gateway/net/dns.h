/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

/* dns.h: names to addresses by c-ares on the worker's loop; never blocks. A numeric host answers at once (before
 * return). Answers are cached by TTL (at most 1,024 names). RFC 3263's A/AAAA step; NAPTR and SRV come with issue 5. */

struct dns;       /* one per worker */
struct dns_query; /* leave with mem_unref(): no callback after */

int dns_new(struct dns **dnsp);

/** @param addrs at most 8, with the port given; count 0 and err -ENOENT/-ETIMEDOUT when there is none */
typedef void dns_fn(int err, const struct addr *addrs, unsigned count, void *arg);
/** @return 0; *queryp is NULL if it was answered before return */
int dns_resolve(struct dns_query **queryp, struct dns *dns, struct span host, uint16_t port, dns_fn *fn, void *arg);
