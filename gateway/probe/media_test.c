/* SPDX-License-Identifier: Apache-2.0 */
/* media_test.c: the packets of a media test: a frame each 20 ms, a report each second, and what is counted of those
 * that come. RFC 3550 6.4 (reports), A.8 (jitter). */
#include "probe/media_test.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/worker.h"
#include "media/media.h"
#include "media/quality.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp_ctx.h"
#include "net/tos_udp.h"
#include "net/udp.h"
#include "probe/tone.h"

#define FRAME_MS     20
#define TAIL_MS      400 /* the last frames' time to come back */
#define REPORT_EVERY 50  /* frames between our reports, the first after half of it */
#define PORT_TRIES   400
#define CLOCK_HZ     8000
#define NTP_OFFSET_S 2208988800u /* 1900 to 1970 */
#define SILENT_DBOV  (-127.0)

struct media_test {
    struct conf *conf;
    struct udp_house *house;
    struct tos_udp *rtp, *rtcp;
    struct addr advertised;
    struct media_test_options options;
    bool is_running;
    struct timer frame;
    uint64_t started_us;
    uint32_t ssrc, timestamp;
    uint16_t seq;
    struct {
        uint64_t sent_us, hash;
        bool is_back;
    } frames[MEDIA_TEST_FRAMES_MAX];
    struct quality quality;
    uint64_t first_us, sr_us;
    uint32_t sr_ntp; /* middle bits of the peer's last report */
    double echo_sum_ms, energy;
    unsigned long samples;
    struct media_result result;
};

static void media_test_destroy(void *self)
{
    struct media_test *test = self;

    timer_stop(&test->frame);
    mem_unref(test->rtp);
    mem_unref(test->rtcp);
    mem_unref(test->options.srtp_taken);
    conf_unref(test->conf);
}

/* FNV-1a: told apart, not protected */
static uint64_t hash_of(const uint8_t *bytes, size_t n)
{
    uint64_t hash = 14695981039346656037ull;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 1099511628211ull;
    return hash;
}

static uint64_t ntp_now(void)
{
    uint64_t wall_us = clock_wall_us();

    return (wall_us / 1000000 + NTP_OFFSET_S) << 32 | (wall_us % 1000000 << 32) / 1000000;
}

/* ---- out ---- */

/* Through SRTP where there are keys. */
static void send_packet(struct media_test *test, const uint8_t *bytes, size_t n, bool is_rtcp)
{
    struct tos_udp *udp = is_rtcp ? test->rtcp : test->rtp;
    const struct addr *to = is_rtcp ? &test->options.rtcp : &test->options.rtp;
    struct pkt *pkt = pkt_get(udp_house_pool(test->house));
    int err = 0;

    if (!pkt)
        return;
    memcpy(pkt->data, bytes, n);
    pkt->len = (uint16_t)n;
    if (test->options.srtp_taken)
        err = is_rtcp ? srtp_ctx_protect_rtcp(test->options.srtp_taken, pkt)
                      : srtp_ctx_protect(test->options.srtp_taken, pkt);
    if (!err)
        tos_udp_send(udp, to, pkt->data, pkt->len); /* an error is a lost packet */
    pkt_put(udp_house_pool(test->house), pkt);
}

static void send_report(struct media_test *test)
{
    uint8_t bytes[256];
    struct rtcp_writer writer;
    struct rtcp_report report = {0};
    struct rtcp_sender_info info = {.ssrc = test->ssrc,
                                    .ntp = ntp_now(),
                                    .timestamp = test->timestamp,
                                    .packets = test->result.sent,
                                    .bytes = test->result.sent * TONE_SAMPLES};
    bool has_block = test->quality.is_started;

    if (has_block)
        quality_report(&test->quality, &report);
    if (has_block && test->sr_ntp) {
        report.lsr = test->sr_ntp;
        report.dlsr = (uint32_t)((clock_now_us() - test->sr_us) * 65536 / 1000000);
    }
    rtcp_writer_init(&writer, bytes, sizeof(bytes));
    rtcp_write_sr(&writer, &info, has_block ? &report : NULL);
    rtcp_write_cname(&writer, test->ssrc, SPAN("sipway-probe"));
    send_packet(test, bytes, writer.len, true);
}

static void send_frame(struct media_test *test)
{
    uint8_t bytes[RTP_HEADER_BYTES + TONE_SAMPLES];
    unsigned index = test->result.sent;
    struct rtp rtp = {
        .marker = !index, .pt = test->options.pt, .seq = test->seq++, .timestamp = test->timestamp, .ssrc = test->ssrc};

    rtp_write(bytes, &rtp);
    tone_frame(bytes + RTP_HEADER_BYTES, index, test->options.is_alaw);
    test->frames[index].hash = hash_of(bytes + RTP_HEADER_BYTES, TONE_SAMPLES);
    test->frames[index].sent_us = clock_now_us();
    test->timestamp += TONE_SAMPLES;
    test->result.sent++;
    send_packet(test, bytes, sizeof(bytes), false);
}

