/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_sip.c: the SIP of the scripted trunk over UDP, as caller and as callee, with just the retransmissions that a
 * lost datagram asks for. RFC 3261 sections 12 to 17. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trunk_priv.h"

enum { T1_MS = 500, GIVE_UP_MS = 32000, SDP_ROOM = 2048 };

/* --- what is sent --- */

static void again_due(void *ctx)
{
    struct trunk_call *call = ctx;
    struct trunk *trunk = call->trunk;

    if (call->again_ms > GIVE_UP_MS / 2) {
        trunk_call_end(call, 408);
        return;
    }
    peer_udp_send(&trunk->sip, &call->peer, call->kept, call->kept_size);
    call->again_ms *= 2;
    peer_timer_start_ms(trunk->loop, &call->again, call->again_ms);
}

static void stop_repeating(struct trunk_call *call)
{
    peer_timer_stop(call->trunk->loop, &call->again);
}

/* Send, and repeat until stop_repeating(). */
static void send_kept(struct trunk_call *call, const struct peer_text *text)
{
    free(call->kept);
    call->kept = malloc(text->size);
    if (!call->kept)
        abort();
    memcpy(call->kept, text->bytes, text->size);
    call->kept_size = text->size;
    call->again_ms = T1_MS;
    call->again.on_due = again_due;
    call->again.ctx = call;
    peer_timer_start_ms(call->trunk->loop, &call->again, call->again_ms);
    trunk_send_text(call->trunk, &call->peer, text);
}

static void write_start(struct trunk_call *call, struct peer_text *text, const char *method, const char *uri,
                        const char *branch)
{
    char fresh[17];

    peer_random_hex(fresh, sizeof(fresh));
    text->size = 0;
    text->is_cut = false;
    peer_text_add(text, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n",
                  method, uri, call->trunk->setup.ip, trunk_sip_port(call->trunk), branch ? branch : fresh);
}

static void write_in_dialog(struct trunk_call *call, struct peer_text *text, const char *method, unsigned cseq)
{
    write_start(call, text, method, call->target, NULL);
    peer_text_add(text, "%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", call->routes, call->local,
                  call->remote, call->id, cseq, method);
}

static void write_for_invite(struct trunk_call *call, struct peer_text *text, const char *method, struct peer_span to)
{
    write_start(call, text, method, call->request_uri, call->branch);
    peer_text_add(text, "From: %s\r\nTo: %.*s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", call->local, (int)to.size, to.at,
                  call->id, call->invite_cseq, method);
    peer_text_end(text, NULL, NULL);
}

static void write_reply(struct trunk *trunk, struct peer_text *text, const struct peer_sip *request, int status,
                        const char *reason, const char *tag, const char *sdp)
{
    struct peer_span to = peer_sip_header(request, "To", 0);
    bool wants_tag = tag && status > 100 && !peer_sip_param(to, "tag").size;

    text->size = 0;
    text->is_cut = false;
    peer_text_add(text, "SIP/2.0 %d %s\r\n", status, reason);
    peer_text_copy_header(text, request, "Via");
    peer_text_copy_header(text, request, "Record-Route");
    peer_text_copy_header(text, request, "From");
    peer_text_add(text, "To: %.*s%s%s\r\n", (int)to.size, to.at, wants_tag ? ";tag=" : "", wants_tag ? tag : "");
    peer_text_copy_header(text, request, "Call-ID");
    peer_text_copy_header(text, request, "CSeq");
    if (status > 100 && status < 300)
        peer_text_add(text, "Contact: <sip:carrier@%s:%u>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n",
                      trunk->setup.ip, trunk_sip_port(trunk));
    peer_text_end(text, "application/sdp", sdp);
}

static void reply(struct trunk *trunk, const struct sockaddr_in *to, const struct peer_sip *request, int status,
                  const char *reason, const char *tag)
{
    struct peer_text text;

    write_reply(trunk, &text, request, status, reason, tag, NULL);
    trunk_send_text(trunk, to, &text);
}

/* An answer to the INVITE that waits. */
static void write_invite_reply(struct trunk_call *call, struct peer_text *text, int status, const char *reason,
                               bool has_sdp)
{
    char sdp[SDP_ROOM];
    struct peer_sip invite;

    peer_sip_parse(&invite, call->invite, call->invite_size);
    if (has_sdp)
        trunk_media_sdp(call->trunk, sdp, sizeof(sdp));
    write_reply(call->trunk, text, &invite, status, reason, call->tag, has_sdp ? sdp : NULL);
}

