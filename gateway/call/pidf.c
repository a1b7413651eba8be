/* SPDX-License-Identifier: Apache-2.0 */
/* pidf.c: presence documents, written and looked at. RFC 3863, RFC 4479, RFC 4480. A published document is passed on as
 * it came: we do not know better than its author what it says. Knows no subscriptions. */
#include "call/pidf.h"

#include <errno.h>

#include "call/xml.h"
#include "sip/uri.h"

#define ACTIVITY                                                                                                       \
    "<dm:person xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" id=\"gateway-person\">"                            \
    "<rpid:activities xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\"><rpid:on-the-phone/></rpid:activities>"          \
    "</dm:person>\n"

/* pres:, sip: and sips: name the same person. */
static struct span user_of(struct span entity)
{
    ptrdiff_t at = span_find(entity, '@');
    ptrdiff_t colon = span_find(entity, ':');
    size_t from = colon >= 0 && (at < 0 || colon < at) ? (size_t)colon + 1 : 0;

    return span_sub(entity, from, (at < 0 ? entity.n : (size_t)at) - from);
}

int pidf_check(struct span document, const char *user, const char **why)
{
    struct span entity;
    struct xml_doc doc;
    char name[256];

    *why = "the document is not well-formed XML, or nested too deeply";
    if (xml_check(&doc, document))
        return -EBADMSG;
    *why = "the document is not a presence document";
    if (!span_eq(xml_local_name(doc.name), SPAN("presence")) || !doc.inner_end)
        return -EBADMSG;
    *why = "the document names nobody";
    if (!xml_attribute(doc.attributes, SPAN("entity"), &entity))
        return -EBADMSG;
    *why = "the document is about somebody else";
    if (uri_decode(user_of(entity), name, sizeof(name)) < 0 || !span_eq(span_of(name), span_of(user)))
        return -EACCES;
    return 0;
}

static void write_entity(struct text *out, const char *scheme, const struct pidf_state *state)
{
    char buf[1024];
    struct text uri;

    text_init_fixed(&uri, buf, sizeof(buf));
    uri_write_user(&uri, span_of(state->user));
    text_add_str(out, scheme);
    xml_add_text(out, text_span(&uri));
    text_add_char(out, '@');
    xml_add_text(out, span_of(state->domain));
}

static void write_known(struct text *out, const struct pidf_state *state)
{
    text_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""
                      " entity=\"");
    write_entity(out, "pres:", state);
    text_add_str(out, "\">\n<tuple id=\"gateway\"><status><basic>");
    text_add_str(out, state->is_open ? "open" : "closed");
    text_add_str(out, "</basic></status><contact>");
    write_entity(out, "sip:", state);
    text_add_str(out, "</contact></tuple>\n");
    if (state->is_on_the_phone)
        text_add_str(out, ACTIVITY);
    text_add_str(out, "</presence>\n");
}

void pidf_write(struct text *out, const struct pidf_state *state)
{
    struct xml_doc doc;

    if (!state->published.n || xml_check(&doc, state->published)) {
        write_known(out, state);
        return;
    }
    if (!state->is_on_the_phone) {
        text_add(out, state->published);
        return;
    }
    text_add(out, span_sub(state->published, 0, doc.inner_end));
    text_add_str(out, ACTIVITY);
    text_add(out, span_sub(state->published, doc.inner_end, state->published.n));
}
