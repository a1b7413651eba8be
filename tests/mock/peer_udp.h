/* SPDX-License-Identifier: Apache-2.0 */
/* peer_udp.h: a datagram socket of a scripted peer: received in batches with the kernel's arrival time. IPv4. */
#pragma once
#include <netinet/in.h>
#include <stdint.h>

#include "peer_loop.h"

enum { PEER_PACKET_MAX_BYTES = 4096 };

/** One datagram, lent to the callback; may be changed in place, and has room up to PEER_PACKET_MAX_BYTES. */
struct peer_packet {
    uint8_t *bytes;
    size_t size;
    struct sockaddr_in from;
    uint64_t time_ns; /* CLOCK_REALTIME at which the kernel took it: the peer's own wake-up is not in it */
};

struct peer_udp_queue;

struct peer_udp {
    struct peer_loop *loop;
    struct peer_watch watch;
    struct sockaddr_in local;
    void (*on_packet)(void *ctx, struct peer_packet *packet);
    void *ctx;
    struct peer_udp_queue *queue; /* of peer_udp_send_later; NULL until the first */
    uint64_t refused_count;       /* sends the kernel refused */
};

/** Bind to @p ip and @p port (host order, 0 = any free) and start receiving.
 *  @p on_packet may close the socket. @return 0 or a negative errno. */
int peer_udp_open(struct peer_udp *udp, struct peer_loop *loop, const char *ip, uint16_t port);
void peer_udp_close(struct peer_udp *udp);
uint16_t peer_udp_port(const struct peer_udp *udp);

/** Send now; a refusal is counted, as a network would lose it. */
void peer_udp_send(struct peer_udp *udp, const struct sockaddr_in *to, const void *bytes, size_t size);
/** Copy into the batch that leaves at the end of the round by one sendmmsg. For sockets that serve many calls. */
void peer_udp_send_later(struct peer_udp *udp, const struct sockaddr_in *to, const void *bytes, size_t size);

/** CLOCK_REALTIME in ns: the clock of peer_packet.time_ns. */
uint64_t peer_wall_ns(void);
/** "127.0.0.1" and a port in host order -> address. @return 0 or -EINVAL. */
int peer_address(struct sockaddr_in *addr, const char *ip, uint16_t port);
