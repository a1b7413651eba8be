/* SPDX-License-Identifier: Apache-2.0 */
/* tos_udp.c: a UDP socket that tells the DSCP of what it receives (IP_RECVTOS, IPV6_RECVTCLASS). RFC 2474. Knows no
 * RTP. */
#include "net/tos_udp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"

#define DSCP_SHIFT 2
#define ROUND_MAX  64 /* packets before the loop may do other things */

/* The loop closes its handle later than we go. */
struct tos_watch {
    uv_poll_t poll;
    struct tos_udp *udp; /* NULL: gone */
    int fd;
};

struct tos_udp {
    struct tos_watch *watch;
    int fd;
    struct addr local;
    tos_udp_fn *fn;
    void *arg;
};

static void on_closed(uv_handle_t *handle)
{
    struct tos_watch *watch = handle->data;

    close(watch->fd);
    mem_unref(watch);
}

static void tos_udp_destroy(void *self)
{
    struct tos_udp *udp = self;

    if (udp->watch) {
        udp->watch->udp = NULL;
        uv_close((uv_handle_t *)&udp->watch->poll, on_closed);
    } else if (udp->fd >= 0) {
        close(udp->fd);
    }
}

/* ---- receiving ---- */

static int dscp_of(struct msghdr *msg)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        int tclass;

        if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TOS)
            return *CMSG_DATA(cmsg) >> DSCP_SHIFT; /* one byte here, an int for IPv6 */
        if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_TCLASS) {
            memcpy(&tclass, CMSG_DATA(cmsg), sizeof(tclass));
            return (tclass & 0xff) >> DSCP_SHIFT;
        }
    }
    return -1;
}

static bool receive_one(struct tos_watch *watch)
{
    union {
        struct cmsghdr aligned;
        char bytes[256];
    } control;
    struct sockaddr_storage from;
    uint8_t bytes[TOS_UDP_MAX];
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr msg = {.msg_name = &from,
                         .msg_namelen = sizeof(from),
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(watch->fd, &msg, MSG_DONTWAIT);
    struct tos_packet packet = {.bytes = bytes, .n = n > 0 ? (size_t)n : 0, .arrived_us = clock_now_us()};

    if (n < 0)
        return errno == ECONNREFUSED || errno == EINTR;
    if (!(msg.msg_flags & MSG_TRUNC) && !addr_from_sockaddr(&packet.from, (struct sockaddr *)&from, msg.msg_namelen)) {
        packet.dscp = dscp_of(&msg);
        watch->udp->fn(watch->udp, &packet, watch->udp->arg);
    }
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct tos_watch *watch = poll->data;

    worker_note_turn(worker_current());
    for (unsigned i = 0; i < ROUND_MAX && watch->udp && receive_one(watch); i++)
        ;
}

/* ---- birth ---- */

static int open_socket(struct tos_udp *udp, const struct addr *local)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    int on = 1;

    udp->fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0)
        return -errno;
    if (addr_is_v6(local)) {
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
    } else {
        setsockopt(udp->fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
    }
    if (bind(udp->fd, &local->sa, addr_len(local)) || getsockname(udp->fd, (struct sockaddr *)&bound, &len))
        return -errno;
    return addr_from_sockaddr(&udp->local, (struct sockaddr *)&bound, len);
}

static int watch_socket(struct tos_udp *udp)
{
    struct tos_watch *watch = mem_new(sizeof(*watch), NULL);
    int err = watch ? uv_poll_init(&worker_current()->loop, &watch->poll, udp->fd) : -ENOMEM;

    if (err) {
        mem_unref(watch);
        return err;
    }
    watch->poll.data = watch;
    watch->udp = udp;
    watch->fd = udp->fd;
    udp->watch = watch;
    return uv_poll_start(&watch->poll, UV_READABLE, on_poll);
}

int tos_udp_new(struct tos_udp **udpp, const struct addr *local, tos_udp_fn *fn, void *arg)
{
    struct tos_udp *udp = mem_new(sizeof(*udp), tos_udp_destroy);
    int err;

    if (!udp)
        return -ENOMEM;
    udp->fd = -1;
    udp->fn = fn;
    udp->arg = arg;
    err = open_socket(udp, local);
    if (!err)
        err = watch_socket(udp);
    if (err) {
        mem_unref(udp);
        return err;
    }
    *udpp = udp;
    return 0;
}

const struct addr *tos_udp_local(const struct tos_udp *udp)
{
    return &udp->local;
}

int tos_udp_set_dscp(struct tos_udp *udp, unsigned dscp)
{
    bool is_v6 = addr_is_v6(&udp->local);
    int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, name = is_v6 ? IPV6_TCLASS : IP_TOS;
    int tos = (int)dscp << DSCP_SHIFT, seen = 0;
    socklen_t len = sizeof(seen);

    if (setsockopt(udp->fd, level, name, &tos, sizeof(tos)))
        return -EACCES;
    if (getsockopt(udp->fd, level, name, &seen, &len))
        return -EACCES;
    return seen == tos ? 0 : -EACCES;
}

int tos_udp_send(struct tos_udp *udp, const struct addr *to, const void *bytes, size_t n)
{
    return sendto(udp->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, addr_len(to)) < 0 ? -errno : 0;
}
