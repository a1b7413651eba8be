/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

#include <errno.h>
#include <unistd.h>

#include "base/warm.h"
#include "net/ports.h"
#include "net/udp_house.h"

#define LOG_MAX 512

struct peer {
    struct udp *udp;
    struct udp *closes; /* closed at the first packet */
    bool echoes;
    unsigned batches, packets;
    uint64_t arrived_us;
    size_t large_n;
    char first[32];
    struct addr from;
};

static void on_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct peer *peer = arg;

    peer->batches++;
    for (unsigned i = 0; i < n; i++) {
        if (!peer->packets++) {
            snprintf(peer->first, sizeof(peer->first), "%.*s", pkts[i]->len, (char *)pkts[i]->data);
            peer->from = pkts[i]->addr;
        }
        peer->arrived_us = pkts[i]->arrived_us;
        if (peer->echoes) {
            udp_queue(udp, pkts[i]);
            pkts[i] = NULL;
        }
    }
    if (peer->closes) {
        if (peer->closes == peer->udp)
            peer->udp = NULL;
        mem_unref(peer->closes);
        peer->closes = NULL;
    }
}

static void open_peer(struct peer *peer, struct udp_house *house)
{
    struct udp_options options = {.on_batch = on_batch, .arg = peer};

    *peer = (struct peer){NULL};
    assert_int_equal(addr_parse(&options.local, SPAN("127.0.0.1"), 0), 0);
    assert_int_equal(udp_new(&peer->udp, house, &options), 0);
}

static void say(struct peer *from, struct peer *to, const char *text)
{
    assert_int_equal(udp_send(from->udp, udp_local(to->udp), text, strlen(text)), 0);
}

static void test_packet_is_echoed(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;

    assert_int_equal(udp_house_new(&house, 1000), 0);
    open_peer(&left, house);
    open_peer(&right, house);
    right.echoes = true;
    say(&left, &right, "hello");
    net_wait(test, left.packets == 1);
    assert_string_equal(right.first, "hello");
    assert_string_equal(left.first, "hello");
    assert_true(addr_eq(&left.from, udp_local(right.udp)));
    assert_true(right.arrived_us > 0);
    assert_false(house->is_gathering);
    assert_int_equal(test->worker->stats.value[STAT_UDP_RECEIVED], 2);
    assert_int_equal(test->worker->stats.value[STAT_UDP_SENT], 2);
    mem_unref(left.udp);
    mem_unref(right.udp);
    mem_unref(house);
}

static void test_load_is_gathered_and_ends(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;
    unsigned sent = 0, rounds;

    assert_int_equal(udp_house_new(&house, 2000), 0);
    open_peer(&left, house);
    open_peer(&right, house);
    right.echoes = true;
    for (int burst = 0; burst < 40; burst++) {
        for (int i = 0; i < 20; i++, sent++)
            say(&left, &right, "media");
        net_wait(test, left.packets == sent);
    }
    assert_true(house->is_gathering);
    rounds = (unsigned)test->worker->stats.value[STAT_UDP_ROUNDS];
    assert_in_range(rounds, 1, sent / 4);
    net_wait(test, !house->is_gathering); /* quiet again */
    say(&left, &right, "alone");
    net_wait(test, left.packets == sent + 1);
    assert_int_equal(right.packets, sent + 1);
    mem_unref(left.udp);
    mem_unref(right.udp);
    mem_unref(house);
}

static void test_burst_larger_than_a_batch_arrives_whole(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;

    for (unsigned gather_us = 0; gather_us <= 1000; gather_us += 1000) {
        assert_int_equal(udp_house_new(&house, gather_us), 0);
        open_peer(&left, house);
        open_peer(&right, house);
        for (int i = 0; i < 200; i++) /* fits the kernel's default buffer of 212992 bytes */
            say(&left, &right, "x");
        net_wait(test, right.packets == 200);
        mem_unref(left.udp);
        mem_unref(right.udp);
        mem_unref(house);
    }
}

