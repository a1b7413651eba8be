/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint_rtp.c: an RTP session: a socket pair (or one socket, with rtcp-mux), its peer found by latch.c, plain or
 * SRTP with signalled keys. RFC 3550 section 11, RFC 5761, RFC 4961, RFC 4568 (the keys). Knows no SDP. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "media/demux.h"
#include "media/endpoint_inside.h"
#include "media/latch.h"
#include "media/path.h"
#include "media/stream_inside.h"

struct rtp_session {
    struct endpoint base;
    struct udp *sockets[2]; /* RTP, RTCP */
    struct latch latch;
    struct addr rtp_to, rtcp_to;
    struct addr rtcp_signalled; /* unset: it follows from the RTP address */
    struct addr advertised[2];
    bool has_mux;
    bool is_rtcp_learned; /* where the peer's RTCP comes from, once for each peer */
    bool is_reachable;    /* the signalled address can be sent to */
    const char *suite;
    uint8_t keys[2][SRTP_KEY_MAX]; /* as set, to see whether new ones are new */
};

static struct rtp_session *session_of(struct endpoint *endpoint)
{
    return (struct rtp_session *)endpoint;
}

/* ---- where to ---- */

static void choose_rtcp(struct rtp_session *session)
{
    session->is_rtcp_learned = false;
    session->rtcp_to = session->rtp_to;
    if (session->has_mux)
        return;
    if (addr_is_set(&session->rtcp_signalled) && addr_same_host(&session->rtcp_signalled, &session->rtp_to))
        session->rtcp_to = session->rtcp_signalled;
    else
        addr_set_port(&session->rtcp_to, (uint16_t)(addr_port(&session->rtp_to) + 1));
}

/* Nobody but the signalled source can be taken any more: let the kernel see to that, it then sends cheaper, too. Not
 * with rtcp-mux, as RTCP is taken from any port of the peer. */
static void connect_rtp(struct rtp_session *session, const struct addr *peer)
{
    bool is_settled = peer && !session->has_mux && addr_eq(peer, &session->latch.signalled);

    udp_connect(session->sockets[0], is_settled ? peer : NULL, &session->advertised[0]);
}

static void set_peer(struct rtp_session *session, const struct addr *peer)
{
    char text[ADDR_TEXT_MAX];

    session->rtp_to = session->base.peer = *peer;
    choose_rtcp(session);
    connect_rtp(session, peer);
    if (session->base.stream_count)
        stream_cut(session->base.streams[0]);
    endpoint_tell(&session->base, "latched on %s (%s)", addr_text(peer, text),
                  addr_eq(peer, &session->latch.signalled) ? "signalled" : "learned");
}

/* ---- RTCP in ---- */

/* From the host that RTP comes from; before there is one, from the signalled host. */
static bool is_peers_rtcp(const struct rtp_session *session, const struct addr *from)
{
    const struct addr *peer = addr_is_set(&session->base.peer) ? &session->base.peer : &session->latch.signalled;

    return addr_is_set(peer) && addr_same_host(peer, from);
}

static void on_rtcp_packet(struct rtp_session *session, struct pkt *pkt)
{
    if (!is_peers_rtcp(session, &pkt->addr)) {
        stats_count(STAT_RTP_STRAY);
        return;
    }
    if (session->base.srtp && srtp_ctx_unprotect_rtcp(session->base.srtp, pkt))
        return;
    if (!session->has_mux && !session->latch.is_never && !session->is_rtcp_learned) {
        session->rtcp_to = pkt->addr;
        session->is_rtcp_learned = true;
    }
    endpoint_take_rtcp(&session->base, pkt);
}

static void on_rtcp_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    for (unsigned i = 0; i < n; i++) {
        if (demux_kind_of(pkts[i]->data, pkts[i]->len) == DEMUX_RTCP)
            on_rtcp_packet(arg, pkts[i]);
        else
            stats_count(STAT_RTP_MALFORMED);
    }
}

/* ---- RTP in ---- */

static bool has_agreed_pt(struct rtp_session *session, uint8_t pt)
{
    struct media_stream *stream = session->base.stream_count ? session->base.streams[0] : NULL;

    if (stream && stream_has_pt(stream, pt))
        return true;
    if (stream)
        stream->dropped_pt++;
    stats_count(STAT_RTP_UNKNOWN_PT);
    return false;
}

