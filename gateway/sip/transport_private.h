/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"
#include "net/stream.h"
#include "net/tls_clients.h"
#include "net/udp.h"
#include "net/ws.h"
#include "sip/framing.h"
#include "sip/transport.h"

/* transport_private.h: what the transport_*.c share: the table of connections of one worker. */

#define TRANSPORT_LISTENER_MAX   16
#define TRANSPORT_CONNECTION_MAX 100000

/* One TCP, TLS, WS or WSS connection of this worker. */
struct connection {
    struct sip_transports *transports;
    struct sip_flow flow;
    struct ws *ws;
    struct stream *stream;
    bool is_open, is_outgoing;
    struct framing_hint hint;
    struct timer silence;          /* accepted: until the first whole message, then for silent_ms */
    unsigned silent_ms;            /* transport_expect_pings(); 0: it may be silent for ever */
    bool has_half_ping;            /* the CRLF before may have been the first half of a ping */
    struct text pending;           /* sent before an outgoing connection was open */
    char account[SIP_ACCOUNT_MAX]; /* whose contacts go with it */
    bool is_doubted;               /* the account has to prove itself again */
    char *peer_name, *peer_trunk;  /* TLS that we began: whom it is for; peer_trunk: by settings of its own */
    unsigned peer_generation;      /* of those settings */
};

struct udp_listener {
    struct sip_transports *transports;
    struct udp *udp;
    uint16_t index;
};

struct sip_transports {
    struct sip_stack *stack;
    unsigned worker;
    struct udp_listener udp[TRANSPORT_LISTENER_MAX];
    unsigned udp_count;
    struct stream_listener *listeners[TRANSPORT_LISTENER_MAX];
    enum sip_transport listener_kinds[TRANSPORT_LISTENER_MAX];
    unsigned listener_count;
    struct tls *client_tls;
    const struct tls_clients *tls_clients;
    struct connection **connections; /* by slot, NULL: free */
    uint32_t slot_count, slots_free_hint;
    uint32_t next_serial;
};

/** A connection in a free slot. @return NULL: table full or no memory */
struct connection *connection_new(struct sip_transports *transports, enum sip_transport transport,
                                  const struct addr *local, const struct addr *remote);
/** Take it out of the table and tell every worker. The ws or stream is the caller's business. */
void connection_lost(struct connection *connection);
/** The connection that a flow of this worker names, or NULL. */
struct connection *connection_find(const struct sip_transports *transports, const struct sip_flow *flow);

/** Who may be taken to be at the other end. */
static inline struct span connection_account(const struct connection *connection)
{
    return connection->is_doubted ? SPAN_NULL : span_of(connection->account);
}

/** Which first byte, what then: keep-alive or message, for UDP and WebSocket. */
int transport_udp_listen(struct sip_transports *transports, const struct addr *local, unsigned dscp,
                         struct udp_house *house);
int transport_stream_listen(struct sip_transports *transports, const struct addr *local, struct tls *tls);
int transport_stream_connect(struct connection **connectionp, struct sip_transports *transports,
                             enum sip_transport transport, const struct addr *to, const struct sip_peer *peer);
int transport_stream_send(struct connection *connection, struct span bytes);
