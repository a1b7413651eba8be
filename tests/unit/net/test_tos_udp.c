/* SPDX-License-Identifier: Apache-2.0 */
/* test_tos_udp.c: the measuring socket tells the DSCP with which a packet came, over IPv4 and IPv6, and shares its port
 * with nobody. */
#include "net/tos_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

#include "../oom.h"
#include "base/mem.h"
#include "base/worker.h"

struct seen {
    struct worker *worker;
    struct tos_udp *udp[2];
    struct timer timer;
    unsigned count;
    int dscp;
    char text[16];
};

static void on_packet(struct tos_udp *udp, const struct tos_packet *packet, void *arg)
{
    struct seen *seen = arg;

    seen->count++;
    seen->dscp = packet->dscp;
    span_copy(span_make(packet->bytes, packet->n), seen->text, sizeof(seen->text));
    worker_stop(seen->worker);
}

static void on_patience(void *arg)
{
    worker_stop(arg);
}

static void exchange(const char *host, unsigned dscp)
{
    struct seen seen = {.dscp = -2};
    struct addr local;

    assert_int_equal(worker_new(&seen.worker, 0, 1), 0);
    worker_set_current(seen.worker);
    assert_int_equal(addr_parse(&local, span_of(host), 0), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(tos_udp_new(&seen.udp[i], &local, on_packet, &seen), 0);
    assert_int_equal(tos_udp_set_dscp(seen.udp[0], dscp), 0);
    assert_int_equal(tos_udp_send(seen.udp[0], tos_udp_local(seen.udp[1]), "hello", 5), 0);
    worker_timer(&seen.timer, 3000, on_patience, seen.worker);
    worker_run(seen.worker);
    worker_set_current(seen.worker);
    timer_stop(&seen.timer);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.dscp, (int)dscp);
    assert_string_equal(seen.text, "hello");
    mem_unref(seen.udp[0]);
    mem_unref(seen.udp[1]);
    worker_set_current(NULL);
    mem_unref(seen.worker);
}

static void test_the_mark_is_seen_at_the_other_end(void **state)
{
    exchange("127.0.0.1", 46);
    exchange("127.0.0.1", 0);
}

static void test_over_ipv6_as_well(void **state)
{
    struct addr local, to;

    addr_parse(&to, SPAN("::1"), 9);
    if (addr_local_towards(&local, &to))
        skip();
    exchange("::1", 34);
}

/* Against the kernel's own: the DSCP is the upper six bits of the byte (RFC 2474 3). */
static void test_the_mark_of_a_plain_socket_is_read_as_it_is(void **state)
{
    struct seen seen = {.dscp = -2};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), byte = 0xb8;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct addr local;

    assert_int_equal(worker_new(&seen.worker, 0, 1), 0);
    worker_set_current(seen.worker);
    assert_int_equal(addr_parse(&local, SPAN("127.0.0.1"), 0), 0);
    assert_int_equal(tos_udp_new(&seen.udp[0], &local, on_packet, &seen), 0);
    to.sin_port = htons(addr_port(tos_udp_local(seen.udp[0])));
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_TOS, &byte, sizeof(byte)), 0);
    assert_int_equal(sendto(fd, "hi", 2, 0, (struct sockaddr *)&to, sizeof(to)), 2);
    worker_timer(&seen.timer, 3000, on_patience, seen.worker);
    worker_run(seen.worker);
    worker_set_current(seen.worker);
    timer_stop(&seen.timer);
    assert_int_equal(seen.dscp, 46);
    close(fd);
    mem_unref(seen.udp[0]);
    worker_set_current(NULL);
    mem_unref(seen.worker);
}

static void test_a_taken_port_is_not_shared(void **state)
{
    struct worker *worker;
    struct tos_udp *first, *second = NULL;
    struct addr local;

    assert_int_equal(worker_new(&worker, 0, 1), 0);
    worker_set_current(worker);
    addr_parse(&local, SPAN("127.0.0.1"), 0);
    assert_int_equal(tos_udp_new(&first, &local, on_packet, NULL), 0);
    assert_int_equal(tos_udp_new(&second, tos_udp_local(first), on_packet, NULL), -EADDRINUSE);
    assert_null(second);
    mem_unref(first);
    worker_set_current(NULL);
    mem_unref(worker);
}

static int open_one(void *arg)
{
    struct worker *worker = arg;
    struct tos_udp *udp;
    struct addr local;
    int err;

    worker_set_current(worker);
    addr_parse(&local, SPAN("127.0.0.1"), 0);
    err = tos_udp_new(&udp, &local, on_packet, NULL);
    if (!err)
        mem_unref(udp);
    uv_run(&worker->loop, UV_RUN_NOWAIT); /* its handle closes */
    worker_set_current(NULL);
    return err;
}

static void test_without_memory_nothing_is_left_behind(void **state)
{
    struct worker *worker;

    assert_int_equal(worker_new(&worker, 0, 1), 0);
    assert_true(oom_run(open_one, worker) >= 2);
    mem_unref(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_mark_is_seen_at_the_other_end),
        cmocka_unit_test(test_over_ipv6_as_well),
        cmocka_unit_test(test_the_mark_of_a_plain_socket_is_read_as_it_is),
        cmocka_unit_test(test_a_taken_port_is_not_shared),
        cmocka_unit_test(test_without_memory_nothing_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