/* Cheap refusals first, then authentication, and only then may anything be learned. */
static bool accepts(struct rtp_session *session, struct pkt *pkt)
{
    enum latch_verdict verdict;
    struct rtp rtp;

    if (!latch_may_take(&session->latch, &pkt->addr, pkt->arrived_us)) {
        stats_count(STAT_RTP_STRAY);
        return false;
    }
    if (session->base.srtp && srtp_ctx_unprotect(session->base.srtp, pkt))
        return false;
    if (rtp_parse(&rtp, pkt->data, pkt->len)) {
        stats_count(STAT_RTP_MALFORMED);
        return false;
    }
    if (!has_agreed_pt(session, rtp.pt))
        return false;
    verdict = latch_judge(&session->latch, &pkt->addr, rtp.ssrc, pkt->arrived_us);
    if (verdict == LATCH_REFUSED)
        stats_count(STAT_RTP_STRAY);
    else if (verdict == LATCH_MOVED)
        set_peer(session, &pkt->addr);
    return verdict != LATCH_REFUSED;
}

static void on_rtp_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct rtp_session *session = arg;
    struct pkt *accepted[PATH_BATCH_MAX];
    uint64_t arrived_us = n ? pkts[0]->arrived_us : 0;
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        enum demux_kind kind = demux_kind_of(pkts[i]->data, pkts[i]->len);

        if (kind == DEMUX_RTCP) {
            on_rtcp_packet(session, pkts[i]);
        } else if (kind != DEMUX_RTP) {
            stats_count(STAT_RTP_MALFORMED);
        } else if (count < PATH_BATCH_MAX && accepts(session, pkts[i])) {
            accepted[count++] = pkts[i];
            pkts[i] = NULL;
        }
    }
    endpoint_take_rtp(&session->base, accepted, count);
    if (n)
        stats_observe(HIST_MEDIA_HELD_US, clock_now_us() - arrived_us);
}

/* ---- out ---- */

static void send_rtp(struct endpoint *endpoint, struct pkt *pkt)
{
    struct rtp_session *session = session_of(endpoint);

    pkt->addr = session->rtp_to;
    udp_queue(session->sockets[0], pkt);
}

static void send_rtcp(struct endpoint *endpoint, struct pkt *pkt)
{
    struct rtp_session *session = session_of(endpoint);

    pkt->addr = session->rtcp_to;
    udp_queue(session->sockets[session->has_mux ? 0 : 1], pkt);
}

static void update_sending(struct rtp_session *session)
{
    endpoint_set_sending(&session->base, session->is_reachable && !session->base.is_stopped);
}

/* ---- birth and end ---- */

static void session_stop(struct endpoint *endpoint)
{
    struct rtp_session *session = session_of(endpoint);

    ports_close(endpoint->house->ports, session->sockets);
    stats_add(STAT_RTP_SESSIONS, -1);
}

static void warm_in(struct endpoint *endpoint, struct warm *warm)
{
    struct rtp_session *session = session_of(endpoint);

    warm_add(warm, &session->latch, sizeof(session->latch));
    udp_set_warm(session->sockets[0], warm);
}

static void warm_out(struct endpoint *endpoint, struct warm *warm)
{
    struct rtp_session *session = session_of(endpoint);

    warm_add(warm, session->sockets, offsetof(struct rtp_session, rtcp_to) - offsetof(struct rtp_session, sockets));
    udp_warm(session->sockets[0], warm);
}

static const struct endpoint_kind rtp_kind = {
    .warm_in = warm_in,
    .warm_out = warm_out,
    .send_rtp = send_rtp,
    .send_rtcp = send_rtcp,
    .stop = session_stop,
    .stream_max = 1,
};

static void session_destroy(void *self)
{
    struct rtp_session *session = self;

    endpoint_free(&session->base);
    explicit_bzero(session->keys, sizeof(session->keys));
}

static void choose_address(struct addr *out, struct media_house *house, const struct addr *local,
                           const struct rtp_options *options)
{
    if (!options->is_inside) {
        media_advertised(out, house->conf, local, &options->towards);
        return;
    }
    *out = *local;
    if (addr_is_any(local))
        addr_parse(out, addr_is_v6(local) ? SPAN("::1") : SPAN("127.0.0.1"), addr_port(local));
}

static int open_sockets(struct rtp_session *session, const struct rtp_options *options)
{
    struct media_house *house = session->base.house;
    unsigned dscp = options->is_video ? house->conf->media.dscp_video : house->conf->media.dscp_audio;
    struct udp_options rtp = {
        .local = house->rtp_local, .dscp = (uint8_t)dscp, .on_batch = on_rtp_batch, .arg = session};
    struct udp_options rtcp = rtp;
    int err;

    rtp.is_sparse = !options->is_video;
    rtcp.is_sparse = true;
    rtcp.on_batch = on_rtcp_batch;
    err = ports_open(house->ports, house->udp, &rtp, &rtcp, session->sockets);
    if (err)
        return err;
    for (unsigned i = 0; i < 2; i++)
        choose_address(&session->advertised[i], house, udp_local(session->sockets[i]), options);
    return 0;
}

