/* SPDX-License-Identifier: Apache-2.0 */
/* stream_io.c: reading and writing without blocking, plain or TLS, and the buffers of both directions. Knows nothing of
 * loops, timers and users. */
#include "net/stream_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define IN_BYTES  4096 /* first size of the input buffer */
#define OUT_BYTES 4096

static bool is_numeric(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* SNI takes names only (RFC 6066 section 3); the certificate is checked for either. */
static int set_server_name(SSL *ssl, const char *name)
{
    if (is_numeric(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 ? 0 : -EINVAL;
    if (SSL_set_tlsext_host_name(ssl, name) != 1 || SSL_set1_host(ssl, name) != 1)
        return -EINVAL;
    return 0;
}

int stream_io_set_tls(struct stream_io *io, SSL_CTX *context, bool is_client, const char *server_name)
{
    io->is_tls = true;
    io->ssl = SSL_new(context);
    if (!io->ssl || SSL_set_fd(io->ssl, io->fd) != 1)
        return -ENOMEM;
    if (!is_client) {
        SSL_set_accept_state(io->ssl);
        return 0;
    }
    SSL_set_connect_state(io->ssl);
    return server_name && server_name[0] ? set_server_name(io->ssl, server_name) : 0;
}

/* What an OpenSSL call of ours came to. */
static int ssl_error(struct stream_io *io, int result)
{
    int saved = errno;

    io->ssl_wants_write = false;
    switch (SSL_get_error(io->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
        io->ssl_wants_write = true;
        return -EAGAIN;
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        io->is_ended = true;
        return 0;
    case SSL_ERROR_SYSCALL:
        return saved ? -saved : -ECONNRESET;
    default:
        return -EPROTO;
    }
}

int stream_io_handshake(struct stream_io *io)
{
    int result, err;

    if (!io->ssl)
        return 0;
    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(io->ssl);
    if (result == 1) {
        io->ssl_wants_write = false;
        return 0;
    }
    err = ssl_error(io, result);
    if (err == -EPROTO && SSL_get_verify_result(io->ssl) != X509_V_OK)
        return -EACCES;
    return err ? err : -ECONNRESET;
}

static int reserve(char **bufp, size_t *capp, size_t keep, size_t want, size_t first)
{
    size_t cap = *capp ? *capp : first;
    char *grown;

    while (cap < want)
        cap *= 2;
    if (cap == *capp)
        return 0;
    grown = mem_new(cap, NULL);
    if (!grown)
        return -ENOMEM;
    if (keep)
        memcpy(grown, *bufp, keep);
    mem_unref(*bufp);
    *bufp = grown;
    *capp = cap;
    return 0;
}

static ssize_t read_some(struct stream_io *io, char *buf, size_t n)
{
    ssize_t got;
    int result;

    if (!io->ssl) {
        got = recv(io->fd, buf, n, MSG_DONTWAIT);
        if (got == 0)
            io->is_ended = true;
        return got < 0 ? -errno : got;
    }
    ERR_clear_error();
    errno = 0;
    result = SSL_read(io->ssl, buf, (int)n);
    return result > 0 ? result : ssl_error(io, result);
}

ssize_t stream_io_read(struct stream_io *io, size_t in_max)
{
    size_t want = io->in_n + 1 > io->in_cap ? io->in_cap * 2 : io->in_cap, room;
    ssize_t n;
    int err = reserve(&io->in, &io->in_cap, io->in_n, want, IN_BYTES);

    if (err)
        return err;
    room = (io->in_cap < in_max ? io->in_cap : in_max) - io->in_n;
    if (!room)
        return -EMSGSIZE;
    n = read_some(io, io->in + io->in_n, room);
    if (n > 0)
        io->in_n += (size_t)n;
    else
        stream_io_use(io, 0);
    return n;
}

void stream_io_use(struct stream_io *io, size_t n)
{
    if (n > io->in_n)
        n = io->in_n;
    io->in_n -= n;
    if (io->in_n) {
        if (n)
            memmove(io->in, io->in + n, io->in_n);
        return;
    }
    io->in = mem_unref(io->in); /* an idle connection keeps no buffer */
    io->in_cap = 0;
}

/* @return bytes taken, -EAGAIN, -errno */
static ssize_t write_some(struct stream_io *io, const char *bytes, size_t n)
{
    ssize_t sent;
    int result;

    if (!io->ssl) {
        sent = send(io->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        return sent < 0 ? -errno : sent;
    }
    ERR_clear_error();
    errno = 0;
    result = SSL_write(io->ssl, bytes, n > INT32_MAX ? INT32_MAX : (int)n);
    if (result > 0)
        return result;
    result = ssl_error(io, result);
    return result ? result : -ECONNRESET;
}

int stream_io_flush(struct stream_io *io)
{
    while (io->out_at < io->out_n) {
        ssize_t n = write_some(io, io->out + io->out_at, io->out_n - io->out_at);

        if (n == -EAGAIN)
            return 0;
        if (n < 0 && n != -EINTR)
            return (int)n;
        if (n > 0)
            io->out_at += (size_t)n;
    }
    io->out = mem_unref(io->out);
    io->out_at = io->out_n = io->out_cap = 0;
    return 0;
}

static int append(struct stream_io *io, struct span bytes)
{
    int err;

    if (io->out_at) {
        memmove(io->out, io->out + io->out_at, io->out_n - io->out_at);
        io->out_n -= io->out_at;
        io->out_at = 0;
    }
    err = reserve(&io->out, &io->out_cap, io->out_n, io->out_n + bytes.n, OUT_BYTES);
    if (err)
        return err;
    memcpy(io->out + io->out_n, bytes.p, bytes.n);
    io->out_n += bytes.n;
    return 0;
}

int stream_io_queue(struct stream_io *io, struct span bytes, size_t out_max, bool may_send)
{
    if (io->out_n - io->out_at + bytes.n > out_max)
        return -ENOBUFS;
    if (may_send && io->out_at == io->out_n) {
        ssize_t n = write_some(io, bytes.p, bytes.n);

        if (n < 0 && n != -EAGAIN && n != -EINTR)
            return (int)n;
        if (n > 0)
            bytes = span_sub(bytes, (size_t)n, bytes.n);
    }
    return bytes.n ? append(io, bytes) : 0;
}

bool stream_io_wants_write(const struct stream_io *io)
{
    return io->ssl_wants_write || io->out_at < io->out_n;
}

void stream_io_close(struct stream_io *io, bool says_so)
{
    if (io->ssl && says_so) {
        ERR_clear_error();
        SSL_shutdown(io->ssl);
    }
    SSL_free(io->ssl);
    io->ssl = NULL;
    if (io->fd >= 0)
        close(io->fd);
    io->fd = -1;
    io->in = mem_unref(io->in);
    io->out = mem_unref(io->out);
    io->in_n = io->in_cap = io->out_n = io->out_at = io->out_cap = 0;
    ERR_clear_error();
}
