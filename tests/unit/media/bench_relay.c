/* SPDX-License-Identifier: Apache-2.0 */
/* bench_relay.c: CPU per relayed packet of a gateway's worker: N calls, each a peer connection (AES-GCM) bridged with
 * an RTP session, 50 packets of 160 bytes a second each way, over loopback; and beside it, on the same sockets' shape
 * and the same rounds, a relay that does nothing but pass datagrams on. The load comes from a thread of its own; only
 * the worker's thread is measured. usage: bench_relay [calls [seconds]] */
#include "media_rig.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/udp_house.h"

#define CALL_MAX    1000
#define FRAME_US    20000
#define PAYLOAD     160
#define LATENCY_MAX 400000

static unsigned call_count = 200, seconds = 10;

struct call {
    struct peer browser, phone;
    struct endpoint *webrtc, *rtp;
    struct media_stream *browser_stream, *phone_stream;
    int browser_fd, phone_fd;
    struct addr browser_to, phone_to; /* where they send to */
    struct addr browser_at, phone_at;
    struct udp *relay_udp;
    uint16_t seq;
};
static struct call calls[CALL_MAX];

/* ---- the load ---- */

static uint32_t latency_us[LATENCY_MAX];
static unsigned latency_count, sent_count, received_count;
static bool is_protected; /* the browsers' side speaks SRTP */

static void send_one(struct call *call, bool is_browser)
{
    static struct pkt pkt;
    const struct addr *to = is_browser ? &call->browser_to : &call->phone_to;
    uint64_t now_us = clock_now_us();

    pkt.data = pkt.buf + PKT_HEAD_ROOM;
    rtp_write(pkt.data, &(struct rtp){.seq = call->seq, .timestamp = 160u * call->seq, .ssrc = is_browser ? 1 : 2});
    memcpy(pkt.data + RTP_HEADER_BYTES, &now_us, sizeof(now_us));
    pkt.len = RTP_HEADER_BYTES + PAYLOAD;
    if (is_browser && is_protected && srtp_ctx_protect(call->browser.srtp, &pkt))
        abort();
    if (sendto(is_browser ? call->browser_fd : call->phone_fd, pkt.data, pkt.len, 0, &to->sa, addr_len(to)) > 0)
        sent_count++;
}

static void receive_all(struct call *call, bool is_browser)
{
    static struct pkt pkt;
    ssize_t n;

    pkt.data = pkt.buf + PKT_HEAD_ROOM;
    while ((n = recv(is_browser ? call->browser_fd : call->phone_fd, pkt.data, PKT_DATA_MAX, MSG_DONTWAIT)) > 0) {
        uint64_t sent_us;

        pkt.len = (uint16_t)n;
        if (pkt.data[1] >= 192) /* RTCP */
            continue;
        if (is_browser && is_protected && srtp_ctx_unprotect(call->browser.srtp, &pkt))
            continue;
        received_count++;
        memcpy(&sent_us, pkt.data + RTP_HEADER_BYTES, sizeof(sent_us));
        if (latency_count < LATENCY_MAX)
            latency_us[latency_count++] = (uint32_t)(clock_now_us() - sent_us);
    }
}

static void receive_ready(struct pollfd *fds)
{
    if (poll(fds, 2 * call_count, 0) <= 0)
        return;
    for (unsigned i = 0; i < 2 * call_count; i++)
        if (fds[i].revents)
            receive_all(&calls[i / 2], i % 2 == 0);
}

static void *load(void *arg)
{
    static struct pollfd fds[2 * CALL_MAX];
    uint64_t begin_us = clock_now_us(), end_us = begin_us + seconds * 1000000ull;
    uint64_t frames = 0, now_us;
    unsigned at = 0;

    for (unsigned i = 0; i < call_count; i++) {
        fds[2 * i] = (struct pollfd){.fd = calls[i].browser_fd, .events = POLLIN};
        fds[2 * i + 1] = (struct pollfd){.fd = calls[i].phone_fd, .events = POLLIN};
    }
    while ((now_us = clock_now_us()) < end_us + 200000) {
        /* Calls are spread evenly over the 20 ms. */
        while (now_us < end_us && begin_us + frames * FRAME_US + (uint64_t)at * FRAME_US / call_count <= now_us) {
            calls[at].seq++;
            send_one(&calls[at], true);
            send_one(&calls[at], false);
            if (++at == call_count) {
                at = 0;
                frames++;
            }
        }
        receive_ready(fds);
        usleep(200);
    }
    worker_stop(rig.worker);
    return NULL;
}

static int by_value(const void *left, const void *right)
{
    return *(const uint32_t *)left < *(const uint32_t *)right ? -1 : 1;
}

static double run(const char *name)
{
    uint64_t cpu_us = clock_cpu_us();
    pthread_t thread;

    sent_count = received_count = latency_count = 0;
    pthread_create(&thread, NULL, load, NULL);
    pthread_setname_np(thread, "load");
    pthread_setname_np(pthread_self(), name); /* told apart in a profile */
    worker_run(rig.worker);
    pthread_join(thread, NULL);
    worker_set_current(rig.worker);
    stats_bind(&rig.worker->stats);
    cpu_us = clock_cpu_us() - cpu_us;
    qsort(latency_us, latency_count, sizeof(latency_us[0]), by_value);
    printf("%-12s %u calls: sent %u, received %u, %.2f us of CPU per packet, delay p50 %u us, p99 %u us\n", name,
           call_count, sent_count, received_count, (double)cpu_us / received_count,
           latency_count ? latency_us[latency_count / 2] : 0, latency_count ? latency_us[latency_count / 100 * 99] : 0);
    return (double)cpu_us / received_count;
}