int endpoint_new_rtp(struct endpoint **endpointp, struct media_house *house, const struct rtp_options *options)
{
    struct rtp_session *session = mem_new(sizeof(*session), session_destroy);
    int err;

    if (!session)
        return -ENOMEM;
    stats_add(STAT_RTP_SESSIONS, 1);
    endpoint_init(&session->base, &rtp_kind, house, options->user, options->arg);
    session->base.state = ENDPOINT_READY; /* nothing has to be proved before media may flow */
    session->base.times.ready_us = session->base.times.made_us;
    session->latch.window_ms = house->conf->media.latch_s * 1000;
    err = open_sockets(session, options);
    if (err) {
        mem_unref(session);
        return err;
    }
    *endpointp = &session->base;
    return 0;
}

/* ---- descriptions ---- */

void endpoint_rtp_local(const struct endpoint *endpoint, struct rtp_local *out)
{
    const struct rtp_session *session = (const struct rtp_session *)endpoint;

    out->rtp = session->advertised[0];
    out->rtcp = session->advertised[1];
}

int endpoint_rtp_remote(struct endpoint *endpoint, const struct rtp_remote *remote)
{
    struct rtp_session *session = session_of(endpoint);
    bool is_moved;

    if (endpoint->is_stopped)
        return 0;
    session->is_reachable = addr_is_set(&remote->rtp) && addr_port(&remote->rtp) && !addr_is_any(&remote->rtp);
    session->has_mux = remote->has_rtcp_mux;
    session->rtcp_signalled = remote->rtcp;
    is_moved = session->is_reachable &&
               !(addr_is_set(&session->latch.signalled) && addr_eq(&remote->rtp, &session->latch.signalled));
    latch_signal(&session->latch, &remote->rtp, remote->is_locked || !session->latch.window_ms);
    if (is_moved) {
        session->rtp_to = remote->rtp;
        endpoint->peer = (struct addr){0};
    }
    if (is_moved || session->has_mux)
        connect_rtp(session, NULL);
    choose_rtcp(session);
    update_sending(session);
    return 0;
}

void endpoint_rtp_signalled(const struct endpoint *endpoint, struct addr *out)
{
    *out = ((const struct rtp_session *)endpoint)->latch.signalled;
}

static bool are_same_keys(const struct rtp_session *session, const char *suite, const struct rtp_keys *keys)
{
    return session->suite == suite && !memcmp(session->keys[0], keys->local_key.p, keys->local_key.n) &&
           !memcmp(session->keys[1], keys->remote_key.p, keys->remote_key.n);
}

static int set_keys(struct rtp_session *session, const char *suite, const struct rtp_keys *keys)
{
    struct srtp_keys both = {suite, keys->local_key, keys->remote_key};
    bool is_ours_kept = session->base.srtp && session->suite == suite &&
                        !memcmp(session->keys[0], keys->local_key.p, keys->local_key.n);
    struct srtp_ctx *srtp = NULL;
    int err = is_ours_kept ? srtp_ctx_set_remote(session->base.srtp, &both) : srtp_ctx_new(&srtp, &both);

    if (err)
        return err;
    if (srtp) {
        mem_unref(session->base.srtp);
        session->base.srtp = srtp;
    }
    session->suite = suite;
    memcpy(session->keys[0], keys->local_key.p, keys->local_key.n);
    memcpy(session->keys[1], keys->remote_key.p, keys->remote_key.n);
    return 0;
}

/* The same keys again (a re-INVITE) leave the association alone: its rollover counters go on. */
int endpoint_rtp_keys(struct endpoint *endpoint, const struct rtp_keys *keys)
{
    struct rtp_session *session = session_of(endpoint);
    const char *suite = srtp_suite(keys->suite);
    unsigned key_bytes, salt_bytes;
    int err = 0;

    if (!keys->suite.n) {
        session->base.srtp = mem_unref(session->base.srtp);
        session->suite = NULL;
    } else {
        if (!suite)
            return -EINVAL;
        srtp_suite_bytes(suite, &key_bytes, &salt_bytes);
        if (keys->local_key.n != key_bytes + salt_bytes || keys->remote_key.n != keys->local_key.n)
            return -EINVAL;
        if (!are_same_keys(session, suite, keys))
            err = set_keys(session, suite, keys);
    }
    update_sending(session);
    return err;
}