static void test_socket_may_be_closed_within_its_round(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer sender, first, second;

    assert_int_equal(udp_house_new(&house, 0), 0);
    open_peer(&sender, house);
    open_peer(&first, house);
    first.closes = first.udp;
    for (int i = 0; i < 3; i++)
        say(&sender, &first, "x");
    net_wait(test, !first.udp);

    open_peer(&first, house);
    open_peer(&second, house);
    first.closes = second.udp; /* whichever comes first in the round closes the other one */
    second.closes = first.udp;
    say(&sender, &first, "x");
    say(&sender, &second, "x");
    net_wait(test, first.packets + second.packets == 1);
    for (int i = 0; i < 5; i++)
        net_turn(test);
    assert_int_equal(first.packets + second.packets, 1);
    mem_unref(first.packets ? first.udp : second.udp);
    mem_unref(sender.udp);
    mem_unref(house);
}

static void test_queued_packets_leave_before_the_socket_closes(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;

    assert_int_equal(udp_house_new(&house, 1000), 0);
    open_peer(&left, house);
    open_peer(&right, house);
    say(&left, &right, "last words");
    mem_unref(left.udp);
    net_wait(test, right.packets == 1);
    mem_unref(right.udp);
    mem_unref(house);
}

static void test_refused_packet_does_not_hold_up_the_others(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;
    struct addr nowhere, v6;

    assert_int_equal(udp_house_new(&house, 0), 0);
    open_peer(&left, house);
    open_peer(&right, house);
    nowhere = *udp_local(right.udp);
    addr_set_port(&nowhere, 0);                                   /* EINVAL */
    assert_int_equal(addr_parse(&v6, SPAN("2001:db8::1"), 9), 0); /* EAFNOSUPPORT or the like */
    say(&left, &right, "one");
    assert_int_equal(udp_send(left.udp, &nowhere, "x", 1), 0);
    assert_int_equal(udp_send(left.udp, &v6, "x", 1), 0);
    say(&left, &right, "two");
    net_wait(test, right.packets == 2);
    assert_int_equal(test->worker->stats.value[STAT_UDP_SEND_FAILED], 2);
    mem_unref(left.udp);
    mem_unref(right.udp);
    mem_unref(house);
}

static void test_datagrams_too_long_for_a_packet_are_sent_but_not_taken(void **state)
{
    static char large[3000];
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;

    assert_int_equal(udp_house_new(&house, 0), 0);
    open_peer(&left, house);
    open_peer(&right, house);
    assert_int_equal(udp_send(left.udp, udp_local(right.udp), large, sizeof(large)), 0);
    assert_int_equal(udp_send(left.udp, udp_local(right.udp), large, 70000), -EMSGSIZE);
    say(&left, &right, "short");
    net_wait(test, right.packets == 1);
    assert_string_equal(right.first, "short");
    assert_int_equal(test->worker->stats.value[STAT_UDP_RECEIVED], 2);
    mem_unref(left.udp);
    mem_unref(right.udp);
    mem_unref(house);
}

static void on_large(struct udp *udp, const struct addr *from, char *bytes, size_t n, void *arg)
{
    struct peer *peer = arg;

    for (size_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], (char)(i % 251));
    peer->large_n = n;
    peer->from = *from;
}

static void test_large_datagrams_are_taken_where_they_are_wanted(void **state)
{
    static const size_t sizes[] = {PKT_DATA_MAX + 1, 4000, 65507};
    static char bytes[65507];
    struct net_test *test = *state;
    struct udp_options options = {.on_batch = on_batch, .on_large = on_large};
    struct udp_house *house;
    struct peer left, right, media;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i % 251);
    assert_int_equal(udp_house_new(&house, 0), 0);
    open_peer(&left, house);
    open_peer(&media, house);
    right = (struct peer){NULL};
    options.arg = &right;
    assert_int_equal(addr_parse(&options.local, SPAN("127.0.0.1"), 0), 0);
    assert_int_equal(udp_new(&right.udp, house, &options), 0);
    for (int i = 0; i < 3; i++) {
        say(&left, &right, "before");
        say(&left, &media, "beside");
        assert_int_equal(udp_send(left.udp, udp_local(media.udp), bytes, sizes[i]), 0);
        assert_int_equal(udp_send(left.udp, udp_local(right.udp), bytes, sizes[i]), 0);
        net_wait(test, right.large_n == sizes[i] && right.packets == i + 1u && media.packets == i + 1u);
        assert_true(addr_eq(&right.from, udp_local(left.udp)));
    }
    mem_unref(left.udp);
    mem_unref(right.udp);
    mem_unref(media.udp);
    mem_unref(house);
}

