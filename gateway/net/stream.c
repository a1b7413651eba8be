/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c: byte streams over TCP and TLS: accept, connect, handshake, read, write, end. stream_io.c says how bytes go
 * through the socket or OpenSSL. Knows nothing of SIP.
 *
 *   CONNECTING --> SHAKING (TLS) --> OPEN --> GONE (on_close was called)
 *
 * A callback may unref the stream: what runs afterwards looks at watch->stream, which the destructor clears. */
#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "net/listener.h"
#include "net/peer_count.h"
#include "net/stream_io.h"
#include "net/tls.h"

#define OPEN_TIMEOUT_MS 10000
#define READ_BUDGET     (256 * 1024) /* bytes per turn, so that the others of this worker get theirs */
#define PER_ADDRESS     200
#define DEAD_IDLE_S     60
#define DEAD_BETWEEN_S  15
#define DEAD_COUNT      3
#define DEAD_UNHEARD_MS 30000

enum stream_state { STREAM_CONNECTING, STREAM_SHAKING, STREAM_OPEN, STREAM_GONE };

struct stream_watch {
    uv_poll_t poll;
    struct stream *stream; /* NULL: destroyed */
    int events;            /* what poll watches */
};

struct stream {
    enum stream_state state;
    struct worker *worker;
    struct stream_watch *watch;
    struct stream_io io;
    const struct stream_user *user;
    void *arg;
    struct peer_slot *slot;
    struct addr remote, local;
    struct timer opening;  /* connect and handshake */
    struct timer progress; /* a message that does not get whole */
    struct timer later;    /* what must not happen inside of the caller's call */
    unsigned progress_ms;
    int later_err;
};

struct stream_listener {
    struct stream_listen_options options;
    struct listener *listener;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_watch_closed(uv_handle_t *handle)
{
    mem_unref(handle->data);
}

static void stop_watching(struct stream *stream)
{
    if (!stream->watch)
        return;
    stream->watch->stream = NULL;
    uv_close((uv_handle_t *)&stream->watch->poll, on_watch_closed);
    stream->watch = NULL;
}

static void stream_destroy(void *self)
{
    struct stream *stream = self;

    timer_stop(&stream->opening);
    timer_stop(&stream->progress);
    timer_stop(&stream->later);
    stop_watching(stream);
    stream_io_close(&stream->io, stream->state == STREAM_OPEN);
    peer_slot_leave(stream->slot);
    stats_add(STAT_STREAMS, -1);
}

/* The end, told once. */
static void finish(struct stream *stream, int err)
{
    if (stream->state == STREAM_GONE)
        return;
    timer_stop(&stream->opening);
    timer_stop(&stream->progress);
    timer_stop(&stream->later);
    stop_watching(stream);
    stream_io_close(&stream->io, stream->state == STREAM_OPEN);
    stream->state = STREAM_GONE;
    if (stream->user)
        stream->user->on_close(stream, err, stream->arg);
}

static void on_opening_timeout(void *arg)
{
    finish(arg, -ETIMEDOUT);
}

static void on_progress_timeout(void *arg)
{
    finish(arg, -ETIMEDOUT);
}

/* Watch for what the socket is waited for. @return 0, or the stream is gone */
static int update_watch(struct stream *stream)
{
    int events = UV_READABLE;

    if (stream->state == STREAM_CONNECTING)
        events = UV_WRITABLE;
    else if (stream_io_wants_write(&stream->io))
        events |= UV_WRITABLE;
    if (events == stream->watch->events)
        return 0;
    stream->watch->events = events;
    return uv_poll_start(&stream->watch->poll, events, on_poll);
}

/* Getting open. */

static int finish_connect(struct stream *stream)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(int);
    int err = 0;

    if (getsockopt(stream->io.fd, SOL_SOCKET, SO_ERROR, &err, &len))
        return -errno;
    if (err)
        return -err;
    len = sizeof(bound);
    if (getsockname(stream->io.fd, (struct sockaddr *)&bound, &len))
        return -errno;
    stream->state = STREAM_SHAKING;
    return addr_from_sockaddr(&stream->local, (struct sockaddr *)&bound, len);
}

/* @return 0: open or still at it */
static int go_on_opening(struct stream *stream)
{
    int err;

    if (stream->state == STREAM_CONNECTING) {
        err = finish_connect(stream);
        if (err)
            return err;
    }
    err = stream_io_handshake(&stream->io);
    if (err == -EAGAIN)
        return 0;
    if (err)
        return err;
    stream->state = STREAM_OPEN;
    timer_stop(&stream->opening);
    if (stream->user && stream->user->on_open)
        stream->user->on_open(stream, stream->arg);
    return 0;
}

