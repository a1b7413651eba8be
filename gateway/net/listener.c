/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c: accept TCP connections on a socket of this worker's own. Knows nothing of what is spoken on them. */
#include "net/listener.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"
#include "net/peer_count.h"

#define BACKLOG       1024
#define ACCEPT_BATCH  64  /* connections per wake-up, so that the others of this worker get their turn */
#define PAUSE_MS      100 /* after the process ran out of descriptors */
#define ERRORS_IN_ROW 16

struct listener_watch {
    uv_poll_t poll;
    struct listener *listener;
};

struct listener {
    struct listener_options options;
    struct addr local;
    struct worker *worker;
    struct listener_watch *watch;
    struct timer pause;
    int fd;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_closed(uv_handle_t *handle)
{
    mem_unref(handle->data);
}

static void listener_destroy(void *self)
{
    struct listener *listener = self;

    timer_stop(&listener->pause);
    if (listener->watch) {
        listener->watch->listener = NULL;
        uv_close((uv_handle_t *)&listener->watch->poll, on_closed);
    }
    if (listener->fd >= 0)
        close(listener->fd);
    mem_unref(listener->options.counts);
}

static void resume(void *arg)
{
    struct listener *listener = arg;

    uv_poll_start(&listener->watch->poll, UV_READABLE, on_readable);
}

static void pause_accepting(struct listener *listener, int err)
{
    log_warn("accept paused (error=\"%s\" pause_ms=%d)", uv_strerror(err), PAUSE_MS);
    uv_poll_stop(&listener->watch->poll);
    timer_start(listener->worker->wheel, &listener->pause, PAUSE_MS, resume, listener);
}

static void hand_over(struct listener *listener, int fd, const struct addr *remote)
{
    const struct listener_options *options = &listener->options;
    struct peer_slot *slot;
    int one = 1;

    if (peer_counts_enter(&slot, options->counts, remote, options->max_per_address)) {
        stats_count(options->refused_stat);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    options->on_accept(fd, remote, slot, options->arg);
}

/* @return 0, -EAGAIN: nothing more, or another error */
static int accept_one(struct listener *listener)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    struct addr remote;
    int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (addr_from_sockaddr(&remote, (struct sockaddr *)&from, len))
        close(fd);
    else
        hand_over(listener, fd, &remote);
    return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener_watch *watch = poll->data;
    int errors = 0;

    mem_ref(watch); /* the callee may end the listener */
    worker_note_turn(worker_current());
    for (int i = 0; i < ACCEPT_BATCH && watch->listener; i++) {
        int err = accept_one(watch->listener);

        if (err == -EAGAIN)
            break;
        if (err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM || errors > ERRORS_IN_ROW) {
            pause_accepting(watch->listener, err);
            break;
        }
        errors += err != 0;
    }
    mem_unref(watch);
}

static int bind_socket(struct listener *listener)
{
    const struct addr *local = &listener->options.local;
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    int one = 1;

    listener->fd = socket(local->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return -errno;
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
        return -errno;
    if (addr_is_v6(local) && setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
        return -errno;
    if (bind(listener->fd, &local->sa, addr_len(local)) || listen(listener->fd, BACKLOG) ||
        getsockname(listener->fd, (struct sockaddr *)&bound, &len))
        return -errno;
    return addr_from_sockaddr(&listener->local, (struct sockaddr *)&bound, len);
}

static int watch_start(struct listener *listener)
{
    struct listener_watch *watch = mem_new(sizeof(*watch), NULL);
    int err;

    if (!watch)
        return -ENOMEM;
    err = uv_poll_init(&listener->worker->loop, &watch->poll, listener->fd);
    if (err) {
        mem_unref(watch);
        return err;
    }
    watch->poll.data = watch;
    watch->listener = listener;
    listener->watch = watch;
    return uv_poll_start(&watch->poll, UV_READABLE, on_readable);
}

int listener_new(struct listener **listenerp, const struct listener_options *options)
{
    struct listener *listener;
    int err;

    assert(worker_current());
    if (!addr_is_set(&options->local))
        return -EINVAL;
    listener = mem_new(sizeof(*listener), listener_destroy);
    if (!listener)
        return -ENOMEM;
    listener->fd = -1;
    listener->worker = worker_current();
    listener->options = *options;
    mem_ref(options->counts);
    err = bind_socket(listener);
    if (!err)
        err = watch_start(listener);
    if (err) {
        mem_unref(listener);
        return err;
    }
    *listenerp = listener;
    return 0;
}

const struct addr *listener_local(const struct listener *listener)
{
    return &listener->local;
}
