/* SPDX-License-Identifier: Apache-2.0 */
/* conf_address.c: the kinds of configuration value that are places: listeners, addresses, networks, URIs of next hops.
 * Checks shapes only; the floors that use them parse them. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/conf_row.h"
#include "base/mem.h"

/* @return AF_INET, AF_INET6, or 0 if it is no numeric address */
static int family_of(struct span text)
{
    char buf[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    if (span_copy(text, buf, sizeof(buf)) < 0)
        return 0;
    if (inet_pton(AF_INET, buf, &addr) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, buf, &addr) == 1 ? AF_INET6 : 0;
}

bool conf_is_address(struct span text)
{
    return family_of(text) != 0;
}

bool conf_is_network(struct span text)
{
    ptrdiff_t slash = span_find(text, '/');
    struct span address = span_cut(&text, '/');
    int family = family_of(address);
    uint32_t bits;

    if (!family || slash < 0)
        return family != 0;
    return span_to_u32(text, family == AF_INET ? 32 : 128, &bits) == 0;
}

/* HOST:PORT or [HOST]:PORT apart. @return 0 or -EBADMSG */
static int split_port(struct span text, struct span *hostp, struct span *portp)
{
    ptrdiff_t at;

    if (span_starts(text, SPAN("["))) {
        at = span_find(text, ']');
        if (at < 0)
            return -EBADMSG;
        *hostp = span_sub(text, 1, (size_t)at - 1);
        text = span_sub(text, (size_t)at + 1, text.n);
        if (text.n && text.p[0] != ':')
            return -EBADMSG;
    } else {
        at = span_find(text, ':');
        *hostp = at < 0 ? text : span_sub(text, 0, (size_t)at);
        text = at < 0 ? span_sub(text, text.n, 0) : span_sub(text, (size_t)at, text.n);
    }
    *portp = span_sub(text, 1, text.n);
    return text.n == 1 ? -EBADMSG : 0;
}

/* A numeric host with a port. */
static int parse_place(struct conf_reader *reader, struct span text, struct span *hostp, uint32_t *portp)
{
    struct span host, port;

    if (split_port(text, &host, &port) || !port.n)
        return conf_fail(reader, "\"%.*s\" is not ADDRESS:PORT", SPAN_ARG(text));
    if (!family_of(host))
        return conf_fail(reader, "\"%.*s\" is not a numeric address", SPAN_ARG(host));
    if (span_to_u32(port, UINT16_MAX, portp))
        return conf_fail(reader, "\"%.*s\" is not a port", SPAN_ARG(port));
    *hostp = host;
    return 0;
}

static bool is_one_of(struct span words, struct span word)
{
    while (words.n) {
        if (span_eq(span_cut(&words, '|'), word))
            return true;
    }
    return false;
}

int conf_parse_listen(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf_listen *listen = field;
    ptrdiff_t at = span_find_span(text, SPAN("://"));
    struct span scheme = at > 0 ? span_sub(text, 0, (size_t)at) : SPAN_NULL, host = SPAN_NULL;
    uint32_t port;
    char *copy;
    int err;

    if (!is_one_of(span_of(row->unit), scheme))
        return conf_fail(reader, "\"%.*s\" is not %s://ADDRESS:PORT", SPAN_ARG(text), row->unit);
    err = parse_place(reader, span_sub(text, (size_t)at + 3, text.n), &host, &port);
    if (err)
        return err;
    copy = mem_text(host.p, host.n);
    if (!copy)
        return -ENOMEM;
    mem_unref(listen->host);
    span_copy(scheme, listen->scheme, sizeof(listen->scheme));
    listen->host = copy;
    listen->port = (uint16_t)port;
    return 0;
}

int conf_parse_listen_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf_listens *listens = field;
    struct conf_listen *items;
    int err;

    items = mem_new((listens->count + 1) * sizeof(*items), NULL);
    if (!items)
        return -ENOMEM;
    err = conf_parse_listen(reader, row, text, &items[listens->count]);
    if (err) {
        mem_unref(items);
        return err;
    }
    if (listens->count)
        memcpy(items, listens->items, listens->count * sizeof(*items));
    mem_unref(listens->items);
    listens->items = items;
    listens->count++;
    return 0;
}

