/* SPDX-License-Identifier: Apache-2.0 */
/* browser_register.c: REGISTER with digest, outbound style (RFC 3261 section 10, RFC 5626). No refreshes of its own. */
#include <errno.h>
#include <stdio.h>

#include "browser_priv.h"

static void send_register(struct browser *browser, const char *authorization)
{
    struct registration *r = &browser->registration;
    const struct browser_setup *setup = &browser->setup;
    struct peer_text text;
    char uri[PARTY_BYTES];

    snprintf(uri, sizeof(uri), "sip:%s", setup->domain);
    browser_sip_start(browser, &text, "REGISTER", uri, NULL);
    peer_text_add(&text, "From: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\n",
                  setup->user, setup->domain, r->tag, setup->user, setup->domain, r->call_id, ++r->cseq);
    peer_text_add(
        &text,
        "Contact: "
        "<sip:%s@%s;transport=ws>;+sip.instance=\"<urn:uuid:%.8s-%.4s-4000-8000-%.12s>\";reg-id=1;expires=%u\r\n",
        setup->user, browser->host, browser->instance, browser->instance + 8, browser->instance + 12, r->expires_s);
    peer_text_add(&text, "Expires: %u\r\nSupported: path, outbound, gruu\r\nUser-Agent: scripted browser\r\n%s",
                  r->expires_s, authorization);
    peer_text_end(&text, NULL, NULL);
    browser_sip_send(browser, &text);
}

static void finish(struct browser *browser, int status)
{
    browser->registration.is_pending = false;
    peer_timer_stop(browser->loop, &browser->registration.timer);
    if (browser->setup.events->on_registered)
        browser->setup.events->on_registered(browser->setup.ctx, browser, status);
}

static void no_answer(void *ctx)
{
    finish(ctx, 408);
}

int browser_register(struct browser *browser, unsigned expires_s)
{
    struct registration *r = &browser->registration;

    if (!browser_is_connected(browser))
        return -ENOTCONN;
    if (!r->call_id[0]) {
        peer_random_hex(r->call_id, 21);
        peer_random_hex(r->tag, 11);
        r->login = (struct peer_login){.user = browser->setup.user, .password = browser->setup.password};
    }
    r->expires_s = expires_s;
    r->is_pending = true;
    r->has_tried_login = false;
    r->timer.on_due = no_answer;
    r->timer.ctx = browser;
    peer_timer_start_ms(browser->loop, &r->timer, ANSWER_WAIT_MS);
    send_register(browser, "");
    return 0;
}

void browser_register_answered(struct browser *browser, const struct peer_sip *msg)
{
    struct registration *r = &browser->registration;
    char line[2048], uri[PARTY_BYTES];

    if (!r->is_pending || msg->cseq != r->cseq || msg->status < 200)
        return;
    if ((msg->status == 401 || msg->status == 407) && !r->has_tried_login) {
        r->has_tried_login = true;
        snprintf(uri, sizeof(uri), "sip:%s", browser->setup.domain);
        if (!browser_sip_authorize(line, sizeof(line), &r->login, msg, "REGISTER", uri)) {
            send_register(browser, line);
            return;
        }
    }
    finish(browser, msg->status);
}
