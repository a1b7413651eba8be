/* SPDX-License-Identifier: Apache-2.0 */
/* transport_stream.c: SIP over TCP and TLS: framing, keep-alive, connections in both directions.
 * RFC 3261 18.3, RFC 5626 4.4.1. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "sip/stack.h"
#include "sip/transport_private.h"

#define MESSAGE_TIMEOUT_MS 10000 /* first byte to full message */
#define SILENT_MS          30000 /* who connects and says nothing */

static void close_now(struct connection *connection)
{
    connection_lost(connection);
}

static void on_silence(void *arg)
{
    struct connection *connection = arg;

    stats_count(STAT_STREAM_REFUSED);
    close_now(connection);
}

static void watch_silence(struct connection *connection)
{
    if (connection->silent_ms)
        timer_start(connection->transports->stack->wheel, &connection->silence, connection->silent_ms, on_silence,
                    connection);
    else
        timer_stop(&connection->silence);
}

void transport_expect_pings(struct sip_transports *transports, const struct sip_flow *flow, unsigned silent_ms)
{
    struct connection *connection =
        flow->transport == SIP_TCP || flow->transport == SIP_TLS ? connection_find(transports, flow) : NULL;

    if (!connection)
        return;
    connection->silent_ms = silent_ms;
    watch_silence(connection);
}

/* A CRLF alone: a pong, half a ping, or all that this phone ever says. It is no message that does not get whole, so it
 * must not wait for its end. @return bytes used */
static size_t take_lone_crlf(struct connection *connection, struct span rest)
{
    if (!span_eq(rest, SPAN("\r\n")))
        return 0;
    if (connection->has_half_ping)
        stream_send(connection->stream, SPAN("\r\n"));
    connection->has_half_ping = !connection->has_half_ping;
    watch_silence(connection);
    return rest.n;
}

static size_t on_bytes(struct stream *stream, char *bytes, size_t n, void *arg)
{
    struct connection *connection = arg;
    struct sip_stack *stack = connection->transports->stack;
    struct sip_flow flow = connection->flow;
    size_t used = 0;

    while (used < n) {
        struct span message;
        size_t step = 0;
        enum framing framing =
            framing_next_hinted(span_make(bytes + used, n - used), &connection->hint, &message, &step);

        if (framing == FRAMING_MORE)
            return used + take_lone_crlf(connection, span_make(bytes + used, n - used));
        connection->has_half_ping = false;
        watch_silence(connection);
        if (framing == FRAMING_PING)
            stream_send(stream, SPAN("\r\n"));
        if (framing == FRAMING_BAD_LENGTH)
            sip_receive_headless(stack, &flow, (char *)(uintptr_t)message.p, message.n);
        if (framing == FRAMING_MESSAGE)
            sip_receive(stack, &flow, connection_account(connection), (char *)(uintptr_t)message.p, message.n);
        if (connection_find(stack->transports, &flow) != connection)
            return n; /* closed by what it said */
        if (framing == FRAMING_BAD_LENGTH || framing == FRAMING_TOO_LONG) {
            close_now(connection);
            return n;
        }
        used += step;
    }
    return used;
}

static void on_open(struct stream *stream, void *arg)
{
    struct connection *connection = arg;

    connection->is_open = true;
    if (connection->pending.len)
        stream_send(stream, text_span(&connection->pending));
    text_free(&connection->pending);
}

static void on_close(struct stream *stream, int err, void *arg)
{
    connection_lost(arg);
}

static const struct stream_user user = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};

static void on_accept(struct stream *stream_taken, void *arg)
{
    struct sip_transports *transports = arg;
    struct connection *connection = connection_new(transports, stream_is_tls(stream_taken) ? SIP_TLS : SIP_TCP,
                                                   stream_local(stream_taken), stream_remote(stream_taken));

    if (!connection) {
        stats_count(STAT_STREAM_REFUSED);
        mem_unref(stream_taken);
        return;
    }
    connection->stream = stream_taken;
    connection->is_open = true;
    stream_set_progress_timeout(stream_taken, MESSAGE_TIMEOUT_MS);
    stream_set_user(stream_taken, &user, connection);
    timer_start(transports->stack->wheel, &connection->silence, SILENT_MS, on_silence, connection);
}

int transport_stream_listen(struct sip_transports *transports, const struct addr *local, struct tls *tls)
{
    int err;

    if (transports->listener_count == TRANSPORT_LISTENER_MAX)
        return -EBUSY;
    err = stream_listen(
        &transports->listeners[transports->listener_count],
        &(struct stream_listen_options){
            .local = *local, .tls = tls, .max_per_address = 200, .on_accept = on_accept, .arg = transports});
    transports->listener_kinds[transports->listener_count] = tls ? SIP_TLS : SIP_TCP;
    if (!err)
        transports->listener_count++;
    return err;
}

/* What stands in our Via and Contact on a connection that we began: where we listen (RFC 3261 18.1.1), not its passing
 * port. */
static uint16_t listening_port(const struct sip_transports *transports, enum sip_transport transport)
{
    for (unsigned i = 0; i < transports->listener_count; i++)
        if (transports->listener_kinds[i] == transport)
            return addr_port(stream_listener_local(transports->listeners[i]));
    return transport == SIP_TLS ? 5061 : 5060;
}

/* Without memory it is not used twice. */
static void note_peer(struct connection *connection, const struct sip_peer *peer, const struct tls_choice *choice)
{
    connection->peer_generation = choice->generation;
    if (peer->name)
        connection->peer_name = mem_text(peer->name, strlen(peer->name));
    if (choice->generation)
        connection->peer_trunk = mem_text(peer->trunk, strlen(peer->trunk));
}

int transport_stream_connect(struct connection **connectionp, struct sip_transports *transports,
                             enum sip_transport transport, const struct addr *to, const struct sip_peer *peer)
{
    struct tls_choice choice = {.tls = transports->client_tls};
    struct connection *connection;
    int err;

    if (transport == SIP_TLS && !transports->client_tls)
        return -EAFNOSUPPORT;
    if (transport == SIP_TLS && tls_clients_find(&choice, transports->tls_clients, peer->trunk) && !choice.tls)
        return -EACCES; /* its settings cannot be read: better no connection than another kind of it */
    connection = connection_new(transports, transport, NULL, to);
    if (!connection)
        return -EBUSY;
    if (transport == SIP_TLS)
        note_peer(connection, peer, &choice);
    err = addr_local_towards(&connection->flow.local, to);
    addr_set_port(&connection->flow.local, listening_port(transports, transport));
    if (!err)
        err = stream_connect(&connection->stream, to, transport == SIP_TLS ? choice.tls : NULL, peer->name);
    if (err) {
        transports->connections[connection->flow.slot] = NULL;
        mem_unref(connection);
        return err;
    }
    connection->is_outgoing = true;
    stream_set_progress_timeout(connection->stream, MESSAGE_TIMEOUT_MS);
    stream_set_user(connection->stream, &user, connection);
    *connectionp = connection;
    return 0;
}

int transport_stream_send(struct connection *connection, struct span bytes)
{
    if (connection->is_open)
        return stream_send(connection->stream, bytes);
    text_add(&connection->pending, bytes);
    return text_err(&connection->pending);
}
