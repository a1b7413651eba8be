/* SPDX-License-Identifier: Apache-2.0 */
/* player.c: plays a sound to the peer of a stream, frame by frame. RFC 3551 4.5.14 (G.711), RFC 3550 5.1. Knows why
 * nobody talks meanwhile as little as the stream does. */
#include "media/player.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/worker.h"
#include "media/stream_inside.h"

#define FRAME_SAMPLES 160 /* of 8000 Hz */
#define FRAME_US      20000
#define LATE_US       200000 /* what was missed by more is not caught up with */

enum { PT_PCMU = 0, PT_PCMA = 8 };

struct player {
    struct media_stream *stream; /* owns us */
    struct sound *sound;
    size_t at;
    uint8_t pt;
    struct rtp rtp; /* of the next packet, as a source of its own */
    uint64_t due_us;
    struct timer timer;
};

static void player_destroy(void *self)
{
    struct player *player = self;

    timer_stop(&player->timer);
    mem_unref(player->sound);
}

/* Both are numbered by RFC 3551; who gives them another number hears silence. */
static int pick_format(const struct media_stream *stream)
{
    for (unsigned i = 0; i < stream->config.format_count; i++) {
        const struct stream_format *format = &stream->config.formats[i];

        if (!format->is_event && (format->pt_out == PT_PCMU || format->pt_out == PT_PCMA) && format->clock_hz == 8000)
            return format->pt_out;
    }
    return -ENOENT;
}

static void fill(struct player *player, uint8_t *payload)
{
    for (unsigned i = 0; i < FRAME_SAMPLES; i++) {
        uint8_t byte = player->sound->mulaw[player->at];

        player->at = player->at + 1 < player->sound->count ? player->at + 1 : 0;
        payload[i] = player->pt == PT_PCMU ? byte : alaw_encode(mulaw_decode(byte));
    }
}

static void send_frame(struct player *player, struct pkt *pkt)
{
    struct media_stream *to = player->stream;
    struct path path = {.to = to,
                        .endpoint = to->endpoint,
                        .srtp = to->endpoint->srtp,
                        .pool = to->endpoint->house->pool,
                        .dscp = (uint8_t)to->endpoint->house->conf->media.dscp_audio};
    unsigned cut_bytes;

    if (!rewrite_packet(&to->out, pkt->data, player->pt, 8000, clock_now_us(), &cut_bytes)) {
        pkt_put(path.pool, pkt);
        return;
    }
    to->packets_out++;
    to->bytes_out += FRAME_SAMPLES;
    if (!path.srtp || step_protect(&path, &pkt, 1))
        step_send(&path, &pkt, 1);
}

static void play_frame(struct player *player)
{
    struct endpoint *endpoint = player->stream->endpoint;
    struct pkt *pkt = endpoint->can_send ? pkt_get(endpoint->house->pool) : NULL;

    if (pkt) {
        rtp_write(pkt->data, &player->rtp);
        fill(player, pkt->data + RTP_HEADER_BYTES);
        pkt->len = RTP_HEADER_BYTES + FRAME_SAMPLES;
        pkt->arrived_us = clock_now_us();
        send_frame(player, pkt);
    }
    player->rtp.marker = false;
    player->rtp.seq++;
    player->rtp.timestamp += FRAME_SAMPLES;
}

static void on_timer(void *arg)
{
    struct player *player = arg;
    uint64_t now_us = clock_now_us();

    if (!player->stream->endpoint || player->stream->endpoint->is_stopped)
        return;
    if (now_us > player->due_us + LATE_US)
        player->due_us = now_us;
    while (player->due_us <= now_us) {
        play_frame(player);
        player->due_us += FRAME_US;
    }
    worker_timer(&player->timer, (unsigned)((player->due_us - now_us + 999) / 1000), on_timer, player);
}

bool media_stream_is_playing(const struct media_stream *stream)
{
    return stream->player != NULL;
}

void player_stop(struct media_stream *stream)
{
    if (!stream->player)
        return;
    stream->player = mem_unref(stream->player);
    rewrite_cut(&stream->out);
}

int media_stream_play(struct media_stream *stream, struct sound *sound)
{
    int pt = sound ? pick_format(stream) : -ENOENT;
    struct player *player = stream->player;

    if (pt >= 0 && player && player->sound == sound && player->pt == pt)
        return 0;
    player_stop(stream);
    if (pt < 0 || !stream->endpoint || stream->endpoint->is_stopped)
        return sound ? -ENOENT : 0;
    player = mem_new(sizeof(*player), player_destroy);
    if (!player)
        return -ENOMEM;
    player->stream = stream;
    player->sound = mem_ref(sound);
    player->pt = (uint8_t)pt;
    player->rtp = (struct rtp){
        .marker = true, .pt = (uint8_t)pt, .seq = (uint16_t)rand_u32(), .timestamp = rand_u32(), .ssrc = rand_u32()};
    player->due_us = clock_now_us();
    stream->player = player;
    worker_timer(&player->timer, 0, on_timer, player);
    return 0;
}
