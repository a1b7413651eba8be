/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c: UDP sockets: open, queue, send in batches by sendmmsg(). Receiving and the rounds are in udp_house.c.
 * Knows nothing of what the packets mean. */
#include "net/udp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/stats.h"
#include "base/warm.h"
#include "net/udp_house.h"

#define DSCP_SHIFT 2 /* the code point's place in the TOS byte, RFC 2474 section 3 */

static void udp_destroy(void *self)
{
    struct udp *udp = self;

    if (udp->fd >= 0) {
        udp_flush(udp);
        udp_house_remove(udp->house, udp);
        close(udp->fd);
    }
    mem_unref(udp->house);
}

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* What may fail without harm is not looked at: buffers and DSCP are wishes. */
static int set_options(const struct udp *udp, const struct udp_options *options)
{
    bool is_v6 = addr_is_v6(&options->local);
    int err = 0;

    if (is_v6)
        err = set_int(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!err && options->is_shared)
        err = set_int(udp->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (options->receive_bytes && set_int(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, options->receive_bytes))
        set_int(udp->fd, SOL_SOCKET, SO_RCVBUF, options->receive_bytes);
    if (options->receive_bytes && set_int(udp->fd, SOL_SOCKET, SO_SNDBUFFORCE, options->receive_bytes))
        set_int(udp->fd, SOL_SOCKET, SO_SNDBUF, options->receive_bytes);
    if (options->dscp)
        set_int(udp->fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_TCLASS : IP_TOS, options->dscp << DSCP_SHIFT);
    return err;
}

static int bind_socket(struct udp *udp, const struct udp_options *options)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    int err;

    udp->fd = socket(options->local.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0)
        return -errno;
    err = set_options(udp, options);
    if (err)
        return err;
    if (bind(udp->fd, &options->local.sa, addr_len(&options->local)))
        return -errno;
    udp->local = options->local;
    if (addr_port(&udp->local))
        return 0;
    if (getsockname(udp->fd, (struct sockaddr *)&bound, &len))
        return -errno;
    return addr_from_sockaddr(&udp->local, (struct sockaddr *)&bound, len);
}

int udp_new(struct udp **udpp, struct udp_house *house, const struct udp_options *options)
{
    struct udp *udp;
    int err;

    if (!addr_is_set(&options->local))
        return -EINVAL;
    udp = mem_new(sizeof(*udp), udp_destroy);
    if (!udp)
        return -ENOMEM;
    udp->fd = -1;
    udp->house = mem_ref(house);
    udp->dscp = options->dscp;
    udp->is_sparse = options->is_sparse;
    udp->on_batch = options->on_batch;
    udp->on_large = options->on_large;
    udp->arg = options->arg;
    list_init(&udp->queue);
    err = bind_socket(udp, options);
    if (!err)
        err = udp_house_add(house, udp);
    if (err) {
        mem_unref(udp);
        return err;
    }
    *udpp = udp;
    return 0;
}

const struct addr *udp_local(const struct udp *udp)
{
    return &udp->local;
}

void udp_set_user(struct udp *udp, udp_batch_fn *on_batch, void *arg)
{
    udp->on_batch = on_batch;
    udp->arg = arg;
    udp->warm = NULL;
}

void udp_set_warm(struct udp *udp, const struct warm *warm)
{
    udp->warm = warm;
}

void udp_warm(const struct udp *udp, struct warm *warm)
{
    warm_add(warm, udp, UDP_HOT_BYTES);
}

static void disconnect(struct udp *udp)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    connect(udp->fd, &nobody, sizeof(nobody));
    udp->connected = (struct addr){0};
}

/* A connected socket has one local address, and takes only what comes to that. */
static bool is_local_host(const struct udp *udp, const struct addr *expected)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    struct addr local;

    return !getsockname(udp->fd, (struct sockaddr *)&bound, &len) &&
           !addr_from_sockaddr(&local, (struct sockaddr *)&bound, len) && addr_same_host(&local, expected);
}

void udp_connect(struct udp *udp, const struct addr *peer, const struct addr *seen_as)
{
    if (addr_is_set(&udp->connected) && peer && addr_eq(&udp->connected, peer))
        return;
    if (addr_is_set(&udp->connected))
        disconnect(udp);
    if (!peer || connect(udp->fd, &peer->sa, addr_len(peer)))
        return;
    if (is_local_host(udp, seen_as))
        udp->connected = *peer;
    else
        disconnect(udp);
}

void udp_rest(struct udp *udp)
{
    udp_flush(udp);
    udp_connect(udp, NULL, NULL);
    udp_set_user(udp, NULL, NULL);
}

static bool was_opened_with(const struct udp *udp, const struct udp_options *options)
{
    return addr_same_host(&udp->local, &options->local) && udp->dscp == options->dscp &&
           udp->is_sparse == options->is_sparse && !udp->on_large == !options->on_large;
}

int udp_wake(struct udp *udp, const struct udp_options *options)
{
    char byte;

    if (!was_opened_with(udp, options))
        return -EINVAL;
    for (int i = 0; i < UDP_BATCH; i++)
        if (recv(udp->fd, &byte, 1, MSG_DONTWAIT) < 0 && errno != ECONNREFUSED)
            break;
    udp_set_user(udp, options->on_batch, options->arg);
    return 0;
}