/* The code point of the next packet that a plain socket receives. */
static int receive_dscp(struct net_test *test, int fd)
{
    char byte, control[64];
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *cmsg;

    net_wait(test, recvmsg(fd, &msg, MSG_DONTWAIT) > 0);
    cmsg = CMSG_FIRSTHDR(&msg);
    assert_non_null(cmsg);
    return *(unsigned char *)CMSG_DATA(cmsg) >> 2;
}

static void test_code_point_is_the_packets_or_the_sockets(void **state)
{
    struct net_test *test = *state;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    struct udp_options options = {.dscp = 46};
    struct udp_house *house;
    struct addr to;
    socklen_t len = sizeof(to);
    struct pkt *pkt;
    struct udp *udp;

    assert_int_equal(addr_parse(&options.local, SPAN("127.0.0.1"), 0), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one)), 0);
    assert_int_equal(bind(fd, &options.local.sa, addr_len(&options.local)), 0);
    assert_int_equal(getsockname(fd, &to.sa, &len), 0);
    assert_int_equal(udp_house_new(&house, 0), 0);
    assert_int_equal(udp_new(&udp, house, &options), 0);
    assert_int_equal(udp_send(udp, &to, "x", 1), 0);
    pkt = pkt_get(udp_house_pool(house));
    pkt->data[0] = 'y';
    pkt->len = 1;
    pkt->dscp = 34;
    pkt->addr = to;
    udp_queue(udp, pkt);
    assert_int_equal(receive_dscp(test, fd), 46);
    assert_int_equal(receive_dscp(test, fd), 34);
    close(fd);
    mem_unref(udp);
    mem_unref(house);
}

static void test_pool_ends_at_its_limit(void **state)
{
    struct net_test *test = *state;
    struct pkt *pkts[100];
    struct pkt_pool *pool;

    assert_int_equal(pkt_pool_new(&pool, 100), 0);
    for (int i = 0; i < 100; i++) {
        pkts[i] = pkt_get(pool);
        assert_non_null(pkts[i]);
        assert_ptr_equal(pkts[i]->data, pkts[i]->buf + PKT_HEAD_ROOM);
        assert_int_equal(pkt_tail_room(pkts[i]), PKT_DATA_MAX + PKT_TAIL_ROOM);
    }
    assert_null(pkt_get(pool));
    assert_int_equal(test->worker->stats.value[STAT_PKT_POOL_EMPTY], 1);
    pkt_put(pool, pkts[3]);
    assert_ptr_equal(pkt_get(pool), pkts[3]);
    mem_unref(pool);
}

static void test_house_without_memory_says_so(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer peer = {NULL};
    int err = -ENOMEM;

    for (int n = 0; err; n++) {
        mem_fail_after(n);
        err = udp_house_new(&house, 1000);
        mem_fail_after(-1);
        assert_true(err == 0 || err == -ENOMEM);
    }
    for (int n = 0; !peer.udp; n++) {
        struct udp_options options = {.on_batch = on_batch, .arg = &peer};

        addr_parse(&options.local, SPAN("127.0.0.1"), 0);
        mem_fail_after(n);
        err = udp_new(&peer.udp, house, &options);
        mem_fail_after(-1);
        assert_true(err == 0 || err == -ENOMEM);
    }
    mem_fail_after(0); /* no packet buffers: what comes is dropped, nothing breaks */
    assert_int_equal(udp_send(peer.udp, udp_local(peer.udp), "x", 1), -ENOBUFS);
    mem_fail_after(-1);
    say(&peer, &peer, "now");
    net_wait(test, peer.packets == 1);
    mem_unref(peer.udp);
    mem_unref(house);
}

