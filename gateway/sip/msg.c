/* SPDX-License-Identifier: Apache-2.0 */
/* msg.c: bytes -> spans, once: start line, header lines, and the fields that every layer needs. RFC 3261 section
 * 7, 8.1.1, 16.3, 18.3, 25; which faults are answered and with what follows RFC 4475. Has never heard of transactions
 * and transports. A second From, To, Call-ID, CSeq or Max-Forwards is a fault; of other SINGLE headers the first one
 * counts. */
#include "sip/msg.h"

#include <errno.h>

#include "sip/grammar.h"
#include "sip/msg_parse.h"

#define CSEQ_MAX         2147483647u /* RFC 3261 section 8.1.1.5 */
#define MAX_FORWARDS_MAX 255u
#define BRANCH_COOKIE    SPAN("z9hG4bK")

/* All Vias are read: the topmost is kept, the others are counted. */
static void decode_via(struct msg_parse *parse, struct span rest)
{
    struct sip_msg *msg = parse->msg;
    struct via via;
    int found;

    while ((found = via_next(&via, &rest)) == 1) {
        if (msg->via_count++ == 0)
            msg->via = via;
    }
    if (found < 0)
        msg_fault(parse, 400, "Via cannot be read");
}

static void decode_addr(struct msg_parse *parse, struct name_addr *addr, struct span *tag, struct span value,
                        const char *why)
{
    if (name_addr_parse(addr, value) || addr->is_star)
        msg_fault(parse, 400, why);
    else
        *tag = name_addr_tag(addr);
}

static void decode_call_id(struct msg_parse *parse, struct span value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (grammar_is(value.p[i], GRAMMAR_BLANK)) {
            msg_fault(parse, 400, "Blank in the Call-ID");
            return;
        }
    }
    if (!value.n)
        msg_fault(parse, 400, "Empty Call-ID");
    parse->msg->call_id = value;
}

static void decode_cseq(struct msg_parse *parse, struct span value)
{
    struct sip_msg *msg = parse->msg;
    struct span method, number = value;
    size_t i = 0;

    while (i < value.n && !grammar_is(value.p[i], GRAMMAR_BLANK))
        i++;
    number.n = i;
    method = span_trim(span_sub(value, i, value.n - i));
    if (span_to_u32(number, CSEQ_MAX, &msg->cseq) || !grammar_is_token(method)) {
        msg_fault(parse, 400, "CSeq cannot be read");
    } else if (!msg->is_request) {
        msg->method_text = method;
        msg->method = sip_method_find(method);
    } else if (!span_eq(method, msg->method_text)) {
        msg_fault(parse, 400, "CSeq has another method than the request line");
    }
}

static void decode_content_length(struct msg_parse *parse, struct span value)
{
    struct sip_msg *msg = parse->msg;
    uint32_t length;

    if (span_to_u32(value, UINT32_MAX, &length))
        msg_fault(parse, 400, "Content-Length cannot be read");
    else if (msg->has_content_length && length != msg->content_length)
        msg_fault(parse, 400, "Two different Content-Lengths");
    else
        msg->content_length = length;
    msg->has_content_length = true;
}

static void decode_header(struct msg_parse *parse, const struct sip_header *header)
{
    struct sip_msg *msg = parse->msg;

    switch (header->id) {
    case SIP_H_VIA:
        decode_via(parse, header->value);
        break;
    case SIP_H_FROM:
        decode_addr(parse, &msg->from, &msg->from_tag, header->value, "From cannot be read");
        break;
    case SIP_H_TO:
        decode_addr(parse, &msg->to, &msg->to_tag, header->value, "To cannot be read");
        break;
    case SIP_H_CALL_ID:
        decode_call_id(parse, header->value);
        break;
    case SIP_H_CSEQ:
        decode_cseq(parse, header->value);
        break;
    case SIP_H_MAX_FORWARDS:
        if (span_to_u32(header->value, MAX_FORWARDS_MAX, &msg->max_forwards))
            msg_fault(parse, 400, "Max-Forwards is not 0 to 255");
        break;
    case SIP_H_CONTENT_LENGTH:
        decode_content_length(parse, header->value);
        break;
    default:
        break;
    }
}

static void decode_headers(struct msg_parse *parse)
{
    const uint32_t wanted =
        1u << SIP_H_VIA | 1u << SIP_H_FROM | 1u << SIP_H_TO | 1u << SIP_H_CALL_ID | 1u << SIP_H_CSEQ;
    const uint32_t only_once = (wanted & ~(1u << SIP_H_VIA)) | 1u << SIP_H_MAX_FORWARDS;
    struct sip_msg *msg = parse->msg;
    uint32_t seen = 0;

    for (unsigned i = 0; i < msg->header_count; i++) {
        unsigned id = msg->header[i].id;
        uint32_t bit = id < 32 ? 1u << id : 0;

        if (bit & seen & only_once) {
            msg_fault(parse, 400, "A header that may stand once stands twice");
            continue;
        }
        seen |= bit;
        decode_header(parse, &msg->header[i]);
    }
    if ((seen & wanted) != wanted || !msg->via_count)
        msg_fault(parse, 400, "Via, From, To, Call-ID or CSeq is missing");
    /* The cookie promises an identifier behind it, RFC 4475 section 3.2.1. */
    if (msg->is_request && span_eq(msg->via.branch, BRANCH_COOKIE))
        msg_fault(parse, 400, "Via branch without an identifier");
}

static void decode_body(struct msg_parse *parse, char *begin, char *body, char *end)
{
    struct sip_msg *msg = parse->msg;
    size_t n = (size_t)(end - body);

    if (msg->has_content_length && msg->content_length > n)
        msg_fault(parse, 400, "Content-Length is larger than the message");
    else if (msg->has_content_length)
        n = msg->content_length;
    msg->body = span_make(body, n);
    msg->raw = span_make(begin, (size_t)(body - begin) + n);
}

/* Zero all but the 5 kB of header lines, which header_count guards. */
static void clear(struct sip_msg *msg)
{
    memset(msg, 0, offsetof(struct sip_msg, header));
    memset(&msg->header_count, 0, sizeof(*msg) - offsetof(struct sip_msg, header_count));
    msg->max_forwards = 70;
}

/* An ACK is never answered, and without a topmost Via there is nowhere to answer to. */
static int refuse(const struct msg_parse *parse, unsigned *status_out, const char **why_out)
{
    const struct sip_msg *msg = parse->msg;

    if (msg->is_request && msg->via_count && msg->method != SIP_ACK)
        *status_out = parse->status;
    *why_out = parse->why;
    return -EBADMSG;
}

int sip_msg_parse(struct sip_msg *msg, char *bytes, size_t n, unsigned *status_out, const char **why_out)
{
    struct msg_parse parse = {.msg = msg};
    char *at = bytes, *end = bytes + n, *body;
    struct span line;

    *status_out = 0;
    *why_out = "Not a SIP message";
    clear(msg);
    while (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
        at += 2;
    bytes = at;
    if (at == end)
        return -EBADMSG;
    msg_take_line(&parse, &at, end, &line);
    if (msg_parse_start(&parse, line))
        return -EBADMSG;
    if (end - bytes > SIP_MSG_MAX)
        msg_fault(&parse, 513, "Message too large");
    body = msg_take_headers(&parse, at, end);
    decode_headers(&parse);
    decode_body(&parse, bytes, body, end);
    if (parse.why)
        return refuse(&parse, status_out, why_out);
    *why_out = "";
    return 0;
}
