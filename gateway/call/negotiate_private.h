/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/negotiate.h"
#include "media/srtp_ctx.h"
#include "sdp/negotiation.h"

/* negotiate_private.h: one leg's media, shared by negotiate.c (descriptions) and negotiate_apply.c (endpoints and
 * streams). */

enum { MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_KINDS };

/* SDES of one line: RFC 4568. */
struct line_sdes {
    enum sdp_profile profile; /* PLAIN, SDES or OSRTP */
    bool is_settled;          /* by an answer, or by an offer of the peer's */
    const char *suite;        /* of our key; NULL: none yet */
    uint8_t key[SRTP_KEY_MAX];
    unsigned key_bytes;
    uint32_t tag;
    char key_text[80]; /* inline:... */
};

struct media_line {
    int index;               /* its place in the descriptions; -1: not there */
    struct sdp_codecs *peer; /* as the peer said last, into peer_text; cut to its count, NULL: none */
    struct sdp_codecs *ours; /* as we said last, into our_text; likewise */
    enum sdp_dir peer_dir, our_dir;
    uint32_t peer_ssrc; /* of its a=ssrc; 0: none */
    uint8_t mid_ext;    /* agreed id of the sdes:mid header extension; 0: none */
    char mid[17];
    struct endpoint *endpoint; /* WebRTC: the same one for all lines, owned by line 0 */
    struct media_stream *stream;
    struct line_sdes sdes;
};

/* Our transport as text for SDP; buffers behind the spans. */
struct transport_text {
    struct sdp_transport sdp;
    char address_text[ADDR_TEXT_MAX];
    char candidate_text[4][ADDR_TEXT_MAX];
    struct webrtc_local local;
};

struct leg_media {
    struct media_house *house;
    struct conf *conf;
    bool is_trunk, is_inside, has_info_keys;
    bool is_webrtc, is_offerer, is_private_change, is_stopped;
    bool is_answered; /* see leg_media_answered() */
    enum conf_srtp srtp;
    const struct conf_strings *codecs;
    struct addr towards;
    bool is_device;
    const struct endpoint_user *user;
    void *arg;
    char session_id[24];
    uint64_t version;
    char *peer_text, *our_text;
    size_t peer_bytes, our_bytes;
    struct {        /* as it was before the last offer, the peer's or ours: comes back when that is refused */
        char *text; /* the peer's description, or ours */
        size_t bytes;
        bool is_offerer;
        int index[MEDIA_KINDS];
    } former_peer, former_ours;
    enum sdp_setup our_setup;            /* DTLS role taken; NONE before */
    char peer_ufrag[260], peer_pwd[260]; /* to see an ICE restart */
    struct media_line lines[MEDIA_KINDS];
    struct transport_text *transports[MEDIA_KINDS]; /* made with the line's endpoint; WebRTC: only the first */
    bool is_open[MEDIA_KINDS];
};

/** What a line has kept, to look at: NULL is an empty list. */
const struct sdp_codecs *negotiate_codecs(const struct sdp_codecs *kept);
/** Endpoint and stream of a line, and its transport's text. Idempotent. */
int negotiate_open(struct leg_media *media, unsigned kind, const char **why_out);
/** Tell the endpoints what the peer's description says. */
int negotiate_apply_remote(struct leg_media *media, const struct sdp *said, const char **why_out);
/** All codecs that the leg can take, for an offer that the peer asked for. @return as codecs_to_offer() */
unsigned negotiate_full_codecs(const struct leg_media *media, const struct leg_media *other, unsigned kind,
                               struct sdp_codecs *out);
/** What the peer wants, as far as it is known: not what our hold made it say. */
enum sdp_dir negotiate_wish(const struct leg_media *media, unsigned kind);
/** What is added to the direction that the peer wants when the other side is told of it: SDP_SENDONLY where it holds
 * and music is played in its place, else 0. */
enum sdp_dir negotiate_music(const struct leg_media *media, unsigned kind);
/** Both streams are set: play to who is held, or stop. @return true: the holder's own packets are not to be heard */
bool negotiate_play(struct leg_media *holder, struct leg_media *held);
/** A plain line that we offer: which profile, and our key. */
void negotiate_sdes_offer(struct leg_media *media, unsigned kind);
/** The peer's plain line: which profile, its key and ours to the endpoint. @return 0; -ENOENT with *why_out; -ENOMEM */
int negotiate_sdes_take(struct leg_media *media, unsigned kind, const struct sdp_media *said, const char **why_out);
