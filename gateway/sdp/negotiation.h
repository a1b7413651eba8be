/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/codec.h"
#include "sdp/sdp.h"

/* negotiation.h (offer.c, answer.c): descriptions of our own for one leg. RFC 3264, 9143 (BUNDLE), 8842 (setup), 8839
 * (ICE), 8829 5.3. The transport facts come as plain data, so that this floor knows no sockets. */

enum sdp_profile {
    SDP_PROFILE_WEBRTC, /* UDP/TLS/RTP/SAVPF, BUNDLE, rtcp-mux, ICE lite or full, DTLS */
    SDP_PROFILE_PLAIN,  /* RTP/AVP */
    SDP_PROFILE_SDES,   /* RTP/SAVP with a=crypto */
    SDP_PROFILE_OSRTP,  /* RTP/AVP with a=crypto, which a peer may pass over: RFC 8643 */
};

/** Our transport for one m-line (all lines of a bundle share one). Spans borrowed until sdp_write(). */
struct sdp_transport {
    struct span address;
    bool is_v6;
    uint16_t port, rtcp_port;            /* rtcp_port 0: mux */
    struct span ufrag, pwd, fingerprint; /* WebRTC; fingerprint sha-256, "AA:BB:..." */
    struct sdp_candidate candidates[SDP_OWN_CANDIDATE_MAX];
    unsigned candidate_count;
    bool is_ice_lite;
    struct sdp_crypto crypto; /* SDES: our own key, tag 0: none */
};

/** One line that we want. */
struct sdp_line {
    enum sdp_kind kind;
    bool is_refused; /* answer: port 0 */
    enum sdp_dir dir;
    enum sdp_setup setup;
    struct sdp_codecs codecs;
    const struct sdp_transport *transport;
    enum sdp_profile profile;
    struct span mid; /* offer: ours; answer: taken from the offer */
    uint32_t ssrc;
    struct span cname, msid;
    unsigned ptime_ms, maxptime_ms;
    bool has_rtcp_mux;   /* plain profile: offer or accept it */
    bool wants_feedback; /* video: nack pli, ccm fir (answer: those of the offer among them) */
};

struct sdp_session {
    struct span id;   /* our o= session id (digits), constant for the leg */
    uint64_t version; /* counts up with each changed description */
    struct span address;
    bool is_v6;
};

/** An offer with these lines in order. */
void sdp_make_offer(struct sdp *out, const struct sdp_session *session, const struct sdp_line *lines, unsigned count);

/** The answer to `offer`: same number and order of lines; lines[i] says what becomes of offer line i. Mids, proto words
 * and feedback/extmap come from the offer only; a refused line is not in the group; no group if the offer had none. */
void sdp_make_answer(struct sdp *out, const struct sdp_session *session, const struct sdp *offer,
                     const struct sdp_line *lines, unsigned count);

/** Which line of an offer is the one to use for this kind: usable transport (by profiles allowed), port not 0, an
 * address, a known codec. srtp policy for SIP legs: CONF_SRTP_OFF takes RTP/AVP, REQUIRE takes RTP/SAVP, OFFER prefers
 * SAVP. WebRTC lines are taken when is_webrtc. @return index, -ENOENT with a sentence in *why_out naming what was
 * missing */
struct sdp_policy {
    bool is_webrtc;
    enum conf_srtp srtp;
};
int sdp_pick_line(const struct sdp *offer, enum sdp_kind kind, const struct sdp_policy *policy, const char **why_out);

/** DTLS: our role for the peer's setup. first: the role taken before (SDP_SETUP_NONE at first); kept while the
 * association lives. */
enum sdp_setup sdp_answer_setup(enum sdp_setup offered, enum sdp_setup first);
/** ICE restart: did ufrag or pwd change against what the peer said before? RFC 8839 4.4.2. */
bool sdp_is_ice_restart(const struct sdp_media *now, struct span old_ufrag, struct span old_pwd);

/** SDES: the first crypto line we can use (known suite, key of the right length, no session parameters, MKI only when
 * we can).
 *  @return index, -ENOENT */
int sdp_pick_crypto(const struct sdp_media *media);
/** Decode "inline:<base64>" of a picked line to key and salt. @return bytes; -EBADMSG */
int sdp_crypto_key(uint8_t key[static 64], const struct sdp_crypto *crypto);

/** "inline:<base64>" of a key and salt. @return length; -ENOSPC */
int sdp_crypto_write_key(char *text, size_t size_bytes, const uint8_t *key, size_t n);
