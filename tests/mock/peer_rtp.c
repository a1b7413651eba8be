/* SPDX-License-Identifier: Apache-2.0 */
/* peer_rtp.c: stamped RTP packets, loss by their counters, delay by their stamps. Knows no socket and no key. */
#include "peer_rtp.h"

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

#include "peer_udp.h"

static const uint8_t stamp_magic[4] = {'s', 't', 'm', 'p'};

/* first bytes of the payload; the rest is silence. Both ends are this machine, so host order will do */
struct stamp {
    uint8_t magic[4];
    uint32_t counter;
    uint64_t time_ns;
    uint32_t owner;
    uint32_t zero;
};

static unsigned histogram_slot(uint64_t value)
{
    unsigned octave, slot;

    if (value < 16)
        return (unsigned)value;
    octave = 63u - (unsigned)__builtin_clzll(value);
    slot = (octave - 3) * 16 + (unsigned)((value >> (octave - 4)) & 15);
    return slot < PEER_HISTOGRAM_SLOTS ? slot : PEER_HISTOGRAM_SLOTS - 1;
}

void peer_histogram_add(struct peer_histogram *histogram, uint64_t value)
{
    histogram->slots[histogram_slot(value)]++;
    histogram->count++;
}

static double slot_edge(unsigned slot)
{
    if (slot < 16)
        return slot + 1;
    return (double)(slot % 16 + 17) * (double)(1ull << (slot / 16 - 1));
}

double peer_histogram_at(const struct peer_histogram *histogram, unsigned permille)
{
    uint64_t below = 0, wanted = (histogram->count * permille + 999) / 1000;

    for (unsigned slot = 0; slot < PEER_HISTOGRAM_SLOTS; slot++) {
        below += histogram->slots[slot];
        if (below && below >= wanted)
            return slot_edge(slot);
    }
    return 0;
}

void peer_rtp_sender_init(struct peer_rtp_sender *sender, uint8_t payload_type, uint32_t owner)
{
    RAND_bytes((unsigned char *)sender, sizeof(*sender));
    sender->counter = 0;
    sender->payload_type = payload_type;
    sender->owner = owner;
}

static void put_be16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_be32(uint8_t *at, uint32_t value)
{
    put_be16(at, value >> 16);
    put_be16(at + 2, value & 0xffff);
}

size_t peer_rtp_write(struct peer_rtp_sender *sender, uint8_t *bytes)
{
    struct stamp stamp = {.counter = sender->counter, .time_ns = peer_wall_ns(), .owner = sender->owner};

    bytes[0] = 0x80;
    bytes[1] = (uint8_t)(sender->payload_type | (sender->counter ? 0 : 0x80)); /* marker: start of the talk spurt */
    put_be16(bytes + 2, sender->sequence++);
    put_be32(bytes + 4, sender->timestamp);
    put_be32(bytes + 8, sender->ssrc);
    memcpy(stamp.magic, stamp_magic, sizeof(stamp_magic));
    memcpy(bytes + PEER_RTP_HEADER_BYTES, &stamp, sizeof(stamp));
    memset(bytes + PEER_RTP_HEADER_BYTES + sizeof(stamp), 0xff, PEER_RTP_PAYLOAD_BYTES - sizeof(stamp));
    sender->timestamp += PEER_RTP_PAYLOAD_BYTES;
    sender->counter++;
    return PEER_RTP_BYTES;
}

uint64_t peer_rtp_next_due(uint64_t due_ns, uint64_t now_ns)
{
    uint64_t next_ns = due_ns + PEER_RTP_INTERVAL_NS;

    return next_ns + 5ull * PEER_RTP_INTERVAL_NS < now_ns ? now_ns + PEER_RTP_INTERVAL_NS : next_ns;
}

static void count_gap(struct peer_rtp_receiver *receiver, struct peer_meter *meter, uint32_t counter)
{
    int32_t ahead = (int32_t)(counter - receiver->next_counter);

    if (!receiver->has_started)
        ahead = 0;
    receiver->has_started = true;
    if (ahead < 0) {
        meter->lost_count -= meter->lost_count > 0;
        return;
    }
    meter->lost_count += (uint32_t)ahead;
    receiver->next_counter = counter + 1;
}

int peer_rtp_read(struct peer_rtp_receiver *receiver, struct peer_meter *meter, const uint8_t *bytes, size_t size,
                  uint64_t arrival_ns)
{
    struct stamp stamp;

    if (size < PEER_RTP_HEADER_BYTES || bytes[0] >> 6 != 2)
        return -EBADMSG;
    receiver->payload_type = bytes[1] & 0x7f;
    receiver->sequence = (uint16_t)(bytes[2] << 8 | bytes[3]);
    receiver->ssrc = (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 | bytes[11];
    meter->received_count++;
    if (size < PEER_RTP_HEADER_BYTES + sizeof(stamp) ||
        memcmp(bytes + PEER_RTP_HEADER_BYTES, stamp_magic, sizeof(stamp_magic)) != 0) {
        meter->foreign_count++;
        return 0;
    }
    memcpy(&stamp, bytes + PEER_RTP_HEADER_BYTES, sizeof(stamp));
    receiver->owner = stamp.owner;
    count_gap(receiver, meter, stamp.counter);
    peer_histogram_add(&meter->delay_us, arrival_ns > stamp.time_ns ? (arrival_ns - stamp.time_ns) / 1000 : 0);
    return 0;
}

bool peer_is_rtcp(const uint8_t *bytes, size_t size)
{
    return size >= 8 && bytes[1] >= 192 && bytes[1] <= 223;
}