/* --- routes and targets --- */

static void keep_routes(struct trunk_call *call, const struct peer_sip *msg, bool is_reversed)
{
    unsigned count = 0;
    size_t size = 0;

    while (peer_sip_header(msg, "Record-Route", count).size)
        count++;
    for (unsigned i = 0; i < count && size < sizeof(call->routes) - 256; i++) {
        struct peer_span value = peer_sip_header(msg, "Record-Route", is_reversed ? count - 1 - i : i);

        size += (size_t)snprintf(call->routes + size, sizeof(call->routes) - size, "Route: %.*s\r\n",
                                 (int)(value.size < 240 ? value.size : 240), value.at);
    }
}

static void keep_target(struct trunk_call *call, const struct peer_sip *msg)
{
    struct peer_span contact = peer_sip_header(msg, "Contact", 0);

    if (contact.size)
        peer_span_copy(call->target, sizeof(call->target), peer_sip_uri(contact));
}

/* --- callee --- */

void trunk_ring(struct trunk_call *call)
{
    struct peer_text text;

    write_invite_reply(call, &text, 180, "Ringing", false);
    trunk_send_text(call->trunk, &call->peer, &text);
}

void trunk_progress(struct trunk_call *call)
{
    struct peer_text text;
    struct peer_sip invite;

    write_invite_reply(call, &text, 183, "Session Progress", true);
    trunk_send_text(call->trunk, &call->peer, &text);
    peer_sip_parse(&invite, call->invite, call->invite_size);
    trunk_media_start(call, invite.body);
}

void trunk_answer(struct trunk_call *call)
{
    struct peer_text text;
    struct peer_sip invite;

    if (call->state != TRUNK_RINGING)
        return;
    peer_sip_parse(&invite, call->invite, call->invite_size);
    if (invite.body.size && trunk_media_start(call, invite.body)) {
        trunk_reject(call, 488, "Not Acceptable Here");
        return;
    }
    call->state = TRUNK_ACCEPTED;
    write_invite_reply(call, &text, 200, "OK", true);
    send_kept(call, &text);
}

void trunk_reject(struct trunk_call *call, int status, const char *reason)
{
    struct peer_text text;

    write_invite_reply(call, &text, status, reason, false);
    trunk_send_text(call->trunk, &call->peer, &text);
    trunk_call_end(call, status);
}

static void answer_due(void *ctx)
{
    trunk_answer(ctx);
}

static void act_unscripted(struct trunk_call *call)
{
    unsigned after_ms = call->trunk->setup.answers_after_ms;

    trunk_ring(call);
    call->answer = (struct peer_timer){.on_due = answer_due, .ctx = call};
    if (after_ms)
        peer_timer_start_ms(call->trunk->loop, &call->answer, after_ms);
    else
        trunk_answer(call);
}

static void take_invite(struct trunk *trunk, const struct peer_packet *packet, const struct peer_sip *msg)
{
    struct trunk_call *call = trunk_call_new(trunk, peer_sip_header(msg, "Call-ID", 0));
    struct peer_span to = peer_sip_header(msg, "To", 0);

    if (!call || !(call->invite = malloc(packet->size)))
        abort();
    memcpy(call->invite, packet->bytes, packet->size);
    call->invite_size = packet->size;
    call->state = TRUNK_RINGING;
    call->peer = packet->from;
    peer_span_copy(call->remote, sizeof(call->remote), peer_sip_header(msg, "From", 0));
    snprintf(call->local, sizeof(call->local), "%.*s;tag=%s", (int)(to.size < 400 ? to.size : 400), to.at, call->tag);
    keep_routes(call, msg, false);
    keep_target(call, msg);
    reply(trunk, &packet->from, msg, 100, "Trying", NULL);
    if (trunk->setup.events->on_incoming)
        trunk->setup.events->on_incoming(trunk->setup.ctx, call, msg);
    if (!trunk->setup.is_scripted)
        act_unscripted(call);
}

/* --- caller --- */

static void write_uri(char *out, size_t room, const char *user, const char *ip, unsigned port)
{
    if (!strncmp(user, "sip:", 4))
        snprintf(out, room, "%s", user);
    else
        snprintf(out, room, "sip:%s@%s:%u", user, ip, port);
}

