/* SPDX-License-Identifier: Apache-2.0 */
/* peer_udp.c: recvmmsg/sendmmsg and SO_TIMESTAMPNS. Does not look into a packet. */
#include "peer_udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, RECEIVE_BUFFER_BYTES = 4 << 20, CONTROL_BYTES = 64 };

struct peer_udp_queue {
    struct peer_flush flush;
    unsigned count;
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_in to[BATCH];
    uint8_t bytes[BATCH][PEER_PACKET_MAX_BYTES];
};

/* One set of receive buffers per thread: packets are handled before the next batch is taken. */
struct receive_batch {
    bool is_ready;
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_in from[BATCH];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL_BYTES];
    uint8_t bytes[BATCH][PEER_PACKET_MAX_BYTES];
};
static _Thread_local struct receive_batch batch;

uint64_t peer_wall_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int peer_address(struct sockaddr_in *addr, const char *ip, uint16_t port)
{
    memset(addr, 0, sizeof(*addr));
    addr->sin_family = AF_INET;
    addr->sin_port = htons(port);
    return inet_pton(AF_INET, ip, &addr->sin_addr) == 1 ? 0 : -EINVAL;
}

static void prepare_batch(void)
{
    for (int i = 0; i < BATCH; i++) {
        struct msghdr *header = &batch.messages[i].msg_hdr;

        batch.vectors[i] = (struct iovec){batch.bytes[i], PEER_PACKET_MAX_BYTES};
        header->msg_iov = &batch.vectors[i];
        header->msg_iovlen = 1;
        header->msg_name = &batch.from[i];
        header->msg_control = batch.control[i];
        header->msg_namelen = sizeof(batch.from[i]);
        header->msg_controllen = CONTROL_BYTES;
    }
    batch.is_ready = true;
}

static uint64_t arrival_ns(struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;

            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
        }
    }
    return peer_wall_ns();
}

static void hand_over(struct peer_udp *udp, int i)
{
    struct msghdr *header = &batch.messages[i].msg_hdr;
    struct peer_packet packet = {
        .bytes = batch.bytes[i],
        .size = batch.messages[i].msg_len,
        .from = batch.from[i],
        .time_ns = arrival_ns(header),
    };

    header->msg_namelen = sizeof(batch.from[i]);
    header->msg_controllen = CONTROL_BYTES;
    if (udp->watch.fd >= 0)
        udp->on_packet(udp->ctx, &packet);
}

static void udp_readable(void *ctx, uint32_t events)
{
    struct peer_udp *udp = ctx;
    int count;

    (void)events;
    if (!batch.is_ready)
        prepare_batch();
    do {
        count = recvmmsg(udp->watch.fd, batch.messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            hand_over(udp, i);
    } while (count == BATCH && udp->watch.fd >= 0);
}

static int bind_socket(struct peer_udp *udp)
{
    int on = 1, size = RECEIVE_BUFFER_BYTES;
    socklen_t length = sizeof(udp->local);

    setsockopt(udp->watch.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    if (setsockopt(udp->watch.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
        setsockopt(udp->watch.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (bind(udp->watch.fd, (struct sockaddr *)&udp->local, sizeof(udp->local)))
        return -errno;
    return getsockname(udp->watch.fd, (struct sockaddr *)&udp->local, &length) ? -errno : 0;
}

int peer_udp_open(struct peer_udp *udp, struct peer_loop *loop, const char *ip, uint16_t port)
{
    int err = peer_address(&udp->local, ip, port);

    if (err)
        return err;
    udp->loop = loop;
    udp->queue = NULL;
    udp->watch = (struct peer_watch){.on_ready = udp_readable, .ctx = udp};
    udp->watch.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->watch.fd < 0)
        return -errno;
    err = bind_socket(udp);
    if (!err)
        err = peer_watch_start(loop, &udp->watch, EPOLLIN);
    if (err)
        peer_udp_close(udp);
    return err;
}

void peer_udp_close(struct peer_udp *udp)
{
    if (!udp->loop || udp->watch.fd < 0)
        return;
    peer_watch_stop(udp->loop, &udp->watch);
    close(udp->watch.fd);
    udp->watch.fd = -1;
    if (udp->queue)
        peer_flush_remove(udp->loop, &udp->queue->flush);
    free(udp->queue);
    udp->queue = NULL;
}

uint16_t peer_udp_port(const struct peer_udp *udp)
{
    return ntohs(udp->local.sin_port);
}

void peer_udp_send(struct peer_udp *udp, const struct sockaddr_in *to, const void *bytes, size_t size)
{
    if (sendto(udp->watch.fd, bytes, size, MSG_DONTWAIT, (const struct sockaddr *)to, sizeof(*to)) < 0)
        udp->refused_count++;
}

static void send_queue(void *ctx)
{
    struct peer_udp *udp = ctx;
    struct peer_udp_queue *queue = udp->queue;
    unsigned done = 0;

    while (done < queue->count) {
        int sent = sendmmsg(udp->watch.fd, queue->messages + done, queue->count - done, MSG_DONTWAIT);

        if (sent <= 0) {
            udp->refused_count++; /* the error belongs to the first: leave it out */
            sent = 1;
        }
        done += (unsigned)sent;
    }
    queue->count = 0;
}

static void make_queue(struct peer_udp *udp)
{
    struct peer_udp_queue *queue = calloc(1, sizeof(*queue));

    if (!queue)
        abort();
    for (int i = 0; i < BATCH; i++) {
        queue->messages[i].msg_hdr.msg_iov = &queue->vectors[i];
        queue->messages[i].msg_hdr.msg_iovlen = 1;
        queue->messages[i].msg_hdr.msg_name = &queue->to[i];
        queue->messages[i].msg_hdr.msg_namelen = sizeof(queue->to[i]);
    }
    queue->flush = (struct peer_flush){.on_flush = send_queue, .ctx = udp};
    udp->queue = queue;
    peer_flush_add(udp->loop, &queue->flush);
}

void peer_udp_send_later(struct peer_udp *udp, const struct sockaddr_in *to, const void *bytes, size_t size)
{
    struct peer_udp_queue *queue;

    if (size > PEER_PACKET_MAX_BYTES)
        return;
    if (!udp->queue)
        make_queue(udp);
    queue = udp->queue;
    if (queue->count == BATCH)
        send_queue(udp);
    memcpy(queue->bytes[queue->count], bytes, size);
    queue->vectors[queue->count] = (struct iovec){queue->bytes[queue->count], size};
    queue->to[queue->count++] = *to;
}
