/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: HTTP/1.1 requests on the web and admin addresses: find the handler or page, collect the body, write the
 * answer. RFC 9110, 9112 (framing: one Content-Length, no transfer codings in). The token of the admin address is
 * checked here. Knows nothing of what the handlers say. */
#include "net/http.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/stats.h"
#include "net/ws_house.h"

#define BODY_MAX      (64u * 1024)
#define REPLY_MAX     (32u << 20)
#define HEAD_BYTES    768
#define CHUNK_BYTES   (32 * 1024)
#define WRITE_TIMEOUT 30    /* seconds for the next chunk to go */
#define BODY_MS       10000 /* for the whole body to come */

struct http_request {
    struct ws *connection; /* NULL: it is gone */
    const struct http_handler *handler;
    char *path, *query;
    struct text body;
    size_t body_n; /* as announced */
    uint64_t began_ms;
    bool is_head, is_dispatched, is_answered, closes;
    char head[HEAD_BYTES];
    size_t head_n, sent;
    struct span reply; /* a page's bytes, or: */
    char *reply_owned;
};

static const char security_headers[] =
    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob:; "
    "img-src 'self' data:\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n";

static const struct {
    unsigned status;
    const char *reason;
} reasons[] = {
    {200, "OK"},          {202, "Accepted"},       {204, "No Content"},      {304, "Not Modified"},
    {400, "Bad Request"}, {401, "Unauthorized"},   {403, "Forbidden"},       {404, "Not Found"},
    {405, "Not Allowed"}, {409, "Conflict"},       {411, "Length Required"}, {413, "Content Too Large"},
    {429, "Slow Down"},   {500, "Internal Error"}, {501, "Not Implemented"}, {503, "Service Unavailable"},
};

static const char *reason_of(unsigned status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

static void request_destroy(void *self)
{
    struct http_request *request = self;

    mem_unref(request->path);
    mem_unref(request->query);
    mem_unref(request->reply_owned);
    text_free(&request->body);
}

int http_add(struct ws_house *house, const struct http_handler *handler)
{
    if (house->handler_count == HTTP_HANDLERS_MAX)
        return -ENOSPC;
    house->handlers[house->handler_count++] = *handler;
    return 0;
}

struct span http_path(const struct http_request *request)
{
    return span_of(request->path);
}

struct span http_query(const struct http_request *request)
{
    return span_of(request->query);
}

struct span http_body(const struct http_request *request)
{
    return text_span(&request->body);
}

/* Answering. */

static void answer(struct http_request *request, unsigned status, const char *type, struct span body, const char *extra)
{
    int n = snprintf(request->head, sizeof(request->head),
                     "HTTP/1.1 %u %s\r\nContent-Type: %.64s\r\nContent-Length: %zu\r\n%s%s%s\r\n", status,
                     reason_of(status), type, body.n, extra, request->closes ? "Connection: close\r\n" : "",
                     security_headers);

    request->is_answered = true;
    request->head_n = n > 0 && (size_t)n < sizeof(request->head) ? (size_t)n : 0;
    if (!request->head_n)
        request->closes = true; /* cannot be: the parts are bounded */
    request->reply = request->is_head || status == 304 || status == 204 ? SPAN_NULL : body;
    stats_count(STAT_HTTP_REQUESTS);
    if (request->connection)
        lws_callback_on_writable(request->connection->wsi);
}

static void answer_status(struct http_request *request, unsigned status, const char *extra)
{
    const char *reason = reason_of(status);

    answer(request, status, "text/plain; charset=utf-8", span_of(reason), extra);
}

void http_reply(struct http_request *request, unsigned status, const char *content_type, struct span body)
{
    if (!request->is_answered && request->connection) {
        request->reply_owned = body.n <= REPLY_MAX ? mem_text(body.p, body.n) : NULL;
        if (request->reply_owned)
            answer(request, status, content_type, span_make(request->reply_owned, body.n),
                   "Cache-Control: no-store\r\n");
        else
            answer_status(request, 500, "Cache-Control: no-store\r\n");
    }
    mem_unref(request);
}

static void answer_page(struct http_request *request, const struct http_page *page, struct span known_tag)
{
    char extra[80];

    snprintf(extra, sizeof(extra), "Cache-Control: no-cache\r\nETag: %s\r\n", page->etag);
    if (span_eq(known_tag, span_of(page->etag)))
        answer(request, 304, page->type, SPAN_NULL, extra);
    else
        answer(request, 200, page->type, span_make(page->bytes, page->n), extra);
}

/* Looking at a request. */

static int copy_header(struct ws *ws, enum lws_token_indexes token, char *buf, size_t size)
{
    int n = lws_hdr_copy(ws->wsi, buf, (int)size, token);

    if (n <= 0)
        buf[0] = '\0';
    return n;
}

static const char *method_of(struct ws *ws)
{
    if (lws_hdr_total_length(ws->wsi, WSI_TOKEN_GET_URI))
        return "GET";
    if (lws_hdr_total_length(ws->wsi, WSI_TOKEN_POST_URI))
        return "POST";
    if (lws_hdr_total_length(ws->wsi, WSI_TOKEN_HEAD_URI))
        return "HEAD";
    return "";
}

/* One Content-Length of digits, no transfer coding. @return 0, or the status to refuse with */
static unsigned check_framing(struct ws *ws, const char *method, size_t *np)
{
    char text[24];
    uint32_t n = 0;
    int len = lws_hdr_total_length(ws->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);

    *np = 0;
    if (lws_hdr_total_length(ws->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING))
        return 501;
    if (!len)
        return strcmp(method, "POST") ? 0 : 411;
    if (copy_header(ws, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text)) != len)
        return 413;
    if (span_to_u32(span_trim(span_of(text)), UINT32_MAX, &n))
        return 400;
    *np = n;
    return n > BODY_MAX ? 413 : 0;
}

