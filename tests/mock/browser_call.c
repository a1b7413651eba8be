/* SPDX-License-Identifier: Apache-2.0 */
/* browser_call.c: the one INVITE dialog of the scripted browser, as caller and as callee. RFC 3261 sections 12 to 15.
 * No retransmissions: a WebSocket does not lose. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "browser_priv.h"

/* --- what is sent --- */

/* A request inside the dialog; the caller ends it with peer_text_end. */
static void start_in_dialog(struct browser *browser, struct peer_text *text, const char *method, unsigned cseq)
{
    struct call *call = &browser->call;

    browser_sip_start(browser, text, method, call->target, NULL);
    peer_text_add(text, "%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", call->routes, call->local,
                  call->remote, call->id, cseq, method);
}

static void send_ack(struct browser *browser)
{
    struct peer_text text;

    start_in_dialog(browser, &text, "ACK", browser->call.invite_cseq);
    peer_text_end(&text, NULL, NULL);
    browser_sip_send(browser, &text);
}

/* ACK of a refusal and CANCEL are hop by hop: the INVITE's own branch and URI. RFC 3261 sections 9.1 and 17.1.1.3 */
static void send_for_invite(struct browser *browser, const char *method, const char *to, size_t to_size)
{
    struct call *call = &browser->call;
    struct peer_text text;

    browser_sip_start(browser, &text, method, call->request_uri, call->branch);
    peer_text_add(&text, "From: %s\r\nTo: %.*s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", call->local, (int)to_size, to,
                  call->id, call->invite_cseq, method);
    peer_text_end(&text, NULL, NULL);
    browser_sip_send(browser, &text);
}

static void send_invite(struct browser *browser)
{
    struct call *call = &browser->call;
    struct peer_text text;

    peer_random_hex(call->branch, 17);
    call->invite_cseq = ++call->cseq;
    browser_sip_start(browser, &text, "INVITE", call->request_uri, call->branch);
    peer_text_add(&text, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u INVITE\r\n%s", call->local, call->remote,
                  call->id, call->invite_cseq, call->authorization);
    peer_text_add(&text,
                  "Contact: <sip:%s@%s;transport=ws;ob>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n"
                  "Supported: outbound\r\nUser-Agent: scripted browser\r\n",
                  browser->setup.user, browser->host);
    peer_text_end(&text, "application/sdp", call->sdp);
    browser_sip_send(browser, &text);
}

/* --- the end --- */

void browser_call_end(struct browser *browser, int status, const char *reason)
{
    if (browser->call.state == CALL_NONE)
        return;
    browser->call.state = CALL_NONE;
    peer_timer_stop(browser->loop, &browser->call.timer);
    browser_media_close(&browser->media);
    if (browser->setup.events->on_ended)
        browser->setup.events->on_ended(browser->setup.ctx, browser, status, reason);
}

static void no_answer(void *ctx)
{
    browser_call_end(ctx, 408, "no answer within 32 s");
}

/* --- media upwards --- */

static void media_up(void *ctx)
{
    struct browser *browser = ctx;

    if (browser->setup.events->on_media)
        browser->setup.events->on_media(browser->setup.ctx, browser);
}

static void media_rtp(void *ctx, const uint8_t *bytes, size_t size, bool is_first)
{
    struct browser *browser = ctx;
    const struct browser_events *events = browser->setup.events;

    if (is_first && events->on_first_packet)
        events->on_first_packet(browser->setup.ctx, browser);
    if (events->on_rtp)
        events->on_rtp(browser->setup.ctx, browser, bytes, size);
}

static void media_failed(void *ctx, const char *reason)
{
    struct browser *browser = ctx;

    browser_hang_up(browser);
    browser_call_end(browser, 0, reason);
}

static int open_media(struct browser *browser)
{
    struct browser_media *media = &browser->media;

    browser->times = (struct browser_times){.invite_ns = peer_loop_now_ns(browser->loop)};
    media->certificate = browser->setup.certificate;
    media->meter = browser->setup.meter;
    media->is_silent = browser->setup.is_silent;
    media->stream_owner = browser->setup.stream_owner;
    media->times = &browser->times;
    media->on_up = media_up;
    media->on_failed = media_failed;
    media->on_rtp = media_rtp;
    media->ctx = browser;
    return browser_media_open(media, browser->loop, browser->setup.local_ip);
}

