/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: flows: the table of connections, sending over a flow of this or another worker. RFC 3261 18, RFC 5626.
 * The kinds of transport are in transport_udp.c, transport_stream.c and transport_ws.c. */
#include "sip/transport.h"

#include <errno.h>

#include "base/mailbox.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"
#include "base/worker.h"
#include "sip/stack.h"
#include "sip/transport_private.h"

static const struct {
    const char *text, *param;
    bool is_reliable, is_web;
} kinds[] = {
    [SIP_UDP] = {"UDP", "udp", false, false}, [SIP_TCP] = {"TCP", "tcp", true, false},
    [SIP_TLS] = {"TLS", "tls", true, false},  [SIP_WS] = {"WS", "ws", true, true},
    [SIP_WSS] = {"WSS", "ws", true, true},
};

const char *sip_transport_text(enum sip_transport transport)
{
    return kinds[transport].text;
}

const char *sip_transport_param(enum sip_transport transport)
{
    return kinds[transport].param;
}

bool sip_transport_is_reliable(enum sip_transport transport)
{
    return kinds[transport].is_reliable;
}

bool sip_transport_is_web(enum sip_transport transport)
{
    return kinds[transport].is_web;
}

bool sip_flow_same(const struct sip_flow *left, const struct sip_flow *right)
{
    if (left->transport != right->transport)
        return false;
    if (left->transport == SIP_UDP)
        return addr_eq(&left->remote, &right->remote) && left->listener == right->listener;
    return left->worker == right->worker && left->slot == right->slot && left->serial == right->serial;
}

const char *sip_flow_text(const struct sip_flow *flow, char buf[static SIP_FLOW_TEXT_MAX])
{
    char remote[ADDR_TEXT_MAX];

    print_into(buf, SIP_FLOW_TEXT_MAX, "%s %s", kinds[flow->transport].text, addr_text(&flow->remote, remote));
    return buf;
}

/* ---- the table ---- */

static int grow_table(struct sip_transports *transports)
{
    uint32_t count = transports->slot_count ? transports->slot_count * 2 : 16;
    struct connection **grown;

    if (transports->slot_count >= TRANSPORT_CONNECTION_MAX)
        return -EBUSY;
    grown = mem_new(count * sizeof(*grown), NULL);
    if (!grown)
        return -ENOMEM;
    if (transports->slot_count)
        memcpy(grown, transports->connections, transports->slot_count * sizeof(*grown));
    mem_unref(transports->connections);
    transports->connections = grown;
    transports->slots_free_hint = transports->slot_count;
    transports->slot_count = count;
    return 0;
}

static int free_slot(struct sip_transports *transports, uint32_t *slotp)
{
    for (uint32_t i = 0; i < transports->slot_count; i++) {
        uint32_t slot = (transports->slots_free_hint + i) % transports->slot_count;

        if (!transports->connections[slot]) {
            transports->slots_free_hint = slot + 1;
            *slotp = slot;
            return 0;
        }
    }
    return grow_table(transports) ? -EBUSY : free_slot(transports, slotp);
}

static void connection_destroy(void *self)
{
    struct connection *connection = self;

    timer_stop(&connection->silence);
    text_free(&connection->pending);
    mem_unref(connection->stream);
    mem_unref(connection->peer_name);
    mem_unref(connection->peer_trunk);
}

struct connection *connection_new(struct sip_transports *transports, enum sip_transport transport,
                                  const struct addr *local, const struct addr *remote)
{
    struct connection *connection;
    uint32_t slot;

    if (free_slot(transports, &slot))
        return NULL;
    connection = mem_new(sizeof(*connection), connection_destroy);
    if (!connection)
        return NULL;
    connection->transports = transports;
    text_init(&connection->pending, SIP_MSG_MAX);
    connection->flow = (struct sip_flow){.transport = (uint8_t)transport,
                                         .worker = (uint8_t)transports->worker,
                                         .slot = slot,
                                         .serial = ++transports->next_serial,
                                         .remote = *remote};
    if (local)
        connection->flow.local = *local;
    transports->connections[slot] = connection;
    return connection;
}

void connection_lost(struct connection *connection)
{
    struct sip_transports *transports = connection->transports;
    struct sip_flow flow = connection->flow;

    transports->connections[flow.slot] = NULL;
    sip_stack_flow_lost(transports->stack, &flow, connection->account);
    mem_unref(connection);
}