void udp_queue(struct udp *udp, struct pkt *pkt_taken)
{
    if (list_is_empty(&udp->queue))
        list_append(&udp->house->pending, &udp->pending);
    list_append(&udp->queue, &pkt_taken->link);
}

static int send_large(struct udp *udp, const struct addr *to, const void *bytes, size_t n)
{
    if (sendto(udp->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, addr_len(to)) >= 0) {
        stats_count(STAT_UDP_SENT);
        return 0;
    }
    stats_count(STAT_UDP_SEND_FAILED);
    return errno == EMSGSIZE ? -EMSGSIZE : 0; /* else as good as lost on the way */
}

int udp_send(struct udp *udp, const struct addr *to, const void *bytes, size_t n)
{
    struct pkt *pkt;

    if (n > PKT_DATA_MAX)
        return send_large(udp, to, bytes, n);
    pkt = pkt_get(udp->house->pool);
    if (!pkt)
        return -ENOBUFS;
    memcpy(pkt->data, bytes, n);
    pkt->len = (uint16_t)n;
    pkt->addr = *to;
    udp_queue(udp, pkt);
    return 0;
}

/* One sendmmsg() call's worth. */
struct out_batch {
    unsigned n;
    struct pkt *pkts[UDP_BATCH];
    struct iovec iov[UDP_BATCH];
    struct mmsghdr msgs[UDP_BATCH];
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control[UDP_BATCH];
};

static void set_dscp(const struct udp *udp, struct msghdr *hdr, void *control, uint8_t dscp)
{
    bool is_v6 = addr_is_v6(&udp->local);
    int tos = dscp << DSCP_SHIFT;
    struct cmsghdr *cmsg;

    hdr->msg_control = control;
    hdr->msg_controllen = CMSG_SPACE(sizeof(int));
    cmsg = CMSG_FIRSTHDR(hdr);
    cmsg->cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    cmsg->cmsg_type = is_v6 ? IPV6_TCLASS : IP_TOS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &tos, sizeof(tos));
}

static bool is_connected_to(const struct udp *udp, const struct addr *addr)
{
    return addr_is_set(&udp->connected) && addr_eq(&udp->connected, addr);
}

static void fill_batch(struct out_batch *batch, struct udp *udp)
{
    struct list *link;

    for (batch->n = 0; batch->n < UDP_BATCH && (link = list_first(&udp->queue)); batch->n++) {
        struct pkt *pkt = container_of(link, struct pkt, link);
        struct mmsghdr *msg = &batch->msgs[batch->n];

        list_remove(link);
        batch->pkts[batch->n] = pkt;
        batch->iov[batch->n] = (struct iovec){pkt->data, pkt->len};
        msg->msg_hdr = (struct msghdr){.msg_iov = &batch->iov[batch->n], .msg_iovlen = 1};
        if (!is_connected_to(udp, &pkt->addr)) {
            msg->msg_hdr.msg_name = &pkt->addr.sa;
            msg->msg_hdr.msg_namelen = addr_len(&pkt->addr);
        }
        if (pkt->dscp && pkt->dscp != udp->dscp)
            set_dscp(udp, &msg->msg_hdr, &batch->control[batch->n], pkt->dscp);
    }
}

/* A packet that the kernel refuses is left out and counted, the others go on. */
static void send_batch(struct udp *udp, struct out_batch *batch)
{
    unsigned at = 0, sent = 0;
    bool was_tried = false;

    while (at < batch->n) {
        int n = sendmmsg(udp->fd, batch->msgs + at, batch->n - at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            at += (unsigned)n;
            sent += (unsigned)n;
            was_tried = false;
        } else if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
            break; /* the device's queue is full: the rest would only be late */
        } else if (n < 0 && (errno == EINTR || errno == ECONNREFUSED) && !was_tried) {
            was_tried = true; /* the error told of an earlier packet */
        } else {
            at++;
            was_tried = false;
        }
    }
    stats_add(STAT_UDP_SENT, sent);
    if (sent < batch->n)
        stats_add(STAT_UDP_SEND_FAILED, batch->n - sent);
}

/* The one packet of a call's round, without the bookkeeping of many: a fifth cheaper. @return false: take the long way
 */
static bool send_alone(struct udp *udp)
{
    struct pkt *pkt = container_of(list_first(&udp->queue), struct pkt, link);
    bool is_connected = is_connected_to(udp, &pkt->addr);

    if (udp->queue.next != udp->queue.prev || (pkt->dscp && pkt->dscp != udp->dscp))
        return false;
    if (sendto(udp->fd, pkt->data, pkt->len, MSG_DONTWAIT | MSG_NOSIGNAL, is_connected ? NULL : &pkt->addr.sa,
               is_connected ? 0 : addr_len(&pkt->addr)) < 0)
        return false;
    stats_count(STAT_UDP_SENT);
    list_remove(&pkt->link);
    pkt_put(udp->house->pool, pkt);
    return true;
}

void udp_flush(struct udp *udp)
{
    struct out_batch batch;

    if (!list_is_empty(&udp->queue) && send_alone(udp)) {
        list_remove(&udp->pending);
        return;
    }
    while (!list_is_empty(&udp->queue)) {
        fill_batch(&batch, udp);
        send_batch(udp, &batch);
        for (unsigned i = 0; i < batch.n; i++)
            pkt_put(udp->house->pool, batch.pkts[i]);
    }
    list_remove(&udp->pending);
}
