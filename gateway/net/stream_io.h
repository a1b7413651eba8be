/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/span.h"

/* stream_io.h: how stream.c's bytes go through a socket, plain or by OpenSSL, and the two buffers. Nobody else includes
 * it but tls_peer.c, which looks at the certificate. */

struct stream_io {
    int fd;
    SSL *ssl;             /* NULL: plain */
    bool is_tls;          /* still known when the SSL is gone */
    bool ssl_wants_write; /* OpenSSL waits for the socket to take bytes */
    bool is_ended;        /* the peer has closed in good order */
    char *in;             /* in_n bytes that the user has not used yet */
    size_t in_n, in_cap;
    char *out; /* bytes that wait for the socket: [out_at, out_n) */
    size_t out_at, out_n, out_cap;
};

/** @param server_name NULL: not checked. @return 0, -ENOMEM, -EINVAL */
int stream_io_set_tls(struct stream_io *io, SSL_CTX *context, bool is_client, const char *server_name);
/** @return 0: done (plain: at once); -EAGAIN; -EPROTO; -EACCES: the peer's certificate does not pass */
int stream_io_handshake(struct stream_io *io);
/** Read once into the input buffer, which grows to in_max. @return bytes; 0: ended (is_ended); -EAGAIN; -errno */
ssize_t stream_io_read(struct stream_io *io, size_t in_max);
/** The user has used n bytes at the front. */
void stream_io_use(struct stream_io *io, size_t n);
/** Send what is queued as far as it goes. @return 0, -errno */
int stream_io_flush(struct stream_io *io);
/** Queue bytes, and send at once if may_send. @return 0; -ENOBUFS above out_max; -errno */
int stream_io_queue(struct stream_io *io, struct span bytes, size_t out_max, bool may_send);
bool stream_io_wants_write(const struct stream_io *io);
/** Idempotent. @param says_so send TLS's close_notify */
void stream_io_close(struct stream_io *io, bool says_so);

struct stream;
/** NULL: plain, or not there any more. Borrowed. */
SSL *stream_ssl(const struct stream *stream);
