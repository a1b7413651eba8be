/* SPDX-License-Identifier: Apache-2.0 */
/* browser.h: a scripted WebRTC telephone: SIP over WebSocket, ICE, DTLS-SRTP and stamped RTP, thousands per process.
 * It shares no line with the gateway. One call at a time. Usage:
 *
 *     browser_new(&alice, loop, &(struct browser_setup){.gateway_ip = "127.0.0.1", .gateway_port = 8080,
 *                 .user = "alice", .password = "secret", .domain = "example.com", .certificate = &certificate,
 *                 .events = &events, .ctx = test});
 *     browser_connect(alice);                      -> events.on_connected
 *     browser_register(alice, 300);                -> events.on_registered(200)
 *     browser_call(alice, "12025550123");          -> on_progress(180), on_answered, on_media, on_ended
 *     browser_hang_up(alice);                      -> on_ended
 *
 * Everything happens on the loop's thread inside callbacks; browser_free() must not be called from one of the
 * browser's own callbacks. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "browser_dtls.h"
#include "peer_loop.h"
#include "peer_rtp.h"
#include "peer_sip.h"

struct browser;

/** What a script may want to know. Each may be NULL. */
struct browser_events {
    void (*on_connected)(void *ctx, struct browser *browser);
    /** The WebSocket is gone, or could not be opened. @param err negative errno */
    void (*on_disconnected)(void *ctx, struct browser *browser, int err);
    /** Final answer to REGISTER: 200, 403, ...; 408 when none came for 32 s. */
    void (*on_registered)(void *ctx, struct browser *browser, int status);
    /** An INVITE with an offer came in; 180 is already sent. Answer, reject or let it ring. */
    void (*on_incoming)(void *ctx, struct browser *browser, const struct peer_sip *invite);
    void (*on_progress)(void *ctx, struct browser *browser, int status);
    /** Signalling is up: 200 received and acknowledged, or our own 200 acknowledged. */
    void (*on_answered)(void *ctx, struct browser *browser);
    /** ICE and DTLS are done: SRTP may flow. */
    void (*on_media)(void *ctx, struct browser *browser);
    /** The first RTP packet that decrypts. */
    void (*on_first_packet)(void *ctx, struct browser *browser);
    /** Each RTP packet, decrypted. */
    void (*on_rtp)(void *ctx, struct browser *browser, const uint8_t *bytes, size_t size);
    /** The call is over. @param status 200: BYE of either side; else the refusing status; 0: media or socket failed */
    void (*on_ended)(void *ctx, struct browser *browser, int status, const char *reason);
    /** Each SIP message in (@p is_sent false) and out, for traces and for checks a script does itself. */
    void (*on_message)(void *ctx, struct browser *browser, bool is_sent, const char *text, size_t size);
};

/** Strings are borrowed until browser_free(). */
struct browser_setup {
    const char *gateway_ip;
    uint16_t gateway_port;
    const char *path;     /* NULL: "/" */
    const char *origin;   /* NULL: http://gateway_ip */
    const char *local_ip; /* source of WebSocket and media; NULL: 127.0.0.1 */
    const char *user, *password, *domain;
    const struct browser_certificate *certificate;
    const struct browser_events *events;
    void *ctx;
    struct peer_meter *meter; /* shared count of what arrives; NULL: none */
    uint32_t stream_owner;    /* stands in the stamped payload: peer_rtp_sender.owner */
    bool is_silent;           /* send no RTP of its own accord */
    bool is_signalling_only;  /* offer and answer SDP, but start no ICE */
};

/** When things happened in the present or last call, loop time in ns; 0 = not yet. */
struct browser_times {
    uint64_t invite_ns, answer_ns, ice_ns, dtls_ns, first_packet_ns;
};

/** @return 0; -ENOMEM. Sends nothing yet. */
int browser_new(struct browser **browserp, struct peer_loop *loop, const struct browser_setup *setup);
/** Ends at once, without a BYE. NULL is welcome. */
void browser_free(struct browser *browser);

/** Open the WebSocket. @return 0 or a negative errno. */
int browser_connect(struct browser *browser);
/** Close it. @param is_clean by a close frame; else as if the page had vanished. A call stays as it is. */
void browser_disconnect(struct browser *browser, bool is_clean);
bool browser_is_connected(const struct browser *browser);

/** REGISTER, answering a challenge once. @param expires_s 0: take the binding away. @return 0; -ENOTCONN. */
int browser_register(struct browser *browser, unsigned expires_s);

/** INVITE with a Chromium-like offer. @param number user part, or a whole "sip:" URI. @return 0; -EBUSY; -ENOTCONN. */
int browser_call(struct browser *browser, const char *number);
/** 200 with an answer to the waiting INVITE. @return 0; -EPROTO: none waits. */
int browser_answer(struct browser *browser);
/** Any final refusal to the waiting INVITE. @return 0; -EPROTO. */
int browser_reject(struct browser *browser, int status, const char *reason);
/** BYE, or CANCEL while it rings, or 603 to an INVITE that waits. @return 0; -EPROTO: no call. */
int browser_hang_up(struct browser *browser);
/** Any request inside the call's dialog: INFO, OPTIONS, a re-INVITE's raw body ... Its answer shows in on_message.
 *  @return 0; -EPROTO: no dialog. */
int browser_request(struct browser *browser, const char *method, const char *content_type, const char *body);
bool browser_is_in_call(const struct browser *browser);

/** Send one RTP packet now; @p bytes a whole packet without SRTP. @return 0; -ENOTCONN: media not up. */
int browser_send_rtp(struct browser *browser, const uint8_t *bytes, size_t size);
/** Pause and go on with the stamped stream. */
void browser_set_silent(struct browser *browser, bool is_silent);
/** Stop answering and renewing ICE consent, as if the network had gone. */
void browser_set_unreachable(struct browser *browser, bool is_unreachable);

const struct browser_times *browser_times(const struct browser *browser);
const struct browser_setup *browser_setup_of(const struct browser *browser);
/** Payload type on which the call's G.711 runs, or -1. */
int browser_payload_type(const struct browser *browser);
