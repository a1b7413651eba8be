/* SPDX-License-Identifier: Apache-2.0 */
/* ws.c: WebSocket connections: who may open one, whole messages in, whole messages out, silence ends them. RFC 6455,
 * RFC 7118. libwebsockets does the handshake and the frames. Knows nothing of what the messages say. */
#include "net/ws.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "net/peer_count.h"
#include "net/ws_house.h"

#define QUEUE_BYTES_MAX (1024 * 1024)
#define DIRECT_BYTES    8192 /* written from the stack, without a turn through the queue */
#define CLOSE_S         5    /* for the queue to empty after ws_close() */
#define ORIGIN_BYTES    256
#define WHOLE_MS        10000 /* from the first piece of a message to its last */

struct out {
    struct list link;
    size_t n;
    unsigned char bytes[]; /* LWS_PRE, then n */
};

static void idle_start(struct ws *ws, uint64_t ms);

void ws_kill(struct ws *ws)
{
    if (ws->is_dead)
        return;
    ws->is_dead = true;
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service_pt(ws->wsi); /* its timers are looked at only after some event of its own */
}

/* Silence. */

static void on_idle(void *arg)
{
    struct ws *ws = arg;
    uint64_t whole_ms = ws->door->house->conf->web.idle_s * 1000ull, half_ms = whole_ms / 2;
    uint64_t age_ms = clock_now_ms() - ws->heard_ms;

    if (age_ms >= whole_ms) {
        log_peer("websocket silent, closed (age_ms=%llu)", (unsigned long long)age_ms);
        ws_kill(ws);
    } else if (age_ms >= half_ms) {
        ws->wants_ping = true;
        lws_callback_on_writable(ws->wsi);
        idle_start(ws, whole_ms - age_ms);
    } else {
        idle_start(ws, half_ms - age_ms);
    }
}

static void idle_start(struct ws *ws, uint64_t ms)
{
    timer_start(ws->door->house->worker->wheel, &ws->idle, ms ? ms : 1, on_idle, ws);
}

/* Pings answered between its pieces do not keep a message that never gets whole. */
static void on_slow_message(void *arg)
{
    log_peer("websocket closed: a message did not get whole in %d s", WHOLE_MS / 1000);
    ws_kill(arg);
}

/* Sending. */

/* A text frame has to be UTF-8 (RFC 6455 8.1); a SIP message with another body goes in a binary one (RFC 7118 4.2). */
static enum lws_write_protocol kind_of(struct span message)
{
    return span_is_utf8(message) ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
}

static int queue_message(struct ws *ws, struct span text)
{
    struct out *out;

    if (ws->queued_bytes + text.n > QUEUE_BYTES_MAX) {
        stats_count(STAT_WEBSOCKET_OVERRUN);
        ws_kill(ws);
        return -ENOBUFS;
    }
    out = mem_new(sizeof(*out) + LWS_PRE + text.n, NULL);
    if (!out)
        return -ENOMEM;
    out->n = text.n;
    memcpy(out->bytes + LWS_PRE, text.p, text.n);
    list_append(&ws->queue, &out->link);
    ws->queued_bytes += text.n;
    lws_callback_on_writable(ws->wsi);
    return 0;
}

int ws_send(struct ws *ws, struct span text)
{
    unsigned char buf[LWS_PRE + DIRECT_BYTES];

    if (!ws->is_open || ws->is_dead || ws->is_closing)
        return -ENOTCONN;
    /* Asking for "writable" costs four epoll_ctl() and a turn; a socket that has nothing waiting is writable. What
     * the kernel does not take, libwebsockets keeps, and then the queue is used. */
    if (text.n > DIRECT_BYTES || !list_is_empty(&ws->queue) || ws->wants_ping || lws_partial_buffered(ws->wsi))
        return queue_message(ws, text);
    memcpy(buf + LWS_PRE, text.p, text.n);
    if (lws_write(ws->wsi, buf + LWS_PRE, text.n, kind_of(text)) < 0) {
        ws_kill(ws);
        return -ENOTCONN;
    }
    return 0;
}

