/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

/* cause.h: why a call failed, or why one side heard nothing, in one sentence that tells an operator where to look. A
 * pure function of facts; cause_facts.c collects them from a call. */

enum cause_peer { CAUSE_BROWSER, CAUSE_PHONE, CAUSE_TRUNK };

/* What stopped a leg, as far as SIP knows. */
enum leg_trouble {
    LEG_FINE,
    LEG_NO_NAME,       /* its host name cannot be resolved */
    LEG_NO_CONNECTION, /* TCP or TLS refused, or no socket of that kind */
    LEG_NO_RESPONSE,   /* nothing came back in time */
    LEG_REFUSES,       /* it answered with a status of 300 or more */
    LEG_NO_ACK,        /* our 200 was never ACKed */
    LEG_NO_PRACK,      /* our reliable 18x was never acknowledged */
    LEG_FORGOT_CALL,   /* a request in the session was answered with 481, 408 or not at all */
    LEG_LOST,          /* its connection closed and did not come back */
    LEG_NO_CODEC,      /* it and the other side have no codec in common */
    LEG_MEDIA_FAILED,  /* ICE or DTLS */
};

struct cause_leg {
    bool is_there;
    enum cause_peer peer;
    const char *name; /* of the trunk or the account */
    enum leg_trouble trouble;
    unsigned status;                       /* last SIP status from or to it; 0: none */
    const char *reason;                    /* reason phrase of a refusal; "" */
    bool has_rung;                         /* a 18x came */
    const char *target;                    /* "udp:203.0.113.5:5060", where its INVITE went or came from; "" */
    const char *contact_host, *media_host; /* what it says of itself: Contact, SDP; "" */
    bool is_contact_private, is_media_private;
    const char *our_contact; /* what we told it; "" */
    const char *username;    /* digest user of a trunk; "" */
    const char *codecs;      /* audio codecs it offered or takes: "opus, PCMU"; "" */

    bool is_checked, is_ready; /* ICE proved, DTLS done; an RTP session is both */
    const char *media_why;     /* LEG_MEDIA_FAILED: what failed */
    const char *media_told;    /* our media address as it was told: "203.0.113.10:10000" */
    bool expects_rtp;          /* by its direction it should send */
    uint64_t packets_in, lost_in, unknown_payload;
    uint32_t silent_s; /* since its last RTP packet, or since the answer */
};

enum cause_stage { CAUSE_ROUTING, CAUSE_RINGING, CAUSE_TALKING };
enum cause_end { CAUSE_ALIVE, CAUSE_BY_CALLER, CAUSE_BY_CALLEE, CAUSE_BY_GATEWAY };

struct cause_facts {
    enum cause_stage stage; /* how far it came */
    enum cause_end end;
    unsigned status;     /* of its end */
    const char *why;     /* what was said when it ended; "" */
    const char *dialled; /* number as it was dialled */
    const char *number;  /* as it left to the trunk */
    const char *callee;  /* account to be rung; "" when it goes to trunks */
    bool has_route;
    unsigned devices; /* of the account that rang */
    uint32_t ring_s, talk_s;
    uint32_t reconnect_s, timeout_s, max_duration_s; /* configuration */
    struct cause_leg in, out;
};

/** Find the cause and append its sentence (at most 300 bytes or so) to out.
 *  @return its id, as it stands in call records and in the documentation ("ice-never"); "" and nothing appended: the
 * call is as it should be */
const char *cause_find(const struct cause_facts *facts, struct text *out);

/** Every id, for the documentation's test. NULL at the end. */
const char *cause_id(unsigned index);
