/* SPDX-License-Identifier: Apache-2.0 */
/* browser_media.c: joins ICE, DTLS and SRTP on one port and paces the stream. Knows no SIP. */
#include "browser_media.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { RTP_ROOM = 2048 };

static void send_stamped(struct browser_media *media)
{
    uint8_t bytes[PEER_RTP_BYTES + SRTP_MAX_TRAILER_LEN + 4];
    size_t size = peer_rtp_write(&media->sender, bytes);
    int sealed = browser_srtp_protect(&media->srtp, bytes, size);

    if (sealed < 0)
        return;
    peer_udp_send(&media->udp, &media->ice.remote, bytes, (size_t)sealed);
    if (media->meter)
        media->meter->sent_count++;
}

static void pace_due(void *ctx)
{
    struct browser_media *media = ctx;

    if (!media->is_silent && !media->is_unreachable)
        send_stamped(media);
    peer_timer_start(media->udp.loop, &media->pace,
                     peer_rtp_next_due(media->pace.due_ns, peer_loop_now_ns(media->udp.loop)));
}

static void dtls_done(void *ctx, int err, const struct browser_srtp_keys *keys)
{
    struct browser_media *media = ctx;

    if (!err)
        err = browser_srtp_start(&media->srtp, keys);
    if (err) {
        media->on_failed(media->ctx,
                         err == -EACCES ? "DTLS: fingerprint differs from the SDP" : "DTLS: handshake failed");
        return;
    }
    media->is_up = true;
    media->times->dtls_ns = peer_loop_now_ns(media->udp.loop);
    media->pace = (struct peer_timer){.on_due = pace_due, .ctx = media};
    peer_timer_start(media->udp.loop, &media->pace, peer_loop_now_ns(media->udp.loop));
    media->on_up(media->ctx);
}

static int start_dtls(struct browser_media *media, const struct sockaddr_in *remote, bool is_active)
{
    media->dtls.on_done = dtls_done;
    media->dtls.ctx = media;
    return browser_dtls_start(&media->dtls, media->certificate, &media->udp, remote, is_active);
}

static void ice_selected(void *ctx)
{
    struct browser_media *media = ctx;

    media->times->ice_ns = peer_loop_now_ns(media->udp.loop);
    if (media->dtls.ssl)
        media->dtls.remote = media->ice.remote;
    else
        start_dtls(media, &media->ice.remote, media->is_dtls_active);
}

static void ice_lost(void *ctx)
{
    struct browser_media *media = ctx;

    media->on_failed(media->ctx, media->ice.is_selected ? "ICE: consent expired" : "ICE: no answer to checks");
}

static void take_srtp(struct browser_media *media, struct peer_packet *packet)
{
    bool is_rtcp = peer_is_rtcp(packet->bytes, packet->size);
    bool is_first = !media->has_first_packet;
    int size;

    if (!media->is_up)
        return;
    size = browser_srtp_unprotect(&media->srtp, packet->bytes, packet->size, is_rtcp);
    if (size < 0 || is_rtcp)
        return;
    media->has_first_packet = true;
    if (is_first)
        media->times->first_packet_ns = peer_loop_now_ns(media->udp.loop);
    if (media->meter)
        peer_rtp_read(&media->receiver, media->meter, packet->bytes, (size_t)size, packet->time_ns);
    media->on_rtp(media->ctx, packet->bytes, (size_t)size, is_first);
}

static void take_dtls(struct browser_media *media, const struct peer_packet *packet)
{
    if (!media->ice.check_count) {
        if (packet->size > sizeof(media->early))
            return;
        memcpy(media->early, packet->bytes, packet->size);
        media->early_size = packet->size;
        media->early_from = packet->from;
        return;
    }
    /* the peer may have seen our check succeed before we have its answer */
    if (!media->dtls.ssl && !media->is_dtls_active)
        start_dtls(media, &packet->from, false);
    browser_dtls_receive(&media->dtls, packet->bytes, packet->size);
}

/* RFC 7983 section 7 */
static void packet_in(void *ctx, struct peer_packet *packet)
{
    struct browser_media *media = ctx;

    if (!packet->size || media->is_unreachable)
        return;
    if (stun_is_message(packet->bytes, packet->size))
        browser_ice_receive(&media->ice, packet);
    else if (packet->bytes[0] >= 20 && packet->bytes[0] <= 63)
        take_dtls(media, packet);
    else if (packet->bytes[0] >= 128 && packet->bytes[0] <= 191)
        take_srtp(media, packet);
}

int browser_media_open(struct browser_media *media, struct peer_loop *loop, const char *ip)
{
    int err;

    media->udp.on_packet = packet_in;
    media->udp.ctx = media;
    media->ice = (struct browser_ice){.on_selected = ice_selected, .on_lost = ice_lost, .ctx = media};
    media->dtls = (struct browser_dtls){0};
    media->receiver = (struct peer_rtp_receiver){0};
    media->is_up = media->has_first_packet = media->is_unreachable = false;
    media->payload_type = -1;
    media->early_size = 0;
    err = peer_udp_open(&media->udp, loop, ip, 0);
    if (err)
        return err;
    browser_ice_init(&media->ice, &media->udp);
    media->is_open = true;
    return 0;
}

int browser_media_start(struct browser_media *media, const struct peer_sdp *remote, bool is_offerer)
{
    media->payload_type = peer_sdp_pick(remote);
    if (!remote->candidate.sin_port || !remote->ufrag[0] || !remote->password[0] || media->payload_type < 0)
        return -EPROTO;
    peer_rtp_sender_init(&media->sender, (uint8_t)media->payload_type, media->stream_owner);
    snprintf(media->ice.remote_ufrag, sizeof(media->ice.remote_ufrag), "%s", remote->ufrag);
    snprintf(media->ice.remote_password, sizeof(media->ice.remote_password), "%s", remote->password);
    snprintf(media->dtls.remote_fingerprint, sizeof(media->dtls.remote_fingerprint), "%s", remote->fingerprint);
    media->is_dtls_active = !remote->is_active;
    browser_ice_start(&media->ice, &remote->candidate, is_offerer || remote->is_lite);
    if (media->early_size && !media->is_dtls_active && !start_dtls(media, &media->early_from, false))
        browser_dtls_receive(&media->dtls, media->early, media->early_size);
    return 0;
}

void browser_media_close(struct browser_media *media)
{
    if (!media->is_open)
        return;
    peer_timer_stop(media->udp.loop, &media->pace);
    browser_ice_stop(&media->ice);
    browser_dtls_stop(&media->dtls);
    browser_srtp_stop(&media->srtp);
    peer_udp_close(&media->udp);
    media->is_open = media->is_up = false;
}

int browser_media_send(struct browser_media *media, const uint8_t *bytes, size_t size)
{
    uint8_t copy[RTP_ROOM];
    int sealed;

    if (!media->is_up || size > sizeof(copy) - SRTP_MAX_TRAILER_LEN)
        return -ENOTCONN;
    memcpy(copy, bytes, size);
    sealed = browser_srtp_protect(&media->srtp, copy, size);
    if (sealed < 0)
        return sealed;
    peer_udp_send(&media->udp, &media->ice.remote, copy, (size_t)sealed);
    return 0;
}
