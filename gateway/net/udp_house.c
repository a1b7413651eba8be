/* SPDX-License-Identifier: Apache-2.0 */
/* udp_house.c: the rounds of one worker's UDP sockets: receive all, call back, send all.
 *
 * All sockets hang, edge-triggered but for sparse ones, in one epoll set. The loop watches the set as one descriptor
 * (alone, a packet is handled at once), or, under load, leaves it alone and watches a timerfd that ticks every
 * gather_us. A round takes one look at the clock. An edge-triggered socket that could not be drained is armed again by
 * EPOLL_CTL_MOD. Knows nothing of what the packets mean. */
#include "net/udp_house.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/warm.h"
#include "base/worker.h"

#define POOL_PACKETS  8192 /* 17 MB at the most, grown as needed */
#define SOCKET_CALLS  4    /* recvmmsg() calls per socket and round */
#define ROUND_PACKETS 1024 /* after these no further look into the epoll set */
#define BURST_US      5000 /* a sparse socket that has something again so soon is drained like any other */

/* A tick costs about what two lone packets cost, so it pays from three packets a tick on, and no longer under two. */
#define GATHER_WINDOWS 4 /* gather times looked at while not gathering */
#define GATHER_ENTER   3 /* packets per gather time: begin */
#define GATHER_TICKS   8 /* ticks looked at while gathering */
#define GATHER_LEAVE   2 /* fewer packets per tick: stop */

/* What libuv knows; lives until its close callbacks have run. */
struct udp_watch {
    uv_poll_t sockets; /* the epoll set */
    uv_poll_t tick;    /* the timerfd */
    uv_prepare_t turn; /* sends what was queued outside of a round */
    struct udp_house *house;
    int open_count;
};

static void set_tick(struct udp_house *house, unsigned us)
{
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    struct itimerspec spec = {.it_interval = time, .it_value = time};

    timerfd_settime(house->timer_fd, 0, &spec, NULL);
}

/* Receiving. */

static void fill_rack(struct udp_house *house)
{
    while (house->rack_at > 0) {
        struct pkt *pkt = pkt_get(house->pool);
        unsigned i = house->rack_at - 1;

        if (!pkt)
            return;
        house->rack[i] = pkt;
        house->in_iov[i][0] = (struct iovec){pkt->data, PKT_DATA_MAX};
        house->in_msgs[i].msg_hdr = (struct msghdr){.msg_name = &pkt->addr.sa,
                                                    .msg_namelen = sizeof(pkt->addr),
                                                    .msg_iov = house->in_iov[i],
                                                    .msg_iovlen = house->rack_is_large ? 2 : 1};
        house->rack_at = i;
    }
}

/* Take large datagrams too, or not: SIP does, media does not. */
static void set_rack(struct udp_house *house, bool is_large)
{
    if (is_large == house->rack_is_large)
        return;
    house->rack_is_large = is_large;
    for (unsigned i = 0; i < UDP_BATCH; i++)
        house->in_msgs[i].msg_hdr.msg_iovlen = is_large ? 2 : 1;
}

/* No buffer is free: what has come is thrown away, so that the socket does not keep old packets. */
static int drain(struct udp *udp)
{
    char byte;

    for (int i = 0; i < UDP_BATCH; i++)
        if (recv(udp->fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) < 0)
            return i;
    stats_add(STAT_PKT_POOL_EMPTY, UDP_BATCH - 1); /* pkt_get() has counted one */
    return UDP_BATCH;
}

/* The front is in the packet, the rest stands behind a gap of the same size. */
static void deliver_large(struct udp_house *house, struct udp *udp, unsigned slot, size_t n)
{
    char *bytes = house->large + (size_t)slot * UDP_LARGE_BYTES;
    const struct pkt *pkt = house->rack[slot];
    struct addr from = pkt->addr;

    memcpy(bytes, pkt->data, PKT_DATA_MAX);
    udp->on_large(udp, &from, bytes, n, udp->arg);
}

