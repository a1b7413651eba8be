/* SPDX-License-Identifier: Apache-2.0 */
/* browser_priv.h: the inside of the scripted browser, shared by browser*.c and by nobody else. */
#pragma once
#include "browser.h"
#include "browser_media.h"
#include "browser_ws.h"
#include "peer_sip.h"

enum { ID_BYTES = 33, PARTY_BYTES = 512, ROUTES_BYTES = 2048, SDP_BYTES = 4096, ANSWER_WAIT_MS = 32000 };

enum call_state {
    CALL_NONE,
    CALL_INVITING,   /* our INVITE has no final answer */
    CALL_CANCELLING, /* ... and we no longer want one */
    CALL_RINGING,    /* their INVITE waits for us */
    CALL_ACCEPTED,   /* our 200 waits for its ACK */
    CALL_TALKING,
    CALL_ENDING /* our BYE waits for its answer */
};

/** Client side of REGISTER. */
struct registration {
    char call_id[ID_BYTES], tag[ID_BYTES];
    unsigned cseq, expires_s;
    bool is_pending, has_tried_login;
    struct peer_login login;
    struct peer_timer timer;
};

/** The one dialog a browser has. */
struct call {
    enum call_state state;
    bool is_caller, has_tried_login;
    char id[PARTY_BYTES];
    char branch[ID_BYTES];         /* of our INVITE */
    char local[PARTY_BYTES];       /* From of what we send, with tag */
    char remote[PARTY_BYTES];      /* To of what we send; with tag once known */
    char request_uri[PARTY_BYTES]; /* of our INVITE */
    char target[PARTY_BYTES];      /* remote target of the dialog */
    char routes[ROUTES_BYTES];     /* whole Route lines */
    char sdp[SDP_BYTES];           /* what we offered or answered */
    char authorization[2048];      /* whole header line for the INVITE, or empty */
    unsigned cseq, invite_cseq;
    size_t invite_size; /* their INVITE, kept for its answers */
    char invite[PEER_SIP_MAX_BYTES];
    struct peer_sdp remote_sdp;
    struct peer_login login;
    struct peer_timer timer;
};

struct browser {
    struct peer_loop *loop;
    struct browser_setup setup;
    struct browser_ws ws;
    char host[24]; /* "x7f3a....invalid": a browser knows no address of its own, RFC 7118 section 5 */
    char instance[ID_BYTES];
    struct registration registration;
    struct call call;
    struct browser_media media;
    struct browser_times times;
};

/* browser_sip.c */
void browser_sip_receive(struct browser *browser, const char *text, size_t size);
void browser_sip_send(struct browser *browser, const struct peer_text *text);
/** Start line, Via, From, To, Call-ID, CSeq, Max-Forwards. @param branch NULL: a fresh one */
void browser_sip_start(struct browser *browser, struct peer_text *text, const char *method, const char *uri,
                       const char *branch);
void browser_sip_reply(struct browser *browser, const struct peer_sip *request, int status, const char *reason,
                       const char *sdp);
/* browser_register.c */
void browser_register_answered(struct browser *browser, const struct peer_sip *msg);
/* browser_call.c */
void browser_call_answered(struct browser *browser, const struct peer_sip *msg);
void browser_call_requested(struct browser *browser, const struct peer_sip *msg);
void browser_call_end(struct browser *browser, int status, const char *reason);
void browser_call_init(struct browser *browser);
/* browser_sdp.c */
void browser_sdp_offer(const struct browser *browser, char out[static SDP_BYTES]);
void browser_sdp_answer(const struct browser *browser, char out[static SDP_BYTES]);

/** Credentials for @p msg, a 401 or 407. @param out whole header line. @return 0; -EPROTO. */
int browser_sip_authorize(char *out, size_t room, struct peer_login *login, const struct peer_sip *msg,
                          const char *method, const char *uri);
