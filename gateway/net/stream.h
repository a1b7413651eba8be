/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/span.h"
#include "net/addr.h"

/* stream.h: byte streams of one worker, TCP and TLS, both directions, never blocking (poll + OpenSSL). Bounded output
 * queue. Timers: connect and handshake 10 s. Knows nothing of SIP. */

struct stream;
struct stream_listener;
struct tls;

struct stream_user {
    /** Ready to send: connected and handshaken. */
    void (*on_open)(struct stream *stream, void *arg);
    /** Bytes came in: the whole of what is buffered so far; @return bytes used (the rest stays and is shown again with
     * more). The buffer is writable. */
    size_t (*on_bytes)(struct stream *stream, char *bytes, size_t n, void *arg);
    /** Gone: by the peer, an error or a timer (err: 0 or negative errno). The owner unrefs it; nothing is called after.
     */
    void (*on_close)(struct stream *stream, int err, void *arg);
};

#define STREAM_IN_MAX  (64 * 1024 + 4096) /* a message and the head of the next; full without progress: closed */
#define STREAM_OUT_MAX (1024 * 1024)      /* more: the stream is closed with -ENOBUFS */

/** Listen on this worker's own SO_REUSEPORT socket. on_accept is given the stream (one reference, taken) and
 *  answers by stream_set_user(), or unrefs it to refuse. @param tls NULL: plain TCP */
typedef void stream_accept_fn(struct stream *stream_taken, void *arg);
struct stream_listen_options {
    struct addr local;
    struct tls *tls;
    unsigned max_per_address; /* 200 */
    stream_accept_fn *on_accept;
    void *arg;
};
int stream_listen(struct stream_listener **listenerp, const struct stream_listen_options *options);
const struct addr *stream_listener_local(const struct stream_listener *listener);

/** Connect. @param tls client context or NULL; server_name for SNI and certificate check */
int stream_connect(struct stream **streamp, const struct addr *to, struct tls *tls, const char *server_name);

void stream_set_user(struct stream *stream, const struct stream_user *user, void *arg);
/** Queue bytes (copied) and send as much as goes. @return 0; -ENOBUFS (the stream will be closed); -ENOTCONN */
int stream_send(struct stream *stream, struct span bytes);
const struct addr *stream_remote(const struct stream *stream);
const struct addr *stream_local(const struct stream *stream);
bool stream_is_tls(const struct stream *stream);
/** Close if no whole message was read for so long although bytes are buffered (slow-loris guard); 0: never. */
void stream_set_progress_timeout(struct stream *stream, unsigned ms);
