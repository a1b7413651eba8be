/* SPDX-License-Identifier: Apache-2.0 */
/* voice.c: RTP of one call of the carrier. RFC 3550 5.1 (header), RFC 4733 2.3 (events), RFC 3551 4.5.14 (20 ms).
 * Takes packets from anywhere: it stands on loopback and is no example of how a gateway should do it. */
#include "voice.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/worker.h"
#include "g711.h"

#define RTP_HEADER_BYTES 12
#define FRAME_US         20000
#define LATE_FRAMES      10 /* further behind: do not catch up */
#define MARKER           0x80

struct voice {
    struct udp *pair[2]; /* RTP; RTCP, which is only received */
    struct ports *ports;
    const struct voice_user *user;
    void *arg;
    struct voice_terms terms;
    bool is_started, is_echo;
    struct timer timer;
    uint64_t next_us;
    struct sound sound;
    /* sending */
    uint32_t ssrc, timestamp;
    uint16_t seq;
    bool wants_marker;
    uint32_t echo_base; /* what is added to the timestamps of what comes back */
    /* receiving */
    bool has_event;
    uint32_t event_timestamp;
    struct voice_counts counts;
};

static uint16_t read_16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t read_32(const uint8_t *p)
{
    return (uint32_t)read_16(p) << 16 | read_16(p + 2);
}

static void write_32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

static bool can_send(const struct voice *voice)
{
    return voice->is_started && voice->terms.sends && addr_is_set(&voice->terms.remote) &&
           addr_port(&voice->terms.remote) != 0;
}

static void send_packet(struct voice *voice, uint32_t timestamp, const uint8_t *payload, size_t n)
{
    uint8_t packet[PKT_DATA_MAX];

    if (n > sizeof(packet) - RTP_HEADER_BYTES)
        return;
    packet[0] = 0x80;
    packet[1] = (uint8_t)(voice->terms.pt_out | (voice->wants_marker ? MARKER : 0));
    packet[2] = (uint8_t)(voice->seq >> 8);
    packet[3] = (uint8_t)voice->seq;
    write_32(packet + 4, timestamp);
    write_32(packet + 8, voice->ssrc);
    memcpy(packet + RTP_HEADER_BYTES, payload, n);
    voice->wants_marker = false;
    voice->seq++;
    if (udp_send(voice->pair[0], &voice->terms.remote, packet, RTP_HEADER_BYTES + n) == 0)
        voice->counts.packets_out++;
}

static void send_frame(struct voice *voice)
{
    int16_t pcm[SOUND_FRAME_SAMPLES];
    uint8_t payload[SOUND_FRAME_SAMPLES];

    sound_fill(&voice->sound, pcm);
    if (can_send(voice) && voice->terms.is_g711 && !voice->is_echo) {
        for (unsigned i = 0; i < SOUND_FRAME_SAMPLES; i++)
            payload[i] = g711_encode(pcm[i], voice->terms.is_alaw);
        send_packet(voice, voice->timestamp, payload, sizeof(payload));
    }
    voice->timestamp += SOUND_FRAME_SAMPLES;
}

/* Each frame has its due time; a late turn of the loop is caught up. */
static void on_tick(void *arg)
{
    struct voice *voice = arg;
    uint64_t now_us = clock_now_us();

    if (now_us > voice->next_us + LATE_FRAMES * FRAME_US)
        voice->next_us = now_us;
    while (voice->next_us <= now_us) {
        send_frame(voice);
        voice->next_us += FRAME_US;
    }
    worker_timer(&voice->timer, (voice->next_us - now_us + 999) / 1000, on_tick, voice);
}

/* One packet of an event: event, end and volume, duration. All packets of a digit have one timestamp. RFC
 * 4733 2.3, 2.5.1.2. */
static void receive_event(struct voice *voice, uint32_t timestamp, const uint8_t *payload, size_t n)
{
    static const char digits[] = "0123456789*#ABCD";

    if (n < 4 || payload[0] >= sizeof(digits) - 1)
        return;
    if (voice->has_event && voice->event_timestamp == timestamp)
        return;
    voice->has_event = true;
    voice->event_timestamp = timestamp;
    if (voice->user)
        voice->user->on_digit(voice, digits[payload[0]], voice->arg);
}

