/* SPDX-License-Identifier: Apache-2.0 */
/* conf_header.c: the kinds of configuration value that are SIP headers of the operator's. What the gateway has to write
 * itself, or what has a key of its own, is refused: RFC 3261 20. */
#include <ctype.h>
#include <errno.h>

#include "base/conf_row.h"
#include "base/text.h"

#define NAME_MAX_BYTES 64
#define LINE_MAX_BYTES 512

/* The transaction, the dialog, the body, the credentials: a second or a missing one breaks the call. */
static const char *const forbidden[] = {
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Contact",
    "Route",
    "Record-Route",
    "Path",
    "Service-Route",
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Content-Disposition",
    "Content-Language",
    "MIME-Version",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Require",
    "Proxy-Require",
    "Unsupported",
    "Session-Expires",
    "Min-SE",
    "RSeq",
    "RAck",
    "Expires",
    "Min-Expires",
    "Event",
    "Subscription-State",
    "Allow-Events",
    "Replaces",
    "Join",
    "Refer-To",
    "Referred-By",
    "Refer-Sub",
    "Target-Dialog",
    "Timestamp",
    "Retry-After",
    "Accept",
    "Reason",
    "Warning",
};
/* They have keys of their own: `identity`, `caller_id`, `diversion`. */
static const char *const has_key[] = {
    "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy", "Diversion", "History-Info",
};
/* The gateway's own, which may be left out, but not said twice. */
static const char *const written[] = {"Allow", "Supported"};

static bool is_in(struct span name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_ieq(name, span_of(names[i])))
            return true;
    return false;
}

#define IS_IN(name, names) is_in(name, names, sizeof(names) / sizeof((names)[0]))

static bool is_token(struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && !strchr("-.!%*_+`'~", name.p[i]))
            return false;
    return name.n > 0;
}

static int check_name(struct conf_reader *reader, struct span name, bool is_removed)
{
    if (!is_token(name) || name.n > NAME_MAX_BYTES)
        return conf_fail(reader, "\"%.*s\" is not the name of a header", SPAN_ARG(name));
    if (name.n == 1)
        return conf_fail(reader, "\"%.*s\" is a short form: write the whole name", SPAN_ARG(name));
    if (IS_IN(name, forbidden) || (!is_removed && IS_IN(name, written)))
        return conf_fail(reader, "%.*s is the gateway's to write", SPAN_ARG(name));
    if (IS_IN(name, has_key))
        return conf_fail(reader, "%.*s has keys of its own: identity, caller_id, diversion", SPAN_ARG(name));
    return 0;
}

int conf_parse_header_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    bool is_removed = span_eq(span_of(row->key), SPAN("headers_remove"));
    int err = conf_check_text(reader, row, text);

    if (!err)
        err = check_name(reader, span_trim(text), is_removed);
    return err ? err : conf_strings_add(field, span_trim(text));
}

/* Kept as "Name: value"; conf_check_text() has seen that there is no CR, LF or NUL in it. */
int conf_parse_header_line_item(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int err = conf_check_text(reader, row, text);
    struct span value = text, name = span_trim(span_cut(&value, ':'));
    struct text line;

    if (err)
        return err;
    value = span_trim(value);
    if (!value.n || text.n > LINE_MAX_BYTES || !span_is_utf8(value))
        return conf_fail(reader, "\"%.*s\" is not NAME: VALUE of at most %d bytes", SPAN_ARG(text), LINE_MAX_BYTES);
    err = check_name(reader, name, false);
    if (err)
        return err;
    text_init(&line, LINE_MAX_BYTES + 2);
    text_add(&line, name);
    text_add_str(&line, ": ");
    text_add(&line, value);
    err = text_err(&line) ? text_err(&line) : conf_strings_add(field, text_span(&line));
    text_free(&line);
    return err;
}
