/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "sip/name_addr.h"
#include "sip/uri.h"
#include "sip/via.h"

/* msg.h: bytes -> spans. One SIP message, parsed once: start line, all header lines in order, the fields that every
 * layer needs decoded. RFC 3261 section 7 and 25. Knows no transaction and no transport. Pure; no allocation: a message
 * has at most SIP_HEADER_MAX header lines and SIP_MSG_MAX bytes. The message is a struct of spans into the caller's
 * bytes (folded lines are unfolded in place, which is why the bytes are writable). */

#define SIP_MSG_MAX    65536
#define SIP_HEADER_MAX 128

#define METHODS(X)                                                                                                     \
    X(INVITE)                                                                                                          \
    X(ACK)                                                                                                             \
    X(CANCEL)                                                                                                          \
    X(BYE) X(OPTIONS) X(REGISTER) X(PRACK) X(UPDATE) X(INFO) X(REFER) X(MESSAGE) X(SUBSCRIBE) X(NOTIFY) X(PUBLISH)
enum sip_method {
#define X(name) SIP_##name,
    METHODS(X)
#undef X
        SIP_METHOD_OTHER,
    SIP_METHOD_COUNT
};
/** "INVITE"; SIP_METHOD_OTHER gives "". */
const char *sip_method_text(enum sip_method method);

enum sip_header_id {
#define HEADER(id, name, compact, kind) SIP_H_##id,
#include "sip/headers.def"
#undef HEADER
    SIP_H_OTHER,
    SIP_H_COUNT
};
/** By name, with case (RFC 3261 section 7.1); SIP_METHOD_OTHER if unknown. */
enum sip_method sip_method_find(struct span name);

/** Long name of a known header; SIP_H_OTHER gives "". */
const char *sip_header_name(enum sip_header_id id);
/** By long or compact name, any case; SIP_H_OTHER if unknown. */
enum sip_header_id sip_header_find(struct span name);

struct sip_header {
    enum sip_header_id id;
    struct span name;  /* as written */
    struct span value; /* unfolded, trimmed */
};

struct sip_msg {
    struct span raw;
    bool is_request;
    enum sip_method method; /* of the request, or of the response's CSeq */
    struct span method_text;
    struct span request_uri; /* text; parsed into .uri */
    struct uri uri;          /* request URI */
    unsigned status;         /* response */
    struct span reason;
    unsigned header_count;
    struct span body; /* by Content-Length */

    /* decoded, present in every message that parsed */
    struct via via;     /* topmost */
    unsigned via_count; /* values, not lines */
    struct name_addr from, to;
    struct span from_tag, to_tag;
    struct span call_id;
    uint32_t cseq;
    uint32_t max_forwards; /* 70 if absent */
    bool has_content_length;
    uint32_t content_length;
    struct sip_header header[SIP_HEADER_MAX]; /* last, so that a kept copy can be cut to header_count */
};

/** Parse one whole message (datagram, WebSocket frame, or as framing.c cut it).
 *  @param bytes writable: folded lines are unfolded in place
 *  @param status_out for a request that is malformed but answerable: the status it deserves (400, 505, 416, 414, 501 is
 * not given here) with *why_out a static sentence; 0 when nothing can be answered
 *  @return 0; -EBADMSG: drop or answer by *status_out (then via, from, to, call_id, cseq are valid where answerable) */
int sip_msg_parse(struct sip_msg *msg, char *bytes, size_t n, unsigned *status_out, const char **why_out);

/** First header line of this kind, or NULL. */
const struct sip_header *sip_msg_header(const struct sip_msg *msg, enum sip_header_id id);
/** Its value, or the empty span. */
struct span sip_msg_value(const struct sip_msg *msg, enum sip_header_id id);
/** Walk all lines of a kind: i = 0; while ((h = sip_msg_next(msg, id, &i))) ... */
const struct sip_header *sip_msg_next(const struct sip_msg *msg, enum sip_header_id id, unsigned *index);
/** First line of an unknown header by name, without case. */
const struct sip_header *sip_msg_other(const struct sip_msg *msg, struct span name);
/** Walk all values of a LIST header made of name-addrs over all its lines, e.g. every Contact.
 *  Start with a zeroed walk. @return 1, 0 at the end, -EBADMSG */
struct sip_walk {
    unsigned line;
    struct span rest;
    bool is_begun;
};
int sip_msg_next_addr(const struct sip_msg *msg, enum sip_header_id id, struct sip_walk *walk, struct name_addr *addr);
/** Does one of the lines of a token list (Supported, Require, Allow) hold the token? */
bool sip_msg_has_token(const struct sip_msg *msg, enum sip_header_id id, struct span token);
