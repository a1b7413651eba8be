/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/endpoint.h"

/* media_stream.h: one m-line of a leg: which payload types, which SSRC, which direction, RTCP of our own. Two streams
 * of two legs are bridged: then each has a path, a short list of steps chosen here, that its packets run through in
 * place. DESIGN: relay (rewrite headers) is the bridge; transcoding will be another step in the same list. */

struct media_stream;

#define STREAM_FORMAT_MAX 16

/** One agreed format. The numbers belong to directions: pt_in is what the peer sends to us (what WE said), pt_out is
 * what we send to the peer (what THE PEER said). RFC 3264 5.1, 6.1. */
struct stream_format {
    unsigned codec; /* same number on two streams = same bytes (the caller's codec identity) */
    uint8_t pt_in, pt_out;
    uint32_t clock_hz; /* RTP clock (G.722: 8000) */
    bool is_event;     /* telephone-event */
};

struct stream_config {
    struct stream_format formats[STREAM_FORMAT_MAX];
    unsigned format_count;
    bool receives, sends; /* direction as we see it: take from the peer; send to the peer */
    bool is_video;
    bool tells_keys;       /* of the peer's telephone-events: see endpoint_user.on_key */
    bool has_pli, has_fir; /* what the peer understands */
    uint8_t mid_ext;       /* id of the sdes:mid header extension, 0: none; used to sort new SSRCs to streams */
    char mid[17];
    uint32_t peer_ssrc; /* from a=ssrc; 0: unknown */
};

/** A stream on an endpoint. Its own SSRC is chosen here and stays. At most 8 per peer connection, 1 per RTP session. */
int media_stream_new(struct media_stream **streamp, struct endpoint *endpoint);
/** Set or change what was negotiated; takes effect between two batches, nothing is lost. Sequence and timestamps go on.
 */
int media_stream_set(struct media_stream *stream, const struct stream_config *config);
uint32_t media_stream_ssrc(const struct media_stream *stream);
/** The CNAME we use in RTCP and SDP for this endpoint (random, 16 characters). */
const char *endpoint_cname(const struct endpoint *endpoint);

/** Carry media between two streams of two endpoints, both ways, as far as each one's direction allows. Formats are
 * paired by codec number. Payload type, SSRC, sequence number and timestamp are rewritten so that a change of the
 * source on one side (new SSRC, new peer, hold) is seamless for the other. PLI and FIR are passed to the other side
 * with the right SSRCs. Either may be NULL to take the bridge away. Idempotent. */
void media_bridge(struct media_stream *left, struct media_stream *right);

struct stream_stats {
    uint64_t packets_in, bytes_in, packets_out, bytes_out;
    uint64_t lost_in; /* by sequence numbers, RFC 3550 A.3 */
    uint32_t jitter_in_us;
    uint32_t lost_out, jitter_out_us, rtt_us; /* as the peer's RTCP reports say; 0: no report yet */
    uint64_t dropped_pt, events_in;           /* unknown payload type; telephone-events begun */
    uint64_t first_in_us, last_in_us;
    uint32_t ssrc_in, ssrc_out;
    uint8_t pt_in; /* last audio format seen */
};
void media_stream_stats(const struct media_stream *stream, struct stream_stats *out);
