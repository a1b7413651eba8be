/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/media.h"

/* endpoint.h: one transport of a leg's media: a peer connection (ICE + DTLS-SRTP, all m-lines bundled) or an RTP
 * session (plain RTP, or SRTP by given keys; one m-line). What arrives is proved before anything is learned: ICE check
 * -> DTLS -> fingerprint -> SRTP authentication -> stream. */

struct endpoint;
struct media_stream;

enum endpoint_state {
    ENDPOINT_NEW,     /* nothing proved yet */
    ENDPOINT_CHECKED, /* peer connection: a valid ICE check with USE-CANDIDATE came in, DTLS may run */
    ENDPOINT_READY,   /* media can flow: DTLS done and fingerprint right; RTP session: from the start */
    ENDPOINT_FAILED,  /* see the reason; media does not flow any more */
};

struct endpoint_user {
    /** State changed; why is a sentence (failures, notable facts), "" otherwise. Not called from within a call of the
     * user's. */
    void (*on_state)(struct endpoint *endpoint, enum endpoint_state state, const char *why, void *arg);
    /** A line for the call's timeline: "ICE check from 192.0.2.1:4000 nominated", "DTLS done (AEAD_AES_256_GCM)",
     *  "latched on 192.0.2.20:40000 (signalled)". Bounded number per endpoint. May be NULL. */
    void (*on_event)(struct endpoint *endpoint, const char *text, void *arg);
    /** The peer has pressed a key (RFC 4733), on a stream that tells_keys. May be NULL. */
    void (*on_key)(struct endpoint *endpoint, unsigned event, unsigned duration_ms, void *arg);
};

/* ---- peer connection ---- */

struct webrtc_options {
    bool is_dtls_client; /* our DTLS role; may be set later with endpoint_webrtc_remote() */
    const struct endpoint_user *user;
    void *arg;
};
int endpoint_new_webrtc(struct endpoint **endpointp, struct media_house *house, const struct webrtc_options *options);

#define ICE_UFRAG_MAX 33
#define ICE_PWD_MAX   65
struct webrtc_local {
    char ufrag[ICE_UFRAG_MAX], pwd[ICE_PWD_MAX];
    const char *fingerprint;   /* sha-256 */
    struct addr candidates[4]; /* advertised host candidates, most wanted first */
    unsigned candidate_count;
    bool is_ice_lite;
};
void endpoint_webrtc_local(const struct endpoint *endpoint, struct webrtc_local *out);

struct webrtc_remote {
    struct span ufrag, pwd;
    struct span fingerprint_hash, fingerprint;
    bool is_dtls_client; /* OUR role: true when the peer is passive */
};
/** Set what the peer's description says; copies. Called again at re-negotiation: unchanged facts change nothing;
 * another fingerprint begins a new DTLS association and stops media until it is done. Once this was called and a stream
 * was bridged (so the peer has our description too), a missing ICE check is told after 10 s. Once it was answered, 120
 * s without any check fail the endpoint; after the first check, 30 s without one do (RFC 7675). @return 0; -EBADMSG;
 * -EPROTO: a hash we do not take */
int endpoint_webrtc_remote(struct endpoint *endpoint, const struct webrtc_remote *remote);

/** ICE restart (RFC 8445 section 9): new local ufrag and pwd beside the old ones, which go on until a check with the
 * new ones was nominated. DTLS and SRTP go on. */
int endpoint_webrtc_restart(struct endpoint *endpoint);

/** The call rings no longer, it was answered. Idempotent. */
void endpoint_answered(struct endpoint *endpoint);

/* ---- RTP session ---- */

struct rtp_options {
    /* Where the peer is thought to be (signalling), to choose the advertised address; may be unset. */
    struct addr towards;
    bool is_inside; /* the peer is another session of this process: its address is that of the socket */
    bool is_video;
    const struct endpoint_user *user;
    void *arg;
};
/** @return 0; -EBUSY: no RTP port left */
int endpoint_new_rtp(struct endpoint **endpointp, struct media_house *house, const struct rtp_options *options);

struct rtp_local {
    struct addr rtp, rtcp; /* advertised */
};
void endpoint_rtp_local(const struct endpoint *endpoint, struct rtp_local *out);

struct rtp_remote {
    struct addr rtp;  /* signalled; port 0 or unset address: do not send yet */
    struct addr rtcp; /* unset: rtp port + 1, or the rtp address with mux */
    bool has_rtcp_mux;
    bool is_locked; /* never latch: take only the signalled address */
};
/** Symmetric RTP with latching as in the design: the signalled address wins; else the first source within latch_s of
 * the first packet that has an agreed payload type is taken (port, or address too where the signalled one is private or
 * silent), then locked together with its SSRC. A new signalled address (re-INVITE) opens it again. */
int endpoint_rtp_remote(struct endpoint *endpoint, const struct rtp_remote *remote);
/** Where the peer said that it is; unset: it did not say. */
void endpoint_rtp_signalled(const struct endpoint *endpoint, struct addr *out);

/** SDES: keys of both directions (key + salt as in RFC 4568), suite "AES_CM_128_HMAC_SHA1_80" or "AEAD_AES_128_GCM",
 * "AEAD_AES_256_GCM". Empty suite: plain RTP. @return 0, -EINVAL */
struct rtp_keys {
    struct span suite;
    struct span local_key, remote_key; /* raw bytes */
};
int endpoint_rtp_keys(struct endpoint *endpoint, const struct rtp_keys *keys);

/* ---- both ---- */

enum endpoint_state endpoint_state(const struct endpoint *endpoint);
/** Stop sending and receiving, close or detach; idempotent. mem_unref() does it too. RTP ports go back at once; a peer
 * connection sends close_notify. RTCP BYE is sent for each stream. No callback comes after. */
void endpoint_stop(struct endpoint *endpoint);
/** Microseconds of clock_now_us() when the last accepted RTP packet came in; 0: never. */
uint64_t endpoint_last_rtp_us(const struct endpoint *endpoint);
/** When it was made, when ICE was proved, when it became ready; 0: not yet. For the timeline and the metrics. */
struct endpoint_times {
    uint64_t made_us, checked_us, ready_us, first_rtp_us;
};
void endpoint_times(const struct endpoint *endpoint, struct endpoint_times *out);
/** The peer's address as proved (latched source or nominated pair); unset if none. */
void endpoint_peer(const struct endpoint *endpoint, struct addr *out);
/** "AEAD_AES_256_GCM", "" when plain or not ready. */
const char *endpoint_suite(const struct endpoint *endpoint);
