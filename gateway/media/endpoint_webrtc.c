/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint_webrtc.c: a peer connection: ICE proves the source, DTLS over it, the fingerprint proves the peer, and only
 * then are there SRTP keys. RFC 8827 section 6.5, RFC 5763, RFC 8842. Knows no STUN messages, no DTLS records, no SDP.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "media/demux.h"
#include "media/dtls.h"
#include "media/endpoint_inside.h"
#include "media/path.h"

struct webrtc {
    struct endpoint base;
    struct ice *ice;
    struct dtls *dtls;
    bool is_dtls_client, has_remote;
    bool is_bridged;
    bool is_heard;  /* SRTP with the keys of this association has come */
    bool is_proved; /* there is a source that a valid check has proved */
    uint8_t digest[DTLS_DIGEST_MAX];
    size_t digest_bytes;
};

static struct webrtc *webrtc_of(struct endpoint *endpoint)
{
    return (struct webrtc *)endpoint;
}

static void fail(struct webrtc *webrtc, const char *why)
{
    endpoint_set_sending(&webrtc->base, false);
    webrtc->dtls = mem_unref(webrtc->dtls);
    webrtc->ice->kind->stop(webrtc->ice);
    endpoint_set_state(&webrtc->base, ENDPOINT_FAILED, why);
}

/* ---- DTLS ---- */

static int make_srtp(struct webrtc *webrtc)
{
    struct dtls_keys keys;
    struct srtp_ctx *srtp = NULL;
    int err = dtls_export_keys(webrtc->dtls, &keys);

    if (!err)
        err = srtp_ctx_new(&srtp, &(struct srtp_keys){.suite = keys.suite,
                                                      .local = span_make(keys.local, keys.key_bytes),
                                                      .remote = span_make(keys.remote, keys.key_bytes)});
    explicit_bzero(&keys, sizeof(keys));
    if (err)
        return err;
    mem_unref(webrtc->base.srtp);
    webrtc->base.srtp = srtp;
    return 0;
}

/* Both the handshake's end and the peer's fingerprint are there: is it him? */
static void conclude(struct webrtc *webrtc)
{
    if (!webrtc->has_remote || !webrtc->dtls || !dtls_is_done(webrtc->dtls) || webrtc->base.srtp)
        return;
    if (!dtls_check_fingerprint(webrtc->dtls, webrtc->digest, webrtc->digest_bytes)) {
        stats_count(STAT_DTLS_FAILED);
        fail(webrtc, "the peer's DTLS certificate is not the one of its description (fingerprint)");
        return;
    }
    if (make_srtp(webrtc)) {
        fail(webrtc, "no SRTP keys could be made of the DTLS handshake");
        return;
    }
    dtls_settle(webrtc->dtls, false);
    endpoint_tell(&webrtc->base, "DTLS done (%s)", srtp_ctx_suite(webrtc->base.srtp));
    if (webrtc->base.state == ENDPOINT_NEW)
        endpoint_set_state(&webrtc->base, ENDPOINT_CHECKED, "");
    endpoint_set_state(&webrtc->base, ENDPOINT_READY, "");
    endpoint_set_sending(&webrtc->base, true);
}

static void on_dtls_send(const void *bytes, size_t n, void *arg)
{
    struct webrtc *webrtc = arg;
    struct pkt *pkt = n <= PKT_DATA_MAX ? pkt_get(webrtc->base.house->pool) : NULL;

    if (!pkt)
        return; /* as good as lost on the way: it will be repeated */
    memcpy(pkt->data, bytes, n);
    pkt->len = (uint16_t)n;
    webrtc->ice->kind->send(webrtc->ice, pkt);
}

static void on_dtls_done(void *arg)
{
    struct webrtc *webrtc = arg;

    if (!webrtc->has_remote)
        endpoint_tell(&webrtc->base, "DTLS handshake done, waiting for the peer's description");
    conclude(webrtc);
}

static void on_dtls_failed(const char *why, void *arg)
{
    fail(arg, why);
}

static void on_dtls_closed(void *arg)
{
    struct webrtc *webrtc = arg;

    endpoint_tell(&webrtc->base, "the peer closed the DTLS association");
}

static const struct dtls_user dtls_user = {on_dtls_send, on_dtls_done, on_dtls_failed, on_dtls_closed};

static void start_dtls(struct webrtc *webrtc)
{
    if (webrtc->dtls || webrtc->base.srtp)
        return;
    if (dtls_new(&webrtc->dtls, webrtc->base.house->identity, webrtc->is_dtls_client, &dtls_user, webrtc))
        fail(webrtc, "no memory for a DTLS association");
}

