/* SPDX-License-Identifier: Apache-2.0 */
/* grammar.c: the bricks of the SIP grammar, RFC 3261 section 25.1: classes of characters, quoted strings, hosts, ports.
 * Has never heard of headers or URIs. */
#include "sip/grammar.h"

#include <arpa/inet.h>
#include <errno.h>

/* One row for 16 characters; the bits are enum grammar_class. test_params.c checks the table against the grammar. */
/* clang-format off */
const uint8_t grammar_classes[256] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xc0, 0x5f, 0x00, 0x42, 0x5e, 0x41, 0x5e, 0x5f, 0x5e, 0x5e, 0x5f, 0x5f, 0x06, 0x7f, 0x7f, 0x5a,
    0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x18, 0x0a, 0x00, 0x1e, 0x00, 0x12,
    0x00, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
    0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x58, 0x00, 0x58, 0x40, 0x7f,
    0x41, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
    0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x40, 0x40, 0x40, 0x5f, 0x00,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
    0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
};
/* clang-format on */

struct span grammar_take(struct span *rest, unsigned classes)
{
    struct span run;
    size_t i = 0;

    while (i < rest->n && grammar_is(rest->p[i], classes))
        i++;
    run = span_make(rest->p, i);
    *rest = span_make(rest->p + i, rest->n - i);
    return run;
}

void grammar_skip_blanks(struct span *rest)
{
    while (rest->n && grammar_is(*rest->p, GRAMMAR_BLANK)) {
        rest->p++;
        rest->n--;
    }
}

bool grammar_take_char(struct span *rest, char c)
{
    if (!rest->n || *rest->p != c)
        return false;
    rest->p++;
    rest->n--;
    return true;
}

int grammar_take_quoted(struct span *rest, struct span *inner)
{
    if (!rest->n || *rest->p != '"')
        return -EBADMSG;
    for (size_t i = 1; i < rest->n; i++) {
        if (rest->p[i] == '\\') {
            i++;
            continue;
        }
        if (rest->p[i] == '"') {
            *inner = span_make(rest->p + 1, i - 1);
            *rest = span_make(rest->p + i + 1, rest->n - i - 1);
            return 0;
        }
    }
    return -EBADMSG;
}

/* A zone (fe80::1%eth0) is not in the grammar, and inet_pton refuses it. */
static bool is_ipv6_literal(struct span text)
{
    char buf[INET6_ADDRSTRLEN];
    struct in6_addr in6;

    return text.n < sizeof(buf) && memchr(text.p, '\0', text.n) == NULL && span_copy(text, buf, sizeof(buf)) > 0 &&
           inet_pton(AF_INET6, buf, &in6) == 1;
}

int grammar_take_host(struct span *rest, struct span *host, bool *is_ipv6)
{
    struct span literal;
    const char *end;

    *is_ipv6 = rest->n && *rest->p == '[';
    if (!*is_ipv6) {
        *host = grammar_take(rest, GRAMMAR_HOST);
        return host->n ? 0 : -EBADMSG;
    }
    end = memchr(rest->p, ']', rest->n);
    if (!end)
        return -EBADMSG;
    literal = span_make(rest->p + 1, (size_t)(end - rest->p) - 1);
    if (!is_ipv6_literal(literal))
        return -EBADMSG;
    *host = literal;
    *rest = span_make(end + 1, rest->n - literal.n - 2);
    return 0;
}

int grammar_take_port(struct span *rest, uint16_t *port)
{
    struct span after = *rest, digits;
    uint32_t value;

    *port = 0;
    grammar_skip_blanks(&after);
    if (!grammar_take_char(&after, ':'))
        return 0;
    grammar_skip_blanks(&after);
    digits = after;
    while (after.n && *after.p >= '0' && *after.p <= '9') {
        after.p++;
        after.n--;
    }
    digits.n -= after.n;
    if (span_to_u32(digits, UINT16_MAX, &value) || value == 0)
        return -EBADMSG;
    *port = (uint16_t)value;
    *rest = after;
    return 0;
}

int grammar_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool grammar_is_escaped_text(struct span text, unsigned classes)
{
    for (size_t i = 0; i < text.n; i++) {
        if (grammar_is(text.p[i], classes))
            continue;
        if (text.p[i] != '%' || text.n - i < 3 || grammar_hex_digit(text.p[i + 1]) < 0 ||
            grammar_hex_digit(text.p[i + 2]) < 0)
            return false;
        i += 2;
    }
    return true;
}

bool grammar_is_token(struct span text)
{
    struct span rest = text;

    return grammar_take(&rest, GRAMMAR_TOKEN).n > 0 && rest.n == 0;
}