/* Sort what came: @return packets put into the batch */
static unsigned take_batch(struct udp_house *house, struct udp *udp, struct pkt **batch, unsigned n, uint64_t now_us)
{
    unsigned first = house->rack_at, count = 0;

    house->rack_at += n;
    for (unsigned i = first; i < first + n; i++) {
        const struct mmsghdr *msg = &house->in_msgs[i];
        struct pkt *pkt = house->rack[i];
        bool is_good = msg->msg_len && !(msg->msg_hdr.msg_flags & MSG_TRUNC) && addr_port(&pkt->addr);

        if (is_good && msg->msg_len <= PKT_DATA_MAX) {
            pkt->len = (uint16_t)msg->msg_len;
            pkt->arrived_us = now_us;
            batch[count++] = pkt;
        } else {
            if (is_good && house->current == udp)
                deliver_large(house, udp, i, msg->msg_len);
            pkt_put(house->pool, pkt);
        }
        house->rack[i] = NULL;
    }
    return count;
}

static void deliver(struct udp_house *house, struct udp *udp, unsigned n, uint64_t now_us)
{
    struct pkt *batch[UDP_BATCH];
    unsigned count = take_batch(house, udp, batch, n, now_us);

    if (count && house->current == udp && udp->on_batch)
        udp->on_batch(udp, batch, count, udp->arg);
    while (count--)
        pkt_put(house->pool, batch[count]);
}

static void arm_again(struct udp_house *house, struct udp *udp)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = udp};

    if (udp->is_sparse)
        return; /* it tells again by itself */
    epoll_ctl(house->epoll_fd, EPOLL_CTL_MOD, udp->fd, &event);
}

/* Level-triggered, so that no second call has to find the socket empty: what else has come is the next look's. */
static unsigned receive_alone(struct udp_house *house, struct udp *udp, uint64_t now_us)
{
    struct mmsghdr *msg;
    struct pkt *pkt;
    ssize_t n;

    house->current = udp;
    set_rack(house, false);
    fill_rack(house);
    if (house->rack_at == UDP_BATCH)
        return (unsigned)drain(udp);
    msg = &house->in_msgs[house->rack_at];
    pkt = house->rack[house->rack_at];
    msg->msg_hdr.msg_flags = 0;
    n = recvfrom(udp->fd, pkt->data, PKT_DATA_MAX, MSG_DONTWAIT | MSG_TRUNC, &pkt->addr.sa, &msg->msg_hdr.msg_namelen);
    if (n < 0)
        return 0;
    if (n > PKT_DATA_MAX)
        msg->msg_hdr.msg_flags = MSG_TRUNC;
    msg->msg_len = (unsigned)n;
    deliver(house, udp, 1, now_us);
    return 1;
}

/* @return packets; the socket may be gone afterwards */
static unsigned receive_socket(struct udp_house *house, struct udp *udp, bool has_error, uint64_t now_us)
{
    unsigned total = 0;

    house->current = udp;
    set_rack(house, udp->on_large != NULL);
    for (int call = 0; call < SOCKET_CALLS; call++) {
        unsigned asked;
        int n;

        fill_rack(house);
        asked = UDP_BATCH - house->rack_at;
        n = asked ? recvmmsg(udp->fd, house->in_msgs + house->rack_at, asked, MSG_DONTWAIT, NULL) : drain(udp);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return total;
        if (n < 0)
            continue; /* an error of an earlier packet, taken off the socket by this call */
        total += (unsigned)n;
        if (asked)
            deliver(house, udp, (unsigned)n, now_us);
        if (house->current != udp)
            return total; /* closed by its own callback */
        if ((unsigned)n < (asked ? asked : UDP_BATCH) && !has_error)
            return total;
    }
    arm_again(house, udp);
    return total;
}

static unsigned receive_event(struct udp_house *house, struct udp *udp, bool has_error, uint64_t now_us)
{
    bool is_alone;

    if (!udp)
        return 0; /* closed in this round */
    is_alone = udp->is_sparse && now_us - udp->taken_us >= BURST_US;
    udp->taken_us = now_us;
    return is_alone ? receive_alone(house, udp, now_us) : receive_socket(house, udp, has_error, now_us);
}