static int start_media(struct browser *browser)
{
    browser->times.answer_ns = peer_loop_now_ns(browser->loop);
    if (browser->setup.is_signalling_only)
        return 0;
    return browser_media_start(&browser->media, &browser->call.remote_sdp, browser->call.is_caller);
}

/* --- caller --- */

static void reset_call(struct browser *browser)
{
    struct call *call = &browser->call;

    memset(call, 0, offsetof(struct call, invite));
    memset(&call->remote_sdp, 0, sizeof(call->remote_sdp));
    call->login = (struct peer_login){.user = browser->setup.user, .password = browser->setup.password};
    call->timer = (struct peer_timer){.on_due = no_answer, .ctx = browser};
}

int browser_call(struct browser *browser, const char *number)
{
    const struct browser_setup *setup = &browser->setup;
    struct call *call = &browser->call;
    char tag[11];
    int err;

    if (call->state != CALL_NONE)
        return -EBUSY;
    if (!browser_is_connected(browser))
        return -ENOTCONN;
    reset_call(browser);
    err = open_media(browser);
    if (err)
        return err;
    call->is_caller = true;
    call->state = CALL_INVITING;
    peer_random_hex(call->id, 21);
    peer_random_hex(tag, sizeof(tag));
    if (strncmp(number, "sip:", 4) == 0)
        snprintf(call->request_uri, sizeof(call->request_uri), "%s", number);
    else
        snprintf(call->request_uri, sizeof(call->request_uri), "sip:%s@%s", number, setup->domain);
    snprintf(call->local, sizeof(call->local), "<sip:%s@%s>;tag=%s", setup->user, setup->domain, tag);
    snprintf(call->remote, sizeof(call->remote), "<%.*s>", PARTY_BYTES - 3, call->request_uri);
    browser_sdp_offer(browser, call->sdp);
    peer_timer_start_ms(browser->loop, &call->timer, ANSWER_WAIT_MS);
    send_invite(browser);
    return 0;
}

/* Route set of the caller: Record-Route from last to first. RFC 3261 section 12.1.2 */
static void keep_routes(struct call *call, const struct peer_sip *msg, bool is_reversed)
{
    unsigned count = 0;
    size_t size = 0;

    call->routes[0] = 0;
    while (peer_sip_header(msg, "Record-Route", count).size)
        count++;
    for (unsigned i = 0; i < count; i++) {
        struct peer_span value = peer_sip_header(msg, "Record-Route", is_reversed ? count - 1 - i : i);

        size += (size_t)snprintf(call->routes + size, size < ROUTES_BYTES ? ROUTES_BYTES - size : 0, "Route: %.*s\r\n",
                                 (int)value.size, value.at);
        if (size >= ROUTES_BYTES)
            size = ROUTES_BYTES - 1;
    }
}

static void keep_target(struct call *call, const struct peer_sip *msg)
{
    struct peer_span contact = peer_sip_header(msg, "Contact", 0);

    if (contact.size)
        peer_span_copy(call->target, sizeof(call->target), peer_sip_uri(contact));
}

static void accept_answer(struct browser *browser, const struct peer_sip *msg)
{
    struct call *call = &browser->call;
    bool is_late = call->state == CALL_CANCELLING;

    if (call->state == CALL_TALKING) { /* 200 again: the ACK may be lost behind the gateway */
        send_ack(browser);
        return;
    }
    peer_span_copy(call->remote, sizeof(call->remote), peer_sip_header(msg, "To", 0));
    keep_routes(call, msg, true);
    keep_target(call, msg);
    peer_timer_stop(browser->loop, &call->timer);
    call->state = CALL_TALKING;
    send_ack(browser);
    if (is_late) {
        browser_hang_up(browser);
        return;
    }
    if (peer_sdp_read(&call->remote_sdp, msg->body) || start_media(browser)) {
        browser_hang_up(browser);
        browser_call_end(browser, 488, "the answer's SDP cannot be used");
        return;
    }
    if (browser->setup.events->on_answered)
        browser->setup.events->on_answered(browser->setup.ctx, browser);
}