static void test_arrivals_without_a_buffer_are_dropped_and_counted(void **state)
{
    struct net_test *test = *state;
    struct udp_house *house;
    struct peer left, right;
    struct pkt *taken = NULL, *pkt;
    uint64_t *counted = &test->worker->stats.value[STAT_PKT_POOL_EMPTY];

    assert_int_equal(udp_house_new(&house, 0), 0);
    open_peer(&left, house);
    open_peer(&right, house);
    while ((pkt = pkt_get(udp_house_pool(house)))) { /* all of them */
        pkt->link.next = (struct list *)taken;
        taken = pkt;
    }
    *counted = 0;
    assert_int_equal(sendto(left.udp->fd, "x", 1, 0, &udp_local(right.udp)->sa, addr_len(udp_local(right.udp))), 1);
    net_wait(test, *counted > 0);
    assert_int_equal(right.packets, 0);
    while (taken) {
        pkt = taken;
        taken = (struct pkt *)pkt->link.next;
        pkt_put(udp_house_pool(house), pkt);
    }
    say(&left, &right, "again");
    net_wait(test, right.packets == 1);
    assert_string_equal(right.first, "again");
    mem_unref(left.udp);
    mem_unref(right.udp);
    mem_unref(house);
}

/* Ports. */

static int open_pair(struct ports *ports, struct udp_house *house, struct udp *pair[static 2])
{
    struct udp_options rtp = {.receive_bytes = 0}, rtcp;

    addr_parse(&rtp.local, SPAN("127.0.0.1"), 0);
    rtcp = rtp;
    return ports_open(ports, house, &rtp, &rtcp, pair);
}

static void test_pairs_are_even_run_out_and_come_back(void **state)
{
    struct ports_range range = {.min = 42001, .max = 42041, .id = 0, .count = 1};
    struct udp *pairs[40][2];
    struct udp_house *house;
    struct ports *ports;
    unsigned opened = 0;

    assert_int_equal(udp_house_new(&house, 0), 0);
    assert_int_equal(ports_new(&ports, &range), 0);
    assert_int_equal(ports_free_count(ports), 20); /* 42002 .. 42040 */
    while (open_pair(ports, house, pairs[opened]) == 0) {
        unsigned port = addr_port(udp_local(pairs[opened][0]));

        assert_int_equal(port % 2, 0);
        assert_in_range(port, 42002, 42040);
        assert_int_equal(addr_port(udp_local(pairs[opened][1])), port + 1);
        opened++;
    }
    assert_in_range(opened, 1, 20); /* other programs may sit on some */
    assert_int_equal(open_pair(ports, house, pairs[39]), -EBUSY);
    while (opened) {
        opened--;
        ports_close(ports, pairs[opened]);
        assert_null(pairs[opened][0]);
        ports_close(ports, pairs[opened]); /* harmless */
    }
    assert_int_equal(ports_free_count(ports), 20);
    assert_int_equal(open_pair(ports, house, pairs[0]), 0);
    ports_close(ports, pairs[0]);
    mem_unref(ports);
    mem_unref(house);
}

/* With all others taken, the pair that was given back is handed out again, its sockets open all the time. */
static void test_pair_at_rest_hears_nothing_and_brings_nothing_along(void **state)
{
    struct net_test *test = *state;
    struct ports_range range = {.min = 44000, .max = 44001, .id = 0, .count = 1};
    struct udp_options options = {.on_batch = on_batch};
    struct peer old = {NULL}, next = {NULL}, stranger;
    struct udp_house *house;
    struct ports *ports;
    struct udp *pair[2];
    struct udp *was;
    int err;

    assert_int_equal(udp_house_new(&house, 0), 0);
    do { /* other programs may sit on it */
        assert_int_equal(ports_new(&ports, &range), 0);
        addr_parse(&options.local, SPAN("127.0.0.1"), 0);
        options.arg = &old;
        err = ports_open(ports, house, &options, &(struct udp_options){.local = options.local}, pair);
        range.min += 2;
        range.max += 2;
        if (err)
            mem_unref(ports);
    } while (err);
    for (int i = 0; i < 40; i++) { /* calls come and go */
        ports_close(ports, pair);
        assert_int_equal(ports_open(ports, house, &options, &(struct udp_options){.local = options.local}, pair), 0);
    }
    open_peer(&stranger, house);
    was = old.udp = pair[0];
    say(&stranger, &old, "to the old call");
    net_wait(test, old.packets == 1);
    ports_close(ports, pair);
    say(&stranger, &old, "late");
    udp_flush(stranger.udp);
    options.arg = &next;
    assert_int_equal(ports_open(ports, house, &options, &(struct udp_options){.local = options.local}, pair), 0);
    assert_ptr_equal(pair[0], was);
    next.udp = pair[0];
    say(&stranger, &next, "to the next call");
    net_wait(test, next.packets == 1);
    assert_string_equal(next.first, "to the next call");
    assert_int_equal(old.packets, 1);
    ports_close(ports, pair);
    mem_unref(stranger.udp);
    mem_unref(ports);
    mem_unref(house);
}

