/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c: names of senders, read and written. RFC 3323, RFC 3325. Knows no calls. */
#include "call/identity.h"

#include <errno.h>
#include <stdio.h>

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

void identity_of_trunk(struct identity *identity, const struct sip_msg *msg)
{
    struct span privacy = sip_msg_value(msg, SIP_H_PRIVACY);
    struct sip_walk walk = {0};
    struct name_addr asserted;

    *identity = (struct identity){0};
    take_name(identity, &msg->from);
    if (sip_msg_next_addr(msg, SIP_H_P_ASSERTED_IDENTITY, &walk, &asserted) > 0) {
        char display[sizeof(identity->display)];

        memcpy(display, identity->display, sizeof(display));
        take_name(identity, &asserted);
        if (!identity->display[0])
            memcpy(identity->display, display, sizeof(display));
    }
    identity->is_anonymous = span_find_span(privacy, SPAN("id")) >= 0 || span_find_span(privacy, SPAN("user")) >= 0 ||
                             span_ieq(msg->from.uri.host, SPAN("anonymous.invalid"));
}

void identity_write(struct text *out, const char *display, const char *user, const char *domain)
{
    name_addr_write_display(out, span_of(display));
    if (display[0])
        text_add_char(out, ' ');
    text_add_str(out, "<sip:");
    uri_write_user(out, span_of(user));
    text_addf(out, "@%s>", domain);
}

void identity_write_anonymous(struct text *out)
{
    text_add_str(out, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
}
