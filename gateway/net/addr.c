/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c: IPv4 and IPv6 transport addresses as values: parse, print, compare, classify. RFC 4291, RFC 5952 (by
 * inet_ntop). Knows no names (dns.c does) and no zones. */
#include "net/addr.h"
#include "base/print.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Where the IPv4 part of an IPv4-mapped address starts (::ffff:0:0/96). */
#define MAPPED_AT 12

static void set_v4(struct addr *addr, const void *four_bytes, in_port_t port_be)
{
    memset(addr, 0, sizeof(*addr));
    addr->in.sin_family = AF_INET;
    addr->in.sin_port = port_be;
    memcpy(&addr->in.sin_addr, four_bytes, 4);
}

static void set_v6(struct addr *addr, const struct in6_addr *in6, in_port_t port_be, uint32_t scope)
{
    if (IN6_IS_ADDR_V4MAPPED(in6)) {
        set_v4(addr, in6->s6_addr + MAPPED_AT, port_be);
        return;
    }
    memset(addr, 0, sizeof(*addr));
    addr->in6.sin6_family = AF_INET6;
    addr->in6.sin6_port = port_be;
    addr->in6.sin6_addr = *in6;
    addr->in6.sin6_scope_id = scope;
}

int addr_parse(struct addr *addr, struct span host, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr in6;
    struct in_addr in;

    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = span_sub(host, 1, host.n - 2);
        if (span_find(host, ':') < 0)
            return -EINVAL; /* brackets are for IPv6 alone */
    }
    if (memchr(host.p ? host.p : "", '\0', host.n) || span_copy(host, text, sizeof(text)) <= 0)
        return -EINVAL;
    if (inet_pton(AF_INET, text, &in) == 1)
        set_v4(addr, &in, htons(port));
    else if (inet_pton(AF_INET6, text, &in6) == 1)
        set_v6(addr, &in6, htons(port), 0);
    else
        return -EINVAL;
    return 0;
}

int addr_from_sockaddr(struct addr *addr, const struct sockaddr *sa, socklen_t len)
{
    if (len >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, sa, sizeof(in));
        set_v4(addr, &in.sin_addr, in.sin_port);
        return 0;
    }
    if (len >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof(in6));
        set_v6(addr, &in6.sin6_addr, in6.sin6_port, in6.sin6_scope_id);
        return 0;
    }
    return -EAFNOSUPPORT;
}

bool addr_is_any(const struct addr *addr)
{
    return addr_is_v6(addr) ? IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr) : addr->in.sin_addr.s_addr == INADDR_ANY;
}

static uint32_t v4_host(const struct addr *addr)
{
    return ntohl(addr->in.sin_addr.s_addr);
}

bool addr_is_loopback(const struct addr *addr)
{
    return addr_is_v6(addr) ? IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr) : v4_host(addr) >> 24 == 127;
}

bool addr_is_private(const struct addr *addr)
{
    uint32_t v4;

    if (addr_is_loopback(addr))
        return true;
    if (addr_is_v6(addr)) {
        const uint8_t *byte = addr->in6.sin6_addr.s6_addr;

        return (byte[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr);
    }
    v4 = v4_host(addr);
    return v4 >> 24 == 10 || v4 >> 20 == (172 << 4 | 1) || v4 >> 16 == (192 << 8 | 168) || /* RFC 1918 */
           v4 >> 22 == (100 << 2 | 1) ||                                                   /* 100.64/10, RFC 6598 */
           v4 >> 16 == (169 << 8 | 254);                                                   /* link-local, RFC 3927 */
}

void addr_set_port(struct addr *addr, uint16_t port)
{
    if (addr_is_v6(addr))
        addr->in6.sin6_port = htons(port);
    else
        addr->in.sin_port = htons(port);
}

/* A number of up to three digits. @return behind it */
static char *write_octet(char *at, unsigned value)
{
    if (value >= 100)
        *at++ = (char)('0' + value / 100);
    if (value >= 10)
        *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

/* By hand: there are 25 of them in a call's signalling, and inet_ntop() prints by stdio. */
static void write_v4(char *at, const uint8_t bytes[static 4])
{
    for (unsigned i = 0; i < 4; i++) {
        at = write_octet(at, bytes[i]);
        *at++ = i < 3 ? '.' : '\0';
    }
}

const char *addr_host_text(const struct addr *addr, char buf[static ADDR_TEXT_MAX])
{
    if (!addr_is_set(addr))
        buf[0] = '\0';
    else if (!addr_is_v6(addr))
        write_v4(buf, (const uint8_t *)&addr->in.sin_addr);
    else if (!inet_ntop(AF_INET6, &addr->in6.sin6_addr, buf, ADDR_TEXT_MAX))
        buf[0] = '\0';
    return buf;
}

const char *addr_text(const struct addr *addr, char buf[static ADDR_TEXT_MAX])
{
    char host[ADDR_TEXT_MAX];

    addr_host_text(addr, host);
    if (!addr_is_set(addr))
        buf[0] = '\0';
    else
        print_into(buf, ADDR_TEXT_MAX, addr_is_v6(addr) ? "[%.45s]:%u" : "%.45s:%u", host, addr_port(addr));
    return buf;
}

struct span addr_key(const struct addr *addr, char buf[static ADDR_KEY_MAX])
{
    size_t n = addr_is_v6(addr) ? 16 : 4;
    uint16_t port = addr_port(addr);

    buf[0] = n == 16 ? 6 : 4;
    buf[1] = (char)(port >> 8);
    buf[2] = (char)port;
    memcpy(buf + 3, addr_is_v6(addr) ? (const void *)&addr->in6.sin6_addr : &addr->in.sin_addr, n);
    return span_make(buf, 3 + n);
}

int cidr_parse(struct cidr *cidr, struct span text)
{
    struct cidr parsed = {.bits = 0};
    struct span bits = text, host = span_cut(&bits, '/');
    bool has_bits = span_find(text, '/') >= 0;
    uint32_t count;
    int err;

    err = addr_parse(&parsed.base, host, 0);
    if (err)
        return err;
    parsed.bits = addr_is_v6(&parsed.base) ? 128 : 32;
    if (has_bits) {
        if (span_to_u32(bits, parsed.bits, &count))
            return -EINVAL;
        parsed.bits = count;
    }
    *cidr = parsed;
    return 0;
}

bool cidr_has(const struct cidr *cidr, const struct addr *addr)
{
    const uint8_t *base, *other;
    unsigned bytes = cidr->bits / 8, rest = cidr->bits % 8;

    if (cidr->base.sa.sa_family != addr->sa.sa_family)
        return false;
    if (addr_is_v6(addr)) {
        base = cidr->base.in6.sin6_addr.s6_addr;
        other = addr->in6.sin6_addr.s6_addr;
    } else {
        base = (const uint8_t *)&cidr->base.in.sin_addr;
        other = (const uint8_t *)&addr->in.sin_addr;
    }
    if (memcmp(base, other, bytes))
        return false;
    return !rest || ((base[bytes] ^ other[bytes]) >> (8 - rest)) == 0;
}

int addr_local_towards(struct addr *local, const struct addr *to)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    struct addr target = *to;
    int fd, err = 0;

    if (!addr_is_set(to))
        return -EINVAL;
    if (addr_port(&target) == 0)
        addr_set_port(&target, 9);
    fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, &target.sa, addr_len(&target)) || getsockname(fd, (struct sockaddr *)&bound, &len))
        err = -errno;
    close(fd);
    if (err)
        return err;
    err = addr_from_sockaddr(local, (struct sockaddr *)&bound, len);
    if (!err)
        addr_set_port(local, 0);
    return err;
}
