/* SPDX-License-Identifier: Apache-2.0 */
/* media_peer.c: a browser or a phone as far as media go, for tests: ICE checks by libnice's STUN library, DTLS and SRTP
 * by the rooms under test (each of which has tests of its own). */
#include <stdlib.h>
#include <string.h>
#include <stun/usages/ice.h>

#include "media/demux.h"
#include "media_rig.h"

static uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_USERNAME,
    STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_ERROR_CODE,
    STUN_ATTRIBUTE_PRIORITY,
    STUN_ATTRIBUTE_USE_CANDIDATE,
    STUN_ATTRIBUTE_ICE_CONTROLLING,
    STUN_ATTRIBUTE_ICE_CONTROLLED,
    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
    STUN_ATTRIBUTE_FINGERPRINT,
    0,
};

/* ---- in ---- */

static void on_stun(struct peer *peer, const struct pkt *pkt)
{
    peer->stun_count++;
    peer->stun_error = pkt->data[0] == 0x01 && pkt->data[1] == 0x11; /* an error response of any code */
}

static void on_rtp(struct peer *peer, struct pkt *pkt)
{
    if ((peer->srtp && srtp_ctx_unprotect(peer->srtp, pkt)) || rtp_parse(&peer->rtp, pkt->data, pkt->len)) {
        peer->unreadable_count++;
        return;
    }
    memcpy(peer->payload, pkt->data + peer->rtp.header_bytes, peer->rtp.payload_bytes);
    if (peer->rtp_count < 64) {
        peer->log[peer->rtp_count].seq = peer->rtp.seq;
        peer->log[peer->rtp_count].timestamp = peer->rtp.timestamp;
        peer->log[peer->rtp_count].pt = peer->rtp.pt;
        peer->log[peer->rtp_count].marker = peer->rtp.marker;
    }
    peer->rtp_count++;
}

static void look_at_rtcp(struct peer *peer)
{
    struct span rest = span_make(peer->rtcp, peer->rtcp_bytes);
    struct rtcp_packet packet;

    while (rtcp_next(&rest, &packet)) {
        const uint8_t *body = (const uint8_t *)packet.body.p;

        peer->saw_bye |= packet.type == RTCP_BYE;
        if (packet.type != RTCP_PSFB)
            continue;
        peer->pli_count += packet.count == RTCP_PLI;
        peer->fir_count += packet.count == RTCP_FIR;
        peer->pli_ssrc = rtp_get_u32(body + (packet.count == RTCP_PLI ? 4 : 8));
    }
}

static void on_rtcp(struct peer *peer, struct pkt *pkt)
{
    if ((peer->srtp && srtp_ctx_unprotect_rtcp(peer->srtp, pkt)) || rtcp_check(pkt->data, pkt->len)) {
        peer->unreadable_count++;
        return;
    }
    memcpy(peer->rtcp, pkt->data, pkt->len);
    peer->rtcp_bytes = pkt->len;
    peer->rtcp_count++;
    look_at_rtcp(peer);
}

static void on_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct peer *peer = arg;

    for (unsigned i = 0; i < n; i++) {
        switch (demux_kind_of(pkts[i]->data, pkts[i]->len)) {
        case DEMUX_STUN:
            on_stun(peer, pkts[i]);
            break;
        case DEMUX_DTLS:
            if (peer->dtls)
                dtls_receive(peer->dtls, pkts[i]->data, pkts[i]->len);
            break;
        case DEMUX_RTCP:
            on_rtcp(peer, pkts[i]);
            break;
        default:
            on_rtp(peer, pkts[i]);
        }
    }
}

/* ---- DTLS ---- */

static void on_dtls_send(const void *bytes, size_t n, void *arg)
{
    peer_send(arg, bytes, n);
}

static void on_dtls_done(void *arg)
{
    struct peer *peer = arg;
    struct dtls_keys keys;

    assert_int_equal(dtls_export_keys(peer->dtls, &keys), 0);
    assert_int_equal(srtp_ctx_new(&peer->srtp, &(struct srtp_keys){keys.suite, span_make(keys.local, keys.key_bytes),
                                                                   span_make(keys.remote, keys.key_bytes)}),
                     0);
    peer->is_dtls_done = true;
}

static void on_dtls_failed(const char *why, void *arg)
{
}

static void on_dtls_closed(void *arg)
{
    ((struct peer *)arg)->is_dtls_closed = true;
}

static const struct dtls_user dtls_user = {on_dtls_send, on_dtls_done, on_dtls_failed, on_dtls_closed};

void peer_begin_dtls(struct peer *peer, bool is_client)
{
    peer->dtls = mem_unref(peer->dtls);
    peer->srtp = mem_unref(peer->srtp);
    peer->is_dtls_done = false;
    assert_int_equal(dtls_new(&peer->dtls, peer->identity, is_client, &dtls_user, peer), 0);
}

