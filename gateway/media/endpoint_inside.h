/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/timer.h"
#include "base/warm.h"
#include "media/endpoint.h"
#include "media/media_house.h"
#include "media/rtp.h"
#include "media/srtp_ctx.h"

/* endpoint_inside.h: what both kinds of endpoint are made of; for the rooms of this floor alone. */

#define ENDPOINT_STREAM_MAX 8
#define ENDPOINT_SOURCE_MAX 16
#define CNAME_CHARS         16
#define NOTICE_MAX          8
#define NOTICE_CHARS        160
#define EVENT_MAX           64 /* lines for the timeline in an endpoint's life */

struct endpoint_kind {
    /** Queue a packet (taken) to the peer. Packet path. */
    void (*send_rtp)(struct endpoint *endpoint, struct pkt *pkt_taken);
    void (*send_rtcp)(struct endpoint *endpoint, struct pkt *pkt_taken);
    /** Give sockets and sources back. */
    void (*stop)(struct endpoint *endpoint);
    /** A stream was bridged: the peer has our description, or is being told it. May be NULL. */
    void (*on_bridged)(struct endpoint *endpoint);
    /** See endpoint_answered(). May be NULL. */
    void (*on_answered)(struct endpoint *endpoint);
    /** What of it every packet touches: from the peer, to the peer. */
    void (*warm_in)(struct endpoint *endpoint, struct warm *warm);
    void (*warm_out)(struct endpoint *endpoint, struct warm *warm);
    unsigned stream_max;
};

/* What is told to the user in the next turn of the loop, never from within a call of the user's. */
struct notice {
    bool is_event, is_key;
    uint8_t key; /* and state is not used, text is empty */
    unsigned duration_ms;
    enum endpoint_state state;
    char text[NOTICE_CHARS];
};

/* Each packet touches what stands before the second half of `sources`. */
struct endpoint {
    const struct endpoint_kind *kind;
    struct media_house *house;
    struct srtp_ctx *srtp;
    enum endpoint_state state;
    bool is_stopped;
    bool can_send; /* there is somebody to send to, and keys where keys are needed */
    unsigned stream_count;
    unsigned source_at; /* the slot to be used next */
    uint64_t last_rtp_us;
    struct endpoint_times times;
    struct {
        uint32_t ssrc;
        struct media_stream *stream;
    } sources[ENDPOINT_SOURCE_MAX]; /* who sends what */
    struct media_stream *streams[ENDPOINT_STREAM_MAX];
    struct addr peer; /* proved; unset: not yet */
    const struct endpoint_user *user;
    void *arg;
    struct warm warm; /* what its packets touch on their way, see endpoint_plan_warm() */

    char cname[CNAME_CHARS + 1];
    struct timer rtcp_timer;
    struct timer notice_timer;
    struct notice notices[NOTICE_MAX];
    unsigned notice_count, event_count;
};

/** For the constructors of the kinds: what both have. */
void endpoint_init(struct endpoint *endpoint, const struct endpoint_kind *kind, struct media_house *house,
                   const struct endpoint_user *user, void *arg);
/** For their destructors. */
void endpoint_free(struct endpoint *endpoint);

void endpoint_set_state(struct endpoint *endpoint, enum endpoint_state state, const char *why);
void endpoint_tell(struct endpoint *endpoint, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A pressed key. */
void endpoint_tell_key(struct endpoint *endpoint, unsigned event, unsigned duration_ms);
/** Packets can (not) be sent from now on, or with other keys: all paths that end here are built anew. */
void endpoint_set_sending(struct endpoint *endpoint, bool can_send);

int endpoint_add_stream(struct endpoint *endpoint, struct media_stream *stream);
void endpoint_remove_stream(struct endpoint *endpoint, struct media_stream *stream);

/** Its packets go another way from now on: list anew what they touch on it. */
void endpoint_plan_warm(struct endpoint *endpoint);

/** The stream that a packet belongs to: by its SSRC, else by MID, signalled SSRC or payload type, and then its SSRC is
 *  remembered. NULL: none has agreed to it. Only for what was authenticated. */
struct media_stream *endpoint_sort(struct endpoint *endpoint, const struct rtp *rtp);
/** Plain, proved packets of this endpoint, all taken: sort them to streams and send them along the streams' paths. */
void endpoint_take_rtp(struct endpoint *endpoint, struct pkt **pkts, unsigned n);
/** A plain, proved RTCP packet (borrowed). */
void endpoint_take_rtcp(struct endpoint *endpoint, const struct pkt *pkt);
/** Protect (if there are keys) and send RTCP bytes to the peer. */
void endpoint_send_rtcp(struct endpoint *endpoint, const void *bytes, size_t n);
