/* SPDX-License-Identifier: Apache-2.0 */
/* diversion.c: who sent a call on: Diversion (RFC 5806) and History-Info (RFC 7044), each read and written, one made of
 * the other by RFC 7544. Knows messages and texts; no calls. */
#include "call/diversion.h"

#include <string.h>

#include "call/identity.h"
#include "call/number_rules.h"
#include "sip/params.h"

#define DIVERSION_MAX 10
#define COUNT_MAX     100

/* Reasons of RFC 5806 with the causes that RFC 7544 3.2 gives them. */
static const struct {
    const char *text;
    unsigned cause;
} reasons[] = {
    {"unknown", 404},    {"unconditional", 302},  {"user-busy", 486},   {"no-answer", 408},
    {"deflection", 480}, {"unavailable", 503},    {"time-of-day", 404}, {"do-not-disturb", 404},
    {"follow-me", 404},  {"out-of-service", 404}, {"away", 404},        {"deflection", 487},
};

#define REASON_COUNT (sizeof(reasons) / sizeof(*reasons))

struct diversion {
    char number[ROUTE_NUMBER_MAX]; /* who sent it on */
    char display[128];
    unsigned reason; /* index of reasons */
    unsigned count;  /* 0: not told */
    bool is_private;
};

struct diversions {
    struct diversion items[DIVERSION_MAX]; /* the first one first */
    unsigned count;
    bool is_history; /* read from History-Info */
};

static unsigned find_reason(struct span text)
{
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (span_ieq(text, span_of(reasons[i].text)))
            return i;
    return 0;
}

static unsigned find_cause(unsigned cause)
{
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (reasons[i].cause == cause)
            return i;
    return 0;
}

/* ---- reading ---- */

/* @return false: nothing of a number that could be shown */
static bool take_name(struct diversion *diversion, const struct name_addr *addr, const struct conf_rules *rules)
{
    *diversion = (struct diversion){0};
    if (addr->uri.scheme == URI_OTHER || identity_take_dialled(diversion->number, &addr->uri))
        return false;
    if (name_addr_display(addr, diversion->display, sizeof(diversion->display)) < 0)
        diversion->display[0] = '\0';
    return !rules || !number_rules_apply(rules, diversion->number);
}

static void take_params(struct diversion *diversion, struct span params)
{
    struct span value;
    uint32_t count;

    if (params_get(params, SPAN("reason"), &value))
        diversion->reason = find_reason(value);
    if (params_get(params, SPAN("counter"), &value) && !span_to_u32(value, COUNT_MAX, &count))
        diversion->count = count;
    diversion->is_private = params_get(params, SPAN("privacy"), &value) && !span_ieq(value, SPAN("off"));
}

/* The last one stands first (RFC 5806 9.1). */
static void read_diversion(struct diversions *all, const struct sip_msg *invite, const struct conf_rules *rules)
{
    struct sip_walk walk = {0};
    struct name_addr addr;

    while (all->count < DIVERSION_MAX && sip_msg_next_addr(invite, SIP_H_DIVERSION, &walk, &addr) > 0) {
        struct diversion one;

        if (!take_name(&one, &addr, rules))
            continue;
        take_params(&one, addr.params);
        memmove(&all->items[1], &all->items[0], all->count * sizeof(one));
        all->items[0] = one;
        all->count++;
    }
}

/* ?Reason=SIP%3Bcause%3D486 of the one who sent it on: RFC 4244, the former form. @return 0: none */
static unsigned escaped_cause(const struct uri *uri)
{
    char text[256];
    int n = uri_decode(uri->headers, text, sizeof(text));
    struct span found = span_make(text, n > 0 ? (size_t)n : 0);
    ptrdiff_t at = span_find_span(found, SPAN("cause="));
    uint32_t cause;

    if (at < 0 || span_to_u32(span_sub(found, (size_t)at + 6, 3), 999, &cause))
        return 0;
    return cause;
}

/* An entry whose URI has a cause was reached because the one before it sent the call on: RFC 7544 3.3. */
static void read_history(struct diversions *all, const struct sip_msg *invite, const struct conf_rules *rules)
{
    struct diversion former = {0}, one;
    struct sip_walk walk = {0};
    struct name_addr addr;
    unsigned escaped = 0; /* of the former */
    bool has_former = false;

    all->is_history = true;
    while (all->count < DIVERSION_MAX && sip_msg_next_addr(invite, SIP_H_HISTORY_INFO, &walk, &addr) > 0) {
        struct span value;
        uint32_t cause = escaped;

        if (uri_param(&addr.uri, SPAN("cause"), &value) && span_to_u32(value, 999, &cause))
            cause = escaped;
        if (cause && has_former) {
            former.reason = find_cause(cause);
            all->items[all->count++] = former;
        }
        has_former = take_name(&one, &addr, rules);
        one.is_private = span_find_span(addr.uri.headers, SPAN("Privacy=history")) >= 0;
        former = one;
        escaped = escaped_cause(&addr.uri);
    }
}

/* ---- writing ---- */

static void write_diversion(struct text *out, const struct diversions *all, const char *domain)
{
    for (unsigned i = all->count; i-- > 0;) {
        const struct diversion *one = &all->items[i];

        text_add_str(out, "Diversion: ");
        identity_write(out, one->display, one->number, domain);
        text_addf(out, ";reason=%s", reasons[one->reason].text);
        if (one->count)
            text_addf(out, ";counter=%u", one->count);
        text_addf(out, ";privacy=%s\r\n", one->is_private ? "full" : "off");
    }
}

/* <sip:NUMBER@DOMAIN;cause=486?Privacy=history>;index=1.1;mp=1 */
static void write_entry(struct text *out, const char *display, const char *number, const char *domain)
{
    text_add_str(out, "History-Info: ");
    name_addr_write_display(out, span_of(display));
    text_add_str(out, "<sip:");
    uri_write_user(out, span_of(number));
    text_addf(out, "@%s", domain);
}

static void write_index(struct text *out, unsigned depth)
{
    text_add_char(out, '1');
    while (depth--)
        text_add_str(out, ".1");
}

static void write_history(struct text *out, const struct diversions *all, const char *domain, const char *target)
{
    for (unsigned i = 0; i <= all->count; i++) {
        const struct diversion *one = i < all->count ? &all->items[i] : NULL;

        write_entry(out, one ? one->display : "", one ? one->number : target, domain);
        if (i)
            text_addf(out, ";cause=%u", reasons[all->items[i - 1].reason].cause);
        text_add_str(out, one && one->is_private ? "?Privacy=history>;index=" : ">;index=");
        write_index(out, i);
        if (i) {
            text_add_str(out, ";mp=");
            write_index(out, i - 1);
        }
        text_add_str(out, "\r\n");
    }
}

void diversion_write(struct text *out, const struct sip_msg *invite, const struct diversion_options *options)
{
    struct diversions all = {0};

    if (options->policy == CONF_DIVERSION_OFF)
        return;
    read_diversion(&all, invite, options->in);
    if (!all.count)
        read_history(&all, invite, options->in);
    if (!all.count)
        return;
    for (unsigned i = 0; i < all.count; i++)
        if (number_rules_apply(options->out, all.items[i].number))
            return;
    if (options->policy == CONF_DIVERSION_HISTORY || all.is_history)
        write_history(out, &all, options->domain, options->target);
    else
        write_diversion(out, &all, options->domain);
}