static void on_tail(void *arg)
{
    struct media_test *test = arg;

    test->is_running = false;
    test->options.on_done(test, test->options.arg);
}

static void on_frame(void *arg)
{
    struct media_test *test = arg;
    uint64_t now_us = clock_now_us(), due_us;

    send_frame(test);
    if (test->result.sent % REPORT_EVERY == REPORT_EVERY / 2)
        send_report(test);
    if (test->result.sent == test->options.run_ms / FRAME_MS || test->result.sent == MEDIA_TEST_FRAMES_MAX) {
        worker_timer(&test->frame, TAIL_MS, on_tail, test);
        return;
    }
    due_us = test->started_us + test->result.sent * FRAME_MS * 1000ull;
    worker_timer(&test->frame, due_us > now_us ? (due_us - now_us) / 1000 : 0, on_frame, test);
}

/* ---- in ---- */

static void look_for_echo(struct media_test *test, const uint8_t *payload, size_t n, uint64_t arrived_us)
{
    uint64_t hash = hash_of(payload, n);

    for (unsigned i = test->result.sent; n == TONE_SAMPLES && i-- > 0;) {
        if (test->frames[i].hash != hash || test->frames[i].is_back)
            continue;
        test->frames[i].is_back = true;
        test->result.echoed++;
        test->echo_sum_ms += (double)(arrived_us - test->frames[i].sent_us) / 1000;
        return;
    }
}

static void take_rtp(struct media_test *test, const uint8_t *bytes, size_t n, const struct tos_packet *packet)
{
    struct rtp rtp;

    if (rtp_parse(&rtp, bytes, n)) {
        test->result.unreadable++;
        return;
    }
    if (rtp.pt != test->options.pt) {
        test->result.other++;
        return;
    }
    if (!test->first_us)
        test->first_us = packet->arrived_us;
    test->result.received++;
    test->result.dscp = packet->dscp;
    test->result.source = packet->from;
    test->options.rtp = packet->from; /* as the gateway follows it (media/latch.h) */
    quality_add(&test->quality, rtp.ssrc, rtp.seq, rtp.timestamp, packet->arrived_us, CLOCK_HZ);
    test->energy += tone_energy(bytes + rtp.header_bytes, rtp.payload_bytes, test->options.is_alaw);
    test->samples += rtp.payload_bytes;
    look_for_echo(test, bytes + rtp.header_bytes, rtp.payload_bytes, packet->arrived_us);
}

static void take_block(struct media_test *test, const struct rtcp_report *report, uint64_t arrived_us)
{
    uint32_t now = (uint32_t)(ntp_now() >> 16), trip;

    test->result.has_report = true;
    test->result.report_lost = report->lost > 0 && test->result.sent ? (double)report->lost / test->result.sent : 0;
    test->result.report_jitter_ms = (double)report->jitter * 1000 / CLOCK_HZ;
    if (!report->lsr)
        return;
    trip = now - report->lsr - report->dlsr; /* RFC 3550 6.4.1 */
    test->result.report_ms = trip < 0x80000000u ? trip * 1000.0 / 65536 : 0;
}

static void take_rtcp(struct media_test *test, const uint8_t *bytes, size_t n, uint64_t arrived_us)
{
    struct span rest = span_make(bytes, n);
    struct rtcp_packet part;

    if (rtcp_check(bytes, n)) {
        test->result.unreadable++;
        return;
    }
    test->result.has_rtcp = true;
    while (rtcp_next(&rest, &part)) {
        struct rtcp_sender_info info;
        struct rtcp_report report;

        if (part.type == RTCP_SR) {
            rtcp_read_sender_info(&info, &part);
            test->sr_ntp = (uint32_t)(info.ntp >> 16);
            test->sr_us = arrived_us;
        }
        for (unsigned i = 0; (part.type == RTCP_SR || part.type == RTCP_RR) && i < part.count; i++) {
            rtcp_read_report(&report, &part, i);
            if (report.ssrc == test->ssrc)
                take_block(test, &report, arrived_us);
        }
    }
}

static bool is_rtcp(const uint8_t *bytes, size_t n)
{
    return n >= 2 && bytes[1] >= 192 && bytes[1] <= 223; /* RFC 5761 4 */
}