/* We are the client as soon as we know whom to greet. */
static void start_as_client(struct webrtc *webrtc)
{
    if (webrtc->is_dtls_client && webrtc->has_remote && webrtc->is_proved)
        start_dtls(webrtc);
}

static void on_dtls_packet(struct webrtc *webrtc, const struct pkt *pkt)
{
    if (!webrtc->dtls && !webrtc->is_dtls_client)
        start_dtls(webrtc);
    if (webrtc->dtls)
        dtls_receive(webrtc->dtls, pkt->data, pkt->len);
}

/* ---- packets ---- */

static void on_rtcp_packet(struct webrtc *webrtc, struct pkt *pkt)
{
    if (!webrtc->base.srtp)
        stats_count(STAT_SRTP_FAILED);
    else if (!srtp_ctx_unprotect_rtcp(webrtc->base.srtp, pkt))
        endpoint_take_rtcp(&webrtc->base, pkt);
}

static bool open_rtp(struct webrtc *webrtc, struct pkt *pkt)
{
    if (!webrtc->base.srtp) {
        stats_count(STAT_SRTP_FAILED);
        return false;
    }
    if (srtp_ctx_unprotect(webrtc->base.srtp, pkt))
        return false;
    if (!webrtc->is_heard && webrtc->dtls)
        dtls_settle(webrtc->dtls, true);
    webrtc->is_heard = true;
    return true;
}

static void on_ice_batch(struct pkt **pkts, unsigned n, void *arg)
{
    struct webrtc *webrtc = arg;
    struct pkt *rtp[PATH_BATCH_MAX];
    unsigned rtp_count = 0;

    for (unsigned i = 0; i < n && webrtc->base.state != ENDPOINT_FAILED; i++) {
        switch (demux_kind_of(pkts[i]->data, pkts[i]->len)) {
        case DEMUX_DTLS:
            on_dtls_packet(webrtc, pkts[i]);
            break;
        case DEMUX_RTCP:
            on_rtcp_packet(webrtc, pkts[i]);
            break;
        default:
            if (rtp_count < PATH_BATCH_MAX && open_rtp(webrtc, pkts[i])) {
                rtp[rtp_count++] = pkts[i];
                pkts[i] = NULL;
            }
        }
    }
    endpoint_take_rtp(&webrtc->base, rtp, rtp_count);
}

static void webrtc_send(struct endpoint *endpoint, struct pkt *pkt)
{
    struct ice *ice = webrtc_of(endpoint)->ice;

    ice->kind->send(ice, pkt);
}

/* ---- ICE ---- */

static void on_ice_selected(const struct addr *peer, bool is_nominated, void *arg)
{
    struct webrtc *webrtc = arg;

    webrtc->base.peer = *peer;
    webrtc->is_proved = true;
    if (is_nominated && webrtc->base.state == ENDPOINT_NEW)
        endpoint_set_state(&webrtc->base, ENDPOINT_CHECKED, "");
    start_as_client(webrtc);
}

static void on_ice_event(const char *text, void *arg)
{
    struct webrtc *webrtc = arg;

    endpoint_tell(&webrtc->base, "%s", text);
}

static void on_ice_failed(const char *why, void *arg)
{
    fail(arg, why);
}

static const struct ice_user ice_user = {on_ice_batch, on_ice_selected, on_ice_event, on_ice_failed};

static void webrtc_bridged(struct endpoint *endpoint)
{
    struct webrtc *webrtc = webrtc_of(endpoint);

    webrtc->is_bridged = true;
    if (webrtc->has_remote && endpoint->state == ENDPOINT_NEW)
        webrtc->ice->kind->await(webrtc->ice);
}

static void webrtc_answered(struct endpoint *endpoint)
{
    struct webrtc *webrtc = webrtc_of(endpoint);

    webrtc->ice->kind->answered(webrtc->ice);
}

/* ---- birth and end ---- */

static void webrtc_stop(struct endpoint *endpoint)
{
    struct webrtc *webrtc = webrtc_of(endpoint);

    if (webrtc->dtls)
        dtls_close(webrtc->dtls);
    if (webrtc->ice)
        webrtc->ice->kind->stop(webrtc->ice);
    webrtc->dtls = mem_unref(webrtc->dtls);
    stats_add(STAT_PEERS, -1);
}

