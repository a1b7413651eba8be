/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c: what an account says about itself. RFC 3903. Several devices may publish; the newest word counts. Knows
 * no XML: pidf_check() has seen each document. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/stats.h"
#include "call/directory.h"
#include "call/home.h"
#include "call/identity.h"
#include "call/pidf.h"
#include "call/presence_private.h"

#define PUBLICATION_MAX       8 /* of one account: devices that are gone without a word make room */
#define PUBLICATION_BYTES_MAX 16384
#define ETAG_CHARS            16

struct publication {
    struct list link;
    struct presentity *presentity;
    char etag[ETAG_CHARS + 1];
    char *document;
    size_t document_bytes;
    struct timer expiry;
};

static void publication_destroy(void *self)
{
    struct publication *publication = self;

    timer_stop(&publication->expiry);
    if (list_is_linked(&publication->link)) {
        list_remove(&publication->link);
        publication->presentity->publication_count--;
        stats_add(STAT_PUBLICATIONS, -1);
    }
    mem_unref(publication->document);
}

void publications_drop(struct presentity *presentity)
{
    struct list *link;

    while ((link = list_first(&presentity->publications)))
        mem_unref(container_of(link, struct publication, link));
}

struct span publication_document(const struct presentity *presentity)
{
    struct list *newest = list_first(&presentity->publications);
    const struct publication *publication;

    if (!newest)
        return SPAN_NULL;
    publication = container_of(newest, struct publication, link);
    return span_make(publication->document, publication->document_bytes);
}

static void remove_publication(struct publication *publication)
{
    struct presentity *presentity = publication->presentity;

    mem_unref(publication);
    presentity_refresh(presentity);
    presentity_drop_if_idle(presentity);
}

static void on_expiry(void *arg)
{
    remove_publication(arg);
}

static struct publication *find(struct presentity *presentity, struct span etag)
{
    struct list *link, *tmp;

    list_each (link, tmp, &presentity->publications) {
        struct publication *publication = container_of(link, struct publication, link);

        if (span_eq(span_of(publication->etag), etag))
            return publication;
    }
    return NULL;
}

static struct publication *new_publication(struct presentity *presentity)
{
    struct publication *publication = mem_new(sizeof(*publication), publication_destroy);

    if (!publication)
        return NULL;
    if (presentity->publication_count == PUBLICATION_MAX)
        mem_unref(container_of(presentity->publications.prev, struct publication, link));
    publication->presentity = presentity;
    presentity->publication_count++;
    stats_add(STAT_PUBLICATIONS, 1);
    list_prepend(&presentity->publications, &publication->link);
    return publication;
}

/* ---- one request ---- */

struct refusal {
    unsigned status; /* 0: none */
    const char *why, *headers;
};

static struct refusal check_body(const struct sip_msg *msg, const char *account)
{
    const char *why;
    int err;

    if (!span_istarts(sip_msg_value(msg, SIP_H_CONTENT_TYPE), SPAN(PIDF_TYPE)))
        return (struct refusal){415, "the body has to be " PIDF_TYPE, "Accept: " PIDF_TYPE "\r\n"};
    if (msg->body.n > PUBLICATION_BYTES_MAX)
        return (struct refusal){413, "the document is too large", ""};
    err = pidf_check(msg->body, account, &why);
    return err ? (struct refusal){err == -EACCES ? 403 : 400, why, ""} : (struct refusal){0};
}

static struct refusal check_publish(struct presence *house, const struct sip_msg *msg, const char *account)
{
    const struct conf_account *about;
    char user[ROUTE_NUMBER_MAX];

    if (package_find(event_package(msg)) != PACKAGE_PRESENCE)
        return (struct refusal){489, "only presence can be published", "Allow-Events: presence\r\n"};
    about = identity_take_dialled(user, &msg->uri) ? NULL
                                                   : directory_account_called(house->calls->directory, span_of(user));
    if (!account[0] || !about || strcmp(about->name, account))
        return (struct refusal){403, "an account may publish only about itself", ""};
    if (house->is_draining)
        return (struct refusal){503, "the gateway is being stopped", "Retry-After: 30\r\n"};
    if (home_of(span_of(account)) != house->calls->worker)
        return (struct refusal){503, "the configuration is changing", "Retry-After: 1\r\n"};
    if (msg->body.n)
        return check_body(msg, account);
    if (!sip_msg_header(msg, SIP_H_SIP_IF_MATCH))
        return (struct refusal){400, "a first PUBLISH needs a body", ""};
    return (struct refusal){0};
}