static void on_packet(struct tos_udp *udp, const struct tos_packet *packet, void *arg)
{
    struct media_test *test = arg;
    bool is_report = is_rtcp(packet->bytes, packet->n);
    struct pkt *pkt;
    int err = 0;

    if (!test->is_running || packet->n > PKT_DATA_MAX)
        return;
    pkt = pkt_get(udp_house_pool(test->house));
    if (!pkt)
        return;
    memcpy(pkt->data, packet->bytes, packet->n);
    pkt->len = (uint16_t)packet->n;
    if (test->options.srtp_taken)
        err = is_report ? srtp_ctx_unprotect_rtcp(test->options.srtp_taken, pkt)
                        : srtp_ctx_unprotect(test->options.srtp_taken, pkt);
    if (err)
        test->result.unreadable++;
    else if (is_report)
        take_rtcp(test, pkt->data, pkt->len, packet->arrived_us);
    else
        take_rtp(test, pkt->data, pkt->len, packet);
    pkt_put(udp_house_pool(test->house), pkt);
}

/* ---- what was measured ---- */

/* From the first that came back on: an echo may begin a moment after the answer. Not those that are still on the way.
 */
static unsigned count_wanted(const struct media_test *test, uint64_t now_us)
{
    uint64_t margin_us = test->result.echoed ? (uint64_t)(3000 * test->echo_sum_ms / test->result.echoed) + 60000 : 0;
    unsigned wanted = 0, first = 0;

    while (first < test->result.sent && !test->frames[first].is_back)
        first++;
    for (unsigned i = first; i < test->result.sent; i++)
        wanted += test->frames[i].is_back || test->frames[i].sent_us + margin_us < now_us;
    return wanted;
}

void media_test_result(const struct media_test *test, struct media_result *out)
{
    double power = test->samples ? test->energy / (double)test->samples : 0;

    *out = test->result;
    out->expected = test->result.received + (unsigned)quality_lost(&test->quality);
    out->jitter_ms = quality_jitter_us(&test->quality) / 1000.0;
    out->echo_wanted = count_wanted(test, clock_now_us());
    out->echo_ms = out->echoed ? test->echo_sum_ms / out->echoed : 0;
    out->first_ms = test->first_us ? (double)(test->first_us - test->started_us) / 1000 : 0;
    out->level_dbov = power > 1e-12 ? 10 * log10(power) : SILENT_DBOV;
}

/* ---- sockets ---- */

static int open_pair(struct media_test *test, const struct addr *local, uint16_t port)
{
    struct addr at = *local;
    int err;

    addr_set_port(&at, port);
    err = tos_udp_new(&test->rtp, &at, on_packet, test);
    if (err)
        return err;
    at = *tos_udp_local(test->rtp);
    addr_set_port(&at, (uint16_t)(addr_port(&at) ^ 1));
    err = tos_udp_new(&test->rtcp, &at, on_packet, test);
    if (err)
        test->rtp = mem_unref(test->rtp);
    return err;
}

static int open_sockets(struct media_test *test, const struct addr *local)
{
    const struct conf *conf = test->conf;
    int err = -EADDRINUSE;

    for (unsigned i = 0, port = (conf->media.rtp_port_max - 1u) & ~1u;
         i < PORT_TRIES && port >= conf->media.rtp_port_min; i++, port -= 2) {
        err = open_pair(test, local, (uint16_t)port);
        if (err != -EADDRINUSE)
            return err;
    }
    for (unsigned i = 0; i < PORT_TRIES && err == -EADDRINUSE; i++)
        err = open_pair(test, local, 0);
    return err;
}

static int local_address(struct addr *local, const struct conf *conf, const struct addr *towards)
{
    if (!addr_parse(local, span_of(conf->media.rtp_address), 0) && addr_is_v6(local) == addr_is_v6(towards))
        return 0;
    return addr_parse(local, addr_is_v6(towards) ? SPAN("::") : SPAN("0.0.0.0"), 0);
}

int media_test_open(struct media_test **testp, struct conf *conf, struct udp_house *house, const struct addr *towards)
{
    struct media_test *test = mem_new(sizeof(*test), media_test_destroy);
    struct addr local;
    int err;

    if (!test)
        return -ENOMEM;
    test->conf = conf_ref(conf);
    test->house = house;
    test->ssrc = rand_u32();
    test->timestamp = rand_u32();
    test->seq = (uint16_t)(rand_u32() & 0x7fff); /* RFC 3711 3.3.1: no wrap before SRTP has begun */
    test->result.dscp = -1;
    test->result.report_ms = -1;
    err = local_address(&local, conf, towards);
    if (!err)
        err = open_sockets(test, &local);
    if (err) {
        mem_unref(test);
        return err;
    }
    test->result.is_dscp_set = !tos_udp_set_dscp(test->rtp, conf->media.dscp_audio);
    media_advertised(&test->advertised, conf, tos_udp_local(test->rtp), towards);
    *testp = test;
    return 0;
}

const struct addr *media_test_address(const struct media_test *test)
{
    return &test->advertised;
}

uint16_t media_test_rtcp_port(const struct media_test *test)
{
    return addr_port(tos_udp_local(test->rtcp));
}

void media_test_start(struct media_test *test, const struct media_test_options *options)
{
    test->options = *options;
    test->is_running = true;
    test->started_us = clock_now_us();
    on_frame(test);
}