static void accept_refusal(struct browser *browser, const struct peer_sip *msg)
{
    struct call *call = &browser->call;
    struct peer_span to = peer_sip_header(msg, "To", 0);
    struct peer_span reason = peer_sip_header(msg, "Reason", 0);
    char text[PARTY_BYTES];

    send_for_invite(browser, "ACK", to.at, to.size);
    if ((msg->status == 401 || msg->status == 407) && !call->has_tried_login && call->state == CALL_INVITING) {
        call->has_tried_login = true;
        if (!browser_sip_authorize(call->authorization, sizeof(call->authorization), &call->login, msg, "INVITE",
                                   call->request_uri)) {
            send_invite(browser);
            return;
        }
    }
    peer_span_copy(text, sizeof(text), reason);
    browser_call_end(browser, msg->status, text);
}

static void invite_answered(struct browser *browser, const struct peer_sip *msg)
{
    struct call *call = &browser->call;
    const struct browser_events *events = browser->setup.events;

    if (msg->cseq != call->invite_cseq)
        return;
    if (msg->status >= 200 && msg->status < 300)
        accept_answer(browser, msg);
    else if (call->state != CALL_INVITING && call->state != CALL_CANCELLING)
        return;
    else if (msg->status >= 300)
        accept_refusal(browser, msg);
    else if (msg->status > 100 && events->on_progress)
        events->on_progress(browser->setup.ctx, browser, msg->status);
}

static bool is_of_call(const struct call *call, const struct peer_sip *msg)
{
    struct peer_span id = peer_sip_header(msg, "Call-ID", 0);

    return call->state != CALL_NONE && id.size == strlen(call->id) && !memcmp(id.at, call->id, id.size);
}

void browser_call_answered(struct browser *browser, const struct peer_sip *msg)
{
    struct call *call = &browser->call;

    if (!is_of_call(call, msg))
        return;
    if (peer_span_is(msg->method, "INVITE") && call->is_caller)
        invite_answered(browser, msg);
    else if (peer_span_is(msg->method, "BYE") && msg->status >= 200)
        browser_call_end(browser, 200, "we hung up");
}

/* --- callee --- */

static void take_invite(struct browser *browser, const struct peer_sip *msg)
{
    struct call *call = &browser->call;
    struct peer_span to = peer_sip_header(msg, "To", 0);
    size_t size = (size_t)(msg->body.at + msg->body.size - msg->method.at);

    if (call->state != CALL_NONE || size > sizeof(call->invite)) {
        browser_sip_reply(browser, msg, 486, "Busy Here", NULL);
        return;
    }
    reset_call(browser);
    if (peer_sdp_read(&call->remote_sdp, msg->body) || peer_sdp_pick(&call->remote_sdp) < 0) {
        browser_sip_reply(browser, msg, 488, "Not Acceptable Here", NULL);
        return;
    }
    memcpy(call->invite, msg->method.at, size);
    call->invite_size = size;
    call->state = CALL_RINGING;
    peer_span_copy(call->id, sizeof(call->id), peer_sip_header(msg, "Call-ID", 0));
    peer_span_copy(call->remote, sizeof(call->remote), peer_sip_header(msg, "From", 0));
    snprintf(call->local, sizeof(call->local), "%.*s;tag=%s", (int)(to.size < 400 ? to.size : 400), to.at,
             browser->instance);
    keep_routes(call, msg, false);
    keep_target(call, msg);
    browser_sip_reply(browser, msg, 180, "Ringing", NULL);
    if (browser->setup.events->on_incoming)
        browser->setup.events->on_incoming(browser->setup.ctx, browser, msg);
}

/* The waiting INVITE again, as read. */
static void kept_invite(struct call *call, struct peer_sip *msg)
{
    peer_sip_parse(msg, call->invite, call->invite_size);
}

int browser_answer(struct browser *browser)
{
    struct call *call = &browser->call;
    struct peer_sip msg;
    int err;

    if (call->state != CALL_RINGING)
        return -EPROTO;
    err = open_media(browser);
    if (err)
        return err;
    kept_invite(call, &msg);
    browser_sdp_answer(browser, call->sdp);
    call->state = CALL_ACCEPTED;
    browser_sip_reply(browser, &msg, 200, "OK", call->sdp);
    peer_timer_start_ms(browser->loop, &call->timer, ANSWER_WAIT_MS);
    return start_media(browser);
}