struct connection *connection_find(const struct sip_transports *transports, const struct sip_flow *flow)
{
    struct connection *connection;

    if (flow->worker != transports->worker || flow->slot >= transports->slot_count)
        return NULL;
    connection = transports->connections[flow->slot];
    return connection && connection->flow.serial == flow->serial ? connection : NULL;
}

void transport_set_account(struct sip_transports *transports, const struct sip_flow *flow, struct span account)
{
    struct connection *connection = flow->transport == SIP_UDP ? NULL : connection_find(transports, flow);

    if (!connection)
        return;
    span_copy(account, connection->account, sizeof(connection->account));
    connection->is_doubted = false;
}

void transport_review_accounts(struct sip_transports *transports, bool (*is_still)(struct span account, void *arg),
                               void *arg)
{
    for (uint32_t i = 0; i < transports->slot_count; i++) {
        struct connection *connection = transports->connections[i];

        if (connection && connection->account[0] && !is_still(span_of(connection->account), arg))
            connection->is_doubted = true;
    }
}

void transport_close(struct sip_transports *transports, const struct sip_flow *flow)
{
    struct connection *connection = flow->transport == SIP_UDP ? NULL : connection_find(transports, flow);

    if (!connection)
        return;
    if (connection->ws)
        ws_close(connection->ws);
    else
        connection_lost(connection);
}

bool transport_is_up(const struct sip_transports *transports, const struct sip_flow *flow)
{
    return flow->transport == SIP_UDP || flow->worker != transports->worker || connection_find(transports, flow);
}

/* ---- sending ---- */

struct send_mail {
    struct mail mail;
    struct sip_flow flow;
    size_t n;
    char bytes[];
};

static void receive_send_mail(struct worker *worker, struct mail *mail)
{
    struct send_mail *send = container_of(mail, struct send_mail, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack)
        transport_send(stack->transports, &send->flow, span_make(send->bytes, send->n));
    mem_unref(send);
}

static int send_elsewhere(const struct sip_flow *flow, struct span bytes)
{
    struct worker *worker = worker_get(flow->worker);
    struct send_mail *send = worker ? mem_new(sizeof(*send) + bytes.n, NULL) : NULL;

    if (!send)
        return worker ? -ENOMEM : -ENOTCONN;
    send->mail.receive = receive_send_mail;
    send->flow = *flow;
    send->n = bytes.n;
    memcpy(send->bytes, bytes.p, bytes.n);
    return mailbox_post(worker, &send->mail);
}

int transport_send(struct sip_transports *transports, const struct sip_flow *flow, struct span bytes)
{
    struct connection *connection;

    if (flow->transport == SIP_UDP) {
        if (flow->listener >= transports->udp_count)
            return -ENOTCONN;
        stats_count(STAT_SIP_SENT);
        return udp_send(transports->udp[flow->listener].udp, &flow->remote, bytes.p, bytes.n);
    }
    if (flow->worker != transports->worker)
        return send_elsewhere(flow, bytes);
    connection = connection_find(transports, flow);
    if (!connection)
        return -ENOTCONN;
    stats_count(STAT_SIP_SENT);
    return connection->ws ? ws_send(connection->ws, bytes) : transport_stream_send(connection, bytes);
}

/* ---- flows of our own making ---- */

static int udp_flow_to(struct sip_flow *flow, struct sip_transports *transports, const struct addr *to)
{
    int chosen = -1;

    for (unsigned i = 0; i < transports->udp_count; i++) {
        const struct addr *local = udp_local(transports->udp[i].udp);

        if (addr_is_v6(local) != addr_is_v6(to))
            continue;
        if (chosen < 0 || (!addr_is_any(local) && addr_is_loopback(local) == addr_is_loopback(to)))
            chosen = (int)i;
    }
    if (chosen < 0)
        return -EAFNOSUPPORT;
    *flow = (struct sip_flow){.transport = SIP_UDP,
                              .worker = (uint8_t)transports->worker,
                              .listener = (uint16_t)chosen,
                              .local = *udp_local(transports->udp[chosen].udp),
                              .remote = *to};
    return 0;
}

