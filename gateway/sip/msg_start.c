/* SPDX-License-Identifier: Apache-2.0 */
/* msg_start.c: the start line of a message. RFC 3261 section 7.1, 7.2, and which status a bad request line deserves.
 * Knows no header. */
#include <errno.h>

#include "sip/grammar.h"
#include "sip/msg_parse.h"

/* What a Request-URI may have before it is answered with 414. The longest in the field (GRUU, opaque tokens) have some
 * 300. */
#define REQUEST_URI_MAX 2048

static bool is_version_number(struct span text)
{
    bool has_dot = false;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' && !has_dot && i > 0 && i + 1 < text.n)
            has_dot = true;
        else if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    }
    return has_dot;
}

static void check_version(struct msg_parse *parse, struct span version)
{
    if (span_ieq(version, SPAN("SIP/2.0")))
        return;
    if (span_istarts(version, SPAN("SIP/")) && is_version_number(span_sub(version, 4, version.n - 4)))
        msg_fault(parse, 505, "Only SIP/2.0 is spoken here");
    else
        msg_fault(parse, 400, "Request line does not end with SIP/2.0");
}

static void parse_request_uri(struct msg_parse *parse, struct span text)
{
    struct sip_msg *msg = parse->msg;

    msg->request_uri = text;
    if (text.n > REQUEST_URI_MAX)
        msg_fault(parse, 414, "Request-URI too long");
    else if (uri_parse(&msg->uri, text))
        msg_fault(parse, 400, "Request-URI cannot be read");
    else if (msg->uri.scheme == URI_OTHER)
        msg_fault(parse, 416, "Unknown scheme in the Request-URI");
    else if (msg->uri.headers.n)
        msg_fault(parse, 400, "Headers in the Request-URI");
}

/* Exactly one SP between the three parts and none behind (RFC 3261 section 25.1 Request-Line). */
static int parse_request(struct msg_parse *parse, struct span rest)
{
    struct sip_msg *msg = parse->msg;
    const char *last;

    msg->is_request = true;
    msg->method_text = grammar_take(&rest, GRAMMAR_TOKEN);
    if (!msg->method_text.n || !grammar_take_char(&rest, ' '))
        return -EBADMSG;
    msg->method = sip_method_find(msg->method_text);
    last = rest.n ? memrchr(rest.p, ' ', rest.n) : NULL;
    if (!last) {
        msg_fault(parse, 400, "Request line without a version");
        return 0;
    }
    check_version(parse, span_make(last + 1, rest.n - (size_t)(last - rest.p) - 1));
    parse_request_uri(parse, span_make(rest.p, (size_t)(last - rest.p)));
    return 0;
}

/* The reason may be empty; some peers then leave out the SP in front of it as well. */
static int parse_response(struct msg_parse *parse, struct span rest)
{
    struct sip_msg *msg = parse->msg;
    struct span code;
    uint32_t status;

    if (!span_ieq(span_cut(&rest, ' '), SPAN("SIP/2.0")))
        return -EBADMSG;
    code = span_cut(&rest, ' ');
    if (code.n != 3 || span_to_u32(code, 699, &status) || status < 100)
        return -EBADMSG;
    msg->status = status;
    msg->reason = rest;
    msg->method = SIP_METHOD_OTHER;
    return 0;
}

int msg_parse_start(struct msg_parse *parse, struct span line)
{
    if (span_istarts(line, SPAN("SIP/")))
        return parse_response(parse, line);
    return parse_request(parse, line);
}