/* ---- out ---- */

void peer_send(struct peer *peer, const void *bytes, size_t n)
{
    assert_int_equal(udp_send(peer->udp, &peer->gateway, bytes, n), 0);
}

void peer_check(struct peer *peer, bool is_nominating)
{
    static StunAgent agent;
    StunMessage message;
    uint8_t bytes[512];
    char username[ICE_UFRAG_MAX + 8];
    size_t n;

    stun_agent_init(&agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    snprintf(username, sizeof(username), "%s:peer", peer->ufrag);
    n = stun_usage_ice_conncheck_create(&agent, &message, bytes, sizeof(bytes), (uint8_t *)username, strlen(username),
                                        (uint8_t *)peer->pwd, strlen(peer->pwd), is_nominating, !peer->is_controlled,
                                        1862270975, 42, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    assert_true(n > 0);
    peer_send(peer, bytes, n);
}

static struct pkt *make_rtp(const struct rtp *rtp, size_t n)
{
    struct pkt *pkt = pkt_get(udp_house_pool(rig.udp));

    assert_non_null(pkt);
    rtp_write(pkt->data, rtp);
    for (size_t i = 0; i < n; i++)
        pkt->data[RTP_HEADER_BYTES + i] = (uint8_t)(rtp->seq + i);
    pkt->len = (uint16_t)(RTP_HEADER_BYTES + n);
    return pkt;
}

void peer_send_rtp(struct peer *peer, const struct rtp *rtp, size_t n)
{
    struct pkt *pkt = make_rtp(rtp, n);

    if (peer->srtp)
        assert_int_equal(srtp_ctx_protect(peer->srtp, pkt), 0);
    memcpy(peer->last_sent, pkt->data, pkt->len);
    peer->last_sent_bytes = pkt->len;
    pkt->addr = peer->gateway;
    udp_queue(peer->udp, pkt);
}

void peer_send_rtcp(struct peer *peer, const void *bytes, size_t n)
{
    struct pkt *pkt = pkt_get(udp_house_pool(rig.udp));

    memcpy(pkt->data, bytes, n);
    pkt->len = (uint16_t)n;
    if (peer->srtp)
        assert_int_equal(srtp_ctx_protect_rtcp(peer->srtp, pkt), 0);
    pkt->addr = peer->gateway;
    udp_queue(peer->udp, pkt);
}

/* ---- birth, description, end ---- */

void peer_start(struct peer *peer)
{
    struct udp_options options = {.on_batch = on_batch, .arg = peer};

    memset(peer, 0, sizeof(*peer));
    addr_parse(&options.local, SPAN("127.0.0.1"), 0);
    assert_int_equal(udp_new(&peer->udp, rig.udp, &options), 0);
    assert_int_equal(dtls_identity_new(&peer->identity), 0);
}

void peer_stop(struct peer *peer)
{
    peer->dtls = mem_unref(peer->dtls);
    peer->srtp = mem_unref(peer->srtp);
    peer->udp = mem_unref(peer->udp);
    peer->identity = mem_unref(peer->identity);
}

void peer_read_local(struct peer *peer, const struct endpoint *endpoint)
{
    struct webrtc_local local;

    endpoint_webrtc_local(endpoint, &local);
    assert_true(local.candidate_count > 0);
    peer->gateway = local.candidates[0];
    memcpy(peer->ufrag, local.ufrag, sizeof(peer->ufrag));
    memcpy(peer->pwd, local.pwd, sizeof(peer->pwd));
}

struct webrtc_remote peer_description(const struct peer *peer, bool is_gateway_client)
{
    return (struct webrtc_remote){.ufrag = SPAN("peer"),
                                  .pwd = SPAN("peerpasswordpeerpassword"),
                                  .fingerprint_hash = SPAN("sha-256"),
                                  .fingerprint = span_of(dtls_identity_fingerprint(peer->identity)),
                                  .is_dtls_client = is_gateway_client};
}

void peer_connect(struct peer *peer, struct endpoint *endpoint, bool is_gateway_client)
{
    struct webrtc_remote remote = peer_description(peer, is_gateway_client);

    peer_read_local(peer, endpoint);
    assert_int_equal(endpoint_webrtc_remote(endpoint, &remote), 0);
    if (is_gateway_client)
        peer_begin_dtls(peer, false);
    peer_check(peer, true);
    rig_until(peer->stun_count > 0);
    if (!is_gateway_client)
        peer_begin_dtls(peer, true);
    rig_until(endpoint_state(endpoint) == ENDPOINT_READY && peer->is_dtls_done);
}
