/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c: names of senders, read and written. RFC 3323, RFC 3325. Knows no calls. */
#include "call/identity.h"

#include <errno.h>
#include <stdio.h>

#include "call/number_rules.h"
#include "sip/params.h"

/* An escaped line end or NUL would travel on and be somebody else's trouble. @param n what uri_decode() said */
static bool is_plain(const char *text, int n)
{
    for (int i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return false;
    return n > 0 && span_is_utf8(span_make(text, (size_t)n));
}

int identity_take_dialled(char dialled[static ROUTE_NUMBER_MAX], const struct uri *uri)
{
    return is_plain(dialled, uri_decode(uri->user, dialled, ROUTE_NUMBER_MAX)) ? 0 : -EBADMSG;
}

static void take_name(struct identity *identity, const struct name_addr *addr)
{
    if (!is_plain(identity->number, uri_decode(addr->uri.user, identity->number, sizeof(identity->number))))
        snprintf(identity->number, sizeof(identity->number), "anonymous");
    if (name_addr_display(addr, identity->display, sizeof(identity->display)) < 0)
        identity->display[0] = '\0';
}

void identity_of_account(struct identity *identity, const struct conf_account *account)
{
    *identity = (struct identity){0};
    snprintf(identity->number, sizeof(identity->number), "%s",
             account->numbers.count ? account->numbers.items[0] : account->name);
    snprintf(identity->display, sizeof(identity->display), "%s", account->display ? account->display : "");
}

/* A list of tokens between semicolons (RFC 3323 4.2); some write commas. */
static bool has_privacy(struct span privacy, struct span wanted)
{
    while (privacy.n) {
        struct span part = span_cut(&privacy, ';');

        while (part.n)
            if (span_ieq(span_trim(span_cut(&part, ',')), wanted))
                return true;
    }
    return false;
}

void identity_take_privacy(struct identity *identity, const struct sip_msg *msg)
{
    struct span privacy = sip_msg_value(msg, SIP_H_PRIVACY);

    if (has_privacy(privacy, SPAN("id")) || has_privacy(privacy, SPAN("user")) ||
        has_privacy(privacy, SPAN("header")) || span_ieq(msg->from.uri.host, SPAN("anonymous.invalid")))
        identity->is_anonymous = true;
}

/* Remote-Party-ID: of the calling party, with a privacy of its own (draft-ietf-sip-privacy-04). */
static void take_rpid_privacy(struct identity *identity, const struct name_addr *addr)
{
    struct span privacy;

    if (!params_get(addr->params, SPAN("privacy"), &privacy))
        return;
    if (span_istarts(privacy, SPAN("full")) || span_istarts(privacy, SPAN("uri")))
        identity->is_anonymous = true;
    if (span_istarts(privacy, SPAN("name")))
        identity->display[0] = '\0';
}

/* The first name of a header that is one of a caller. @return found? */
static bool find_name(const struct sip_msg *msg, enum sip_header_id id, struct name_addr *addr)
{
    struct sip_walk walk = {0};
    struct span party;

    while (sip_msg_next_addr(msg, id, &walk, addr) > 0) {
        bool is_caller = id != SIP_H_REMOTE_PARTY_ID || !params_get(addr->params, SPAN("party"), &party) ||
                         span_ieq(party, SPAN("calling"));

        if (is_caller && addr->uri.user.n && addr->uri.scheme != URI_OTHER)
            return true;
    }
    return false;
}

void identity_of_trunk(struct identity *identity, const struct sip_msg *msg)
{
    static const enum sip_header_id headers[] = {SIP_H_P_ASSERTED_IDENTITY, SIP_H_P_PREFERRED_IDENTITY,
                                                 SIP_H_REMOTE_PARTY_ID};
    char display[sizeof(identity->display)];
    struct name_addr addr;

    *identity = (struct identity){0};
    take_name(identity, &msg->from);
    memcpy(display, identity->display, sizeof(display));
    identity_take_privacy(identity, msg);
    for (unsigned i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        if (!find_name(msg, headers[i], &addr))
            continue;
        take_name(identity, &addr);
        if (!identity->display[0] && !identity->is_anonymous) /* else that of From is "Anonymous" */
            memcpy(identity->display, display, sizeof(display));
        if (headers[i] == SIP_H_REMOTE_PARTY_ID)
            take_rpid_privacy(identity, &addr);
        return;
    }
}

static void rewrite(struct identity *identity, const struct conf_rules *rules)
{
    if (number_rules_apply(rules, identity->number))
        snprintf(identity->number, sizeof(identity->number), "anonymous");
}

void identity_arrive(struct identity *identity, const struct conf_trunk *trunk)
{
    rewrite(identity, &trunk->callers_in);
}

void identity_leave(struct identity *identity, const struct conf_trunk *trunk)
{
    rewrite(identity, &trunk->callers_out);
    identity->is_anonymous = identity->is_anonymous || trunk->hides_number;
}

static void write_line(struct text *out, const char *name, const struct identity *identity, const char *domain)
{
    text_add_str(out, name);
    text_add_str(out, ": ");
    identity_write(out, identity->display, identity->number, domain);
}

void identity_write_headers(struct text *out, unsigned headers, const struct identity *identity, const char *domain)
{
    bool has_number = strcmp(identity->number, "anonymous") != 0;

    if (has_number && headers & CONF_PAI) {
        write_line(out, "P-Asserted-Identity", identity, domain);
        text_add_str(out, "\r\n");
    }
    if (has_number && headers & CONF_PPI) {
        write_line(out, "P-Preferred-Identity", identity, domain);
        text_add_str(out, "\r\n");
    }
    if (has_number && headers & CONF_RPID) {
        write_line(out, "Remote-Party-ID", identity, domain);
        text_addf(out, ";party=calling;screen=yes;privacy=%s\r\n", identity->is_anonymous ? "full" : "off");
    }
    if (identity->is_anonymous)
        text_add_str(out, "Privacy: id\r\n");
}

void identity_write(struct text *out, const char *display, const char *user, const char *domain)
{
    name_addr_write_display(out, span_of(display)); /* and a blank behind it */
    text_add_str(out, "<sip:");
    uri_write_user(out, span_of(user));
    text_addf(out, "@%s>", domain);
}

void identity_write_from(struct text *out, const struct identity *identity, const struct conf_trunk *trunk,
                         const char *domain)
{
    bool is_user = trunk && trunk->is_register && trunk->username;

    if (identity->is_anonymous)
        identity_write_anonymous(out);
    else
        identity_write(out, identity->display, is_user ? trunk->username : identity->number, domain);
}

void identity_write_anonymous(struct text *out)
{
    text_add_str(out, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
}
