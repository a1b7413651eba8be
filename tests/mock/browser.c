/* SPDX-License-Identifier: Apache-2.0 */
/* browser.c: birth and end of a scripted browser, its WebSocket, and the small wishes of a script. */
#include "browser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browser_priv.h"

static void ws_open(void *ctx)
{
    struct browser *browser = ctx;

    if (browser->setup.events->on_connected)
        browser->setup.events->on_connected(browser->setup.ctx, browser);
}

static void ws_text(void *ctx, const char *text, size_t size)
{
    browser_sip_receive(ctx, text, size);
}

static void ws_closed(void *ctx, int err)
{
    struct browser *browser = ctx;

    if (browser->setup.events->on_disconnected)
        browser->setup.events->on_disconnected(browser->setup.ctx, browser, err);
}

int browser_new(struct browser **browserp, struct peer_loop *loop, const struct browser_setup *setup)
{
    static const struct browser_events no_events;
    struct browser *browser = calloc(1, sizeof(*browser));

    if (!browser)
        return -ENOMEM;
    browser->loop = loop;
    browser->setup = *setup;
    if (!browser->setup.events)
        browser->setup.events = &no_events;
    if (!browser->setup.local_ip)
        browser->setup.local_ip = "127.0.0.1";
    if (!browser->setup.path)
        browser->setup.path = "/";
    peer_random_hex(browser->host, 13);
    strcat(browser->host, ".invalid");
    peer_random_hex(browser->instance, sizeof(browser->instance));
    browser->ws = (struct browser_ws){.on_open = ws_open, .on_text = ws_text, .on_closed = ws_closed, .ctx = browser};
    *browserp = browser;
    return 0;
}

void browser_free(struct browser *browser)
{
    if (!browser)
        return;
    browser_ws_close(&browser->ws, true);
    peer_timer_stop(browser->loop, &browser->registration.timer);
    peer_timer_stop(browser->loop, &browser->call.timer);
    browser_media_close(&browser->media);
    free(browser);
}

int browser_connect(struct browser *browser)
{
    const struct browser_setup *setup = &browser->setup;
    char origin[64];

    if (browser->ws.state != WS_CLOSED)
        return -EBUSY;
    snprintf(origin, sizeof(origin), "http://%s", setup->gateway_ip);
    return browser_ws_connect(&browser->ws, browser->loop,
                              &(struct browser_ws_target){.ip = setup->gateway_ip,
                                                          .port = setup->gateway_port,
                                                          .path = setup->path,
                                                          .origin = setup->origin ? setup->origin : origin,
                                                          .local_ip = setup->local_ip});
}

void browser_disconnect(struct browser *browser, bool is_clean)
{
    browser_ws_close(&browser->ws, is_clean);
}

bool browser_is_connected(const struct browser *browser)
{
    return browser->ws.state == WS_OPEN;
}

int browser_send_rtp(struct browser *browser, const uint8_t *bytes, size_t size)
{
    return browser_media_send(&browser->media, bytes, size);
}

void browser_set_silent(struct browser *browser, bool is_silent)
{
    browser->setup.is_silent = is_silent;
    browser->media.is_silent = is_silent;
}

void browser_set_unreachable(struct browser *browser, bool is_unreachable)
{
    browser->media.is_unreachable = is_unreachable;
    browser->media.ice.is_mute = is_unreachable;
}

const struct browser_times *browser_times(const struct browser *browser)
{
    return &browser->times;
}

const struct browser_setup *browser_setup_of(const struct browser *browser)
{
    return &browser->setup;
}

int browser_payload_type(const struct browser *browser)
{
    return browser->media.is_open ? browser->media.payload_type : -1;
}
