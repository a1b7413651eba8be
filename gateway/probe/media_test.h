/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "net/addr.h"

/* media_test.h: sends the test tone as RTP to one peer for some seconds and measures what comes back: packets, loss,
 * jitter, round trip by echo and by RTCP, DSCP. RFC 3550, 3551, 3711. Knows no SIP and no SDP; judges nothing. */

struct media_test; /* leave with mem_unref(): closes its sockets, no call-back after */
struct srtp_ctx;
struct udp_house;

#define MEDIA_TEST_FRAMES_MAX 500

struct media_result {
    unsigned sent;        /* packets of ours */
    unsigned received;    /* RTP of the agreed payload type */
    unsigned expected;    /* as their sequence numbers say */
    unsigned other;       /* RTP of other payload types */
    unsigned unreadable;  /* neither RTP nor RTCP, or refused by SRTP */
    unsigned echoed;      /* frames of ours that came back as they were */
    unsigned echo_wanted; /* frames that had the time to come back */
    double echo_ms;       /* round trip by them, mean */
    double first_ms;      /* from our first packet to their first */
    double jitter_ms;     /* RFC 3550 6.4.1 */
    double level_dbov;    /* of what came; -127: nothing or silence */
    struct addr source;   /* where it came from */
    int dscp;             /* it came with; -1: unknown */
    bool is_dscp_set;     /* ours could be marked */
    bool has_report;      /* the peer's RTCP told of our packets: */
    double report_ms;     /* round trip by it; -1: not told */
    double report_lost;   /* share of ours that were lost, 0..1 */
    double report_jitter_ms;
    bool has_rtcp; /* any RTCP came */
};

/** Open two sockets: a free pair of media.rtp.ports, seen from its end, so that firewalls treat it as they will treat
 *  calls; else any pair. Nobody else's port is shared. @return 0; -errno */
int media_test_open(struct media_test **testp, struct conf *conf, struct udp_house *house, const struct addr *towards);
/** What to write in SDP. */
const struct addr *media_test_address(const struct media_test *test);
uint16_t media_test_rtcp_port(const struct media_test *test);

struct media_test_options {
    struct addr rtp, rtcp; /* the peer's; followed when its packets come from elsewhere */
    uint8_t pt;
    bool is_alaw;
    struct srtp_ctx *srtp_taken; /* NULL: plain */
    unsigned run_ms;
    void (*on_done)(struct media_test *test, void *arg);
    void *arg;
};
void media_test_start(struct media_test *test, const struct media_test_options *options);
/** What was measured up to now. */
void media_test_result(const struct media_test *test, struct media_result *out);
