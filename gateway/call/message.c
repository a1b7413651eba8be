/* SPDX-License-Identifier: Apache-2.0 */
/* message.c: a MESSAGE read and made ready to go on. RFC 3428, RFC 3325. Any Content-Type is passed as it is, so that
 * IMDN (RFC 5438) and whatever else two devices agree on works without us. Knows no transactions. */
#include "call/message.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "call/calls.h"
#include "call/identity.h"

#define HEADERS_MAX 8192

static void message_destroy(void *self)
{
    struct message *message = self;

    mem_unref(message->from);
    mem_unref(message->headers);
    mem_unref(message->body);
}

/* ---- what the body is ---- */

/* Headers that describe the body or the message as such; everything else is between two neighbours. */
static const enum sip_header_id passed[] = {SIP_H_CONTENT_DISPOSITION, SIP_H_CONTENT_ENCODING, SIP_H_MIME_VERSION,
                                            SIP_H_SUBJECT, SIP_H_IN_REPLY_TO};

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* RFC 3261 20.17. A message may be kept for days: its reader wants to know when it was sent. */
static void write_date(struct text *out, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        sip_write_headerf(out, "Date", "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
                          months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void write_headers(struct text *out, const struct message *message, const struct sip_msg *request)
{
    struct span date = sip_msg_value(request, SIP_H_DATE);

    for (unsigned i = 0; i < sizeof(passed) / sizeof(*passed); i++) {
        const struct sip_header *header = sip_msg_header(request, passed[i]);

        if (header)
            sip_write_header(out, sip_header_name(passed[i]), header->value);
    }
    if (date.n)
        sip_write_header(out, "Date", date);
    else
        write_date(out, message->received_ms);
}

static int take_body(struct message *message, const struct sip_msg *request, const char **why)
{
    struct span type = sip_msg_value(request, SIP_H_CONTENT_TYPE);

    if (request->body.n && !type.n) {
        *why = "a body needs a Content-Type";
        return -EBADMSG;
    }
    if (span_copy(type, message->content_type, sizeof(message->content_type)) < 0) {
        *why = "the Content-Type is too long";
        return -EBADMSG;
    }
    message->body = mem_text(request->body.p ? request->body.p : "", request->body.n);
    message->body_bytes = request->body.n;
    return message->body ? 0 : -ENOMEM;
}

static void take_expiry(struct message *message, const struct conf *conf, const struct sip_msg *request)
{
    struct span expires = sip_msg_value(request, SIP_H_EXPIRES);
    uint32_t seconds = conf->messages.keep_s, wanted;

    if (expires.n && !span_to_u32(expires, UINT32_MAX, &wanted) && wanted < seconds)
        seconds = wanted;
    message->expires_ms = message->received_ms + seconds * 1000ull;
}

/* ---- who it is from ---- */

/* Accounts see each other by name, so that an answer finds its way without numbers; trunks see the number. */
static void write_from(struct text *out, const struct message *message, const struct route_caller *caller,
                       const char *domain)
{
    if (message->is_anonymous)
        identity_write_anonymous(out);
    else
        identity_write(out, message->display, caller->account ? caller->account->name : message->number, domain);
}

static int take_sender(struct message *message, const struct sip_msg *request, const struct route_caller *caller,
                       const char *domain)
{
    struct identity identity;
    struct text out;

    if (caller->account) {
        identity_of_account(&identity, caller->account);
        identity_take_privacy(&identity, request);
    } else {
        identity_of_trunk(&identity, request);
    }
    if (caller->trunk)
        identity_arrive(&identity, caller->trunk->conf);
    snprintf(message->number, sizeof(message->number), "%s", identity.number);
    snprintf(message->display, sizeof(message->display), "%s", identity.display);
    message->is_anonymous = identity.is_anonymous;
    text_init(&out, HEADERS_MAX);
    write_from(&out, message, caller, domain);
    message->from = text_take(&out);
    return message->from ? 0 : -ENOMEM;
}

int message_new(struct message **messagep, struct calls *calls, const struct sip_msg *request,
                const struct route_caller *caller, const char **why)
{
    struct message *message = mem_new(sizeof(*message), message_destroy);
    struct text headers;
    int err;

    if (!message)
        return -ENOMEM;
    message->received_ms = clock_wall_us() / 1000;
    message->max_forwards = request->max_forwards - 1; /* at least 1: messages.c */
    outside_make_names(calls->stack, message->call_id, message->tag);
    take_expiry(message, calls->conf, request);
    text_init(&headers, HEADERS_MAX);
    write_headers(&headers, message, request);
    *why = "its headers are too long";
    err = text_err(&headers) == -ENOMEM ? -ENOMEM : text_err(&headers) ? -EBADMSG : 0;
    message->headers = err ? NULL : text_take(&headers);
    text_free(&headers);
    if (!err && !message->headers)
        err = -ENOMEM;
    if (!err)
        err = take_body(message, request, why);
    if (!err)
        err = take_sender(message, request, caller, calls->conf->domain);
    if (err) {
        mem_unref(message);
        return err;
    }
    *messagep = message;
    return 0;
}

/* ---- kept ---- */

static char *copy(const char *text)
{
    return mem_text(text, strlen(text));
}

int message_to_row(const struct message *message, struct kept_row *row)
{
    row->sender = copy(message->from);
    row->headers = copy(message->headers);
    row->content_type = copy(message->content_type);
    row->body = mem_text(message->body, message->body_bytes);
    row->body_bytes = message->body_bytes;
    snprintf(row->call_id, sizeof(row->call_id), "%s", message->call_id);
    snprintf(row->tag, sizeof(row->tag), "%s", message->tag);
    row->received_ms = message->received_ms;
    row->expires_ms = message->expires_ms;
    return row->sender && row->headers && row->content_type && row->body ? 0 : -ENOMEM;
}

static char *take(char **text)
{
    char *taken = *text;

    *text = NULL;
    return taken;
}

int message_of_row(struct message **messagep, struct kept_row *row)
{
    struct message *message = mem_new(sizeof(*message), message_destroy);

    if (!message)
        return -ENOMEM;
    message->from = take(&row->sender);
    message->headers = take(&row->headers);
    message->body = take(&row->body);
    message->body_bytes = row->body_bytes;
    span_copy(span_of(row->content_type), message->content_type, sizeof(message->content_type));
    span_copy(span_of(row->call_id), message->call_id, sizeof(message->call_id));
    span_copy(span_of(row->tag), message->tag, sizeof(message->tag));
    message->received_ms = row->received_ms;
    message->expires_ms = row->expires_ms;
    *messagep = message;
    return 0;
}

/* ---- towards trunks ---- */

static void take_identity(struct identity *identity, const struct message *message, const struct conf_trunk *trunk)
{
    *identity = (struct identity){.is_anonymous = message->is_anonymous};
    snprintf(identity->number, sizeof(identity->number), "%s", message->number);
    snprintf(identity->display, sizeof(identity->display), "%s", message->display);
    identity_leave(identity, trunk);
}

void message_write_trunk_from(struct text *out, const struct message *message, const struct conf_trunk *trunk,
                              const char *domain)
{
    struct identity identity;

    take_identity(&identity, message, trunk);
    identity_write_from(out, &identity, trunk, domain);
}

void message_write_trunk_headers(struct text *out, const struct message *message, const struct conf_trunk *trunk,
                                 const char *domain)
{
    struct identity identity;

    take_identity(&identity, message, trunk);
    identity_write_headers(out, trunk->identity, &identity, domain);
}