static void test_what_its_user_touches_is_forgotten_with_the_user(void **state)
{
    struct warm warm = {.count = 1, .entries = {1}}; /* an address where nothing is */
    struct udp_options options = {.on_batch = on_batch};
    struct udp_house *house;
    struct udp *udp;

    assert_int_equal(udp_house_new(&house, 0), 0);
    addr_parse(&options.local, SPAN("127.0.0.1"), 0);
    assert_int_equal(udp_new(&udp, house, &options), 0);
    udp_set_warm(udp, &warm);
    assert_ptr_equal(udp->warm, &warm);
    udp_set_user(udp, options.on_batch, NULL);
    assert_null(udp->warm);
    udp_set_warm(udp, &warm);
    udp_rest(udp);
    assert_null(udp->warm);
    mem_unref(udp);
    mem_unref(house);
}

static void test_workers_share_the_range_without_overlap(void **state)
{
    unsigned total = 0;
    struct ports *ports;

    for (unsigned id = 0; id < 3; id++) {
        assert_int_equal(ports_new(&ports, &(struct ports_range){.min = 20000, .max = 20099, .id = id, .count = 3}), 0);
        total += ports_free_count(ports);
        mem_unref(ports);
    }
    assert_int_equal(total, 50);
    assert_int_equal(ports_new(&ports, &(struct ports_range){.min = 20000, .max = 20000, .count = 1}), -EINVAL);
    assert_int_equal(ports_new(&ports, &(struct ports_range){.min = 65534, .max = 65535, .count = 1}), 0);
    assert_int_equal(ports_free_count(ports), 1);
    mem_unref(ports);
}

static void test_port_given_back_is_reused_last(void **state)
{
    struct ports_range range = {.min = 43000, .max = 43019, .id = 0, .count = 1};
    struct udp_house *house;
    struct ports *ports;
    struct udp *pair[2];
    uint16_t first;

    assert_int_equal(udp_house_new(&house, 0), 0);
    assert_int_equal(ports_new(&ports, &range), 0);
    assert_int_equal(open_pair(ports, house, pair), 0);
    first = addr_port(udp_local(pair[0]));
    ports_close(ports, pair);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_pair(ports, house, pair), 0);
        assert_int_not_equal(addr_port(udp_local(pair[0])), first);
        ports_close(ports, pair);
    }
    mem_unref(ports);
    mem_unref(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        net_case(test_packet_is_echoed),
        net_case(test_load_is_gathered_and_ends),
        net_case(test_burst_larger_than_a_batch_arrives_whole),
        net_case(test_socket_may_be_closed_within_its_round),
        net_case(test_queued_packets_leave_before_the_socket_closes),
        net_case(test_refused_packet_does_not_hold_up_the_others),
        net_case(test_datagrams_too_long_for_a_packet_are_sent_but_not_taken),
        net_case(test_large_datagrams_are_taken_where_they_are_wanted),
        net_case(test_code_point_is_the_packets_or_the_sockets),
        net_case(test_pool_ends_at_its_limit),
        net_case(test_house_without_memory_says_so),
        net_case(test_arrivals_without_a_buffer_are_dropped_and_counted),
        net_case(test_pairs_are_even_run_out_and_come_back),
        net_case(test_pair_at_rest_hears_nothing_and_brings_nothing_along),
        net_case(test_what_its_user_touches_is_forgotten_with_the_user),
        net_case(test_workers_share_the_range_without_overlap),
        net_case(test_port_given_back_is_reused_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
