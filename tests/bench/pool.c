/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: brings browsers to "registered" and counts how it went. Makes no calls. */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRES_S = 3600, USERS_PER_ADDRESS = 50 };

static void member_done(struct member *member, int status)
{
    struct pool *pool = member->pool;

    if (member->is_failed)
        return;
    if (status == 200) {
        pool->registered_count++;
        member->is_registered = true;
        peer_histogram_add(&pool->register_us, (peer_loop_now_ns(pool->loop) - member->asked_ns) / 1000);
    } else {
        pool->failed_count++;
        member->is_failed = true;
    }
    pool->status_counts[status]++;
    if (pool->registered_count + pool->failed_count == pool->count)
        pool->on_ready(pool);
}

static void connected(void *ctx, struct browser *browser)
{
    (void)ctx;
    if (browser_register(browser, EXPIRES_S))
        die("register: not connected");
}

static void disconnected(void *ctx, struct browser *browser, int err)
{
    struct member *member = ctx;

    (void)browser;
    if (member->pool->options->is_verbose)
        fprintf(stderr, "browser %u: connection lost: %s\n", member->index, strerror(-err));
    if (!member->is_registered)
        member_done(member, 0);
    member->is_failed = true;
}

static void registered(void *ctx, struct browser *browser, int status)
{
    (void)browser;
    member_done(ctx, status);
}

static void message(void *ctx, struct browser *browser, bool is_sent, const char *text, size_t size)
{
    struct member *member = ctx;

    (void)browser;
    fprintf(stderr, "--- browser %u %s\n%.*s\n", member->index, is_sent ? "sends" : "receives", (int)size, text);
}

static void member_init(struct pool *pool, struct member *member, unsigned index)
{
    const struct options *o = pool->options;
    unsigned place = index / USERS_PER_ADDRESS;

    snprintf(member->name, sizeof(member->name), "u%05u", index);
    /* gateways limit connections per address */
    snprintf(member->address, sizeof(member->address), "127.1.%u.%u", place / 250 % 256, place % 250 + 1);
    member->pool = pool;
    member->index = index;
    if (browser_new(&member->browser, pool->loop,
                    &(struct browser_setup){
                        .gateway_ip = o->gateway_ip,
                        .gateway_port = (uint16_t)o->ws_port,
                        .path = o->path,
                        .local_ip = member->address,
                        .user = member->name,
                        .password = "secret",
                        .domain = o->domain,
                        .certificate = &pool->certificate,
                        .events = &pool->events,
                        .ctx = member,
                        .meter = pool->meter,
                        .is_silent = pool->is_silent,
                        .stream_owner = index,
                    }))
        die("out of memory");
}

void pool_init(struct pool *pool, unsigned count)
{
    if (browser_certificate_new(&pool->certificate, pool->options->profiles))
        die("no certificate, or an unknown SRTP profile");
    pool->events.on_connected = connected;
    pool->events.on_disconnected = disconnected;
    pool->events.on_registered = registered;
    if (pool->options->is_verbose)
        pool->events.on_message = message;
    pool->count = count;
    pool->members = calloc(count, sizeof(*pool->members));
    if (!pool->members)
        die("out of memory");
    for (unsigned i = 0; i < count; i++)
        member_init(pool, &pool->members[i], i);
}

static void connect_turn(void *ctx, unsigned turn)
{
    struct pool *pool = ctx;
    struct member *member = &pool->members[turn];
    int err;

    member->asked_ns = peer_loop_now_ns(pool->loop);
    err = browser_connect(member->browser);
    if (err)
        die("cannot connect to the WebSocket of the gateway: %s", strerror(-err));
}

static void refresh_turn(void *ctx, unsigned turn)
{
    struct pool *pool = ctx;
    struct member *member = &pool->members[turn];

    member->asked_ns = peer_loop_now_ns(pool->loop);
    if (member->is_failed || browser_register(member->browser, EXPIRES_S))
        member_done(member, 0);
}

static void start_pace(struct pool *pool, unsigned rate, void (*on_turn)(void *, unsigned))
{
    pool->registered_count = pool->failed_count = 0;
    memset(pool->status_counts, 0, sizeof(pool->status_counts));
    memset(&pool->register_us, 0, sizeof(pool->register_us));
    pool->pace =
        (struct metronome){.loop = pool->loop, .rate = rate, .count = pool->count, .on_turn = on_turn, .ctx = pool};
    metronome_start(&pool->pace);
}

void pool_register(struct pool *pool, unsigned rate)
{
    start_pace(pool, rate, connect_turn);
}

void pool_refresh(struct pool *pool, unsigned rate)
{
    start_pace(pool, rate, refresh_turn);
}

void pool_free(struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        browser_free(pool->members[i].browser);
    free(pool->members);
    browser_certificate_free(&pool->certificate);
}

struct member *pool_pick(struct pool *pool)
{
    static unsigned next;

    for (unsigned i = 0; i < pool->count; i++) {
        struct member *member = &pool->members[next++ % pool->count];

        if (member->is_registered && !member->is_failed && !member->is_busy)
            return member;
    }
    return NULL;
}

void pool_print_statuses(const struct pool *pool, char *out, size_t room)
{
    size_t size = (size_t)snprintf(out, room, "\"status\":{");
    const char *comma = "";

    for (unsigned status = 0; status < 700; status++) {
        if (pool->status_counts[status] && size < room) {
            size +=
                (size_t)snprintf(out + size, room - size, "%s\"%u\":%u", comma, status, pool->status_counts[status]);
            comma = ",";
        }
    }
    if (size < room)
        snprintf(out + size, room - size, "}");
}
