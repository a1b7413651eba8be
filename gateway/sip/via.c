/* SPDX-License-Identifier: Apache-2.0 */
/* via.c: one Via value. RFC 3261 section 20.42, RFC 3581 (rport), RFC 5118 section 4.5 (brackets in received).
 * Does not know whose Via it is. */
#include "sip/via.h"

#include <errno.h>

#include "sip/grammar.h"
#include "sip/params.h"

/* SIP / 2.0 / UDP and the blank behind it. Name and version are any token: what they mean is the start line's business.
 */
static int take_protocol(struct via *via, struct span *rest)
{
    struct span token[3];

    for (int i = 0; i < 3; i++) {
        grammar_skip_blanks(rest);
        token[i] = grammar_take(rest, GRAMMAR_TOKEN);
        if (!token[i].n)
            return -EBADMSG;
        if (i == 2)
            break;
        grammar_skip_blanks(rest);
        if (!grammar_take_char(rest, '/'))
            return -EBADMSG;
    }
    if (!rest->n || !grammar_is(*rest->p, GRAMMAR_BLANK))
        return -EBADMSG;
    grammar_skip_blanks(rest);
    via->transport = token[2];
    return 0;
}

static int keep_rport(struct via *via, struct span value)
{
    uint32_t port = 0;

    via->has_rport = true;
    if (value.n && span_to_u32(value, UINT16_MAX, &port))
        return -EBADMSG;
    via->rport = (uint16_t)port;
    return 0;
}

static struct span without_brackets(struct span host)
{
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        return span_make(host.p + 1, host.n - 2);
    return host;
}

static int parse_params(struct via *via)
{
    struct span rest = via->params, name, value;

    while (params_next(&rest, &name, &value)) {
        if (span_ieq(name, SPAN("branch")))
            via->branch = value;
        else if (span_ieq(name, SPAN("received")))
            via->received = without_brackets(value);
        else if (span_ieq(name, SPAN("rport")) && keep_rport(via, value))
            return -EBADMSG;
    }
    return rest.n ? -EBADMSG : 0;
}

static int parse_value(struct via *via, struct span rest)
{
    bool is_ipv6;
    int err;

    err = take_protocol(via, &rest);
    if (!err)
        err = grammar_take_host(&rest, &via->host, &is_ipv6);
    if (!err)
        err = grammar_take_port(&rest, &via->port);
    if (err)
        return err;
    grammar_skip_blanks(&rest);
    if (!rest.n)
        return 0;
    if (!grammar_take_char(&rest, ';'))
        return -EBADMSG;
    via->params = rest;
    return parse_params(via);
}

int via_next(struct via *via, struct span *rest)
{
    struct via found = {0};
    struct span value;

    *rest = span_trim(*rest);
    if (!list_next(rest, &value))
        return 0;
    if (parse_value(&found, value))
        return -EBADMSG;
    *via = found;
    return 1;
}