/* Reading. */

static void watch_progress(struct stream *stream, bool has_moved)
{
    if (!stream->progress_ms || !stream->io.in_n)
        timer_stop(&stream->progress);
    else if (has_moved || !timer_is_running(&stream->progress))
        timer_start(stream->worker->wheel, &stream->progress, stream->progress_ms, on_progress_timeout, stream);
}

/* Show the user what is there. @return 0; -EMSGSIZE: full and nothing is used; the stream may be destroyed */
static int show_bytes(struct stream_watch *watch)
{
    struct stream *stream = watch->stream;
    size_t used;

    if (!stream->user)
        return -ENOTCONN;
    used = stream->user->on_bytes(stream, stream->io.in, stream->io.in_n, stream->arg);
    if (watch->stream != stream || stream->state != STREAM_OPEN)
        return 0;
    stream_io_use(&stream->io, used);
    watch_progress(stream, used > 0);
    return stream->io.in_n >= STREAM_IN_MAX ? -EMSGSIZE : 0;
}

static void on_later(void *arg);

static int read_all(struct stream_watch *watch)
{
    struct stream *stream = watch->stream;
    size_t total = 0;

    while (watch->stream == stream && stream->state == STREAM_OPEN) {
        ssize_t n = stream_io_read(&stream->io, STREAM_IN_MAX);
        int err;

        if (n == -EAGAIN)
            return 0;
        if (n <= 0)
            return n ? (int)n : -ECONNRESET; /* 0 is told apart by the caller */
        err = show_bytes(watch);
        if (err)
            return err;
        total += (size_t)n;
        if (total >= READ_BUDGET && watch->stream == stream && stream->state == STREAM_OPEN) {
            timer_start(stream->worker->wheel, &stream->later, 0, on_later, stream);
            return 0;
        }
    }
    return 0;
}

/* All that can be done now. */
static void run(struct stream_watch *watch)
{
    struct stream *stream = watch->stream;
    int err = 0;

    mem_ref(watch);
    if (stream->state < STREAM_OPEN)
        err = go_on_opening(stream);
    if (!err && watch->stream && stream->state == STREAM_OPEN)
        err = stream_io_flush(&stream->io);
    if (!err && watch->stream && stream->state == STREAM_OPEN)
        err = read_all(watch);
    if (watch->stream && !err)
        err = update_watch(stream);
    if (watch->stream && err)
        finish(stream, stream->io.is_ended && stream->state == STREAM_OPEN ? 0 : err);
    mem_unref(watch);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream_watch *watch = poll->data;

    worker_note_turn(worker_current());
    if (watch->stream)
        run(watch);
}

static void on_later(void *arg)
{
    struct stream *stream = arg;

    if (stream->later_err)
        finish(stream, stream->later_err);
    else if (stream->watch)
        run(stream->watch);
}

/* Making. */

static int watch_start(struct stream *stream)
{
    struct stream_watch *watch = mem_new(sizeof(*watch), NULL);
    int err;

    if (!watch)
        return -ENOMEM;
    err = uv_poll_init(&stream->worker->loop, &watch->poll, stream->io.fd);
    if (err) {
        mem_unref(watch);
        return err;
    }
    watch->poll.data = watch;
    watch->stream = stream;
    stream->watch = watch;
    return update_watch(stream);
}

/* A peer that is gone without a word (switched off, its NAT forgot it) is noticed within two minutes, or 30 s after
 * something was sent to it that nobody acknowledges. Silent ones cost a packet a minute. */
static void notice_death(int fd)
{
    int one = 1, idle_s = DEAD_IDLE_S, between_s = DEAD_BETWEEN_S, count = DEAD_COUNT;
    unsigned unheard_ms = DEAD_UNHEARD_MS;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_s, sizeof(between_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard_ms, sizeof(unheard_ms));
}

/* @param fd_taken also on error */
static int stream_new(struct stream **streamp, int fd_taken, const struct addr *remote)
{
    struct stream *stream = mem_new(sizeof(*stream), stream_destroy);

    if (!stream) {
        close(fd_taken);
        return -ENOMEM;
    }
    assert(worker_current());
    stats_add(STAT_STREAMS, 1);
    notice_death(fd_taken);
    stream->worker = worker_current();
    stream->io.fd = fd_taken;
    stream->remote = *remote;
    timer_start(stream->worker->wheel, &stream->opening, OPEN_TIMEOUT_MS, on_opening_timeout, stream);
    *streamp = stream;
    return 0;
}

