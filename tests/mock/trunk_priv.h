/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_priv.h: the inside of the scripted trunk, shared by trunk*.c and by nobody else. */
#pragma once
#include "peer_sdp.h"
#include "peer_udp.h"
#include "trunk.h"

enum { TRUNK_TEXT_BYTES = 512, TRUNK_ROUTES_BYTES = 2048, TRUNK_BUCKETS = 4096, TRUNK_PORTS = 65536 };

enum trunk_state {
    TRUNK_DIALLING, /* our INVITE has no final answer */
    TRUNK_CANCELLING,
    TRUNK_RINGING,  /* their INVITE waits for us */
    TRUNK_ACCEPTED, /* our 200 waits for its ACK */
    TRUNK_TALKING,
    TRUNK_ENDING /* our BYE waits for its answer */
};

struct trunk_call {
    struct trunk *trunk;
    struct trunk_call *next; /* in its bucket */
    enum trunk_state state;
    void *ctx;
    bool is_caller, has_media, has_first_packet;
    char id[TRUNK_TEXT_BYTES];
    char branch[33], tag[17];
    char local[TRUNK_TEXT_BYTES], remote[TRUNK_TEXT_BYTES];
    char request_uri[TRUNK_TEXT_BYTES], target[TRUNK_TEXT_BYTES];
    char routes[TRUNK_ROUTES_BYTES];
    unsigned cseq, invite_cseq;
    struct sockaddr_in peer; /* where its SIP comes from, and goes to */
    struct sockaddr_in rtp;  /* the gateway's, as in its SDP */
    int payload_type;
    struct peer_rtp_sender sender;
    struct peer_rtp_receiver receiver;
    struct peer_timer pace, answer, again;
    unsigned again_ms;
    char *invite; /* theirs, for its answers */
    size_t invite_size;
    char *kept; /* the last message that wants an answer or an ACK, to be repeated (T1, RFC 3261 section 17) */
    size_t kept_size;
};

struct trunk {
    struct peer_loop *loop;
    struct trunk_setup setup;
    struct peer_udp sip, rtp, rtcp;
    unsigned call_count;
    unsigned session; /* number of the next SDP */
    struct trunk_call *buckets[TRUNK_BUCKETS];
    struct trunk_call *by_port[TRUNK_PORTS]; /* the gateway's RTP port -> call */
};

/* trunk.c */
struct trunk_call *trunk_call_new(struct trunk *trunk, struct peer_span id);
struct trunk_call *trunk_call_find(struct trunk *trunk, struct peer_span id);
/** on_ended, then free. */
void trunk_call_end(struct trunk_call *call, int status);
void trunk_send_text(struct trunk *trunk, const struct sockaddr_in *to, const struct peer_text *text);
/* trunk_sip.c */
void trunk_sip_receive(void *ctx, struct peer_packet *packet);
/* trunk_media.c */
void trunk_media_sdp(struct trunk *trunk, char *out, size_t room);
/** @return 0; -EBADMSG: the gateway's SDP has no audio we can use. */
int trunk_media_start(struct trunk_call *call, struct peer_span sdp);
void trunk_media_stop(struct trunk_call *call);
void trunk_media_receive(void *ctx, struct peer_packet *packet);