static void refuse(struct server_tx *tx, const struct refusal *refusal)
{
    stats_count(STAT_SUBSCRIPTIONS_REFUSED);
    server_tx_reply(
        tx, &(struct sip_reply){.status = refusal->status, .why = refusal->why, .headers = span_of(refusal->headers)});
}

static void answer(struct server_tx *tx, const char *etag, unsigned expires_s)
{
    char headers[128];

    snprintf(headers, sizeof(headers), "SIP-ETag: %s\r\nExpires: %u\r\n", etag, expires_s);
    server_tx_reply(tx, &(struct sip_reply){.status = 200, .headers = span_of(headers)});
}

/* The newest word comes first; each change has a new name (RFC 3903 6). @return 0; -ENOMEM */
static int change(struct publication *publication, const struct sip_msg *msg, unsigned expires_s)
{
    struct presentity *presentity = publication->presentity;
    char *document = msg->body.n ? mem_text(msg->body.p, msg->body.n) : NULL;

    if (msg->body.n && !document)
        return -ENOMEM;
    if (document) {
        mem_unref(publication->document);
        publication->document = document;
        publication->document_bytes = msg->body.n;
        list_remove(&publication->link);
        list_prepend(&presentity->publications, &publication->link);
    }
    rand_text(publication->etag, ETAG_CHARS);
    timer_start(presentity->house->calls->stack->wheel, &publication->expiry, expires_s * 1000ull, on_expiry,
                publication);
    return 0;
}

static void publish(struct presentity *presentity, struct server_tx *tx, unsigned expires_s)
{
    const struct sip_msg *msg = server_tx_request(tx);
    struct span etag = sip_msg_value(msg, SIP_H_SIP_IF_MATCH);
    struct publication *publication;

    if (!etag.n && !expires_s) {
        answer(tx, "none", 0); /* said and forgotten */
        return;
    }
    publication = etag.n ? find(presentity, etag) : new_publication(presentity);
    if (!publication) {
        refuse(tx, &(struct refusal){etag.n ? 412 : 500, etag.n ? "that publication is not known here" : NULL, ""});
        return;
    }
    if (!expires_s) {
        answer(tx, publication->etag, 0);
        mem_unref(publication);
    } else if (change(publication, msg, expires_s)) {
        refuse(tx, &(struct refusal){500, NULL, ""});
        if (!etag.n)
            mem_unref(publication);
    } else {
        answer(tx, publication->etag, expires_s);
    }
    presentity_refresh(presentity);
}

void presence_publish(struct presence *house, struct server_tx *tx, const char *account)
{
    const struct conf *conf = house->calls->conf;
    const struct sip_msg *msg = server_tx_request(tx);
    struct refusal refusal = check_publish(house, msg, account);
    struct presentity *presentity;
    char headers[40];
    unsigned expires_s = 0;
    int err = event_expires(&expires_s, msg, conf->presence.min_expires_s, conf->presence.max_expires_s, 3600);

    if (!refusal.status && err == -ERANGE) {
        snprintf(headers, sizeof(headers), "Min-Expires: %u\r\n", conf->presence.min_expires_s);
        refusal = (struct refusal){423, "the publication is too brief", headers};
    } else if (!refusal.status && err) {
        refusal = (struct refusal){400, "Expires cannot be read", ""};
    }
    if (refusal.status) {
        refuse(tx, &refusal);
        return;
    }
    presentity = presentity_get(house, account);
    if (!presentity) {
        refuse(tx, &(struct refusal){500, NULL, ""});
        return;
    }
    publish(presentity, tx, expires_s);
    presentity_drop_if_idle(presentity);
}