static void webrtc_warm_in(struct endpoint *endpoint, struct warm *warm)
{
    struct webrtc *webrtc = webrtc_of(endpoint);

    warm_add(warm, &webrtc->ice, offsetof(struct webrtc, digest) - offsetof(struct webrtc, ice));
    warm_add(warm, webrtc->ice, sizeof(*webrtc->ice));
}

static void webrtc_warm_out(struct endpoint *endpoint, struct warm *warm)
{
    struct webrtc *webrtc = webrtc_of(endpoint);

    warm_add(warm, &webrtc->ice, sizeof(webrtc->ice));
    webrtc->ice->kind->warm_out(webrtc->ice, warm);
}

static const struct endpoint_kind webrtc_kind = {
    .warm_in = webrtc_warm_in,
    .warm_out = webrtc_warm_out,
    .send_rtp = webrtc_send,
    .send_rtcp = webrtc_send,
    .stop = webrtc_stop,
    .on_bridged = webrtc_bridged,
    .on_answered = webrtc_answered,
    .stream_max = ENDPOINT_STREAM_MAX,
};

static void webrtc_destroy(void *self)
{
    struct webrtc *webrtc = self;

    endpoint_free(&webrtc->base);
    mem_unref(webrtc->ice);
}

int endpoint_new_webrtc(struct endpoint **endpointp, struct media_house *house, const struct webrtc_options *options)
{
    struct webrtc *webrtc = mem_new(sizeof(*webrtc), webrtc_destroy);
    int err;

    if (!webrtc)
        return -ENOMEM;
    stats_add(STAT_PEERS, 1);
    endpoint_init(&webrtc->base, &webrtc_kind, house, options->user, options->arg);
    webrtc->is_dtls_client = options->is_dtls_client;
    err = ice_lite.make(&webrtc->ice, house, &ice_user, &webrtc->base.warm, webrtc);
    if (err) {
        mem_unref(webrtc);
        return err;
    }
    *endpointp = &webrtc->base;
    return 0;
}

/* ---- descriptions ---- */

void endpoint_webrtc_local(const struct endpoint *endpoint, struct webrtc_local *out)
{
    const struct webrtc *webrtc = (const struct webrtc *)endpoint;

    memset(out, 0, sizeof(*out));
    webrtc->ice->kind->local(webrtc->ice, out);
    out->fingerprint = dtls_identity_fingerprint(endpoint->house->identity);
}

/* Another certificate, or another role before the association is there: what was begun is void. RFC 8842 section 4 */
static void begin_anew(struct webrtc *webrtc)
{
    endpoint_set_sending(&webrtc->base, false);
    webrtc->dtls = mem_unref(webrtc->dtls);
    webrtc->base.srtp = mem_unref(webrtc->base.srtp);
    webrtc->is_heard = false;
    if (webrtc->base.state == ENDPOINT_READY)
        endpoint_set_state(&webrtc->base, ENDPOINT_CHECKED, "new DTLS association");
}

int endpoint_webrtc_remote(struct endpoint *endpoint, const struct webrtc_remote *remote)
{
    struct webrtc *webrtc = webrtc_of(endpoint);
    uint8_t digest[DTLS_DIGEST_MAX];
    int n = dtls_parse_fingerprint(digest, remote->fingerprint_hash, remote->fingerprint);
    bool is_same;

    if (n < 0)
        return n;
    if (endpoint->is_stopped || endpoint->state == ENDPOINT_FAILED)
        return 0;
    is_same = webrtc->has_remote && webrtc->digest_bytes == (size_t)n && !memcmp(digest, webrtc->digest, (size_t)n);
    if (!is_same) {
        bool is_void = webrtc->has_remote || remote->is_dtls_client;

        if (is_void)
            begin_anew(webrtc);
        memcpy(webrtc->digest, digest, (size_t)n);
        webrtc->digest_bytes = (size_t)n;
        webrtc->is_dtls_client = remote->is_dtls_client;
        webrtc->has_remote = true;
    }
    n = webrtc->ice->kind->remote(webrtc->ice, remote->ufrag, remote->pwd);
    if (n)
        return n;
    if (webrtc->is_bridged)
        webrtc_bridged(endpoint);
    conclude(webrtc);
    start_as_client(webrtc);
    return 0;
}

int endpoint_webrtc_restart(struct endpoint *endpoint)
{
    struct webrtc *webrtc = webrtc_of(endpoint);

    return endpoint->is_stopped ? -EPROTO : webrtc->ice->kind->restart(webrtc->ice);
}
