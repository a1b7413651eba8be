/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../unit.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "media/dtls.h"
#include "media/endpoint.h"
#include "media/media.h"
#include "media/media_stream.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp_ctx.h"
#include "net/udp.h"

/* media_rig.h: a media house on a worker that the test turns by hand, and peers of both kinds: a browser (ICE checks,
 * DTLS, SRTP) and a phone (plain RTP), as small programs over their own sockets in the same loop. */

struct rig {
    struct worker *worker;
    struct udp_house *udp;
    struct conf *conf;
    struct dtls_identity *identity;
    struct media_house *house;
};
extern struct rig rig;
extern unsigned rig_gather_us;  /* before rig_start(); 0 in tests */
extern unsigned rig_port_count; /* RTP ports of the house */

/** @param media_yaml keys under `media:`, may be "" */
void rig_start(const char *media_yaml);
/** Everything of the test's must be gone: checks that no object is left. */
void rig_stop(void);
void rig_turn(void);
/** Turn the loop until the condition holds; fails the test after five seconds. */
#define rig_until(condition)                                                                                           \
    do {                                                                                                               \
        uint64_t end_ = rig_now_ms() + 5000;                                                                           \
        while (!(condition)) {                                                                                         \
            if (rig_now_ms() > end_)                                                                                   \
                fail_msg("waited in vain: %s", #condition);                                                            \
            rig_turn();                                                                                                \
        }                                                                                                              \
    } while (0)
uint64_t rig_now_ms(void);
/** Turn until what is on its way has arrived: for proofs that nothing happens. A datagram of our own goes through the
 * loop. */
void rig_settle(void);
/** Clock and timers stand `ms` later at once; the test hook of the clock stays set. */
void rig_leap(uint64_t ms);
uint64_t rig_stat(enum stat_id id);

/* What a user of an endpoint is told. */
struct seen {
    enum endpoint_state states[16];
    unsigned state_count;
    char why[200];
    char events[2000];
};
extern const struct endpoint_user seen_user; /* arg: a struct seen */

/* ---- any peer ---- */

struct peer {
    struct udp *udp;
    struct addr gateway; /* where it sends to */
    struct dtls_identity *identity;
    struct dtls *dtls;
    bool is_dtls_done, is_dtls_closed;
    struct srtp_ctx *srtp;

    bool is_controlled;              /* says so in its checks */
    unsigned stun_count, stun_error; /* answers; the last error code */
    unsigned rtp_count, rtcp_count, unreadable_count;
    struct rtp rtp; /* the last packet */
    uint8_t payload[1500];
    struct {
        uint16_t seq;
        uint32_t timestamp;
        uint8_t pt;
        bool marker;
    } log[64];
    uint8_t rtcp[1500]; /* the last compound */
    size_t rtcp_bytes;
    bool saw_bye;
    unsigned pli_count, fir_count;
    uint32_t pli_ssrc;

    char ufrag[ICE_UFRAG_MAX]; /* of the gateway, as told in SDP */
    char pwd[ICE_PWD_MAX];
    uint8_t last_sent[1600]; /* the last SRTP packet as it was on the wire */
    size_t last_sent_bytes;
};

void peer_start(struct peer *peer);
void peer_stop(struct peer *peer);
/** It has read this endpoint's description. */
void peer_read_local(struct peer *peer, const struct endpoint *endpoint);
/** A description of the peer for endpoint_webrtc_remote(). @param is_gateway_client OUR role */
struct webrtc_remote peer_description(const struct peer *peer, bool is_gateway_client);
void peer_check(struct peer *peer, bool is_nominating);
void peer_begin_dtls(struct peer *peer, bool is_client);
/** Send bytes as they are. */
void peer_send(struct peer *peer, const void *bytes, size_t n);
/** Send an RTP packet of n payload bytes, protected if the peer has keys. */
void peer_send_rtp(struct peer *peer, const struct rtp *rtp, size_t n);
void peer_send_rtcp(struct peer *peer, const void *bytes, size_t n);
/** ICE and DTLS until the endpoint is ready. */
void peer_connect(struct peer *peer, struct endpoint *endpoint, bool is_gateway_client);
