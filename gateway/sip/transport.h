/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/span.h"
#include "net/addr.h"

/* transport.h: flows: the ways to reach SIP peers (RFC 5626's term), over UDP, TCP, TLS, WS and WSS. RFC 3261 section
 * 18, RFC 7118. A flow is a value: it names the worker that owns the connection and the connection's slot, so it can be
 * copied, kept and handed to other workers; sending over a flow of another worker posts the text there. Knows bytes and
 * connections, no transactions. */

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS, SIP_WS, SIP_WSS };

#define SIP_ACCOUNT_MAX 64

struct sip_flow {
    uint8_t transport; /* enum sip_transport */
    uint8_t worker;    /* owner of the connection; UDP: whoever sends */
    uint16_t listener; /* UDP: index of the listening socket */
    uint32_t slot;     /* connection: slot in the owner's table */
    uint32_t serial;   /* connection: which use of the slot; 0: it is gone, remote says where the next one would go */
    struct addr local, remote;
};

struct sip_stack;
struct sip_transports; /* one per worker */
struct udp_house;
struct tls;
struct tls_clients;
struct ws_protocol;

const char *sip_transport_text(enum sip_transport transport);  /* "UDP", as in Via */
const char *sip_transport_param(enum sip_transport transport); /* "udp", as in ;transport= */
bool sip_transport_is_reliable(enum sip_transport transport);
bool sip_transport_is_web(enum sip_transport transport); /* WS or WSS */

/** Same connection, or same UDP address pair. */
bool sip_flow_same(const struct sip_flow *left, const struct sip_flow *right);
/** A connection that is known to be gone: see dialog_lose_flow(). */
static inline bool sip_flow_is_gone(const struct sip_flow *flow)
{
    return flow->transport != SIP_UDP && !flow->serial;
}
/** "UDP 192.0.2.1:5060" into buf. */
#define SIP_FLOW_TEXT_MAX (ADDR_TEXT_MAX + 8)
const char *sip_flow_text(const struct sip_flow *flow, char buf[static SIP_FLOW_TEXT_MAX]);

struct transport_options {
    struct sip_stack *stack;
    struct conf *conf; /* sip: listen, dscp */
    struct udp_house *udp;
    struct tls *server_tls; /* NULL: tls listeners are an error */
    struct tls *client_tls;
    const struct tls_clients *tls_clients; /* may be NULL */
};

/** Whom a connection of ours is for: over TLS its certificate has to be for `name`. */
struct sip_peer {
    const char *name;  /* host of its URI; NULL: not checked */
    const char *trunk; /* whose TLS settings (tls_clients.h) hold; NULL: the gateway's */
};
int transport_new(struct sip_transports **transportsp, const struct transport_options *options, const char **why_out);

/** The subprotocol row "sip" for this worker's ws house. */
void transport_ws_protocol(struct sip_transports *transports, struct ws_protocol *out);

/** A flow to an address: peer (may be NULL) says whom it is for. UDP picks a listening socket of the family; TCP and
 * TLS reuse a connection to the address or begin one (what is sent meanwhile is queued). @return 0; -EAFNOSUPPORT: no
 * such listener; connect errors come as a lost flow */
int transport_flow_to(struct sip_flow *flow, struct sip_transports *transports, enum sip_transport transport,
                      const struct addr *to, const struct sip_peer *peer);

/** Can what is sent over this transport reach the address at all? UDP needs a listening socket of the address's family,
 * TCP and TLS any listener of it: from there the peer's own requests come back. */
bool transport_has_way(const struct sip_transports *transports, enum sip_transport transport, const struct addr *to);

/** Send one message. Any worker's flow. @return 0; -ENOTCONN: the flow is gone; -EMSGSIZE */
int transport_send(struct sip_transports *transports, const struct sip_flow *flow, struct span bytes);

/** The account that proved itself on this connection (REGISTER with right credentials); empty for UDP. The flow must be
 * this worker's. */
void transport_set_account(struct sip_transports *transports, const struct sip_flow *flow, struct span account);
/** Who has proved himself on this worker's connections may have to do it again: where is_still() says no, requests
 * carry no account until transport_set_account(). */
void transport_review_accounts(struct sip_transports *transports, bool (*is_still)(struct span account, void *arg),
                               void *arg);
/** A TCP or TLS connection of this worker is closed from now on when nothing comes over it for so long. Others: nothing
 * happens. */
void transport_expect_pings(struct sip_transports *transports, const struct sip_flow *flow, unsigned silent_ms);
/** Close a connection of this worker (abuse, protocol error). */
void transport_close(struct sip_transports *transports, const struct sip_flow *flow);
/** Is the connection still there? Foreign flows answer true. */
bool transport_is_up(const struct sip_transports *transports, const struct sip_flow *flow);
