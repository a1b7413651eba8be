/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/ports.h"
#include "sound.h"

/* voice.h: the RTP side of one call of the carrier: sends a packet each 20 ms (or what it hears, as an echo), counts
 * what arrives, and reads telephone-events. RFC 3550, RFC 3551, RFC 4733. Knows no SIP and no SDP. */

struct voice;

/** What was agreed on. */
struct voice_terms {
    struct addr remote; /* port 0: nowhere to send to */
    const char *codec;  /* for the log; static */
    uint8_t pt_out, pt_in;
    bool is_g711, is_alaw; /* not G.711: can only be echoed */
    bool has_event;
    uint8_t event_pt_in;
    bool sends, receives; /* as we see it */
};

struct voice_user {
    void (*on_digit)(struct voice *voice, char digit, void *arg);
};

struct voice_counts {
    uint64_t packets_in, packets_out;
};

/** Two bound ports on `address`, silence. Leave with mem_unref(). @return 0; -EBUSY: no port pair left */
int voice_new(struct voice **voicep, struct udp_house *house, struct ports *ports, const struct addr *address,
              const struct voice_user *user, void *arg);
uint16_t voice_port(const struct voice *voice);
/** New terms; takes effect with the next packet. */
void voice_set_terms(struct voice *voice, const struct voice_terms *terms);
const struct voice_terms *voice_terms(const struct voice *voice);
/** Begin to send. Idempotent. */
void voice_start(struct voice *voice);
/** Give back what is heard instead of a sound of our own. */
void voice_set_echo(struct voice *voice, bool is_echo);
/** What is played; notes may be added at any time. */
struct sound *voice_sound(struct voice *voice);
struct voice_counts voice_counts(const struct voice *voice);
