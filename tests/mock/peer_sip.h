/* SPDX-License-Identifier: Apache-2.0 */
/* peer_sip.h: as much SIP as the scripted peers need: read headers, write messages, answer a digest challenge.
 * RFC 3261, RFC 7616. Trusting where a gateway must not be: it speaks only with what is under test. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { PEER_SIP_MAX_BYTES = 16384, PEER_SIP_FIELD_BYTES = 512 };

/** Borrowed bytes of a received message. */
struct peer_span {
    const char *at;
    size_t size;
};

/** A received message; spans point into the bytes it was read from. */
struct peer_sip {
    int status;               /* 0: a request */
    struct peer_span method;  /* of a response: the one in CSeq */
    struct peer_span uri;     /* requests only */
    struct peer_span headers; /* from the second line to the empty one */
    struct peer_span body;
    unsigned cseq;
};

/** A message being written; too much text sets `is_cut`. */
struct peer_text {
    size_t size;
    bool is_cut;
    char bytes[PEER_SIP_MAX_BYTES];
};

/** @return 0, or -EBADMSG when the start line, CSeq or the end of the headers is missing. */
int peer_sip_parse(struct peer_sip *msg, const char *bytes, size_t size);
/** The @p index th value line of header @p name (long form; its compact form is found too). Empty span: none. */
struct peer_span peer_sip_header(const struct peer_sip *msg, const char *name, unsigned index);
/** Value of ";name=" in a header value, outside of <>; without quotes. Empty span: none. */
struct peer_span peer_sip_param(struct peer_span value, const char *name);
/** URI of a name-addr: what stands in <>, or all up to the first ';'. */
struct peer_span peer_sip_uri(struct peer_span value);

bool peer_span_is(struct peer_span span, const char *text);
/** Copy with ending 0, cut to @p room. */
void peer_span_copy(char *out, size_t room, struct peer_span span);
/** First occurrence of @p text. @return NULL: none. */
const char *peer_span_find(struct peer_span span, const char *text);

void peer_text_add(struct peer_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Copy all lines of header @p name of @p msg, as a response has to (Via) or a dialog wants (Record-Route). */
void peer_text_copy_header(struct peer_text *text, const struct peer_sip *msg, const char *name);
/** Content-Type and Content-Length, empty line, body. @p body NULL: none. */
void peer_text_end(struct peer_text *text, const char *content_type, const char *body);

/** Random hexadecimal text of @p size - 1 characters and the ending 0. */
void peer_random_hex(char *out, size_t size);

/** Who answers a challenge. */
struct peer_login {
    const char *user;
    const char *password;
    unsigned nonce_count;
    char nonce[PEER_SIP_FIELD_BYTES];
};

/** The value of Authorization for @p challenge (a value of WWW-/Proxy-Authenticate), MD5 or SHA-256, qop auth or none.
 *  @return 0; -EPROTO: not a Digest we can answer; -ENOSPC. */
int peer_digest_answer(char *out, size_t room, struct peer_login *login, struct peer_span challenge, const char *method,
                       const char *uri);