int trunk_dial(struct trunk *trunk, struct trunk_call **callp, const char *from, const char *to, void *ctx)
{
    const struct trunk_setup *setup = &trunk->setup;
    char id[33], sdp[SDP_ROOM], uri[TRUNK_TEXT_BYTES - 64];
    struct peer_text text;
    struct trunk_call *call;

    peer_random_hex(id, sizeof(id));
    call = trunk_call_new(trunk, (struct peer_span){id, strlen(id)});
    if (!call || peer_address(&call->peer, setup->gateway_ip, setup->gateway_port))
        return -ENOMEM;
    call->is_caller = true;
    call->ctx = ctx;
    call->state = TRUNK_DIALLING;
    call->cseq = call->invite_cseq = 1;
    peer_random_hex(call->branch, 17);
    write_uri(call->request_uri, sizeof(call->request_uri), to, setup->gateway_ip, setup->gateway_port);
    write_uri(uri, sizeof(uri), from, setup->ip, trunk_sip_port(trunk));
    snprintf(call->local, sizeof(call->local), "<%s>;tag=%s", uri, call->tag);
    snprintf(call->remote, sizeof(call->remote), "<%.500s>", call->request_uri);
    write_start(call, &text, "INVITE", call->request_uri, call->branch);
    peer_text_add(&text,
                  "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:carrier@%s:%u>\r\n"
                  "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n",
                  call->local, call->remote, call->id, setup->ip, trunk_sip_port(trunk));
    trunk_media_sdp(trunk, sdp, sizeof(sdp));
    peer_text_end(&text, "application/sdp", sdp);
    *callp = call;
    send_kept(call, &text);
    return 0;
}

static void send_ack(struct trunk_call *call)
{
    struct peer_text text;

    write_in_dialog(call, &text, "ACK", call->invite_cseq);
    peer_text_end(&text, NULL, NULL);
    trunk_send_text(call->trunk, &call->peer, &text);
}

static void take_answer(struct trunk_call *call, const struct peer_sip *msg)
{
    const struct trunk_setup *setup = &call->trunk->setup;
    bool is_late = call->state == TRUNK_CANCELLING;

    if (call->state != TRUNK_DIALLING && !is_late) {
        send_ack(call);
        return;
    }
    stop_repeating(call);
    peer_span_copy(call->remote, sizeof(call->remote), peer_sip_header(msg, "To", 0));
    keep_routes(call, msg, true);
    keep_target(call, msg);
    call->state = TRUNK_TALKING;
    send_ack(call);
    if (is_late || trunk_media_start(call, msg->body))
        trunk_hang_up(call);
    else if (setup->events->on_answered)
        setup->events->on_answered(setup->ctx, call);
}

static void take_refusal(struct trunk_call *call, const struct peer_sip *msg)
{
    struct peer_text text;

    write_for_invite(call, &text, "ACK", peer_sip_header(msg, "To", 0));
    trunk_send_text(call->trunk, &call->peer, &text);
    if (call->state == TRUNK_DIALLING || call->state == TRUNK_CANCELLING)
        trunk_call_end(call, msg->status);
}

static void take_response(struct trunk_call *call, const struct peer_sip *msg)
{
    const struct trunk_setup *setup = &call->trunk->setup;

    if (peer_span_is(msg->method, "INVITE") && call->is_caller && msg->cseq == call->invite_cseq) {
        if (msg->status >= 300)
            take_refusal(call, msg);
        else if (msg->status >= 200)
            take_answer(call, msg);
        else if (call->state == TRUNK_DIALLING) {
            stop_repeating(call);
            if (msg->status > 100 && setup->events->on_progress)
                setup->events->on_progress(setup->ctx, call, msg->status);
        }
    } else if (peer_span_is(msg->method, "BYE") && msg->status >= 200 && call->state == TRUNK_ENDING) {
        trunk_call_end(call, 200);
    }
}

/* --- both --- */

void trunk_hang_up(struct trunk_call *call)
{
    struct peer_text text;

    if (call->state == TRUNK_RINGING) {
        trunk_reject(call, 603, "Decline");
    } else if (call->state == TRUNK_DIALLING) {
        call->state = TRUNK_CANCELLING;
        write_for_invite(call, &text, "CANCEL", (struct peer_span){call->remote, strlen(call->remote)});
        send_kept(call, &text);
    } else if (call->state == TRUNK_ACCEPTED || call->state == TRUNK_TALKING) {
        call->state = TRUNK_ENDING;
        write_in_dialog(call, &text, "BYE", ++call->cseq);
        peer_text_end(&text, NULL, NULL);
        send_kept(call, &text);
    }
}

