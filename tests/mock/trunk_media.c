/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_media.c: plain RTP of the scripted trunk: one socket, calls told apart by the gateway's port. Knows no SIP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trunk_priv.h"

static const char *map_of(long type)
{
    static const struct {
        long type;
        const char *map;
    } maps[] = {
        {0, "PCMU/8000"}, {8, "PCMA/8000"}, {9, "G722/8000"}, {101, "telephone-event/8000"}, {111, "opus/48000/2"}};

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        if (maps[i].type == type)
            return maps[i].map;
    }
    return "X-unknown/8000";
}

void trunk_media_sdp(struct trunk *trunk, char *out, size_t room)
{
    const char *ip = trunk->setup.ip, *at = trunk->setup.types;
    size_t size = (size_t)snprintf(out, room,
                                   "v=0\r\no=carrier %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
                                   "m=audio %u RTP/AVP %s\r\n",
                                   ++trunk->session, ip, ip, trunk_rtp_port(trunk), at);

    for (;;) {
        char *next;
        long type = strtol(at, &next, 10);

        if (next == at)
            break;
        size += (size_t)snprintf(out + size, room - size, "a=rtpmap:%ld %s\r\n", type, map_of(type));
        at = next;
    }
    snprintf(out + size, room - size, "%sa=ptime:20\r\na=sendrecv\r\n",
             strstr(trunk->setup.types, "101") ? "a=fmtp:101 0-15\r\n" : "");
}

/* The packets of one round leave by one sendmmsg. */
static void pace_due(void *ctx)
{
    struct trunk_call *call = ctx;
    struct trunk *trunk = call->trunk;
    uint8_t bytes[PEER_RTP_BYTES];

    peer_udp_send_later(&trunk->rtp, &call->rtp, bytes, peer_rtp_write(&call->sender, bytes));
    if (trunk->setup.meter)
        trunk->setup.meter->sent_count++;
    peer_timer_start(trunk->loop, &call->pace, peer_rtp_next_due(call->pace.due_ns, peer_loop_now_ns(trunk->loop)));
}

int trunk_media_start(struct trunk_call *call, struct peer_span text)
{
    struct trunk *trunk = call->trunk;
    struct peer_sdp sdp;

    if (peer_sdp_read(&sdp, text) || (call->payload_type = peer_sdp_pick(&sdp)) < 0)
        return -EBADMSG;
    if (call->has_media)
        trunk->by_port[ntohs(call->rtp.sin_port)] = NULL;
    call->rtp = sdp.address;
    trunk->by_port[ntohs(call->rtp.sin_port)] = call;
    if (call->has_media)
        return 0;
    call->has_media = true;
    peer_rtp_sender_init(&call->sender, (uint8_t)call->payload_type, 0);
    call->pace = (struct peer_timer){.on_due = pace_due, .ctx = call};
    if (trunk->setup.media == TRUNK_STAMPED)
        peer_timer_start(trunk->loop, &call->pace, peer_loop_now_ns(trunk->loop));
    return 0;
}

void trunk_media_stop(struct trunk_call *call)
{
    struct trunk *trunk = call->trunk;

    peer_timer_stop(trunk->loop, &call->pace);
    if (call->has_media && trunk->by_port[ntohs(call->rtp.sin_port)] == call)
        trunk->by_port[ntohs(call->rtp.sin_port)] = NULL;
    call->has_media = false;
}

void trunk_media_receive(void *ctx, struct peer_packet *packet)
{
    struct trunk *trunk = ctx;
    const struct trunk_events *events = trunk->setup.events;
    struct trunk_call *call = trunk->by_port[ntohs(packet->from.sin_port)];
    struct peer_meter scrap = {0};
    struct peer_meter *meter = trunk->setup.meter ? trunk->setup.meter : &scrap;

    if (!call || peer_is_rtcp(packet->bytes, packet->size))
        return;
    if (peer_rtp_read(&call->receiver, meter, packet->bytes, packet->size, packet->time_ns))
        return;
    if (!call->has_first_packet && events->on_first_packet)
        events->on_first_packet(trunk->setup.ctx, call);
    call->has_first_packet = true;
    if (trunk->setup.media == TRUNK_ECHO)
        peer_udp_send_later(&trunk->rtp, &call->rtp, packet->bytes, packet->size);
    if (events->on_rtp)
        events->on_rtp(trunk->setup.ctx, call, packet->bytes, packet->size);
}

void trunk_send_rtp(struct trunk_call *call, const uint8_t *bytes, size_t size)
{
    if (call->has_media)
        peer_udp_send(&call->trunk->rtp, &call->rtp, bytes, size);
}

uint32_t trunk_stream_owner(const struct trunk_call *call)
{
    return call->receiver.owner;
}
