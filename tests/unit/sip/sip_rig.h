/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../unit.h"

#include "base/conf.h"
#include "base/worker.h"
#include "sip/client_tx.h"
#include "sip/dialog.h"
#include "sip/invite.h"
#include "sip/request.h"
#include "sip/server_tx.h"
#include "sip/stack.h"

/* sip_rig.h: the SIP stack of one worker with a test's hands on both ends: bytes are put in by rig_receive(), what the
 * stack sends is caught instead of leaving, and time moves only when the test says so. rig_transport.c stands in for
 * transport.c. */

#define RIG_PEER "192.0.2.10" /* the peer of rig.udp and rig.tcp, port 5060 */
#define RIG_OURS "203.0.113.10"

/** One message that the stack sent. Borrowed until rig_forget() or the end of the test. */
struct rig_sent {
    uint64_t at_ms; /* since the beginning of the test */
    struct sip_flow flow;
    char *bytes, *parsed; /* as sent; what msg points into */
    size_t n;
    struct sip_msg msg;
};

struct rig {
    struct worker *worker;
    struct conf *conf;
    struct sip_stack *stack;
    struct sip_flow udp, tcp, ws, stranger; /* flows of the peer; stranger: UDP from another host */

    /* the user's side */
    struct sip_verdict verdict; /* what admit() gives; headers are not used */
    unsigned admit_count, request_count, lost_count;
    struct server_tx *tx;          /* of the last request, referenced */
    char account[SIP_ACCOUNT_MAX]; /* as the stack gave it */
    void (*admit)(const struct sip_incoming *incoming, struct sip_verdict *verdict); /* instead of verdict */
    void (*on_request)(struct server_tx *tx);

    /* the wire's side */
    struct rig_sent *sent[512];
    unsigned sent_count, next_sent;
    bool has_no_streams;          /* no TCP, no TLS; UDP is always IPv4 only */
    unsigned opened_count;        /* connections that transport_flow_to() made */
    int send_err;                 /* what transport_send() returns */
    char proved[SIP_ACCOUNT_MAX]; /* transport_set_account() */
    unsigned closed_count;        /* transport_close() */
    unsigned silent_ms;           /* transport_expect_pings() */
    uint64_t began_ms;
    size_t live_count;
};
extern struct rig rig;

/** cmocka fixtures: a stack with T1 = 500 ms; teardown asserts that nothing is left alive. */
int rig_setup(void **state);
int rig_teardown(void **state);
/** The same with a configuration of the test's own (YAML). */
int rig_open(const char *yaml);

/** Move the clock and run each timer on its millisecond. */
void rig_advance(unsigned ms);
uint64_t rig_now_ms(void);

/** Put a message in. Lines end in LF in `text` and in CRLF on the way; Content-Length is added when there is no such
 * line. */
void rig_receive(const struct sip_flow *flow, const char *text);
void rig_receivef(const struct sip_flow *flow, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The next message that was sent and not yet looked at; NULL: none. */
struct rig_sent *rig_next(void);
/** It has to be there, and to be this. */
struct rig_sent *rig_expect_status(unsigned status);
struct rig_sent *rig_expect_request(enum sip_method method);
void rig_expect_nothing(void);
/** How many unseen messages there are; leave them all behind. */
unsigned rig_unseen(void);
void rig_forget(void);

/** Answer a request of ours: Via, From, To (with this tag, unless NULL), Call-ID and CSeq are its own.
 *  @param more whole lines with LF, an empty line and a body after them if wanted; NULL: none */
void rig_respond(const struct rig_sent *request, unsigned status, const char *to_tag, const char *more);
