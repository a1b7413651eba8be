/* SPDX-License-Identifier: Apache-2.0 */
/* load_relay.c: N calls that only talk. Marks: empty, registered, start, end, closed. Between start and end it counts
 * packets, loss and delay in both directions. */
#include <stdio.h>
#include <string.h>

#include "pool.h"

enum { SETTLE_MS = 700, GIVE_UP_MS = 30000 };

struct relay {
    struct peer_loop *loop;
    const struct options *options;
    struct pool pool;
    struct trunk *trunk;
    struct peer_meter to_browser, to_trunk;
    struct metronome ramp;
    struct peer_timer step;
    unsigned heard_count, ended_count;
    bool is_measuring, is_closing;
};
static struct relay relay;

static void finish(void *ctx)
{
    (void)ctx;
    mark("closed", "\"left\":%u", trunk_call_count(relay.trunk));
    peer_loop_stop(relay.loop);
}

static void after(unsigned ms, void (*on_due)(void *ctx))
{
    relay.step.on_due = on_due;
    peer_timer_start_ms(relay.loop, &relay.step, ms);
}

static void hang_up(void *ctx, unsigned turn)
{
    (void)ctx;
    browser_hang_up(relay.pool.members[turn].browser);
    if (turn + 1 == relay.pool.count)
        after(1500, finish);
}

static void end_window(void *ctx)
{
    char browser_us[128], trunk_us[128];

    (void)ctx;
    relay.is_measuring = false;
    mark("end", "\"calls\":%u,\"failed\":%u,\"packets\":%llu,\"sent\":%llu,\"lost\":%llu,\"foreign\":%llu,%s,%s",
         relay.heard_count, relay.pool.count - relay.heard_count,
         (unsigned long long)(relay.to_browser.received_count + relay.to_trunk.received_count),
         (unsigned long long)(relay.to_browser.sent_count + relay.to_trunk.sent_count),
         (unsigned long long)(relay.to_browser.lost_count + relay.to_trunk.lost_count),
         (unsigned long long)(relay.to_browser.foreign_count + relay.to_trunk.foreign_count),
         histogram_json(browser_us, "to_browser_us", &relay.to_browser.delay_us, 1),
         histogram_json(trunk_us, "to_trunk_us", &relay.to_trunk.delay_us, 1));
    relay.is_closing = true;
    relay.ramp = (struct metronome){.loop = relay.loop, .rate = 400, .count = relay.pool.count, .on_turn = hang_up};
    metronome_start(&relay.ramp);
}

static void start_window(void *ctx)
{
    (void)ctx;
    relay.to_browser = relay.to_trunk = (struct peer_meter){0};
    relay.is_measuring = true;
    mark("start", "\"calls\":%u", relay.heard_count);
    after(relay.options->seconds * 1000, end_window);
}

static void is_complete(void)
{
    if (!relay.is_measuring && !relay.is_closing && relay.heard_count + relay.ended_count >= relay.pool.count)
        after(SETTLE_MS, start_window);
}

static void first_packet(void *ctx, struct browser *browser)
{
    (void)ctx;
    (void)browser;
    relay.heard_count++;
    is_complete();
}

static void ended(void *ctx, struct browser *browser, int status, const char *reason)
{
    struct member *member = ctx;

    (void)browser;
    if (relay.is_closing)
        return;
    fprintf(stderr, "bench_load: call of browser %u ended early: %d %s\n", member->index, status, reason);
    relay.ended_count++;
    is_complete();
}

static void incoming(void *ctx, struct browser *browser, const struct peer_sip *invite)
{
    (void)ctx;
    (void)invite;
    if (browser_answer(browser))
        fprintf(stderr, "bench_load: the offer of an incoming call cannot be answered\n");
}

static void trunk_ended(void *ctx, struct trunk_call *call, int status)
{
    (void)ctx;
    (void)call;
    if (relay.is_closing || status == 200)
        return;
    fprintf(stderr, "bench_load: the trunk's call was refused: %d\n", status);
    relay.ended_count++;
    is_complete();
}

/* From the browser to the trunk, or the other way round. */
static int place_call(struct member *member)
{
    struct trunk_call *call;

    if (relay.options->incoming)
        return trunk_dial(relay.trunk, &call, relay.options->number, browser_setup_of(member->browser)->user, NULL);
    return browser_call(member->browser, relay.options->number);
}

static void dial(void *ctx, unsigned turn)
{
    struct member *member = &relay.pool.members[turn];

    (void)ctx;
    if (member->is_failed || place_call(member))
        relay.ended_count++;
    if (turn + 1 == relay.pool.count)
        after(GIVE_UP_MS, start_window); /* is_complete() comes first when all goes well */
}

static void registered(struct pool *pool)
{
    mark("registered", "\"accounts\":%u,\"failed\":%u", pool->registered_count, pool->failed_count);
    relay.ramp =
        (struct metronome){.loop = relay.loop, .rate = relay.options->rate, .count = pool->count, .on_turn = dial};
    metronome_start(&relay.ramp);
}

int run_relay(struct peer_loop *loop, const struct options *options)
{
    static const struct trunk_events trunk_events = {.on_ended = trunk_ended};

    relay.loop = loop;
    relay.options = options;
    relay.pool = (struct pool){
        .loop = loop,
        .options = options,
        .events = {.on_incoming = incoming, .on_first_packet = first_packet, .on_ended = ended},
        .meter = &relay.to_browser,
        .on_ready = registered,
    };
    if (trunk_new(&relay.trunk, loop,
                  &(struct trunk_setup){.ip = options->trunk_ip,
                                        .sip_port = (uint16_t)options->trunk_port,
                                        .gateway_ip = options->gateway_ip,
                                        .gateway_port = (uint16_t)options->sip_port,
                                        .events = &trunk_events,
                                        .meter = &relay.to_trunk,
                                        .media = TRUNK_STAMPED}))
        die("cannot open the trunk on %s:%u", options->trunk_ip, options->trunk_port);
    pool_init(&relay.pool, options->calls);
    peer_loop_set_round(loop, options->round_us, options->slack_us);
    mark_plain("empty");
    pool_register(&relay.pool, 200);
    peer_loop_run(loop);
    pool_free(&relay.pool);
    trunk_free(relay.trunk);
    return 0;
}
