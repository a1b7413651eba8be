/* SPDX-License-Identifier: Apache-2.0 */
/* msg_write.c: message -> bytes: lines that cannot be broken by what stands in them, and how a response mirrors its
 * request. RFC 3261 section 7, 8.2.6, 20.43; RFC 3326; RFC 3581 section 4; RFC 5118 section 4.5. Knows nothing of
 * transactions. */
#include "sip/msg_write.h"

#include <errno.h>
#include <stdarg.h>

#include "sip/params.h"

static const struct {
    uint16_t status;
    const char *text;
} phrases[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {181, "Call Is Being Forwarded"},
    {182, "Queued"},
    {183, "Session Progress"},
    {199, "Early Dialog Terminated"},
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Notification"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Moved Temporarily"},
    {305, "Use Proxy"},
    {380, "Alternative Service"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {410, "Gone"},
    {412, "Conditional Request Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {422, "Session Interval Too Small"},
    {423, "Interval Too Brief"},
    {428, "Use Identity Header"},
    {430, "Flow Failed"},
    {433, "Anonymity Disallowed"},
    {436, "Bad Identity Info"},
    {437, "Unsupported Credential"},
    {438, "Invalid Identity Header"},
    {439, "First Hop Lacks Outbound Support"},
    {440, "Max-Breadth Exceeded"},
    {469, "Bad Info Package"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {484, "Address Incomplete"},
    {485, "Ambiguous"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {489, "Bad Event"},
    {491, "Request Pending"},
    {493, "Undecipherable"},
    {494, "Security Agreement Required"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
    {580, "Precondition Failure"},
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
    {607, "Unwanted"},
    {608, "Rejected"},
};

static const char *find_phrase(unsigned status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status)
            return phrases[i].text;
    }
    return NULL;
}

const char *sip_status_text(unsigned status)
{
    const char *text = find_phrase(status);

    if (!text)
        text = find_phrase(status / 100 * 100);
    return text ? text : "Unknown";
}

static void fail(struct text *out)
{
    if (!out->err)
        out->err = -EBADMSG;
}

/* Text that may stand inside a line; anything that would end or hide the line fails the whole message. */
static void add_inline(struct text *out, struct span s)
{
    if (!s.n)
        return;
    if (memchr(s.p, '\r', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, '\0', s.n))
        fail(out);
    else
        text_add(out, s);
}

void sip_write_request_line(struct text *out, const char *method, struct span uri)
{
    if (!uri.n || span_find(uri, ' ') >= 0)
        fail(out);
    text_add_str(out, method);
    text_add_char(out, ' ');
    add_inline(out, uri);
    text_add_str(out, " SIP/2.0\r\n");
}

void sip_write_status_line(struct text *out, unsigned status, const char *reason)
{
    text_add_str(out, "SIP/2.0 ");
    text_add_u64(out, status);
    text_add_char(out, ' ');
    add_inline(out, span_of(reason ? reason : sip_status_text(status)));
    text_add_str(out, "\r\n");
}

void sip_write_header(struct text *out, const char *name, struct span value)
{
    text_add_str(out, name);
    text_add_str(out, ": ");
    add_inline(out, value);
    text_add_str(out, "\r\n");
}

void sip_write_headerf(struct text *out, const char *name, const char *format, ...)
{
    struct span value;
    size_t before;
    va_list args;

    text_add_str(out, name);
    text_add_str(out, ": ");
    before = out->len;
    va_start(args, format);
    text_vaddf(out, format, args);
    va_end(args);
    value = span_sub(text_span(out), before, out->len - before);
    if (value.n && (memchr(value.p, '\r', value.n) || memchr(value.p, '\n', value.n)))
        fail(out);
    text_add_str(out, "\r\n");
}

static void write_via_params(struct text *out, const struct via *via)
{
    struct span rest = via->params, name, value;

    while (params_next(&rest, &name, &value)) {
        if (span_ieq(name, SPAN("received")) || span_ieq(name, SPAN("rport")))
            continue;
        text_add_char(out, ';');
        add_inline(out, name);
        if (!value.p)
            continue;
        text_add_char(out, '=');
        /* A value that came in quotes goes out in quotes: params_next() took them off. */
        if (value.p > via->params.p && value.p[-1] == '"') {
            text_add_char(out, '"');
            add_inline(out, value);
            text_add_char(out, '"');
        } else {
            add_inline(out, value);
        }
    }
}

static void write_top_via(struct text *out, const struct via *via)
{
    text_add_str(out, "Via: SIP/2.0/");
    add_inline(out, via->transport);
    text_add_char(out, ' ');
    uri_write_host(out, via->host);
    if (via->port) {
        text_add_char(out, ':');
        text_add_u64(out, via->port);
    }
    write_via_params(out, via);
    if (via->received.n) {
        text_add_str(out, ";received=");
        add_inline(out, via->received);
    }
    if (via->has_rport) {
        text_add_str(out, ";rport");
        if (via->rport) {
            text_add_char(out, '=');
            text_add_u64(out, via->rport);
        }
    }
    text_add_str(out, "\r\n");
}

/* The topmost value may have others behind it in its line: they follow in a line of their own. */
static void write_vias(struct text *out, const struct sip_msg *request)
{
    const struct sip_header *header;
    struct via ignored;
    unsigned index = 0;
    bool is_top = true;

    while ((header = sip_msg_next(request, SIP_H_VIA, &index))) {
        struct span rest = header->value;

        if (is_top) {
            write_top_via(out, &request->via);
            if (via_next(&ignored, &rest) != 1)
                rest = SPAN_NULL;
        }
        if (rest.n)
            sip_write_header(out, "Via", rest);
        is_top = false;
    }
}

static void mirror(struct text *out, const struct sip_msg *request, enum sip_header_id id)
{
    const struct sip_header *header = sip_msg_header(request, id);

    if (header)
        sip_write_header(out, sip_header_name(id), header->value);
}

static void write_to(struct text *out, const struct sip_msg *request, struct span to_tag)
{
    struct span value = sip_msg_value(request, SIP_H_TO);

    if (!value.n)
        return;
    text_add_str(out, "To: ");
    add_inline(out, value);
    if (request->to.uri_text.n && !request->to_tag.n && to_tag.n) {
        text_add_str(out, ";tag=");
        add_inline(out, to_tag);
    }
    text_add_str(out, "\r\n");
}

void sip_write_response_head(struct text *out, const struct sip_msg *request, unsigned status, const char *reason,
                             struct span to_tag)
{
    const struct sip_header *header;
    unsigned index = 0;

    sip_write_status_line(out, status, reason);
    write_vias(out, request);
    mirror(out, request, SIP_H_FROM);
    write_to(out, request, to_tag);
    mirror(out, request, SIP_H_CALL_ID);
    mirror(out, request, SIP_H_CSEQ);
    if (status == 100)
        mirror(out, request, SIP_H_TIMESTAMP);
    while (status > 100 && status < 300 && (header = sip_msg_next(request, SIP_H_RECORD_ROUTE, &index)))
        sip_write_header(out, "Record-Route", header->value);
}

void sip_write_body(struct text *out, struct span content_type, struct span body)
{
    if (body.n && content_type.n)
        sip_write_header(out, "Content-Type", content_type);
    text_add_str(out, "Content-Length: ");
    text_add_u64(out, body.n);
    text_add_str(out, "\r\n\r\n");
    text_add(out, body);
}

static void add_quoted(struct text *out, const char *s)
{
    text_add_char(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_add_char(out, '\\');
        add_inline(out, span_make(s, 1));
    }
    text_add_char(out, '"');
}

void sip_write_warning(struct text *out, const char *agent, const char *why)
{
    text_add_str(out, "Warning: 399 ");
    add_inline(out, span_of(agent));
    text_add_char(out, ' ');
    add_quoted(out, why);
    text_add_str(out, "\r\n");
}

void sip_write_reason(struct text *out, unsigned cause, const char *why)
{
    text_add_str(out, "Reason: SIP;cause=");
    text_add_u64(out, cause);
    if (why && *why) {
        text_add_str(out, ";text=");
        add_quoted(out, why);
    }
    text_add_str(out, "\r\n");
}