static int open_socket(const struct addr *to)
{
    int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, err;

    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, &to->sa, addr_len(to)) && errno != EINPROGRESS) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int stream_connect(struct stream **streamp, const struct addr *to, struct tls *tls, const char *server_name)
{
    struct stream *stream;
    int fd, err = 0;

    if (!addr_is_set(to))
        return -EINVAL;
    fd = open_socket(to);
    if (fd < 0)
        return fd;
    err = stream_new(&stream, fd, to);
    if (err)
        return err;
    if (tls)
        err = stream_io_set_tls(&stream->io, tls_context(tls), true, server_name);
    if (!err)
        err = watch_start(stream);
    if (err) {
        mem_unref(stream);
        return err;
    }
    *streamp = stream;
    return 0;
}

static int adopt(struct stream **streamp, struct stream_listener *listener, int fd_taken, const struct addr *remote)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);
    struct stream *stream;
    int err = stream_new(&stream, fd_taken, remote);

    if (err)
        return err;
    stream->state = STREAM_SHAKING;
    if (!getsockname(fd_taken, (struct sockaddr *)&bound, &len))
        err = addr_from_sockaddr(&stream->local, (struct sockaddr *)&bound, len);
    if (!err && listener->options.tls)
        err = stream_io_set_tls(&stream->io, tls_context(listener->options.tls), false, NULL);
    if (!err)
        err = watch_start(stream);
    if (err) {
        mem_unref(stream);
        return err;
    }
    *streamp = stream;
    return 0;
}

static void on_accept(int fd_taken, const struct addr *remote, struct peer_slot *slot_taken, void *arg)
{
    struct stream_listener *listener = arg;
    struct stream_watch *watch;
    struct stream *stream;

    if (adopt(&stream, listener, fd_taken, remote)) {
        peer_slot_leave(slot_taken);
        return;
    }
    stream->slot = slot_taken;
    watch = mem_ref(stream->watch);
    listener->options.on_accept(stream, listener->options.arg);
    if (watch->stream)
        run(watch); /* plain TCP is open at once */
    mem_unref(watch);
}

static void listener_destroy(void *self)
{
    struct stream_listener *listener = self;

    mem_unref(listener->listener);
}

int stream_listen(struct stream_listener **listenerp, const struct stream_listen_options *options)
{
    struct listener_options lower = {.local = options->local,
                                     .max_per_address =
                                         options->max_per_address ? options->max_per_address : PER_ADDRESS,
                                     .refused_stat = STAT_STREAM_REFUSED,
                                     .on_accept = on_accept};
    struct stream_listener *listener = mem_new(sizeof(*listener), listener_destroy);
    int err;

    if (!listener)
        return -ENOMEM;
    listener->options = *options;
    lower.arg = listener;
    err = peer_counts_new(&lower.counts);
    if (!err)
        err = listener_new(&listener->listener, &lower);
    mem_unref(lower.counts);
    if (err) {
        mem_unref(listener);
        return err;
    }
    *listenerp = listener;
    return 0;
}

const struct addr *stream_listener_local(const struct stream_listener *listener)
{
    return listener_local(listener->listener);
}

void stream_set_user(struct stream *stream, const struct stream_user *user, void *arg)
{
    stream->user = user;
    stream->arg = arg;
}

/* The caller is told by the return value, the user a moment later by on_close. */
static int fail_later(struct stream *stream, int err)
{
    stream->later_err = err;
    timer_start(stream->worker->wheel, &stream->later, 0, on_later, stream);
    return err;
}

int stream_send(struct stream *stream, struct span bytes)
{
    int err;

    if (stream->state == STREAM_GONE || stream->later_err)
        return -ENOTCONN;
    err = stream_io_queue(&stream->io, bytes, STREAM_OUT_MAX, stream->state == STREAM_OPEN);
    if (!err)
        err = update_watch(stream);
    if (!err)
        return 0;
    fail_later(stream, err);
    return err == -ENOBUFS ? err : -ENOTCONN;
}

SSL *stream_ssl(const struct stream *stream)
{
    return stream->io.ssl;
}

const struct addr *stream_remote(const struct stream *stream)
{
    return &stream->remote;
}

const struct addr *stream_local(const struct stream *stream)
{
    return &stream->local;
}

bool stream_is_tls(const struct stream *stream)
{
    return stream->io.is_tls;
}

void stream_set_progress_timeout(struct stream *stream, unsigned ms)
{
    stream->progress_ms = ms;
    watch_progress(stream, true);
}