/* Fetch all sockets, then (as each of them is there then) where their users' lists are. */
static void fetch_sockets(const struct udp_house *house)
{
    for (int i = 0; i < house->event_count; i++)
        warm_fetch_object(house->events[i].data.ptr, UDP_HOT_BYTES);
    for (int i = 0; i < house->event_count; i++)
        warm_fetch_object(((const struct udp *)house->events[i].data.ptr)->warm, sizeof(struct warm));
}

static void fetch_user(const struct udp_house *house, int event_at)
{
    const struct udp *udp = event_at < house->event_count ? house->events[event_at].data.ptr : NULL;

    warm_fetch(udp ? udp->warm : NULL);
}

static unsigned run_round(struct udp_house *house, uint64_t now_us)
{
    unsigned total = 0;

    do {
        house->event_count = epoll_wait(house->epoll_fd, house->events, UDP_BATCH, 0);
        fetch_sockets(house);
        fetch_user(house, 0);
        for (house->event_at = 0; house->event_at < house->event_count; house->event_at++) {
            struct epoll_event *event = &house->events[house->event_at];

            fetch_user(house, house->event_at + 1);
            total += receive_event(house, event->data.ptr, (event->events & EPOLLERR) != 0, now_us);
        }
    } while (house->event_count == UDP_BATCH && total < ROUND_PACKETS);
    house->current = NULL;
    house->event_count = 0;
    udp_house_flush(house);
    stats_count(STAT_UDP_ROUNDS);
    stats_add(STAT_UDP_RECEIVED, total);
    return total;
}

/* The load: at once, or in ticks. */

/* One look at the clock per round; the watchdog of the worker gets it too. */
static uint64_t begin_round(struct udp_house *house)
{
    uint64_t now_us = clock_now_us();

    if (!house->worker->turn_began_us)
        house->worker->turn_began_us = now_us;
    return now_us;
}

static void on_sockets(uv_poll_t *poll, int status, int events)
{
    struct udp_house *house = ((struct udp_watch *)poll->data)->house;
    uint64_t now_us = begin_round(house);

    house->window_packets += run_round(house, now_us);
    if (!house->gather_us)
        return;
    if (now_us - house->window_began_us > (uint64_t)house->gather_us * GATHER_WINDOWS) {
        house->window_began_us = now_us;
        house->window_packets = 0;
    } else if (house->window_packets >= GATHER_ENTER * GATHER_WINDOWS) {
        house->is_gathering = true;
        house->window_packets = house->window_ticks = 0;
        uv_poll_stop(poll);
        set_tick(house, house->gather_us);
    }
}

static void stop_gathering(struct udp_house *house)
{
    house->is_gathering = false;
    house->window_packets = 0;
    set_tick(house, 0);
    uv_poll_start(&house->watch->sockets, UV_READABLE, on_sockets);
}

static void on_tick(uv_poll_t *poll, int status, int events)
{
    struct udp_house *house = ((struct udp_watch *)poll->data)->house;
    uint64_t ticks;

    if (read(house->timer_fd, &ticks, sizeof(ticks)) < 0 || !house->is_gathering)
        return;
    house->window_packets += run_round(house, begin_round(house));
    if (++house->window_ticks < GATHER_TICKS)
        return;
    if (house->window_packets < GATHER_LEAVE * GATHER_TICKS)
        stop_gathering(house);
    house->window_packets = house->window_ticks = 0;
}

static void on_turn(uv_prepare_t *prepare)
{
    udp_house_flush(((struct udp_watch *)prepare->data)->house);
}

/* The house. */

void udp_house_flush(struct udp_house *house)
{
    struct list *link;

    while ((link = list_first(&house->pending)))
        udp_flush(container_of(link, struct udp, pending));
}

