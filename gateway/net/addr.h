/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"

/* addr.h: IPv4 and IPv6 transport addresses. Values, copied freely. IPv4-mapped IPv6 addresses are turned into IPv4. */

struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
};

#define ADDR_TEXT_MAX 64 /* "[v6]:port" with NUL */

/** From a numeric host (brackets allowed, no zone) and a port in host order. @return 0, -EINVAL */
int addr_parse(struct addr *addr, struct span host, uint16_t port);
int addr_from_sockaddr(struct addr *addr, const struct sockaddr *sa, socklen_t len);
bool addr_is_any(const struct addr *addr); /* 0.0.0.0 or :: */
bool addr_is_loopback(const struct addr *addr);
bool addr_is_private(const struct addr *addr); /* RFC 1918, 6598, 4193, link-local, loopback */
void addr_set_port(struct addr *addr, uint16_t port);
/** "192.0.2.1:5060", "[2001:db8::1]:5060" / without port and brackets. @return buf */
const char *addr_text(const struct addr *addr, char buf[static ADDR_TEXT_MAX]);
const char *addr_host_text(const struct addr *addr, char buf[static ADDR_TEXT_MAX]);
/** The bytes that identify it, for map keys: family, port, address, packed into buf. */
#define ADDR_KEY_MAX 19
struct span addr_key(const struct addr *addr, char buf[static ADDR_KEY_MAX]);

struct cidr {
    struct addr base;
    unsigned bits;
};
/** "203.0.113.0/24", "2001:db8::/32", or one address. @return 0, -EINVAL */
int cidr_parse(struct cidr *cidr, struct span text);
bool cidr_has(const struct cidr *cidr, const struct addr *addr);

/* What the packet path asks. */

static inline bool addr_is_v6(const struct addr *addr)
{
    return addr->sa.sa_family == AF_INET6;
}

static inline bool addr_is_set(const struct addr *addr)
{
    return addr->sa.sa_family == AF_INET || addr_is_v6(addr);
}

static inline socklen_t addr_len(const struct addr *addr)
{
    return addr_is_v6(addr) ? sizeof(addr->in6) : sizeof(addr->in);
}

static inline uint16_t addr_port(const struct addr *addr)
{
    return ntohs(addr_is_v6(addr) ? addr->in6.sin6_port : addr->in.sin_port);
}

static inline bool addr_same_host(const struct addr *left, const struct addr *right)
{
    if (left->sa.sa_family != right->sa.sa_family)
        return false;
    if (addr_is_v6(left))
        return IN6_ARE_ADDR_EQUAL(&left->in6.sin6_addr, &right->in6.sin6_addr);
    return left->in.sin_addr.s_addr == right->in.sin_addr.s_addr;
}

/** Address and port. */
static inline bool addr_eq(const struct addr *left, const struct addr *right)
{
    return addr_same_host(left, right) && addr_port(left) == addr_port(right);
}

/** The local address the kernel would use towards `to` (UDP connect, no packet). @return 0, -errno */
int addr_local_towards(struct addr *local, const struct addr *to);
