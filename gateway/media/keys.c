/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c: telephone-event of our own, and the end of the peer's. RFC 4733 2.3, 2.5. Knows no SIP. */
#include "media/keys.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/worker.h"
#include "media/stream_inside.h"

#define QUEUE_MAX   32
#define STEP_MS     20
#define GAP_MS      60
#define END_COUNT   3  /* RFC 4733 2.5.1.4 */
#define VOLUME      10 /* dBm0 below zero */
#define EVENT_BYTES 4

struct keys {
    struct media_stream *stream; /* owns us */
    struct {
        uint8_t event;
        uint16_t duration_ms;
    } queue[QUEUE_MAX];
    unsigned count;
    bool is_pressed; /* the first of the queue */
    unsigned sent_ms;
    uint32_t clock_hz;
    struct rtp rtp;
    struct timer timer;
};

static void keys_destroy(void *self)
{
    struct keys *keys = self;

    timer_stop(&keys->timer);
}

/* Of the clock of what is talked with, if there is one (RFC 4733 2.1). */
static const struct stream_format *pick_format(const struct media_stream *stream)
{
    const struct stream_format *found = NULL;
    uint32_t clock_hz = 0;

    for (unsigned i = 0; i < stream->config.format_count; i++) {
        const struct stream_format *format = &stream->config.formats[i];

        if (!format->is_event && !clock_hz)
            clock_hz = format->clock_hz;
        if (format->is_event && (!found || (format->clock_hz == clock_hz && found->clock_hz != clock_hz)))
            found = format;
    }
    return found;
}

static void send_event(struct keys *keys, bool is_end)
{
    struct media_stream *to = keys->stream;
    struct endpoint *endpoint = to->endpoint;
    struct pkt *pkt = endpoint->can_send ? pkt_get(endpoint->house->pool) : NULL;
    struct path path = {.to = to,
                        .endpoint = endpoint,
                        .srtp = endpoint->srtp,
                        .pool = endpoint->house->pool,
                        .dscp = (uint8_t)endpoint->house->conf->media.dscp_audio};
    unsigned cut_bytes;

    if (!pkt)
        return;
    rtp_write(pkt->data, &keys->rtp);
    pkt->data[RTP_HEADER_BYTES] = keys->queue[0].event;
    pkt->data[RTP_HEADER_BYTES + 1] = (uint8_t)((is_end ? 0x80 : 0) | VOLUME);
    rtp_put_u16(pkt->data + RTP_HEADER_BYTES + 2, (uint16_t)((uint64_t)keys->sent_ms * keys->clock_hz / 1000));
    pkt->len = RTP_HEADER_BYTES + EVENT_BYTES;
    pkt->arrived_us = clock_now_us();
    keys->rtp.seq++;
    keys->rtp.marker = false;
    if (!rewrite_packet(&to->out, pkt->data, keys->rtp.pt, keys->clock_hz, pkt->arrived_us, &cut_bytes)) {
        pkt_put(path.pool, pkt);
        return;
    }
    to->packets_out++;
    to->bytes_out += EVENT_BYTES;
    if (!path.srtp || step_protect(&path, &pkt, 1))
        step_send(&path, &pkt, 1);
}

/* Audio between the packets of an event would be another source, and move the event's time. */
static void set_pressed(struct keys *keys, bool is_pressed)
{
    keys->is_pressed = is_pressed;
    keys->stream->is_pressing = is_pressed;
    rewrite_cut(&keys->stream->out);
    stream_rebuild(keys->stream);
}

static void on_timer(void *arg);

static void begin(struct keys *keys)
{
    const struct stream_format *format = pick_format(keys->stream);

    if (!format) {
        keys->count = 0;
        return;
    }
    keys->clock_hz = format->clock_hz;
    keys->rtp = (struct rtp){
        .marker = true, .pt = format->pt_out, .seq = (uint16_t)rand_u32(), .timestamp = rand_u32(), .ssrc = rand_u32()};
    keys->sent_ms = STEP_MS;
    set_pressed(keys, true);
    send_event(keys, false);
    worker_timer(&keys->timer, STEP_MS, on_timer, keys);
}

static void end(struct keys *keys)
{
    for (unsigned i = 0; i < END_COUNT; i++)
        send_event(keys, true);
    set_pressed(keys, false);
    keys->count--;
    memmove(&keys->queue[0], &keys->queue[1], keys->count * sizeof(keys->queue[0]));
    worker_timer(&keys->timer, GAP_MS, on_timer, keys);
}

static void on_timer(void *arg)
{
    struct keys *keys = arg;

    if (!keys->stream->endpoint || keys->stream->endpoint->is_stopped)
        return;
    if (!keys->is_pressed) {
        if (keys->count)
            begin(keys);
        return;
    }
    keys->sent_ms += STEP_MS;
    if (keys->sent_ms >= keys->queue[0].duration_ms) {
        end(keys);
        return;
    }
    send_event(keys, false);
    worker_timer(&keys->timer, STEP_MS, on_timer, keys);
}

int media_stream_press(struct media_stream *stream, unsigned event, unsigned duration_ms)
{
    struct keys *keys = stream->keys;

    if (event > KEY_EVENT_MAX || !pick_format(stream) || !stream->config.sends || !stream->endpoint ||
        stream->endpoint->is_stopped)
        return -ENOENT;
    if (!keys) {
        stream->keys = keys = mem_new(sizeof(*keys), keys_destroy);
        if (!keys)
            return -ENOMEM;
        keys->stream = stream;
    }
    if (keys->count >= QUEUE_MAX)
        return -EBUSY;
    keys->queue[keys->count].event = (uint8_t)event;
    keys->queue[keys->count++].duration_ms = (uint16_t)(duration_ms < 40     ? 40
                                                        : duration_ms > 8000 ? 8000
                                                                             : duration_ms);
    if (!keys->is_pressed && !timer_is_running(&keys->timer))
        begin(keys);
    return 0;
}

void keys_stop(struct media_stream *stream)
{
    stream->is_pressing = false;
    stream->keys = mem_unref(stream->keys);
}

void keys_take(struct media_stream *stream, const struct rtp *rtp, const uint8_t *payload)
{
    const struct stream_format *format = &stream->config.formats[stream->format_of_pt[rtp->pt & 0x7f]];
    bool is_end = rtp->payload_bytes >= EVENT_BYTES && payload[1] & 0x80;

    if (!format->is_event || !is_end || payload[0] > KEY_EVENT_MAX ||
        (stream->has_key && stream->key_timestamp == rtp->timestamp))
        return;
    stream->has_key = true;
    stream->key_timestamp = rtp->timestamp;
    endpoint_tell_key(stream->endpoint, payload[0],
                      (unsigned)((uint64_t)rtp_get_u16(payload + 2) * 1000 / format->clock_hz));
}