/* The same payload under our own numbers; gaps in time stay gaps. */
static void echo(struct voice *voice, const uint8_t *header, const uint8_t *payload, size_t n)
{
    uint32_t timestamp = read_32(header + 4);

    if (!can_send(voice))
        return;
    if (voice->echo_base == 0)
        voice->echo_base = voice->timestamp - timestamp;
    voice->wants_marker |= header[1] & MARKER;
    send_packet(voice, timestamp + voice->echo_base, payload, n);
}

/* Bytes before the payload: fixed header, sources, extension. 0: malformed. */
static size_t header_bytes(const uint8_t *data, size_t n)
{
    size_t bytes = RTP_HEADER_BYTES;

    if (n < bytes || data[0] >> 6 != 2)
        return 0;
    bytes += 4u * (data[0] & 0x0f);
    if (data[0] & 0x10) {
        if (n < bytes + 4)
            return 0;
        bytes += 4 + 4u * read_16(data + bytes + 2);
    }
    return n >= bytes ? bytes : 0;
}

static void receive_packet(struct voice *voice, const uint8_t *data, size_t n)
{
    size_t head = header_bytes(data, n);
    uint8_t pt = head ? data[1] & 0x7f : 0;

    if (head && data[0] & 0x20) /* padding */
        n = data[n - 1] <= n - head ? n - data[n - 1] : head;
    if (!head || (pt >= 72 && pt <= 76)) /* RTCP on this port, RFC 5761 4 */
        return;
    voice->counts.packets_in++;
    if (voice->terms.has_event && pt == voice->terms.event_pt_in)
        receive_event(voice, read_32(data + 4), data + head, n - head);
    else if (voice->is_echo && pt == voice->terms.pt_in)
        echo(voice, data, data + head, n - head);
}

static void on_rtp(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct voice *voice = mem_ref(arg);

    for (unsigned i = 0; i < n; i++)
        receive_packet(voice, pkts[i]->data, pkts[i]->len);
    mem_unref(voice);
}

static void on_rtcp(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
}

static void voice_destroy(void *self)
{
    struct voice *voice = self;

    timer_stop(&voice->timer);
    if (voice->ports)
        ports_close(voice->ports, voice->pair);
    mem_unref(voice->ports);
}

int voice_new(struct voice **voicep, struct udp_house *house, struct ports *ports, const struct addr *address,
              const struct voice_user *user, void *arg)
{
    struct voice *voice = mem_new(sizeof(*voice), voice_destroy);
    struct udp_options rtp = {.local = *address, .on_batch = on_rtp, .arg = voice};
    struct udp_options rtcp = {.local = *address, .on_batch = on_rtcp, .arg = voice};
    int err;

    if (!voice)
        return -ENOMEM;
    voice->ports = mem_ref(ports);
    voice->user = user;
    voice->arg = arg;
    voice->ssrc = rand_u32();
    voice->seq = (uint16_t)(rand_u32() & 0x7fff);
    voice->timestamp = rand_u32();
    voice->wants_marker = true;
    err = ports_open(ports, house, &rtp, &rtcp, voice->pair);
    if (err) {
        mem_unref(voice);
        return err;
    }
    *voicep = voice;
    return 0;
}

uint16_t voice_port(const struct voice *voice)
{
    return addr_port(udp_local(voice->pair[0]));
}

void voice_set_terms(struct voice *voice, const struct voice_terms *terms)
{
    voice->terms = *terms;
}

const struct voice_terms *voice_terms(const struct voice *voice)
{
    return &voice->terms;
}

void voice_start(struct voice *voice)
{
    if (voice->is_started)
        return;
    voice->is_started = true;
    voice->next_us = clock_now_us();
    on_tick(voice);
}

void voice_set_echo(struct voice *voice, bool is_echo)
{
    voice->is_echo = is_echo;
}

struct sound *voice_sound(struct voice *voice)
{
    return &voice->sound;
}

struct voice_counts voice_counts(const struct voice *voice)
{
    return voice->counts;
}
