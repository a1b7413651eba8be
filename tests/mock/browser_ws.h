/* SPDX-License-Identifier: Apache-2.0 */
/* browser_ws.h: the WebSocket client of the scripted browser, RFC 6455 with subprotocol "sip" (RFC 7118).
 * Plain TCP; text messages only; answers pings. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer_loop.h"

enum browser_ws_state { WS_CLOSED, WS_CONNECTING, WS_UPGRADING, WS_OPEN };

struct browser_ws {
    struct peer_loop *loop;
    struct peer_watch watch;
    enum browser_ws_state state;
    void (*on_open)(void *ctx);
    /** One whole text message, not ended by 0; lent. Must not free the socket's owner. */
    void (*on_text)(void *ctx, const char *text, size_t size);
    /** @param err negative errno: -ECONNRESET closed by the other side, -EPROTO not a WebSocket, ... */
    void (*on_closed)(void *ctx, int err);
    void *ctx;
    char key[32];
    uint8_t *in, *out;
    size_t in_size, in_room, out_size, out_room;
    size_t text_size; /* of a message in fragments: its joined part stands first in `in` */
};

/** Where to; strings are read during browser_ws_connect() only. */
struct browser_ws_target {
    const char *ip;
    uint16_t port;
    const char *path, *origin;
    const char *local_ip; /* source address */
};

/** Connect and upgrade; the callbacks and ctx must be set. @return 0 or a negative errno. */
int browser_ws_connect(struct browser_ws *ws, struct peer_loop *loop, const struct browser_ws_target *target);
/** Send one text message, masked. What the socket does not take is kept. @return 0; -ENOTCONN. */
int browser_ws_send(struct browser_ws *ws, const char *text, size_t size);
/** Close without callback. @param is_clean send a close frame first; else the socket just disappears. */
void browser_ws_close(struct browser_ws *ws, bool is_clean);
