/* SPDX-License-Identifier: Apache-2.0 */
/* trunk.c: birth and end of a scripted trunk and its calls, found by Call-ID. */
#include "trunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trunk_priv.h"

static void drop_packet(void *ctx, struct peer_packet *packet)
{
    (void)ctx;
    (void)packet;
}

/* RTP and the port above it for RTCP, so that a gateway's reports meet a socket. */
static int open_media(struct trunk *trunk)
{
    int err = -EADDRINUSE;

    trunk->rtp.on_packet = trunk_media_receive;
    trunk->rtcp.on_packet = drop_packet;
    trunk->rtp.ctx = trunk->rtcp.ctx = trunk;
    for (int tries = 0; err && tries < 50; tries++) {
        err = peer_udp_open(&trunk->rtp, trunk->loop, trunk->setup.ip, trunk->setup.rtp_port);
        if (!err && peer_udp_port(&trunk->rtp) % 2 == 0)
            err = peer_udp_open(&trunk->rtcp, trunk->loop, trunk->setup.ip, (uint16_t)(peer_udp_port(&trunk->rtp) + 1));
        else if (!err)
            err = -EADDRINUSE;
        if (err)
            peer_udp_close(&trunk->rtp);
    }
    return err;
}

int trunk_new(struct trunk **trunkp, struct peer_loop *loop, const struct trunk_setup *setup)
{
    static const struct trunk_events no_events;
    struct trunk *trunk = calloc(1, sizeof(*trunk));
    int err;

    if (!trunk)
        return -ENOMEM;
    trunk->loop = loop;
    trunk->setup = *setup;
    if (!trunk->setup.events)
        trunk->setup.events = &no_events;
    if (!trunk->setup.types)
        trunk->setup.types = "0 8 101";
    trunk->sip.on_packet = trunk_sip_receive;
    trunk->sip.ctx = trunk;
    err = peer_udp_open(&trunk->sip, loop, setup->ip, setup->sip_port);
    if (!err)
        err = open_media(trunk);
    if (err) {
        trunk_free(trunk);
        return err;
    }
    *trunkp = trunk;
    return 0;
}

static unsigned bucket_of(struct peer_span id)
{
    unsigned hash = 2166136261u;

    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ (unsigned char)id.at[i]) * 16777619u;
    return hash % TRUNK_BUCKETS;
}

struct trunk_call *trunk_call_find(struct trunk *trunk, struct peer_span id)
{
    struct trunk_call *call = trunk->buckets[bucket_of(id)];

    while (call && (strlen(call->id) != id.size || memcmp(call->id, id.at, id.size) != 0))
        call = call->next;
    return call;
}

struct trunk_call *trunk_call_new(struct trunk *trunk, struct peer_span id)
{
    struct trunk_call *call = calloc(1, sizeof(*call));
    struct trunk_call **bucket = &trunk->buckets[bucket_of(id)];

    if (!call)
        return NULL;
    call->trunk = trunk;
    call->payload_type = -1;
    peer_span_copy(call->id, sizeof(call->id), id);
    peer_random_hex(call->tag, sizeof(call->tag));
    call->next = *bucket;
    *bucket = call;
    trunk->call_count++;
    return call;
}

static void call_free(struct trunk_call *call)
{
    struct trunk *trunk = call->trunk;
    struct trunk_call **at = &trunk->buckets[bucket_of((struct peer_span){call->id, strlen(call->id)})];

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    trunk->call_count--;
    trunk_media_stop(call);
    peer_timer_stop(trunk->loop, &call->answer);
    peer_timer_stop(trunk->loop, &call->again);
    free(call->invite);
    free(call->kept);
    free(call);
}

void trunk_call_end(struct trunk_call *call, int status)
{
    const struct trunk_setup *setup = &call->trunk->setup;

    if (setup->events->on_ended)
        setup->events->on_ended(setup->ctx, call, status);
    call_free(call);
}

void trunk_free(struct trunk *trunk)
{
    if (!trunk)
        return;
    for (unsigned i = 0; i < TRUNK_BUCKETS; i++) {
        while (trunk->buckets[i])
            call_free(trunk->buckets[i]);
    }
    peer_udp_close(&trunk->sip);
    peer_udp_close(&trunk->rtp);
    peer_udp_close(&trunk->rtcp);
    free(trunk);
}

uint16_t trunk_sip_port(const struct trunk *trunk)
{
    return peer_udp_port(&trunk->sip);
}

uint16_t trunk_rtp_port(const struct trunk *trunk)
{
    return peer_udp_port(&trunk->rtp);
}

unsigned trunk_call_count(const struct trunk *trunk)
{
    return trunk->call_count;
}

void trunk_send_text(struct trunk *trunk, const struct sockaddr_in *to, const struct peer_text *text)
{
    if (trunk->setup.events->on_message)
        trunk->setup.events->on_message(trunk->setup.ctx, trunk, true, text->bytes, text->size);
    peer_udp_send(&trunk->sip, to, text->bytes, text->size);
}

void trunk_call_set_ctx(struct trunk_call *call, void *ctx)
{
    call->ctx = ctx;
}

void *trunk_call_ctx(const struct trunk_call *call)
{
    return call->ctx;
}

struct trunk *trunk_of(const struct trunk_call *call)
{
    return call->trunk;
}

const char *trunk_call_id(const struct trunk_call *call)
{
    return call->id;
}
