/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"
#include "sip/msg.h"

/* msg_write.h: message -> bytes. Headers out are built from parsed values; a value with CR, LF or NUL makes the text
 * fail with -EBADMSG in text->err. Knows how a response mirrors its request (RFC 3261 section 8.2.6); nothing of
 * transactions. */

void sip_write_request_line(struct text *out, const char *method, struct span uri);
void sip_write_status_line(struct text *out, unsigned status, const char *reason);
/** Standard phrase for a status; for one that is not registered, the phrase of its class's x00. */
const char *sip_status_text(unsigned status);

void sip_write_header(struct text *out, const char *name, struct span value);
void sip_write_headerf(struct text *out, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Status line, all Vias (the first rebuilt from request->via: the transport sets received and rport there, RFC 3581
 * section 4), From, To (with to_tag added when it had none and to_tag is not empty), Call-ID, CSeq, Timestamp in a 100,
 * Record-Route where status is 101-299. Also for a request that was refused by the parser: what could not be read is
 * left out or mirrored as its clean text. reason NULL: the standard phrase. Caller adds the rest and the body. */
void sip_write_response_head(struct text *out, const struct sip_msg *request, unsigned status, const char *reason,
                             struct span to_tag);

/** Content-Type (when body is not empty), Content-Length, empty line, body. */
void sip_write_body(struct text *out, struct span content_type, struct span body);

/** Warning: 399 <agent> "text", quotes escaped: RFC 3261 20.43. */
void sip_write_warning(struct text *out, const char *agent, const char *why);
/** Reason: SIP;cause=N;text="..." RFC 3326. */
void sip_write_reason(struct text *out, unsigned cause, const char *why);