static void drop_queue(struct ws *ws)
{
    struct list *link;

    while ((link = list_first(&ws->queue))) {
        list_remove(link);
        mem_unref(container_of(link, struct out, link));
    }
    ws->queued_bytes = 0;
}

static int send_first(struct ws *ws)
{
    struct out *out = container_of(list_first(&ws->queue), struct out, link);
    int n;

    list_remove(&out->link);
    ws->queued_bytes -= out->n;
    n = lws_write(ws->wsi, out->bytes + LWS_PRE, out->n, kind_of(span_make(out->bytes + LWS_PRE, out->n)));
    mem_unref(out);
    return n < 0 ? -1 : 0;
}

static int send_ping(struct ws *ws)
{
    unsigned char buf[LWS_PRE + 1];

    buf[LWS_PRE] = '?'; /* an empty pong would not be told to us */
    ws->wants_ping = false;
    return lws_write(ws->wsi, buf + LWS_PRE, 1, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* From a timer, not by returning -1 to libwebsockets: built with _DEBUG, as Debian's is, it closes twice on that way
 * and the close frame is never sent. The peer's answer, or 5 s, ends the connection. */
static void on_close_time(void *arg)
{
    struct ws *ws = arg;

    ws->is_dead = true;
    lws_close_reason(ws->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

static void close_soon(struct ws *ws)
{
    timer_start(ws->door->house->worker->wheel, &ws->idle, 0, on_close_time, ws);
}

/* One write per call, as libwebsockets wants it. @return -1: close */
static int on_writable(struct ws *ws)
{
    int err = 0;

    if (ws->is_dead || !ws->is_open)
        return 0;
    if (ws->wants_ping)
        err = send_ping(ws);
    else if (!list_is_empty(&ws->queue))
        err = send_first(ws);
    if (!list_is_empty(&ws->queue))
        lws_callback_on_writable(ws->wsi);
    else if (ws->is_closing)
        close_soon(ws);
    return err;
}

void ws_close(struct ws *ws)
{
    if (!ws->is_open || ws->is_closing || ws->is_dead)
        return;
    ws->is_closing = true;
    timer_stop(&ws->idle);
    if (list_is_empty(&ws->queue)) {
        close_soon(ws);
        return;
    }
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_REASON_BASE, CLOSE_S);
    lws_cancel_service_pt(ws->wsi);
}

/* Receiving. */

static int refuse(struct ws *ws, enum lws_close_status code)
{
    lws_close_reason(ws->wsi, code, NULL, 0);
    ws->is_dead = true;
    return -1;
}

static int deliver(struct ws *ws, char *bytes, size_t n)
{
    bool is_binary = lws_frame_is_binary(ws->wsi) != 0;

    if (!is_binary && !span_is_utf8(span_make(bytes, n)))
        return refuse(ws, LWS_CLOSE_STATUS_INVALID_PAYLOAD);
    if (!ws->is_closing)
        ws->protocol->on_message(ws, bytes, n, is_binary, ws->protocol->arg);
    return 0;
}

static int on_receive(struct ws *ws, char *bytes, size_t n)
{
    bool is_whole = lws_is_final_fragment(ws->wsi) && !lws_remaining_packet_payload(ws->wsi);
    int err;

    ws->heard_ms = clock_now_ms();
    if (!ws->is_open || ws->is_dead)
        return 0; /* on its way out */
    if (lws_is_first_fragment(ws->wsi))
        text_reset(&ws->in);
    if (ws->in.len + n + lws_remaining_packet_payload(ws->wsi) > ws->protocol->message_max)
        return refuse(ws, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    if (is_whole && !ws->in.len)
        return deliver(ws, bytes, n);
    text_add(&ws->in, span_make(bytes, n));
    if (text_err(&ws->in))
        return refuse(ws, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    if (!is_whole) {
        if (!timer_is_running(&ws->whole))
            timer_start(ws->door->house->worker->wheel, &ws->whole, WHOLE_MS, on_slow_message, ws);
        return 0;
    }
    timer_stop(&ws->whole);
    err = deliver(ws, ws->in.data, ws->in.len);
    text_free(&ws->in); /* an idle connection keeps no buffer */
    return err;
}

/* Opening and closing. */

static bool is_origin_allowed(struct ws *ws)
{
    const struct conf *conf = ws->door->house->conf;
    char origin[ORIGIN_BYTES];
    int n;

    if (!conf->web.origins.count)
        return true;
    n = lws_hdr_copy(ws->wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN);
    if (n <= 0)
        return false;
    for (size_t i = 0; i < conf->web.origins.count; i++)
        if (span_ieq(span_make(origin, (size_t)n), span_of(conf->web.origins.items[i])))
            return true;
    return false;
}

/* @return non-zero: hang up. A status is not sent from here (CVE-2025-11677 is in that path). */
static int on_handshake(struct ws *ws, const struct ws_protocol *protocol)
{
    if (protocol && !ws->door->is_admin && is_origin_allowed(ws))
        return 0;
    stats_count(STAT_WEBSOCKET_REFUSED);
    log_peer("websocket refused (reason=\"%s\")", protocol ? "origin" : "no subprotocol");
    return 1;
}

static int on_established(struct ws *ws, const struct ws_protocol *protocol)
{
    if (!protocol)
        return -1;
    http_on_gone(ws);
    ws->protocol = protocol;
    ws->is_open = true;
    ws->heard_ms = clock_now_ms();
    text_init(&ws->in, protocol->message_max);
    if (ws->door->house->conf->web.idle_s)
        idle_start(ws, ws->door->house->conf->web.idle_s * 500ull);
    stats_add(STAT_WEBSOCKETS, 1);
    if (protocol->on_open)
        protocol->on_open(ws, protocol->arg);
    return 0;
}

static void on_closed(struct ws *ws)
{
    ws->is_dead = true;
    timer_stop(&ws->idle);
    timer_stop(&ws->whole);
    if (ws->is_open) {
        ws->is_open = false;
        stats_add(STAT_WEBSOCKETS, -1);
        if (ws->protocol->on_close)
            ws->protocol->on_close(ws, ws->protocol->arg);
    }
    http_on_gone(ws);
    drop_queue(ws);
    text_free(&ws->in);
}

/* The connection's end, in every case. */
static void on_destroyed(struct ws *ws)
{
    on_closed(ws);
    lws_set_opaque_user_data(ws->wsi, NULL);
    peer_slot_leave(ws->slot);
    list_remove(&ws->link);
    mem_unref(ws);
}

static void set_up_tls(SSL_CTX *context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* 34 kB less for an idle connection */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static int on_http(struct ws *ws, enum lws_callback_reasons reason, char *in, size_t n)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return http_on_request(ws, in, n);
    case LWS_CALLBACK_HTTP_BODY:
        return http_on_body(ws, in, n);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_on_body_end(ws);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_on_writable(ws);
    default:
        return 0;
    }
}

int ws_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
    const struct lws_protocols *bound;
    struct ws *ws;

    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        set_up_tls(user);
        return 0;
    }
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION)
        return n == 1 ? 0 : 1; /* n is OpenSSL's own verdict, which libwebsockets would drop */
    ws = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!ws)
        return 0;
    bound = lws_get_protocol(wsi);
    worker_note_turn(ws->door->house->worker);
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return on_handshake(ws, bound ? bound->user : NULL);
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(ws, bound ? bound->user : NULL);
    case LWS_CALLBACK_RECEIVE:
        return on_receive(ws, in, n);
    case LWS_CALLBACK_RECEIVE_PONG:
        ws->heard_ms = clock_now_ms();
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(ws);
    case LWS_CALLBACK_CLOSED:
        on_closed(ws);
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
        http_on_gone(ws);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        on_destroyed(ws);
        return 0;
    default:
        return on_http(ws, reason, in, n);
    }
}

void ws_set_user(struct ws *ws, void *user)
{
    ws->user = user;
}

void *ws_user(const struct ws *ws)
{
    return ws->user;
}

const struct addr *ws_remote(const struct ws *ws)
{
    return &ws->remote;
}

bool ws_is_secure(const struct ws *ws)
{
    return ws->door->is_secure;
}
