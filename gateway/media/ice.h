/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/endpoint.h"

/* ice.h: how a peer connection's packets find their way: behind one vtable, so that ICE lite on the worker's one port
 * (ice_lite.c) and full ICE can stand behind the same endpoint. RFC 8445. */

struct ice;
struct warm;

struct ice_user {
    /** Packets that are not STUN, all from sources that a valid check of this peer proved. A slot taken over is set to
     * NULL. */
    void (*on_batch)(struct pkt **pkts, unsigned n, void *arg);
    /** The pair to send on was chosen, or has changed. Before the peer nominates one, the first that was proved is
     * used: browsers send their first DTLS message as soon as our answer to a check is there, which is before they
     * nominate. */
    void (*on_selected)(const struct addr *peer, bool is_nominated, void *arg);
    void (*on_event)(const char *text, void *arg);
    /** There is no consent any more, or there never was. */
    void (*on_failed)(const char *why, void *arg);
};

struct ice_kind {
    /** @param warm what on_batch will touch, may change; borrowed like arg */
    int (*make)(struct ice **icep, struct media_house *house, const struct ice_user *user, const struct warm *warm,
                void *arg);
    /** Fill ufrag, pwd, candidates and is_ice_lite. */
    void (*local)(const struct ice *ice, struct webrtc_local *out);
    /** The peer's description is known. */
    int (*remote)(struct ice *ice, struct span ufrag, struct span pwd);
    int (*restart)(struct ice *ice);
    /** The peer has (or is being told) our description too: from now on it is a fault if no check comes. */
    void (*await)(struct ice *ice);
    /** The call was answered: until now it only rang, and no missing check was a reason to fail. */
    void (*answered)(struct ice *ice);
    /** Queue a packet (taken) to the selected pair; before there is one, it is dropped. Packet path. */
    void (*send)(struct ice *ice, struct pkt *pkt_taken);
    /** What send() touches. */
    void (*warm_out)(const struct ice *ice, struct warm *warm);
    /** Forget all sources; no callback comes after. */
    void (*stop)(struct ice *ice);
};

struct ice {
    const struct ice_kind *kind;
    const struct ice_user *user;
    const struct warm *warm;
    void *arg;
};

extern const struct ice_kind ice_lite;

/** The worker's one port for all peer connections of the lite kind. */
struct lite_port;
int lite_port_new(struct lite_port **portp, struct udp_house *udp_house, const struct addr *local, uint8_t dscp);
const struct addr *lite_port_local(const struct lite_port *port);
