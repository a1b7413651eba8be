/* SPDX-License-Identifier: Apache-2.0 */
/* browser_ice.h: the ICE agent of the scripted browser: one host candidate, one remote candidate, RFC 8445;
 * nominates with its first check when controlling; keeps consent fresh, RFC 7675. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "browser_stun.h"
#include "peer_udp.h"

enum { ICE_UFRAG_BYTES = 64, ICE_PASSWORD_BYTES = 128 };

struct browser_ice {
    struct peer_udp *udp;
    struct peer_timer timer;
    void (*on_selected)(void *ctx);
    void (*on_lost)(void *ctx); /* consent expired, or no answer to the first checks for 10 s */
    void *ctx;
    bool is_controlling;
    bool is_selected;
    bool is_mute; /* a test's wish: stop sending consent checks */
    struct sockaddr_in remote;
    uint64_t tie_breaker;
    uint64_t heard_ns; /* last proved answer, loop time */
    uint8_t id[STUN_ID_BYTES];
    unsigned check_count;
    char ufrag[ICE_UFRAG_BYTES], password[ICE_PASSWORD_BYTES];
    char remote_ufrag[ICE_UFRAG_BYTES], remote_password[ICE_PASSWORD_BYTES];
};

/** Fresh credentials; callbacks and ctx must be set before. */
void browser_ice_init(struct browser_ice *ice, struct peer_udp *udp);
/** Start checking @p remote; remote_ufrag and remote_password must be set. */
void browser_ice_start(struct browser_ice *ice, const struct sockaddr_in *remote, bool is_controlling);
void browser_ice_stop(struct browser_ice *ice);
/** A packet for which stun_is_message() holds. Works before browser_ice_start() too. */
void browser_ice_receive(struct browser_ice *ice, const struct peer_packet *packet);