void trunk_request(struct trunk_call *call, const char *method, const char *content_type, const char *body)
{
    struct peer_text text;

    write_in_dialog(call, &text, method, ++call->cseq);
    if (!strcmp(method, "INVITE")) {
        call->invite_cseq = call->cseq;
        call->is_caller = true;
        peer_text_add(&text, "Contact: <sip:carrier@%s:%u>\r\n", call->trunk->setup.ip, trunk_sip_port(call->trunk));
    }
    peer_text_end(&text, content_type, body);
    trunk_send_text(call->trunk, &call->peer, &text);
}

static void take_ack(struct trunk_call *call)
{
    const struct trunk_setup *setup = &call->trunk->setup;

    if (call->state != TRUNK_ACCEPTED)
        return;
    stop_repeating(call);
    call->state = TRUNK_TALKING;
    if (setup->events->on_answered)
        setup->events->on_answered(setup->ctx, call);
}

static void take_in_dialog(struct trunk_call *call, const struct peer_packet *packet, const struct peer_sip *msg)
{
    struct trunk *trunk = call->trunk;
    char sdp[SDP_ROOM];
    struct peer_text text;

    if (peer_span_is(msg->method, "INVITE") || peer_span_is(msg->method, "UPDATE")) {
        trunk_media_sdp(trunk, sdp, sizeof(sdp));
        if (msg->body.size)
            trunk_media_start(call, msg->body);
        write_reply(trunk, &text, msg, 200, "OK", call->tag, sdp);
        trunk_send_text(trunk, &packet->from, &text);
    } else {
        reply(trunk, &packet->from, msg, 200, "OK", call->tag);
    }
    if (trunk->setup.events->on_request)
        trunk->setup.events->on_request(trunk->setup.ctx, call, msg);
}

static void take_cancel(struct trunk_call *call, const struct peer_packet *packet, const struct peer_sip *msg)
{
    reply(call->trunk, &packet->from, msg, 200, "OK", call->tag);
    if (call->state == TRUNK_RINGING)
        trunk_reject(call, 487, "Request Terminated");
}

static void take_request(struct trunk *trunk, struct trunk_call *call, const struct peer_packet *packet,
                         const struct peer_sip *msg)
{
    bool is_new = !peer_sip_param(peer_sip_header(msg, "To", 0), "tag").size;

    if (peer_span_is(msg->method, "ACK")) {
        if (call)
            take_ack(call);
    } else if (!call && is_new && peer_span_is(msg->method, "INVITE")) {
        take_invite(trunk, packet, msg);
    } else if (!call && is_new && (peer_span_is(msg->method, "OPTIONS") || peer_span_is(msg->method, "REGISTER"))) {
        reply(trunk, &packet->from, msg, 200, "OK", "carrier");
    } else if (!call) {
        reply(trunk, &packet->from, msg, 481, "Call/Transaction Does Not Exist", "carrier");
    } else if (peer_span_is(msg->method, "CANCEL")) {
        take_cancel(call, packet, msg);
    } else if (is_new) {
        /* our INVITE again: what we have said since is repeated by the timer, or comes soon */
        reply(trunk, &packet->from, msg, 100, "Trying", NULL);
    } else if (peer_span_is(msg->method, "BYE")) {
        reply(trunk, &packet->from, msg, 200, "OK", call->tag);
        trunk_call_end(call, 200);
    } else {
        take_in_dialog(call, packet, msg);
    }
}

void trunk_sip_receive(void *ctx, struct peer_packet *packet)
{
    struct trunk *trunk = ctx;
    struct trunk_call *call;
    struct peer_sip msg;

    if (trunk->setup.events->on_message)
        trunk->setup.events->on_message(trunk->setup.ctx, trunk, false, (char *)packet->bytes, packet->size);
    if (peer_sip_parse(&msg, (char *)packet->bytes, packet->size))
        return;
    call = trunk_call_find(trunk, peer_sip_header(&msg, "Call-ID", 0));
    if (msg.status && call)
        take_response(call, &msg);
    else if (!msg.status)
        take_request(trunk, call, packet, &msg);
}
