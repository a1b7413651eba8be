/* SPDX-License-Identifier: Apache-2.0 */
/* trunk.h: a scripted SIP carrier over UDP: takes calls and makes them, with stamped or echoed RTP, thousands per
 * process on one SIP and one RTP socket. It shares no line with the gateway. Usage:
 *
 *     trunk_new(&trunk, loop, &(struct trunk_setup){.ip = "127.0.0.2", .gateway_ip = "127.0.0.1",
 *               .gateway_port = 5060, .answers_after_ms = 0, .media = TRUNK_STAMPED});
 *     ... a call comes in: 100, 180, 200 by itself; or, with .is_scripted, as on_incoming decides:
 *     trunk_ring(call); trunk_progress(call); trunk_answer(call); trunk_reject(call, 486, "Busy Here");
 *     trunk_dial(trunk, &call, "12025550199", "alice", ctx);   -> on_progress, on_answered, on_ended
 *     trunk_hang_up(call);
 *
 * All on the loop's thread. A trunk_call is the trunk's; the pointer is valid until on_ended returns. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "peer_loop.h"
#include "peer_rtp.h"
#include "peer_sip.h"

struct trunk;
struct trunk_call;

enum trunk_media { TRUNK_SILENT, TRUNK_STAMPED, TRUNK_ECHO };

/** What a script may want to know. Each may be NULL. */
struct trunk_events {
    void (*on_incoming)(void *ctx, struct trunk_call *call, const struct peer_sip *invite);
    void (*on_progress)(void *ctx, struct trunk_call *call, int status);
    /** ACK received, or 200 received and acknowledged. */
    void (*on_answered)(void *ctx, struct trunk_call *call);
    /** A request inside the dialog other than ACK and BYE; already answered with 200. */
    void (*on_request)(void *ctx, struct trunk_call *call, const struct peer_sip *request);
    void (*on_first_packet)(void *ctx, struct trunk_call *call);
    void (*on_rtp)(void *ctx, struct trunk_call *call, const uint8_t *bytes, size_t size);
    /** @param status 200: BYE of either side; else the refusing status; 408: no answer to what we sent. */
    void (*on_ended)(void *ctx, struct trunk_call *call, int status);
    /** Each SIP message in and out. */
    void (*on_message)(void *ctx, struct trunk *trunk, bool is_sent, const char *text, size_t size);
};

/** Strings are borrowed until trunk_free(). */
struct trunk_setup {
    const char *ip;              /* of SIP and RTP here */
    uint16_t sip_port, rtp_port; /* 0: any free */
    const char *gateway_ip;      /* where calls of trunk_dial() go */
    uint16_t gateway_port;
    const struct trunk_events *events;
    void *ctx;
    struct peer_meter *meter;
    enum trunk_media media;
    const char *types;         /* payload types of our SDP, in order; NULL: "0 8 101" (101: telephone-event) */
    bool is_scripted;          /* do nothing to an INVITE but 100 and on_incoming */
    unsigned answers_after_ms; /* not scripted: 180 at once, 200 after this time (0: at once) */
};

/** @return 0 or a negative errno. */
int trunk_new(struct trunk **trunkp, struct peer_loop *loop, const struct trunk_setup *setup);
/** Calls end without BYE. NULL is welcome. */
void trunk_free(struct trunk *trunk);
uint16_t trunk_sip_port(const struct trunk *trunk);
uint16_t trunk_rtp_port(const struct trunk *trunk);
/** Calls in any state. */
unsigned trunk_call_count(const struct trunk *trunk);

/** INVITE with an SDP offer. @param from, to user parts, or whole URIs. @param ctx of trunk_call_ctx(). @return 0;
 * -ENOMEM. */
int trunk_dial(struct trunk *trunk, struct trunk_call **callp, const char *from, const char *to, void *ctx);
void trunk_ring(struct trunk_call *call);
/** 183 with SDP: early media. */
void trunk_progress(struct trunk_call *call);
void trunk_answer(struct trunk_call *call);
void trunk_reject(struct trunk_call *call, int status, const char *reason);
/** BYE, or CANCEL while our INVITE waits. */
void trunk_hang_up(struct trunk_call *call);
/** Any request inside the dialog. */
void trunk_request(struct trunk_call *call, const char *method, const char *content_type, const char *body);

void trunk_call_set_ctx(struct trunk_call *call, void *ctx);
void *trunk_call_ctx(const struct trunk_call *call);
struct trunk *trunk_of(const struct trunk_call *call);
/** What the dialog's Call-ID is, for traces. */
const char *trunk_call_id(const struct trunk_call *call);
/** Send one whole RTP packet now. */
void trunk_send_rtp(struct trunk_call *call, const uint8_t *bytes, size_t size);
/** browser_setup.stream_owner of the browser whose stamped packets arrive in this call; 0 before the first. */
uint32_t trunk_stream_owner(const struct trunk_call *call);
