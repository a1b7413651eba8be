/* SPDX-License-Identifier: Apache-2.0 */
/* transport_ws.c: SIP over WebSocket: one message per frame, subprotocol "sip". RFC 7118. */
#include "base/mem.h"
#include "base/stats.h"
#include "sip/stack.h"
#include "sip/transport_private.h"

static void on_open(struct ws *ws, void *arg)
{
    struct sip_transports *transports = arg;
    struct connection *connection =
        connection_new(transports, ws_is_secure(ws) ? SIP_WSS : SIP_WS, NULL, ws_remote(ws));

    ws_set_user(ws, connection);
    if (!connection) {
        stats_count(STAT_WEBSOCKET_REFUSED);
        ws_close(ws);
        return;
    }
    connection->ws = ws;
    connection->is_open = true;
}

static void on_message(struct ws *ws, char *bytes, size_t n, bool is_binary, void *arg)
{
    struct sip_transports *transports = arg;
    struct connection *connection = ws_user(ws);

    if (connection)
        sip_receive(transports->stack, &connection->flow, connection_account(connection), bytes, n);
}

static void on_close(struct ws *ws, void *arg)
{
    struct connection *connection = ws_user(ws);

    ws_set_user(ws, NULL);
    if (connection) {
        connection->ws = NULL;
        connection_lost(connection);
    }
}

void transport_ws_protocol(struct sip_transports *transports, struct ws_protocol *out)
{
    *out = (struct ws_protocol){.name = "sip",
                                .on_open = on_open,
                                .on_message = on_message,
                                .on_close = on_close,
                                .message_max = SIP_MSG_MAX,
                                .arg = transports};
}
