/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "net/addr.h"

/* ws.h: WebSocket and HTTP by libwebsockets: one context per worker on its loop. Only ws.c and http.c say lws_. RFC
 * 6455, RFC 7118. Listening is our own (SO_REUSEPORT per worker, limits per address), accepted sockets are adopted. */

struct ws_house; /* one per worker */
struct ws;       /* one open WebSocket; borrowed by everybody, valid until on_close has returned */
struct conf;

/** One per subprotocol; found by name in the client's Sec-WebSocket-Protocol. */
struct ws_protocol {
    const char *name; /* "sip", "janus-protocol" */
    void (*on_open)(struct ws *ws, void *arg);
    /** One whole message, reassembled, valid UTF-8 if it was a text frame; the bytes are writable until return. */
    void (*on_message)(struct ws *ws, char *bytes, size_t n, bool is_binary, void *arg);
    void (*on_close)(struct ws *ws, void *arg);
    size_t message_max; /* longer: closed with 1009 */
    void *arg;
};

/** Create on the main thread before the worker runs (libwebsockets demands it). Protocols are borrowed for its life,
 * NULL-name ended. */
struct ws_house_options {
    const struct conf *conf; /* web: listen, certificate, key, origins, html, limits; admin: listen (worker 0 only) */
    const struct ws_protocol *protocols;
    bool has_admin; /* serve the admin address too (worker 0) */
};
int ws_house_new(struct ws_house **housep, const struct ws_house_options *options, const char **why_out);
/** The port really bound for web.listen[index] (tests use port 0 with one worker). */
uint16_t ws_house_port(const struct ws_house *house, unsigned index);
uint16_t ws_house_admin_port(const struct ws_house *house);
/** Read the certificate again (after tls_check_pair()). */
int ws_house_reload(struct ws_house *house);
/** Go by a new snapshot from now on: origins, idle time, admin token, certificate files (read by ws_house_reload()).
 * The addresses, pages and limits stay as they were. On the worker's own thread. */
void ws_house_set_conf(struct ws_house *house, struct conf *conf);
/** Refuse new connections (drain). */
void ws_house_stop_accepting(struct ws_house *house);

/** Queue one text message (copied). Runs on the WebSocket's own worker. @return 0; -ENOBUFS: queue over 1 MiB, it will
 * be closed */
int ws_send(struct ws *ws, struct span text);
void ws_close(struct ws *ws);
void ws_set_user(struct ws *ws, void *user);
void *ws_user(const struct ws *ws);
const struct addr *ws_remote(const struct ws *ws);
bool ws_is_secure(const struct ws *ws);