int browser_reject(struct browser *browser, int status, const char *reason)
{
    struct peer_sip msg;

    if (browser->call.state != CALL_RINGING)
        return -EPROTO;
    kept_invite(&browser->call, &msg);
    browser_sip_reply(browser, &msg, status, reason, NULL);
    browser_call_end(browser, status, reason);
    return 0;
}

int browser_hang_up(struct browser *browser)
{
    struct call *call = &browser->call;
    struct peer_text text;

    switch (call->state) {
    case CALL_INVITING:
        call->state = CALL_CANCELLING;
        send_for_invite(browser, "CANCEL", call->remote, strlen(call->remote));
        return 0;
    case CALL_RINGING:
        return browser_reject(browser, 603, "Decline");
    case CALL_ACCEPTED:
    case CALL_TALKING:
        call->state = CALL_ENDING;
        start_in_dialog(browser, &text, "BYE", ++call->cseq);
        peer_text_end(&text, NULL, NULL);
        browser_sip_send(browser, &text);
        peer_timer_start_ms(browser->loop, &call->timer, ANSWER_WAIT_MS);
        return 0;
    default:
        return -EPROTO;
    }
}

int browser_request(struct browser *browser, const char *method, const char *content_type, const char *body)
{
    struct call *call = &browser->call;
    struct peer_text text;

    if (call->state != CALL_TALKING)
        return -EPROTO;
    start_in_dialog(browser, &text, method, ++call->cseq);
    if (!strcmp(method, "INVITE")) {
        call->invite_cseq = call->cseq;
        peer_text_add(&text, "Contact: <sip:%s@%s;transport=ws>\r\n", browser->setup.user, browser->host);
    }
    peer_text_end(&text, content_type, body);
    browser_sip_send(browser, &text);
    return 0;
}

/* --- requests of the dialog --- */

static void take_cancel(struct browser *browser, const struct peer_sip *msg)
{
    struct peer_sip invite;

    browser_sip_reply(browser, msg, 200, "OK", NULL);
    if (browser->call.state != CALL_RINGING)
        return;
    kept_invite(&browser->call, &invite);
    browser_sip_reply(browser, &invite, 487, "Request Terminated", NULL);
    browser_call_end(browser, 487, "cancelled");
}

static void take_ack(struct browser *browser)
{
    if (browser->call.state != CALL_ACCEPTED)
        return;
    browser->call.state = CALL_TALKING;
    peer_timer_stop(browser->loop, &browser->call.timer);
    if (browser->setup.events->on_answered)
        browser->setup.events->on_answered(browser->setup.ctx, browser);
}

static void take_bye(struct browser *browser, const struct peer_sip *msg)
{
    char text[PARTY_BYTES];

    browser_sip_reply(browser, msg, 200, "OK", NULL);
    peer_span_copy(text, sizeof(text), peer_sip_header(msg, "Reason", 0));
    browser_call_end(browser, 200, text);
}

static void take_in_dialog(struct browser *browser, const struct peer_sip *msg)
{
    if (peer_span_is(msg->method, "BYE"))
        take_bye(browser, msg);
    else if (peer_span_is(msg->method, "CANCEL"))
        take_cancel(browser, msg);
    else if (peer_span_is(msg->method, "INVITE") || peer_span_is(msg->method, "UPDATE"))
        browser_sip_reply(browser, msg, 200, "OK", browser->call.sdp); /* nothing of ours changes */
    else
        browser_sip_reply(browser, msg, 200, "OK", NULL);
}

void browser_call_requested(struct browser *browser, const struct peer_sip *msg)
{
    bool is_ours = is_of_call(&browser->call, msg);
    bool is_new = !peer_sip_param(peer_sip_header(msg, "To", 0), "tag").size;

    if (peer_span_is(msg->method, "ACK")) {
        if (is_ours)
            take_ack(browser);
    } else if (is_ours && (!is_new || peer_span_is(msg->method, "CANCEL"))) {
        take_in_dialog(browser, msg);
    } else if (is_new && peer_span_is(msg->method, "INVITE")) {
        take_invite(browser, msg);
    } else if (is_new && peer_span_is(msg->method, "OPTIONS")) {
        browser_sip_reply(browser, msg, 200, "OK", NULL);
    } else {
        browser_sip_reply(browser, msg, 481, "Call/Transaction Does Not Exist", NULL);
    }
}

bool browser_is_in_call(const struct browser *browser)
{
    return browser->call.state != CALL_NONE;
}
