/* SPDX-License-Identifier: Apache-2.0 */
/* peer_rtp.h: RTP of the scripted peers: a paced sender whose payload carries its own sending time, and the meter
 * that turns what arrives into loss and delay. RFC 3550. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_RTP_HEADER_BYTES = 12,
    PEER_RTP_PAYLOAD_BYTES = 160, /* 20 ms of G.711 */
    PEER_RTP_BYTES = PEER_RTP_HEADER_BYTES + PEER_RTP_PAYLOAD_BYTES,
    PEER_RTP_INTERVAL_NS = 20000000,
    PEER_HISTOGRAM_SLOTS = 40 * 16
};

/** Delays in us, in slots 1/16 of an octave wide. */
struct peer_histogram {
    uint64_t count;
    uint64_t slots[PEER_HISTOGRAM_SLOTS];
};

/** What arrived at one side, over all calls that share the meter. */
struct peer_meter {
    uint64_t sent_count;
    uint64_t received_count;
    uint64_t lost_count;    /* gaps in the counters; a late arrival takes its gap back */
    uint64_t foreign_count; /* packets that are not stamped by a peer: comfort noise, tones, faults */
    struct peer_histogram delay_us;
};

/** Sending state of one stream. */
struct peer_rtp_sender {
    uint32_t owner; /* a script's number for the stream; the receiver reads it out of the payload */
    uint32_t ssrc;
    uint32_t counter;
    uint32_t timestamp;
    uint16_t sequence;
    uint8_t payload_type;
};

/** Receiving state of one stream. */
struct peer_rtp_receiver {
    bool has_started;
    uint32_t next_counter;
    uint32_t owner; /* of the sender, once a stamped packet has come */
    uint32_t ssrc;
    uint16_t sequence;
    uint8_t payload_type;
};

void peer_histogram_add(struct peer_histogram *histogram, uint64_t value);
/** @param permille 500 = median. @return the upper edge of its slot; 0 when empty. */
double peer_histogram_at(const struct peer_histogram *histogram, unsigned permille);

void peer_rtp_sender_init(struct peer_rtp_sender *sender, uint8_t payload_type, uint32_t owner);
/** Write the next packet, stamped with the present time. @param bytes out: room for PEER_RTP_BYTES. @return its size */
size_t peer_rtp_write(struct peer_rtp_sender *sender, uint8_t *bytes);

/** When the packet after the one due at @p due_ns is due: 20 ms later, so that lateness does not add up; but a sender
 * more than 100 ms behind its time starts afresh, lest a busy machine drown in packets owed. */
uint64_t peer_rtp_next_due(uint64_t due_ns, uint64_t now_ns);

/** Count one decrypted RTP packet. @param arrival_ns peer_packet.time_ns. @return 0; -EBADMSG: not RTP. */
int peer_rtp_read(struct peer_rtp_receiver *receiver, struct peer_meter *meter, const uint8_t *bytes, size_t size,
                  uint64_t arrival_ns);
/** RTCP shares the port: told apart by the payload type, RFC 5761 section 4. */
bool peer_is_rtcp(const uint8_t *bytes, size_t size);
