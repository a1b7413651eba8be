/* SPDX-License-Identifier: Apache-2.0 */
/* load_setup.c: calls that are set up, heard once each way, and ended: `rate` a second. Marks: registered, start, end.
 */
#include <stdio.h>
#include <string.h>

#include "pool.h"

enum { DRAIN_MS = 3000 };

struct setup {
    struct peer_loop *loop;
    const struct options *options;
    struct pool pool;
    struct trunk *trunk;
    struct peer_meter meter;
    struct metronome pace;
    struct peer_timer drain;
    struct peer_histogram answer_us;      /* INVITE to 200 */
    struct peer_histogram keys_us;        /* 200 to DTLS done */
    struct peer_histogram first_media_us; /* 200 to the browser's first packet at the trunk */
    struct peer_histogram
        first_heard_us; /* 200 to the trunk's first packet at the browser, which comes on a 20 ms grid */
    unsigned ok_count, failed_count, skipped_count, ended_count;
};
static struct setup setup;

static uint64_t since_us(uint64_t from_ns)
{
    return (peer_loop_now_ns(setup.loop) - from_ns) / 1000;
}

static void finish(void *ctx)
{
    char answer[128], keys[128], media[128], heard[128];

    (void)ctx;
    mark("end", "\"calls\":%u,\"ok\":%u,\"failed\":%u,\"skipped\":%u,\"packets\":%llu,%s,%s,%s,%s", setup.pace.count,
         setup.ok_count, setup.failed_count, setup.skipped_count, (unsigned long long)setup.meter.received_count,
         histogram_json(answer, "answer_ms", &setup.answer_us, 1000),
         histogram_json(keys, "keys_ms", &setup.keys_us, 1000),
         histogram_json(media, "first_media_ms", &setup.first_media_us, 1000),
         histogram_json(heard, "first_heard_ms", &setup.first_heard_us, 1000));
    peer_loop_stop(setup.loop);
}

static void count_end(bool is_ok)
{
    setup.ok_count += is_ok;
    setup.failed_count += !is_ok;
    if (setup.ok_count + setup.failed_count + setup.skipped_count == setup.pace.count)
        peer_timer_start_ms(setup.loop, &setup.drain, 200);
}

/* Both directions are open: enough. */
static void is_through(struct member *member)
{
    if (member->was_heard && browser_times(member->browser)->first_packet_ns)
        browser_hang_up(member->browser);
}

static void answered(void *ctx, struct browser *browser)
{
    const struct browser_times *times = browser_times(browser);

    (void)ctx;
    peer_histogram_add(&setup.answer_us, (times->answer_ns - times->invite_ns) / 1000);
}

static void media_up(void *ctx, struct browser *browser)
{
    (void)ctx;
    peer_histogram_add(&setup.keys_us, since_us(browser_times(browser)->answer_ns));
}

static void first_packet(void *ctx, struct browser *browser)
{
    peer_histogram_add(&setup.first_heard_us, since_us(browser_times(browser)->answer_ns));
    is_through(ctx);
}

static void trunk_first_packet(void *ctx, struct trunk_call *call)
{
    struct member *member;

    (void)ctx;
    if (trunk_stream_owner(call) >= setup.pool.count)
        return;
    member = &setup.pool.members[trunk_stream_owner(call)];
    member->was_heard = true;
    peer_histogram_add(&setup.first_media_us, since_us(browser_times(member->browser)->answer_ns));
    is_through(member);
}

static void ended(void *ctx, struct browser *browser, int status, const char *reason)
{
    struct member *member = ctx;

    (void)browser;
    if (status != 200)
        fprintf(stderr, "bench_load: call of browser %u failed: %d %s\n", member->index, status, reason);
    member->is_busy = false;
    count_end(status == 200 && member->was_heard);
}

static void dial(void *ctx, unsigned turn)
{
    struct member *member = pool_pick(&setup.pool);

    (void)ctx;
    if (turn + 1 == setup.pace.count)
        peer_timer_start_ms(setup.loop, &setup.drain, DRAIN_MS);
    if (!member) {
        setup.skipped_count++;
        return;
    }
    member->is_busy = true;
    member->was_heard = false;
    if (browser_call(member->browser, setup.options->number))
        count_end(false);
}

static void registered(struct pool *pool)
{
    mark("registered", "\"accounts\":%u,\"failed\":%u", pool->registered_count, pool->failed_count);
    setup.pace = (struct metronome){.loop = setup.loop,
                                    .rate = setup.options->rate,
                                    .count = setup.options->rate * setup.options->seconds,
                                    .on_turn = dial};
    mark_plain("start");
    metronome_start(&setup.pace);
}

int run_setup(struct peer_loop *loop, const struct options *options)
{
    static const struct trunk_events trunk_events = {.on_first_packet = trunk_first_packet};

    setup.loop = loop;
    setup.options = options;
    setup.drain.on_due = finish;
    setup.pool = (struct pool){
        .loop = loop,
        .options = options,
        .events = {.on_answered = answered, .on_media = media_up, .on_first_packet = first_packet, .on_ended = ended},
        .meter = &setup.meter,
        .on_ready = registered,
    };
    if (trunk_new(&setup.trunk, loop,
                  &(struct trunk_setup){.ip = options->trunk_ip,
                                        .sip_port = (uint16_t)options->trunk_port,
                                        .gateway_ip = options->gateway_ip,
                                        .gateway_port = (uint16_t)options->sip_port,
                                        .events = &trunk_events,
                                        .media = TRUNK_STAMPED}))
        die("cannot open the trunk on %s:%u", options->trunk_ip, options->trunk_port);
    pool_init(&setup.pool, options->users);
    pool_register(&setup.pool, 200);
    peer_loop_run(loop);
    pool_free(&setup.pool);
    trunk_free(setup.trunk);
    return 0;
}