int conf_parse_hostport(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf *conf = reader->conf;
    struct span host = SPAN_NULL;
    uint32_t port = 0;
    char *copy;
    int err = parse_place(reader, text, &host, &port);

    if (err)
        return err;
    if (port == 0)
        return conf_fail(reader, "needs a port: worker n listens on it + n");
    copy = mem_text(host.p, host.n);
    if (!copy)
        return -ENOMEM;
    mem_unref(conf->media.webrtc_host);
    conf->media.webrtc_host = copy;
    conf->media.webrtc_port = (uint16_t)port;
    return 0;
}

int conf_parse_resolver_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct span host;
    uint32_t port;
    int err = family_of(text) ? 0 : parse_place(reader, text, &host, &port);

    return err ? err : conf_strings_add(field, text);
}

int conf_parse_address(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    if (!family_of(text))
        return conf_fail(reader, "\"%.*s\" is not a numeric address", SPAN_ARG(text));
    return conf_parse_text(reader, row, text, field);
}

static bool is_host(struct span host)
{
    if (family_of(host))
        return true;
    for (size_t i = 0; i < host.n; i++) {
        if (!isalnum((unsigned char)host.p[i]) && !strchr("-._", host.p[i]))
            return false;
    }
    return host.n > 0;
}

static bool is_host_with_port(struct span text)
{
    struct span host, port;
    uint32_t number;

    if (split_port(text, &host, &port) || !is_host(host))
        return false;
    return !port.n || (span_to_u32(port, UINT16_MAX, &number) == 0 && number > 0);
}

/* sip:[USER@]HOST[:PORT][;PARAMETERS] without blanks, quotes or brackets that would break a header. */
static bool is_sip_uri(struct span text)
{
    ptrdiff_t at;
    size_t n;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= 0x20 || text.p[i] == 0x7f || strchr("<>\"", text.p[i]))
            return false;
    }
    if (!span_istarts(text, SPAN("sip:")) && !span_istarts(text, SPAN("sips:")))
        return false;
    span_cut(&text, ':');
    at = span_find(text, '@');
    text = span_sub(text, (size_t)(at + 1), text.n);
    for (n = 0; n < text.n && text.p[n] != ';' && text.p[n] != '?'; n++)
        ;
    return is_host_with_port(span_sub(text, 0, n));
}

int conf_parse_uri(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    if (!is_sip_uri(text))
        return conf_fail(reader, "\"%.*s\" is not a SIP URI such as sip:HOST:PORT;transport=tcp", SPAN_ARG(text));
    return conf_parse_text(reader, row, text, field);
}

int conf_parse_server(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct span scheme = span_of(row->unit), place = span_sub(text, scheme.n, text.n);
    ptrdiff_t at;

    if (text.n) { /* the text is not shown: a TURN server carries its password */
        while ((at = span_find(place, '@')) >= 0)
            place = span_sub(place, (size_t)at + 1, place.n);
        if (!span_starts(text, scheme) || !is_host_with_port(place))
            return conf_fail(reader, "is not of the form %sHOST[:PORT]", row->unit);
    }
    return conf_parse_text(reader, row, text, field);
}

int conf_parse_web_url(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    bool is_web = span_istarts(text, SPAN("http://")) || span_istarts(text, SPAN("https://"));

    for (size_t i = 0; i < text.n && is_web; i++)
        is_web = text.p[i] > 0x20 && text.p[i] < 0x7f;
    if (!is_web)
        return conf_fail(reader, "is not of the form https://HOST[:PORT]/PATH");
    return conf_parse_text(reader, row, text, field);
}