bool transport_has_way(const struct sip_transports *transports, enum sip_transport transport, const struct addr *to)
{
    if (sip_transport_is_web(transport) || (transport == SIP_TLS && !transports->client_tls))
        return false;
    for (unsigned i = 0; i < transports->udp_count; i++)
        if (addr_is_v6(udp_local(transports->udp[i].udp)) == addr_is_v6(to))
            return true;
    for (unsigned i = 0; transport != SIP_UDP && i < transports->listener_count; i++)
        if (addr_is_v6(stream_listener_local(transports->listeners[i])) == addr_is_v6(to))
            return true;
    return transport != SIP_UDP && !transports->udp_count && !transports->listener_count; /* who never listens */
}

static bool is_same(const char *left, const char *right)
{
    return span_ieq(span_of(left), span_of(right));
}

/* A TLS connection is good for whom its certificate was checked for, by the settings of that trunk, not for everybody
 * at that address. */
static bool leads_to(const struct connection *connection, enum sip_transport transport, const struct addr *to,
                     const struct sip_peer *peer)
{
    struct tls_choice choice = {0};
    bool has_own;

    if (connection->flow.transport != transport || !addr_eq(&connection->flow.remote, to))
        return false;
    if (transport != SIP_TLS)
        return true;
    has_own = tls_clients_find(&choice, connection->transports->tls_clients, peer->trunk);
    return connection->is_outgoing && (!peer->name || is_same(connection->peer_name, peer->name)) &&
           is_same(connection->peer_trunk, has_own ? peer->trunk : NULL) &&
           connection->peer_generation == choice.generation;
}

int transport_flow_to(struct sip_flow *flow, struct sip_transports *transports, enum sip_transport transport,
                      const struct addr *to, const struct sip_peer *peer)
{
    static const struct sip_peer nobody;
    struct connection *connection;
    int err;

    if (!peer)
        peer = &nobody;
    if (transport == SIP_UDP)
        return udp_flow_to(flow, transports, to);
    if (sip_transport_is_web(transport))
        return -EAFNOSUPPORT; /* browsers connect to us, never the other way */
    for (uint32_t i = 0; i < transports->slot_count; i++) {
        connection = transports->connections[i];
        if (connection && leads_to(connection, transport, to, peer)) {
            *flow = connection->flow;
            return 0;
        }
    }
    err = transport_stream_connect(&connection, transports, transport, to, peer);
    if (!err)
        *flow = connection->flow;
    return err;
}

/* ---- birth and end ---- */

static void transports_destroy(void *self)
{
    struct sip_transports *transports = self;

    for (unsigned i = 0; i < transports->udp_count; i++)
        mem_unref(transports->udp[i].udp);
    for (unsigned i = 0; i < transports->listener_count; i++)
        mem_unref(transports->listeners[i]);
    for (uint32_t i = 0; i < transports->slot_count; i++) {
        struct connection *connection = transports->connections[i];

        if (connection && connection->ws)
            ws_set_user(connection->ws, NULL); /* its house closes it later */
        mem_unref(connection);
    }
    mem_unref(transports->connections);
}

static int listen_one(struct sip_transports *transports, const struct conf_listen *listen,
                      const struct transport_options *options, const char **why_out)
{
    bool is_tls = !strcmp(listen->scheme, "tls");
    struct addr local;
    int err = addr_parse(&local, span_of(listen->host), listen->port);

    *why_out = "sip.listen: not a numeric address";
    if (err)
        return err;
    if (is_tls && !options->server_tls) {
        *why_out = "sip.listen: tls needs sip.certificate and sip.key";
        return -EINVAL;
    }
    *why_out = "sip.listen: the port is taken by another program";
    if (!strcmp(listen->scheme, "udp"))
        return transport_udp_listen(transports, &local, options->conf->media.dscp_sip, options->udp);
    return transport_stream_listen(transports, &local, is_tls ? options->server_tls : NULL);
}

int transport_new(struct sip_transports **transportsp, const struct transport_options *options, const char **why_out)
{
    const struct conf_listens *listens = &options->conf->sip.listen;
    struct sip_transports *transports = mem_new(sizeof(*transports), transports_destroy);
    int err = 0;

    if (!transports)
        return -ENOMEM;
    transports->stack = options->stack;
    transports->worker = options->stack->worker;
    transports->client_tls = options->client_tls;
    transports->tls_clients = options->tls_clients;
    for (size_t i = 0; i < listens->count && !err; i++)
        err = listen_one(transports, &listens->items[i], options, why_out);
    if (err) {
        mem_unref(transports);
        return err;
    }
    *transportsp = transports;
    return 0;
}
