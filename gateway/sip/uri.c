/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c: sip:, sips: and tel: URIs in and out. RFC 3261 section 19.1 and 25.1, RFC 3966, RFC 5118.
 * Knows no header and no name-addr; resolves nothing. */
#include "sip/uri.h"

#include <arpa/inet.h>
#include <errno.h>

#include "sip/grammar.h"
#include "sip/params.h"

static int parse_userinfo(struct uri *uri, struct span userinfo)
{
    struct span rest = userinfo;

    uri->user = span_cut(&rest, ':');
    uri->password = rest;
    if (!uri->user.n || !grammar_is_escaped_text(uri->user, GRAMMAR_USER) ||
        !grammar_is_escaped_text(uri->password, GRAMMAR_PASSWORD))
        return -EBADMSG;
    return 0;
}

static int parse_params_and_headers(struct uri *uri, struct span rest)
{
    if (rest.n && *rest.p == ';') {
        uri->params = span_cut(&rest, '?');
        uri->params = span_sub(uri->params, 1, uri->params.n - 1);
        uri->headers = rest;
    } else if (rest.n && *rest.p == '?') {
        uri->headers = span_sub(rest, 1, rest.n - 1);
    } else if (rest.n) {
        return -EBADMSG;
    }
    if (!grammar_is_escaped_text(uri->params, GRAMMAR_PARAM) || !grammar_is_escaped_text(uri->headers, GRAMMAR_HEADER))
        return -EBADMSG;
    return 0;
}

/* There is no '@' in a host, a parameter or a header that is correctly escaped, so the first one ends the user part. */
static int parse_sip(struct uri *uri, struct span rest)
{
    ptrdiff_t at = span_find(rest, '@');
    int err;

    if (at >= 0) {
        err = parse_userinfo(uri, span_sub(rest, 0, (size_t)at));
        if (err)
            return err;
        rest = span_make(rest.p + at + 1, rest.n - (size_t)at - 1);
    }
    err = grammar_take_host(&rest, &uri->host, &uri->is_ipv6);
    if (!err)
        err = grammar_take_port(&rest, &uri->port);
    if (!err)
        err = parse_params_and_headers(uri, rest);
    return err;
}

/* Digits of global and local numbers with their visual separators; %23 for '#' is what phones send. RFC 3966 section 3.
 */
static bool is_tel_number(struct span number)
{
    bool has_digit = false;

    for (size_t i = 0; i < number.n; i++) {
        char c = number.p[i];

        if (c == '+' && i == 0)
            continue;
        if (c == '%' && number.n - i >= 3 && number.p[i + 1] == '2' && number.p[i + 2] == '3') {
            has_digit = true;
            i += 2;
        } else if (grammar_hex_digit(c) >= 0 || c == '*' || c == '#') {
            has_digit = true;
        } else if (c != '-' && c != '.' && c != '(' && c != ')') {
            return false;
        }
    }
    return has_digit;
}

static int parse_tel(struct uri *uri, struct span rest)
{
    uri->user = span_cut(&rest, ';');
    uri->params = rest;
    if (!is_tel_number(uri->user) || !grammar_is_escaped_text(uri->params, GRAMMAR_PARAM))
        return -EBADMSG;
    return 0;
}

static bool is_scheme(struct span scheme)
{
    for (size_t i = 0; i < scheme.n; i++) {
        char c = scheme.p[i];
        bool is_alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_alpha && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return scheme.n > 0;
}

static bool is_visible(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] >= 127 || text.p[i] == '<' || text.p[i] == '>' || text.p[i] == '"')
            return false;
    }
    return true;
}