/* The arguments, joined again: libwebsockets cuts them at '&'. */
static char *copy_query(struct ws *ws)
{
    char part[1024];
    struct text query;
    char *taken;
    int n;

    text_init(&query, 4096);
    for (int i = 0; (n = lws_hdr_copy_fragment(ws->wsi, part, sizeof(part), WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
        if (i)
            text_add_char(&query, '&');
        text_add(&query, span_make(part, (size_t)n));
    }
    taken = text_take(&query);
    text_free(&query);
    return taken;
}

static bool needs_no_token(struct span path)
{
    return span_eq(path, SPAN("/health")) || span_eq(path, SPAN("/ready"));
}

static bool has_token(struct ws *ws, const char *token)
{
    char given[512];
    size_t n = strlen(token);
    struct span span;

    copy_header(ws, WSI_TOKEN_HTTP_AUTHORIZATION, given, sizeof(given));
    span = span_of(given);
    if (!span_istarts(span, SPAN("Bearer ")))
        return false;
    span = span_trim(span_sub(span, 7, span.n));
    return span.n == n && CRYPTO_memcmp(span.p, token, n) == 0;
}

/* Without a token the admin address is on loopback; a page from elsewhere in a browser on this machine must not reach
 * it, neither by a cross-site request (Origin) nor by a name of its own that it lets point here (Host). */
static bool is_from_foreign_page(struct ws *ws)
{
    char text[ADDR_TEXT_MAX + 16];
    struct span host;
    struct addr addr;

    if (lws_hdr_total_length(ws->wsi, WSI_TOKEN_ORIGIN))
        return true;
    if (copy_header(ws, WSI_TOKEN_HOST, text, sizeof(text)) <= 0)
        return lws_hdr_total_length(ws->wsi, WSI_TOKEN_HOST) > 0;
    host = span_of(text);
    while (host.n && host.p[host.n - 1] >= '0' && host.p[host.n - 1] <= '9' && span_find(host, ':') >= 0)
        host.n--; /* the port */
    if (host.n && host.p[host.n - 1] == ':')
        host.n--;
    return !span_ieq(host, SPAN("localhost")) && addr_parse(&addr, host, 0) != 0;
}

/* @return 0, or the status to refuse with */
static unsigned check_admin(struct ws *ws, struct span path)
{
    const char *token = ws->door->house->conf->admin.token;

    if (!ws->door->is_admin || needs_no_token(path))
        return 0;
    if (token && token[0])
        return has_token(ws, token) ? 0 : 401;
    return is_from_foreign_page(ws) ? 403 : 0;
}

static const struct http_handler *find_handler(struct ws *ws, const char *method, struct span path, bool *is_known)
{
    const struct ws_house *house = ws->door->house;

    *is_known = false;
    for (unsigned i = 0; i < house->handler_count; i++) {
        const struct http_handler *handler = &house->handlers[i];
        struct span name = span_of(handler->path);

        if (handler->is_admin != ws->door->is_admin)
            continue;
        if (!(span_ends(name, SPAN("/")) ? span_starts(path, name) : span_eq(path, name)))
            continue;
        *is_known = true;
        if (!strcmp(handler->method, method) || (!strcmp(method, "HEAD") && !strcmp(handler->method, "GET")))
            return handler;
    }
    return NULL;
}

static void dispatch(struct http_request *request)
{
    if (request->is_dispatched || request->is_answered)
        return;
    request->is_dispatched = true;
    mem_ref(request); /* the handler's, until http_reply() */
    request->handler->handle(request, request->handler->arg);
}

static void route(struct ws *ws, struct http_request *request, const char *method)
{
    struct span path = http_path(request);
    unsigned refused = check_admin(ws, path);
    const struct http_page *page;
    char tag[32];
    bool is_known;

    if (refused) {
        answer_status(request, refused,
                      refused == 401 ? "WWW-Authenticate: Bearer\r\nCache-Control: no-store\r\n"
                                     : "Cache-Control: no-store\r\n");
        return;
    }
    request->handler = find_handler(ws, method, path, &is_known);
    if (request->handler) {
        if (!request->body_n)
            dispatch(request);
        return;
    }
    page = ws->door->is_admin ? NULL : http_pages_find(ws->door->house->pages, path);
    if (page && strcmp(method, "POST")) {
        copy_header(ws, WSI_TOKEN_HTTP_IF_NONE_MATCH, tag, sizeof(tag));
        answer_page(request, page, span_of(tag));
    } else if (is_known || page) {
        answer_status(request, 405, "Allow: GET, POST\r\nCache-Control: no-store\r\n");
    } else {
        answer_status(request, 404, "Cache-Control: no-store\r\n");
    }
}

static struct http_request *request_new(struct ws *ws, const char *path, size_t n)
{
    struct http_request *request = mem_new(sizeof(*request), request_destroy);

    if (!request)
        return NULL;
    text_init(&request->body, BODY_MAX);
    request->path = mem_text(path, n);
    if (!request->path || memchr(path, '\0', n))
        return mem_unref(request);
    request->query = copy_query(ws); /* NULL: none */
    request->connection = ws;
    request->began_ms = clock_now_ms();
    return request;
}

int http_on_request(struct ws *ws, const char *path, size_t n)
{
    const char *method = method_of(ws);
    struct http_request *request;
    unsigned refused;

    http_on_gone(ws); /* none is left over, as the answers go out in turn */
    request = request_new(ws, path, n);
    if (!request)
        return -1;
    ws->request = request;
    request->is_head = !strcmp(method, "HEAD");
    refused = check_framing(ws, method, &request->body_n);
    /* A body that nobody will read ends the connection, or it would be taken for the next request. */
    request->closes = refused || (request->body_n && strcmp(method, "POST"));
    if (refused)
        answer_status(request, refused, "Cache-Control: no-store\r\n");
    else if (!method[0])
        answer_status(request, 405, "Allow: GET, POST\r\nCache-Control: no-store\r\n");
    else
        route(ws, request, method);
    if (request->is_answered && request->body_n)
        request->closes = true;
    return 0;
}

int http_on_body(struct ws *ws, const char *bytes, size_t n)
{
    struct http_request *request = ws->request;

    if (!request || request->is_answered || !n)
        return 0;
    if (clock_now_ms() - request->began_ms > BODY_MS)
        return -1;
    text_add(&request->body, span_make(bytes, n));
    return text_err(&request->body) ? -1 : 0;
}

int http_on_body_end(struct ws *ws)
{
    if (ws->request && ws->request->handler)
        dispatch(ws->request);
    return 0;
}

/* @return bytes put into the chunk: the rest of the head, then of the body */
static size_t fill_chunk(struct http_request *request, unsigned char *chunk, size_t room)
{
    size_t total = request->head_n + request->reply.n, n = 0;

    while (n < room && request->sent < total) {
        bool in_head = request->sent < request->head_n;
        size_t at = in_head ? request->sent : request->sent - request->head_n;
        struct span from = in_head ? span_make(request->head, request->head_n) : request->reply;
        struct span part = span_sub(from, at, room - n);

        memcpy(chunk + n, part.p, part.n);
        n += part.n;
        request->sent += part.n;
    }
    return n;
}

int http_on_writable(struct ws *ws)
{
    struct http_request *request = ws->request;
    unsigned char buf[LWS_PRE + CHUNK_BYTES];
    bool closes;
    size_t n;

    if (!request || !request->is_answered)
        return 0;
    n = fill_chunk(request, buf + LWS_PRE, CHUNK_BYTES);
    if (n && lws_write(ws->wsi, buf + LWS_PRE, n, LWS_WRITE_HTTP) < 0)
        return -1;
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_HTTP_CONTENT, WRITE_TIMEOUT);
    if (request->sent < request->head_n + request->reply.n) {
        lws_callback_on_writable(ws->wsi);
        return 0;
    }
    closes = request->closes;
    http_on_gone(ws);
    return closes || lws_http_transaction_completed(ws->wsi) ? -1 : 0;
}

void http_on_gone(struct ws *ws)
{
    if (ws->request)
        ws->request->connection = NULL;
    ws->request = mem_unref(ws->request);
}
