/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <libwebsockets.h>

#include "base/map.h"
#include "base/text.h"
#include "base/timer.h"
#include "net/http.h"
#include "net/ws.h"

/* ws_house.h: what ws_house.c (context, listening), ws.c (WebSocket), http.c (requests) and http_pages.c (static files)
 * share. Nobody else includes it. */

#define WS_PROTOCOLS_MAX  8
#define WS_LISTENERS_MAX  16
#define HTTP_HANDLERS_MAX 64

struct http_pages;
struct listener;
struct peer_counts;
struct peer_slot;
struct worker;

/* One listening address. */
struct ws_door {
    struct ws_house *house;
    struct lws_vhost *vhost;
    struct listener *listener; /* NULL: stopped */
    uint16_t port;
    bool is_admin, is_secure;
};

struct ws_house {
    struct worker *worker;
    const struct conf *conf; /* a reference */
    struct lws_context *context;
    void *foreign_loops[1];
    struct lws_protocols protocols[WS_PROTOCOLS_MAX + 2]; /* [0] is HTTP and refuses WebSockets */
    struct lws_protocols admin_protocols[2];
    lws_retry_bo_t no_idle_policy; /* the idle timer is ours: theirs is a sorted list */
    struct lws_vhost *plain, *secure, *admin;
    struct ws_door doors[WS_LISTENERS_MAX + 1];
    unsigned door_count; /* without the admin's, which is doors[door_count] if there is one */
    struct peer_counts *counts;
    struct list connections;
    struct http_handler handlers[HTTP_HANDLERS_MAX];
    unsigned handler_count;
    struct http_pages *pages;
};

/* One accepted connection: HTTP first, a WebSocket if it is upgraded. */
struct ws {
    struct list link;
    const struct ws_door *door;
    struct lws *wsi;
    struct peer_slot *slot;
    struct addr remote;
    struct http_request *request; /* the one in progress; a reference */

    const struct ws_protocol *protocol;
    void *user;
    bool is_open;    /* on_open was called, on_close was not */
    bool is_closing; /* to be closed by us once the queue is empty */
    bool is_dead;    /* nothing is sent any more */
    bool wants_ping;
    uint64_t heard_ms; /* when something came last */
    struct timer idle;
    struct timer whole; /* for the rest of a message that came in pieces */
    struct list queue;  /* struct out of ws.c */
    size_t queued_bytes;
    struct text in; /* a message that came in pieces */
};

/* The one callback of all protocols, called by libwebsockets. */
int ws_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n);
/* Close without waiting for the peer; callbacks come later, in the loop. */
void ws_kill(struct ws *ws);

/* http.c: what ws_on_lws() hands on. @return 0; -1: close the connection */
int http_on_request(struct ws *ws, const char *path, size_t n);
int http_on_body(struct ws *ws, const char *bytes, size_t n);
int http_on_body_end(struct ws *ws);
int http_on_writable(struct ws *ws);
void http_on_gone(struct ws *ws);

/* http_pages.c: the html folder, read into memory. */
struct http_page {
    struct map_node node;
    const char *type;
    char *path; /* "/index.html" */
    char *bytes;
    size_t n;
    char etag[24];
};
/** @return 0; -ENOENT when there is no such folder; -EFBIG, -ENOMEM */
int http_pages_new(struct http_pages **pagesp, const char *folder);
const struct http_page *http_pages_find(const struct http_pages *pages, struct span path);