static int make_large(struct udp_house *house)
{
    if (house->large)
        return 0;
    house->large = mem_new((size_t)UDP_BATCH * UDP_LARGE_BYTES, NULL);
    if (!house->large)
        return -ENOMEM;
    for (size_t i = 0; i < UDP_BATCH; i++)
        house->in_iov[i][1] =
            (struct iovec){house->large + i * UDP_LARGE_BYTES + PKT_DATA_MAX, UDP_LARGE_BYTES - PKT_DATA_MAX};
    return 0;
}

int udp_house_add(struct udp_house *house, struct udp *udp)
{
    struct epoll_event event = {.events = EPOLLIN | (udp->is_sparse ? 0u : EPOLLET), .data.ptr = udp};

    if (udp->on_large && make_large(house))
        return -ENOMEM;
    return epoll_ctl(house->epoll_fd, EPOLL_CTL_ADD, udp->fd, &event) ? -errno : 0;
}

void udp_house_remove(struct udp_house *house, struct udp *udp)
{
    for (int i = house->event_at; i < house->event_count; i++)
        if (house->events[i].data.ptr == udp)
            house->events[i].data.ptr = NULL;
    if (house->current == udp)
        house->current = NULL;
}

struct pkt_pool *udp_house_pool(struct udp_house *house)
{
    return house->pool;
}

static void on_closed(uv_handle_t *handle)
{
    struct udp_watch *watch = handle->data;

    if (--watch->open_count == 0)
        mem_unref(watch);
}

static void watch_add(struct udp_watch *watch, void *handle)
{
    ((uv_handle_t *)handle)->data = watch;
    watch->open_count++;
}

static int watch_start(struct udp_house *house)
{
    struct udp_watch *watch = mem_new(sizeof(*watch), NULL);
    int err;

    if (!watch)
        return -ENOMEM;
    house->watch = watch;
    watch->house = house;
    uv_prepare_init(&house->worker->loop, &watch->turn);
    watch_add(watch, &watch->turn);
    uv_prepare_start(&watch->turn, on_turn);
    err = uv_poll_init(&house->worker->loop, &watch->sockets, house->epoll_fd);
    if (err)
        return err;
    watch_add(watch, &watch->sockets);
    err = uv_poll_init(&house->worker->loop, &watch->tick, house->timer_fd);
    if (err)
        return err;
    watch_add(watch, &watch->tick);
    err = uv_poll_start(&watch->sockets, UV_READABLE, on_sockets);
    return err ? err : uv_poll_start(&watch->tick, UV_READABLE, on_tick);
}

static void watch_stop(struct udp_watch *watch)
{
    void *handles[] = {&watch->turn, &watch->sockets, &watch->tick};

    for (int i = 0; i < 3; i++)
        if (((uv_handle_t *)handles[i])->data)
            uv_close(handles[i], on_closed);
}

static void house_destroy(void *self)
{
    struct udp_house *house = self;

    if (house->watch)
        watch_stop(house->watch);
    for (unsigned i = house->rack_at; i < UDP_BATCH; i++)
        pkt_put(house->pool, house->rack[i]);
    mem_unref(house->pool);
    mem_unref(house->large);
    if (house->epoll_fd >= 0)
        close(house->epoll_fd);
    if (house->timer_fd >= 0)
        close(house->timer_fd);
}

int udp_house_new(struct udp_house **housep, unsigned gather_us)
{
    struct udp_house *house = mem_new(sizeof(*house), house_destroy);
    int err;

    if (!house)
        return -ENOMEM;
    assert(worker_current());
    house->worker = worker_current();
    house->gather_us = gather_us;
    house->rack_at = UDP_BATCH;
    list_init(&house->pending);
    house->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    house->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (house->epoll_fd < 0 || house->timer_fd < 0)
        err = -errno;
    else
        err = pkt_pool_new(&house->pool, POOL_PACKETS);
    if (!err)
        err = watch_start(house);
    if (err) {
        mem_unref(house);
        return err;
    }
    *housep = house;
    return 0;
}