int uri_parse(struct uri *uri, struct span text)
{
    struct span scheme, rest;
    ptrdiff_t colon = span_find(text, ':');
    struct uri found = {.text = text, .scheme = URI_OTHER};
    int err = 0;

    if (colon < 0)
        return -EBADMSG;
    scheme = span_make(text.p, (size_t)colon);
    rest = span_make(text.p + colon + 1, text.n - (size_t)colon - 1);
    if (span_ieq(scheme, SPAN("sip")))
        found.scheme = URI_SIP;
    else if (span_ieq(scheme, SPAN("sips")))
        found.scheme = URI_SIPS;
    else if (span_ieq(scheme, SPAN("tel")))
        found.scheme = URI_TEL;
    else if (!is_scheme(scheme) || !rest.n || !is_visible(rest))
        return -EBADMSG;
    if (found.scheme == URI_TEL)
        err = parse_tel(&found, rest);
    else if (found.scheme != URI_OTHER)
        err = parse_sip(&found, rest);
    if (!err)
        *uri = found;
    return err;
}

/* One character of escaped text. @return 0..255, or -EBADMSG */
static int decode_next(struct span *rest)
{
    int high, low;

    if (*rest->p != '%') {
        high = (unsigned char)*rest->p;
        *rest = span_make(rest->p + 1, rest->n - 1);
        return high;
    }
    if (rest->n < 3)
        return -EBADMSG;
    high = grammar_hex_digit(rest->p[1]);
    low = grammar_hex_digit(rest->p[2]);
    if (high < 0 || low < 0)
        return -EBADMSG;
    *rest = span_make(rest->p + 3, rest->n - 3);
    return high * 16 + low;
}

int uri_decode(struct span escaped, char *buf, size_t size_bytes)
{
    size_t n = 0;

    if (!size_bytes)
        return -ENOSPC;
    buf[0] = '\0';
    while (escaped.n) {
        int c = decode_next(&escaped);

        if (c <= 0) {
            buf[0] = '\0';
            return -EBADMSG;
        }
        if (n + 1 >= size_bytes) {
            buf[0] = '\0';
            return -ENOSPC;
        }
        buf[n++] = (char)c;
    }
    buf[n] = '\0';
    return (int)n;
}

void uri_write_user(struct text *out, struct span decoded)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < decoded.n; i++) {
        unsigned char c = (unsigned char)decoded.p[i];

        if (c != '#' && grammar_is((char)c, GRAMMAR_USER)) {
            text_add_char(out, (char)c);
        } else {
            text_add_char(out, '%');
            text_add_char(out, hex[c >> 4]);
            text_add_char(out, hex[c & 15]);
        }
    }
}

void uri_write_host(struct text *out, struct span host)
{
    bool is_ipv6 = span_find(host, ':') >= 0 && host.n && *host.p != '[';

    if (is_ipv6)
        text_add_char(out, '[');
    text_add(out, host);
    if (is_ipv6)
        text_add_char(out, ']');
}

bool uri_param(const struct uri *uri, struct span name, struct span *valuep)
{
    return params_get(uri->params, name, valuep);
}

static bool same_after_decoding(struct span left, struct span right)
{
    while (left.n && right.n) {
        int left_char = decode_next(&left);
        int right_char = decode_next(&right);

        if (left_char < 0 || left_char != right_char)
            return false;
    }
    return left.n == right.n;
}

/* 2001:db8::10 and 2001:DB8:0::10 are one address, RFC 5118 section 4.5. */
static bool same_ipv6(struct span left, struct span right)
{
    char left_text[INET6_ADDRSTRLEN], right_text[INET6_ADDRSTRLEN];
    struct in6_addr left_addr, right_addr;

    return span_copy(left, left_text, sizeof(left_text)) > 0 && span_copy(right, right_text, sizeof(right_text)) > 0 &&
           inet_pton(AF_INET6, left_text, &left_addr) == 1 && inet_pton(AF_INET6, right_text, &right_addr) == 1 &&
           memcmp(&left_addr, &right_addr, sizeof(left_addr)) == 0;
}

bool uri_same(const struct uri *left, const struct uri *right)
{
    if (left->scheme != right->scheme || left->port != right->port || left->is_ipv6 != right->is_ipv6)
        return false;
    if (left->scheme == URI_OTHER)
        return span_eq(left->text, right->text);
    if (left->is_ipv6 ? !same_ipv6(left->host, right->host) : !span_ieq(left->host, right->host))
        return false;
    return same_after_decoding(left->user, right->user);
}
