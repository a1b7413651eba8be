/* SPDX-License-Identifier: Apache-2.0 */
/* test_net_workers.c: three workers on threads of their own share the addresses and nothing else. Run it under
 * ThreadSanitizer. */
#include "net_test.h"

#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/conf.h"
#include "net/stream.h"
#include "net/udp.h"
#include "net/ws.h"

#define WORKERS 3
#define CLIENTS 60

struct house {
    struct worker *worker;
    struct udp_house *udps;
    struct udp *udp;
    struct stream_listener *listener;
    struct ws_house *webs;
    unsigned udp_count, stream_count; /* of this worker's thread; read after it has ended */
};

static unsigned udp_total, stream_total, ws_total; /* atomic */

static void add(unsigned *own, unsigned *total, unsigned n)
{
    *own += n;
    __atomic_add_fetch(total, n, __ATOMIC_RELEASE);
}

static void on_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    add(&((struct house *)arg)->udp_count, &udp_total, n);
}

static void on_accept(struct stream *stream_taken, void *arg)
{
    add(&((struct house *)arg)->stream_count, &stream_total, 1);
    mem_unref(stream_taken);
}

static void on_open(struct ws *ws, void *arg)
{
    __atomic_add_fetch(&ws_total, 1, __ATOMIC_RELEASE);
}

static void on_message(struct ws *ws, char *bytes, size_t n, bool is_binary, void *arg)
{
}

static const struct ws_protocol protocols[] = {{"sip", on_open, on_message, NULL, 1000, NULL}, {NULL}};

static void build(struct house *house, unsigned id, struct addr *udp_at, struct addr *tcp_at, struct conf *conf)
{
    struct udp_options udp = {.local = *udp_at, .is_shared = true, .on_batch = on_batch, .arg = house};
    struct stream_listen_options tcp = {.local = *tcp_at, .on_accept = on_accept, .arg = house};
    struct ws_house_options web = {.conf = conf, .protocols = protocols};
    const char *why;

    assert_int_equal(worker_new(&house->worker, id, WORKERS), 0);
    worker_set_current(house->worker);
    assert_int_equal(udp_house_new(&house->udps, 1000), 0);
    assert_int_equal(udp_new(&house->udp, house->udps, &udp), 0);
    assert_int_equal(stream_listen(&house->listener, &tcp), 0);
    assert_int_equal(ws_house_new(&house->webs, &web, &why), 0);
    *udp_at = *udp_local(house->udp);
    *tcp_at = *stream_listener_local(house->listener);
    conf->web.listen.items[0].port = ws_house_port(house->webs, 0);
}

static void take_down(struct house *house)
{
    worker_set_current(house->worker);
    mem_unref(house->webs);
    mem_unref(house->listener);
    mem_unref(house->udp);
    mem_unref(house->udps);
    mem_unref(house->worker);
    worker_set_current(NULL);
}

static int say(int type, const struct addr *to, const char *text)
{
    int fd = socket(AF_INET, type, 0);

    assert_int_equal(connect(fd, &to->sa, addr_len(to)), 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    return fd;
}

static void wait_for(const unsigned *total, unsigned wanted)
{
    double end = net_now() + 20;

    while (__atomic_load_n(total, __ATOMIC_ACQUIRE) < wanted && net_now() < end)
        sched_yield();
    assert_int_equal(__atomic_load_n(total, __ATOMIC_ACQUIRE), wanted);
}

static void test_workers_share_addresses(void **state)
{
    static const char upgrade[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Protocol: sip\r\n\r\n";
    struct conf_listen listen = {.scheme = "http", .host = (char *)"127.0.0.1"};
    struct conf conf = {.refs = 1, .web.listen = {&listen, 1}, .web.idle_s = 30};
    struct addr udp_at, tcp_at, web_at;
    struct house houses[WORKERS] = {{NULL}};
    unsigned busy_udp = 0, busy_tcp = 0;
    int fds[CLIENTS];

    log_set_sink(net_quiet);
    addr_parse(&udp_at, SPAN("127.0.0.1"), 0);
    tcp_at = web_at = udp_at;
    for (unsigned i = 0; i < WORKERS; i++)
        build(&houses[i], i, &udp_at, &tcp_at, &conf);
    addr_set_port(&web_at, listen.port);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(worker_start(houses[i].worker), 0);
    for (int i = 0; i < CLIENTS; i++)
        close(say(SOCK_DGRAM, &udp_at, "x"));
    wait_for(&udp_total, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        close(say(SOCK_STREAM, &tcp_at, "x"));
    wait_for(&stream_total, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = say(SOCK_STREAM, &web_at, upgrade);
    wait_for(&ws_total, CLIENTS);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_stop(houses[i].worker);
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_join(houses[i].worker);
        busy_udp += houses[i].udp_count > 0;
        busy_tcp += houses[i].stream_count > 0;
        take_down(&houses[i]);
    }
    assert_in_range(busy_udp, 2, WORKERS); /* the kernel spreads them; that 60 meet one worker is out of the question */
    assert_in_range(busy_tcp, 2, WORKERS);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_workers_share_addresses)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
