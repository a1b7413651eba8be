/* SPDX-License-Identifier: Apache-2.0 */
/* dialog_info.c: an account's calls and what is told about them. RFC 4235. Knows no subscriptions and no SIP dialogs:
 * "dialog" is the RFC's word for what a phone shows as a call. */
#include "call/dialog_info.h"

#include <stdio.h>
#include <string.h>

#include "call/xml.h"
#include "sip/uri.h"

static const char *state_name(enum dialog_info_state state)
{
    static const char *const names[] = {
#define X(name, text) text,
        DIALOG_INFO_STATES(X)
#undef X
    };

    return names[state];
}

/* ---- the list ---- */

static struct dialog_info_call *find(struct dialog_info_list *list, const char *id)
{
    for (unsigned i = 0; i < list->count; i++)
        if (!strcmp(list->calls[i].id, id))
            return &list->calls[i];
    return NULL;
}

static void forget(struct dialog_info_list *list, unsigned at)
{
    if (list->calls[at].changed_at > list->forgotten_at)
        list->forgotten_at = list->calls[at].changed_at;
    memmove(&list->calls[at], &list->calls[at + 1], (list->count - at - 1) * sizeof(list->calls[0]));
    list->count--;
}

/* Room for one more: the call that ended longest ago goes. */
static bool make_room(struct dialog_info_list *list)
{
    if (list->count < DIALOG_INFO_MAX)
        return true;
    for (unsigned i = 0; i < list->count; i++)
        if (list->calls[i].state == DIALOG_INFO_TERMINATED) {
            forget(list, i);
            return true;
        }
    return false;
}

/* Of calls that are over, only the last few are of interest. */
static void forget_old(struct dialog_info_list *list)
{
    unsigned over_count = list->count - dialog_info_busy_count(list);

    for (unsigned i = 0; i < list->count && over_count > 4;) {
        if (list->calls[i].state != DIALOG_INFO_TERMINATED) {
            i++;
            continue;
        }
        forget(list, i);
        over_count--;
    }
}

bool dialog_info_update(struct dialog_info_list *list, const struct dialog_info_call *news)
{
    struct dialog_info_call *call = find(list, news->id);

    if (call && (call->state == news->state || call->state == DIALOG_INFO_TERMINATED))
        return false;
    if (!call && (news->state == DIALOG_INFO_TERMINATED || !make_room(list)))
        return false; /* nobody has heard of it */
    if (!call)
        call = &list->calls[list->count++];
    *call = *news;
    call->changed_at = ++list->change_count;
    forget_old(list);
    return true;
}

unsigned dialog_info_busy_count(const struct dialog_info_list *list)
{
    unsigned count = 0;

    for (unsigned i = 0; i < list->count; i++)
        count += list->calls[i].state != DIALOG_INFO_TERMINATED;
    return count;
}

/* ---- documents ---- */

static void write_uri(struct text *out, const char *user, const char *domain)
{
    char buf[1024];
    struct text uri;

    text_init_fixed(&uri, buf, sizeof(buf));
    uri_write_user(&uri, span_of(user));
    text_add_str(out, "sip:");
    xml_add_text(out, text_span(&uri));
    text_add_char(out, '@');
    xml_add_text(out, span_of(domain));
}

static void write_remote(struct text *out, const struct dialog_info_call *call, const char *domain)
{
    if (!call->remote[0])
        return;
    text_add_str(out, "<remote><identity");
    if (call->display[0]) {
        text_add_str(out, " display=\"");
        xml_add_text(out, span_of(call->display));
        text_add_char(out, '"');
    }
    text_add_char(out, '>');
    write_uri(out, call->remote, domain);
    text_add_str(out, "</identity><target uri=\"");
    write_uri(out, call->remote, domain);
    text_add_str(out, "\"/></remote>");
}

static void write_attribute(struct text *out, const char *name, const char *value)
{
    text_addf(out, " %s=\"", name);
    xml_add_text(out, span_of(value));
    text_add_char(out, '"');
}

static void write_call(struct text *out, const struct dialog_info_call *call, const char *domain)
{
    text_add_str(out, "<dialog");
    write_attribute(out, "id", call->id);
    if (call->call_id[0]) {
        write_attribute(out, "call-id", call->call_id);
        write_attribute(out, "local-tag", call->local_tag);
        write_attribute(out, "remote-tag", call->remote_tag);
    }
    write_attribute(out, "direction", call->is_initiator ? "initiator" : "recipient");
    text_addf(out, "><state>%s</state>", state_name(call->state));
    write_remote(out, call, domain);
    text_add_str(out, "</dialog>\n");
}

void dialog_info_write(struct text *out, const struct dialog_info_doc *doc)
{
    const struct dialog_info_list *list = doc->list;
    bool is_full = doc->is_full || doc->seen < list->forgotten_at;

    text_addf(out,
              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\""
              " version=\"%u\" state=\"%s\" entity=\"",
              doc->version, is_full ? "full" : "partial");
    write_uri(out, doc->user, doc->domain);
    text_add_str(out, "\">\n");
    for (unsigned i = 0; i < list->count; i++)
        if (is_full ? list->calls[i].state != DIALOG_INFO_TERMINATED : list->calls[i].changed_at > doc->seen)
            write_call(out, &list->calls[i], doc->domain);
    text_add_str(out, "</dialog-info>\n");
}
