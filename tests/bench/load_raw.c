/* SPDX-License-Identifier: Apache-2.0 */
/* load_raw.c: the packets of N calls without calls: plain stamped RTP through bench_null_relay, whose port base + 2i
 * faces "browser" i and base + 2i + 1 the "trunk". Marks: start, end. The machine's own price of a relayed packet. */
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "peer_udp.h"

enum { SETTLE_MS = 500 };

struct pair {
    struct peer_udp udp;
    struct sockaddr_in browser_port, trunk_port; /* of the relay */
    struct peer_rtp_sender from_browser, from_trunk;
    struct peer_rtp_receiver at_browser, at_trunk;
    struct peer_timer pace;
};

struct raw {
    struct peer_loop *loop;
    const struct options *options;
    struct pair *pairs;
    struct peer_udp trunk;
    struct peer_meter to_browser, to_trunk;
    struct peer_timer step;
};
static struct raw raw;

static void browser_packet(void *ctx, struct peer_packet *packet)
{
    struct pair *pair = ctx;

    peer_rtp_read(&pair->at_browser, &raw.to_browser, packet->bytes, packet->size, packet->time_ns);
}

static void trunk_packet(void *ctx, struct peer_packet *packet)
{
    unsigned index = (ntohs(packet->from.sin_port) - raw.options->relay_port) / 2;

    (void)ctx;
    if (index < raw.options->calls)
        peer_rtp_read(&raw.pairs[index].at_trunk, &raw.to_trunk, packet->bytes, packet->size, packet->time_ns);
}

static void pace_due(void *ctx)
{
    struct pair *pair = ctx;
    uint8_t bytes[PEER_RTP_BYTES];

    peer_udp_send(&pair->udp, &pair->browser_port, bytes, peer_rtp_write(&pair->from_browser, bytes));
    peer_udp_send_later(&raw.trunk, &pair->trunk_port, bytes, peer_rtp_write(&pair->from_trunk, bytes));
    raw.to_browser.sent_count++;
    raw.to_trunk.sent_count++;
    peer_timer_start(raw.loop, &pair->pace, peer_rtp_next_due(pair->pace.due_ns, peer_loop_now_ns(raw.loop)));
}

static void pair_start(struct pair *pair, unsigned index)
{
    const struct options *o = raw.options;

    pair->udp.on_packet = browser_packet;
    pair->udp.ctx = pair;
    if (peer_udp_open(&pair->udp, raw.loop, "127.0.0.1", 0) ||
        peer_address(&pair->browser_port, o->gateway_ip, (uint16_t)(o->relay_port + 2 * index)) ||
        peer_address(&pair->trunk_port, o->gateway_ip, (uint16_t)(o->relay_port + 2 * index + 1)))
        die("no socket for pair %u", index);
    peer_rtp_sender_init(&pair->from_browser, 0, index);
    peer_rtp_sender_init(&pair->from_trunk, 0, index);
    pair->pace = (struct peer_timer){.on_due = pace_due, .ctx = pair};
    peer_timer_start(raw.loop, &pair->pace,
                     peer_loop_now_ns(raw.loop) + (uint64_t)index * PEER_RTP_INTERVAL_NS / o->calls);
}

static void end_window(void *ctx)
{
    char browser_us[128], trunk_us[128];

    (void)ctx;
    mark("end", "\"packets\":%llu,\"lost\":%llu,%s,%s",
         (unsigned long long)(raw.to_browser.received_count + raw.to_trunk.received_count),
         (unsigned long long)(raw.to_browser.lost_count + raw.to_trunk.lost_count),
         histogram_json(browser_us, "to_browser_us", &raw.to_browser.delay_us, 1),
         histogram_json(trunk_us, "to_trunk_us", &raw.to_trunk.delay_us, 1));
    peer_loop_stop(raw.loop);
}

static void start_window(void *ctx)
{
    (void)ctx;
    raw.to_browser = raw.to_trunk = (struct peer_meter){0};
    mark_plain("start");
    raw.step.on_due = end_window;
    peer_timer_start_ms(raw.loop, &raw.step, raw.options->seconds * 1000);
}

int run_raw(struct peer_loop *loop, const struct options *options)
{
    raw.loop = loop;
    raw.options = options;
    raw.pairs = calloc(options->calls, sizeof(*raw.pairs));
    raw.trunk.on_packet = trunk_packet;
    if (!raw.pairs || peer_udp_open(&raw.trunk, loop, options->trunk_ip, (uint16_t)options->trunk_port))
        die("cannot open the trunk side");
    for (unsigned i = 0; i < options->calls; i++)
        pair_start(&raw.pairs[i], i);
    peer_loop_set_round(loop, options->round_us, options->slack_us);
    raw.step.on_due = start_window;
    peer_timer_start_ms(loop, &raw.step, SETTLE_MS);
    return peer_loop_run(loop) ? 1 : 0;
}
