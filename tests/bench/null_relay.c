/* SPDX-License-Identifier: Apache-2.0 */
/* null_relay.c: moves UDP packets between the two ports of each pair and does nothing else: the machine's price of
 * relaying, against which a gateway's is to be read.
 *   bench_null_relay PORT PAIRS wake      each packet wakes it, one recvfrom and one sendto per packet
 *   bench_null_relay PORT PAIRS round     as a gateway with media.gather 1 ms: drain all, send all, sleep the rest of 1
 * ms */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUND_NS = 1000000, PACKET_BYTES = 2048, BATCH = 16, EVENTS = 512 };

struct port {
    int fd;
    struct sockaddr_in peer; /* learned from the last packet */
    struct port *other;
};

static int open_port(struct port *port, unsigned number)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    int size = 1 << 20;

    inet_pton(AF_INET, "127.0.0.1", &local.sin_addr);
    port->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(port->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return bind(port->fd, (struct sockaddr *)&local, sizeof(local));
}

static void relay_one(struct port *port)
{
    uint8_t bytes[PACKET_BYTES];
    socklen_t length = sizeof(port->peer);
    ssize_t size = recvfrom(port->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&port->peer, &length);

    if (size > 0 && port->other->peer.sin_port)
        sendto(port->other->fd, bytes, (size_t)size, 0, (struct sockaddr *)&port->other->peer,
               sizeof(port->other->peer));
}

static void relay_all(struct port *port)
{
    static uint8_t bytes[BATCH][PACKET_BYTES];
    struct mmsghdr messages[BATCH] = {0};
    struct iovec vectors[BATCH];
    int count;

    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){bytes[i], PACKET_BYTES};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &vectors[i], .msg_iovlen = 1, .msg_name = &port->peer, .msg_namelen = sizeof(port->peer)};
    }
    count = recvmmsg(port->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0 || !port->other->peer.sin_port)
        return;
    for (int i = 0; i < count; i++) {
        vectors[i].iov_len = messages[i].msg_len;
        messages[i].msg_hdr.msg_name = &port->other->peer;
        messages[i].msg_hdr.msg_namelen = sizeof(port->other->peer);
    }
    sendmmsg(port->other->fd, messages, (unsigned)count, MSG_DONTWAIT);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void wait_until(uint64_t until_ns)
{
    struct timespec ts = {.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void run(int epoll_fd, bool has_rounds)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int count = epoll_wait(epoll_fd, events, has_rounds ? EVENTS : 1, -1);
        uint64_t start_ns = now_ns();

        for (int i = 0; i < count; i++) {
            if (has_rounds)
                relay_all(events[i].data.ptr);
            else
                relay_one(events[i].data.ptr);
        }
        if (has_rounds)
            wait_until(start_ns + ROUND_NS);
    }
}

int main(int argc, char **argv)
{
    struct rlimit limit = {65536, 65536};
    int epoll_fd = epoll_create1(0);
    unsigned first, count;
    struct port *ports;

    if (argc != 4)
        return 2;
    first = (unsigned)atoi(argv[1]);
    count = 2 * (unsigned)atoi(argv[2]);
    setrlimit(RLIMIT_NOFILE, &limit);
    ports = calloc(count, sizeof(*ports));
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &ports[i]};

        ports[i].other = &ports[i ^ 1];
        if (open_port(&ports[i], first + i) || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ports[i].fd, &event)) {
            fprintf(stderr, "bench_null_relay: port %u: %s\n", first + i, strerror(errno));
            return 1;
        }
    }
    printf("ready\n");
    fflush(stdout);
    run(epoll_fd, !strcmp(argv[3], "round"));
    return 0;
}
