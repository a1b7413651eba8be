/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/endpoint_inside.h"
#include "media/media_stream.h"
#include "media/path.h"
#include "media/quality.h"
#include "media/rewrite.h"

/* stream_inside.h: what a stream consists of; for the rooms of this floor alone. */

/* What each packet touches stands together: of the stream it comes from, and of the one that it goes to. */
struct media_stream {
    /* from the peer */
    struct endpoint *endpoint; /* NULL when it is gone */
    struct path path;
    struct quality quality;
    uint64_t packets_in, bytes_in, first_in_us, last_in_us;
    uint8_t pt_in;
    uint8_t format_of_pt[128]; /* index into config.formats, FORMAT_NONE */
    struct stream_config config;

    /* to the peer */
    struct rewrite out;
    uint64_t packets_out, bytes_out;

    uint64_t packets_reported;
    uint32_t lost_out, jitter_out, rtt_us; /* jitter in clock units */
    struct media_stream *bridged;          /* where our packets go; it sends its own to us */
    uint64_t dropped_pt, events_in;
    uint32_t event_timestamp;
    uint32_t sr_ntp; /* middle 32 bits of the last SR's NTP time; 0: none */
    uint64_t sr_us;  /* when it came */

    /* asking for whole pictures */
    uint64_t keyframe_asked_us;
    uint8_t fir_command;

    struct keys *keys; /* that we press for the peer; NULL: none yet */
    bool is_pressing;  /* nothing else goes out */
    bool has_key;      /* of the peer's: its time, so that it is told once */
    uint32_t key_timestamp;
    struct player *player; /* plays to the peer instead of what is bridged; NULL: nothing */
};
#define FORMAT_NONE 0xff

static inline bool stream_has_pt(const struct media_stream *stream, uint8_t pt)
{
    return stream->format_of_pt[pt & 0x7f] != FORMAT_NONE;
}

/** What a packet from the peer touches of it and of all that comes behind. */
void stream_warm(const struct media_stream *stream, struct warm *warm);
/** Count an accepted packet. */
void stream_count_in(struct media_stream *stream, const struct rtp *rtp, uint64_t arrived_us);
/** Send packets (taken) along the stream's path; stream NULL: they belong to none. */
void stream_run(struct endpoint *endpoint, struct media_stream *stream, struct pkt **pkts, unsigned n);
/** Another source is heard from now on, even if it says the same SSRC. */
void stream_cut(struct media_stream *stream);
/** No key is pressed any more. */
void keys_stop(struct media_stream *stream);
/** A packet of the peer's, if it is an event: tell of its end. Where config.tells_keys. */
void keys_take(struct media_stream *stream, const struct rtp *rtp, const uint8_t *payload);
/** Nothing is played to the peer any more. Idempotent. */
void player_stop(struct media_stream *stream);
/** Something that its paths, in both directions, depend on has changed. */
void stream_rebuild(struct media_stream *stream);
