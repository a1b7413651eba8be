/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/span.h"

/* http.h: HTTP answers on the web and admin addresses: a table of handlers by method and path. Static pages come
 * from the html folder. Security headers (CSP, nosniff, no-referrer) are set here. */

struct http_request; /* lives until answered or until its connection is gone */
struct ws_house;

struct http_handler {
    bool is_admin;      /* on the admin address, else on web */
    const char *method; /* "GET", "POST" */
    const char *path;   /* exact, or a prefix when it ends in '/' */
    /** Answer by http_reply(), now or later from the same worker. */
    void (*handle)(struct http_request *request, void *arg);
    void *arg;
};

/** Add a handler; before the worker runs. At most 64. */
int http_add(struct ws_house *house, const struct http_handler *handler);

struct span http_path(const struct http_request *request);
struct span http_query(const struct http_request *request);
struct span http_body(const struct http_request *request);

/** Answer with a status and a body (copied). If the client has gone meanwhile nothing is sent. Ends the request either
 * way. */
void http_reply(struct http_request *request, unsigned status, const char *content_type, struct span body);
