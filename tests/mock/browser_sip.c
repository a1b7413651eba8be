/* SPDX-License-Identifier: Apache-2.0 */
/* browser_sip.c: message in to its handler, and the parts every message out has. RFC 3261, RFC 7118. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "browser_priv.h"

void browser_sip_send(struct browser *browser, const struct peer_text *text)
{
    const struct browser_events *events = browser->setup.events;

    if (events->on_message)
        events->on_message(browser->setup.ctx, browser, true, text->bytes, text->size);
    browser_ws_send(&browser->ws, text->bytes, text->size);
}

void browser_sip_start(struct browser *browser, struct peer_text *text, const char *method, const char *uri,
                       const char *branch)
{
    char fresh[ID_BYTES];

    if (!branch) {
        peer_random_hex(fresh, 17);
        branch = fresh;
    }
    text->size = 0;
    text->is_cut = false;
    peer_text_add(text, "%s %s SIP/2.0\r\nVia: SIP/2.0/WS %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n", method,
                  uri, browser->host, branch);
}

void browser_sip_reply(struct browser *browser, const struct peer_sip *request, int status, const char *reason,
                       const char *sdp)
{
    struct peer_span to = peer_sip_header(request, "To", 0);
    struct peer_text text = {.size = 0};
    const char *tag = peer_sip_param(to, "tag").size || status == 100 ? "" : browser->instance;

    peer_text_add(&text, "SIP/2.0 %d %s\r\n", status, reason);
    peer_text_copy_header(&text, request, "Via");
    peer_text_copy_header(&text, request, "Record-Route");
    peer_text_copy_header(&text, request, "From");
    peer_text_add(&text, "To: %.*s%s%s\r\n", (int)to.size, to.at, *tag ? ";tag=" : "", tag);
    peer_text_copy_header(&text, request, "Call-ID");
    peer_text_copy_header(&text, request, "CSeq");
    if (status < 300)
        peer_text_add(&text, "Contact: <sip:%s@%s;transport=ws>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO\r\n",
                      browser->setup.user, browser->host);
    peer_text_end(&text, "application/sdp", sdp);
    browser_sip_send(browser, &text);
}

int browser_sip_authorize(char *out, size_t room, struct peer_login *login, const struct peer_sip *msg,
                          const char *method, const char *uri)
{
    bool is_proxy = msg->status == 407;
    char value[2048];

    for (unsigned i = 0;; i++) {
        struct peer_span challenge = peer_sip_header(msg, is_proxy ? "Proxy-Authenticate" : "WWW-Authenticate", i);

        if (!challenge.size)
            return -EPROTO;
        if (peer_digest_answer(value, sizeof(value), login, challenge, method, uri))
            continue;
        return (size_t)snprintf(out, room, "%s: %s\r\n", is_proxy ? "Proxy-Authorization" : "Authorization", value) <
                       room
                   ? 0
                   : -ENOSPC;
    }
}

void browser_sip_receive(struct browser *browser, const char *text, size_t size)
{
    const struct browser_events *events = browser->setup.events;
    struct peer_sip msg;

    if (events->on_message)
        events->on_message(browser->setup.ctx, browser, false, text, size);
    if (peer_sip_parse(&msg, text, size))
        return; /* also the CRLF of a keep-alive */
    if (!msg.status)
        browser_call_requested(browser, &msg);
    else if (peer_span_is(msg.method, "REGISTER"))
        browser_register_answered(browser, &msg);
    else
        browser_call_answered(browser, &msg);
}