/* ---- the gateway ---- */

static const struct stream_config audio = {
    .formats = {{.codec = 1, .pt_in = 0, .pt_out = 0, .clock_hz = 8000}},
    .format_count = 1,
    .receives = true,
    .sends = true,
};

/* The test's peers made the handshake in the worker's loop; from now on their sockets are the load's. */
static int take_socket(struct peer *peer, struct addr *at)
{
    int fd = dup(peer->udp->fd);

    *at = *udp_local(peer->udp);
    peer->udp = mem_unref(peer->udp);
    return fd;
}

static void call_start(struct call *call)
{
    struct rtp_remote remote = {.has_rtcp_mux = true};
    struct rtp_local local;

    peer_start(&call->browser);
    peer_start(&call->phone);
    if (endpoint_new_webrtc(&call->webrtc, rig.house, &(struct webrtc_options){0}) ||
        endpoint_new_rtp(&call->rtp, rig.house, &(struct rtp_options){0}) ||
        media_stream_new(&call->browser_stream, call->webrtc) || media_stream_new(&call->phone_stream, call->rtp))
        abort();
    media_stream_set(call->browser_stream, &audio);
    media_stream_set(call->phone_stream, &audio);
    endpoint_rtp_local(call->rtp, &local);
    call->phone_to = local.rtp;
    remote.rtp = *udp_local(call->phone.udp);
    endpoint_rtp_remote(call->rtp, &remote);
    media_bridge(call->browser_stream, call->phone_stream);
    peer_connect(&call->browser, call->webrtc, false);
    call->browser_to = call->browser.gateway;
    call->browser.dtls = mem_unref(call->browser.dtls);
    call->browser.identity = mem_unref(call->browser.identity);
    call->phone.identity = mem_unref(call->phone.identity);
    call->browser_fd = take_socket(&call->browser, &call->browser_at);
    call->phone_fd = take_socket(&call->phone, &call->phone_at);
}

static void call_stop(struct call *call)
{
    mem_unref(call->browser_stream);
    mem_unref(call->phone_stream);
    mem_unref(call->webrtc);
    mem_unref(call->rtp);
}

/* ---- the relay that does nothing ---- */

static struct call *call_of_port[65536];
static struct udp *shared;

static void from_browser(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    for (unsigned i = 0; i < n; i++) {
        struct call *call = call_of_port[addr_port(&pkts[i]->addr)];

        if (!call)
            continue;
        pkts[i]->addr = call->phone_at;
        udp_queue(call->relay_udp, pkts[i]);
        pkts[i] = NULL;
    }
}

static void from_phone(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct call *call = arg;

    for (unsigned i = 0; i < n; i++) {
        pkts[i]->addr = call->browser_at;
        udp_queue(shared, pkts[i]);
        pkts[i] = NULL;
    }
}

static void relay_start(void)
{
    struct udp_options options = {.receive_bytes = 4 << 20, .on_batch = from_browser};

    addr_parse(&options.local, SPAN("127.0.0.1"), 0);
    if (udp_new(&shared, rig.udp, &options))
        abort();
    options.receive_bytes = 0;
    options.on_batch = from_phone;
    for (unsigned i = 0; i < call_count; i++) {
        options.arg = &calls[i];
        if (udp_new(&calls[i].relay_udp, rig.udp, &options))
            abort();
        call_of_port[addr_port(&calls[i].browser_at)] = &calls[i];
        calls[i].browser_to = *udp_local(shared);
        calls[i].phone_to = *udp_local(calls[i].relay_udp);
    }
}

/* Without the pool of packets, which is the worker's and not a call's. */
static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

int main(int argc, char **argv)
{
    double gateway_us, relay_us;
    size_t before;

    if (argc > 1)
        call_count = (unsigned)atoi(argv[1]);
    if (argc > 2)
        seconds = (unsigned)atoi(argv[2]);
    if (call_count < 1 || call_count > CALL_MAX)
        return 2;
    rig_gather_us = 1000;
    rig_port_count = 2 * CALL_MAX;
    rig_start("");
    call_start(&calls[0]);
    before = heap_bytes();
    for (unsigned i = 1; i < call_count; i++)
        call_start(&calls[i]);
    printf("heap: %.1f kB per call, with the SRTP keys of the test's peer\n",
           call_count > 1 ? (double)(heap_bytes() - before) / 1000 / (call_count - 1) : 0.0);
    is_protected = true;
    gateway_us = run("gateway");
    for (unsigned i = 0; i < call_count; i++)
        call_stop(&calls[i]);
    is_protected = false;
    relay_start();
    relay_us = run("bare relay");
    printf("ratio %.2f\n", gateway_us / relay_us);
    return 0;
}
