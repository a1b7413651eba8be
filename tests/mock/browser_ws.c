/* SPDX-License-Identifier: Apache-2.0 */
/* browser_ws.c: handshake and frames of a WebSocket client. RFC 6455 sections 4.1 and 5. Knows no SIP. */
#include "browser_ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer_udp.h"

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { READ_BYTES = 4096, MESSAGE_MAX_BYTES = 1 << 20, MESSAGE_OUT_MAX_BYTES = 32768 };

struct frame {
    bool is_final;
    unsigned opcode;
    size_t head_size;
    size_t size;
};

static void fail(struct browser_ws *ws, int err)
{
    browser_ws_close(ws, false);
    if (ws->on_closed)
        ws->on_closed(ws->ctx, err);
}

static void make_room(uint8_t **bytes, size_t *room, size_t wanted)
{
    void *more;

    if (*room >= wanted)
        return;
    more = realloc(*bytes, wanted + READ_BYTES);
    if (!more)
        abort();
    *bytes = more;
    *room = wanted + READ_BYTES;
}

/* Send what the socket takes. @return 0, also when something is left; negative errno */
static int flush_out(struct browser_ws *ws)
{
    ssize_t size = send(ws->watch.fd, ws->out, ws->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (size < 0)
        return errno == EAGAIN ? 0 : -errno;
    ws->out_size -= (size_t)size;
    memmove(ws->out, ws->out + size, ws->out_size);
    return 0;
}

static void send_rest(struct browser_ws *ws)
{
    int err = flush_out(ws);

    if (err)
        fail(ws, err);
    else
        peer_watch_start(ws->loop, &ws->watch, ws->out_size ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void queue_bytes(struct browser_ws *ws, const void *bytes, size_t size)
{
    bool was_idle = ws->out_size == 0;

    make_room(&ws->out, &ws->out_room, ws->out_size + size);
    memcpy(ws->out + ws->out_size, bytes, size);
    ws->out_size += size;
    if (was_idle && (flush_out(ws) || ws->out_size)) /* the rest, or the error, comes up by epoll */
        peer_watch_start(ws->loop, &ws->watch, EPOLLIN | EPOLLOUT);
}

/* One frame, masked as clients must: RFC 6455 section 5.3. */
static void send_frame(struct browser_ws *ws, unsigned opcode, const char *bytes, size_t size)
{
    uint8_t frame[14 + MESSAGE_OUT_MAX_BYTES], mask[4];
    size_t head = 2;

    if (size > sizeof(frame) - 14)
        return;
    RAND_bytes(mask, sizeof(mask));
    frame[0] = (uint8_t)(0x80 | opcode);
    if (size < 126) {
        frame[1] = (uint8_t)(0x80 | size);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(size >> 8);
        frame[3] = (uint8_t)size;
        head = 4;
    }
    memcpy(frame + head, mask, 4);
    head += 4;
    for (size_t i = 0; i < size; i++)
        frame[head + i] = (uint8_t)((uint8_t)bytes[i] ^ mask[i & 3]);
    queue_bytes(ws, frame, head + size);
}

int browser_ws_send(struct browser_ws *ws, const char *text, size_t size)
{
    if (ws->state != WS_OPEN)
        return -ENOTCONN;
    send_frame(ws, OP_TEXT, text, size);
    return 0;
}

void browser_ws_close(struct browser_ws *ws, bool is_clean)
{
    if (ws->state == WS_CLOSED)
        return;
    if (is_clean && ws->state == WS_OPEN)
        send_frame(ws, OP_CLOSE, "\x03\xe8", 2);
    peer_watch_stop(ws->loop, &ws->watch);
    close(ws->watch.fd);
    free(ws->in);
    free(ws->out);
    ws->in = ws->out = NULL;
    ws->in_size = ws->in_room = ws->out_size = ws->out_room = ws->text_size = 0;
    ws->state = WS_CLOSED;
}

/* RFC 6455 section 4.2.2, item 5.4. */
static bool accept_matches(const char *key, const char *answer)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[128], wanted[64];
    unsigned size = 0;
    const char *at = strcasestr(answer, "\r\nSec-WebSocket-Accept:");

    snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)wanted, digest, (int)size);
    if (!at)
        return false;
    at += strlen("\r\nSec-WebSocket-Accept:");
    at += strspn(at, " ");
    return !strncmp(at, wanted, strlen(wanted));
}

/* The answer to the upgrade. @return its size, 0 = not yet whole, negative errno. */
static int read_upgrade(struct browser_ws *ws)
{
    uint8_t *end = memmem(ws->in, ws->in_size, "\r\n\r\n", 4);

    if (!end)
        return 0;
    end[2] = 0;
    if (strncmp((char *)ws->in, "HTTP/1.1 101", 12) != 0 || !accept_matches(ws->key, (char *)ws->in))
        return -EPROTO;
    if (!strcasestr((char *)ws->in, "\r\nSec-WebSocket-Protocol: sip"))
        return -EPROTONOSUPPORT;
    return (int)(end + 4 - ws->in);
}

/* Head of the frame at @p at. @return 0; -EAGAIN: not yet whole; -EPROTO: masked or larger than we take. */
static int read_frame(struct frame *frame, const uint8_t *at, size_t size)
{
    if (size < 2)
        return -EAGAIN;
    frame->is_final = at[0] >> 7;
    frame->opcode = at[0] & 15;
    frame->size = at[1] & 127;
    frame->head_size = frame->size == 126 ? 4 : frame->size == 127 ? 10 : 2;
    if (at[1] & 0x80)
        return -EPROTO;
    if (size < frame->head_size)
        return -EAGAIN;
    if (frame->head_size == 4)
        frame->size = (size_t)(at[2] << 8 | at[3]);
    for (unsigned i = 2; frame->head_size == 10 && i < 10; i++)
        frame->size = (i == 2 ? 0 : frame->size << 8) | at[i];
    if (frame->size > MESSAGE_MAX_BYTES)
        return -EPROTO;
    return size < frame->head_size + frame->size ? -EAGAIN : 0;
}

/* Join a data frame to the message and hand it up when complete. @return bytes of `in` the frame leaves in place */
static void take_frame(struct browser_ws *ws, const struct frame *frame)
{
    uint8_t *start = ws->in + ws->text_size;
    size_t whole = frame->head_size + frame->size;
    size_t rest = ws->in_size - ws->text_size - whole;
    size_t size = ws->text_size + frame->size;

    memmove(start, start + frame->head_size, frame->size + rest);
    ws->in_size -= frame->head_size;
    ws->text_size = size;
    if (!frame->is_final)
        return;
    ws->text_size = 0;
    ws->on_text(ws->ctx, (char *)ws->in, size);
    if (ws->state != WS_OPEN)
        return;
    ws->in_size -= size;
    memmove(ws->in, ws->in + size, ws->in_size);
}

static void drop_frame(struct browser_ws *ws, const struct frame *frame)
{
    uint8_t *start = ws->in + ws->text_size;
    size_t whole = frame->head_size + frame->size;

    ws->in_size -= whole;
    memmove(start, start + whole, ws->in_size - ws->text_size);
}

static void read_frames(struct browser_ws *ws)
{
    while (ws->state == WS_OPEN) {
        struct frame frame;
        const uint8_t *start = ws->in + ws->text_size;
        int err = read_frame(&frame, start, ws->in_size - ws->text_size);

        if (err == -EAGAIN)
            return;
        if (err || frame.opcode == OP_CLOSE) {
            fail(ws, err ? err : -ECONNRESET);
            return;
        }
        if (frame.opcode == OP_PING)
            send_frame(ws, OP_PONG, (const char *)start + frame.head_size, frame.size);
        if (frame.opcode == OP_TEXT || frame.opcode == OP_CONTINUATION)
            take_frame(ws, &frame);
        else
            drop_frame(ws, &frame);
    }
}

static void read_bytes(struct browser_ws *ws)
{
    ssize_t size;
    int used;

    make_room(&ws->in, &ws->in_room, ws->in_size + READ_BYTES);
    size = recv(ws->watch.fd, ws->in + ws->in_size, ws->in_room - ws->in_size, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0) {
        fail(ws, size ? -errno : -ECONNRESET);
        return;
    }
    ws->in_size += (size_t)size;
    if (ws->state == WS_UPGRADING) {
        used = read_upgrade(ws);
        if (used < 0)
            fail(ws, used);
        if (used <= 0)
            return;
        ws->in_size -= (size_t)used;
        memmove(ws->in, ws->in + used, ws->in_size);
        ws->state = WS_OPEN;
        ws->on_open(ws->ctx);
    }
    read_frames(ws);
}

static void ws_ready(void *ctx, uint32_t events)
{
    struct browser_ws *ws = ctx;
    int err = 0;
    socklen_t size = sizeof(err);

    if (ws->state == WS_CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        getsockopt(ws->watch.fd, SOL_SOCKET, SO_ERROR, &err, &size);
        if (err) {
            fail(ws, -err);
            return;
        }
        ws->state = WS_UPGRADING;
    }
    if ((events & EPOLLOUT) && ws->state != WS_CLOSED)
        send_rest(ws);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && ws->state != WS_CLOSED)
        read_bytes(ws);
}

static void queue_upgrade(struct browser_ws *ws, const struct browser_ws_target *target)
{
    unsigned char nonce[16];
    int size;

    RAND_bytes(nonce, sizeof(nonce));
    EVP_EncodeBlock((unsigned char *)ws->key, nonce, sizeof(nonce));
    make_room(&ws->out, &ws->out_room, READ_BYTES);
    size = snprintf((char *)ws->out, READ_BYTES,
                    "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n"
                    "Origin: %s\r\n\r\n",
                    target->path, target->ip, target->port, ws->key, target->origin);
    ws->out_size = (size_t)size;
}

static int open_socket(const struct browser_ws_target *target)
{
    struct sockaddr_in to, from;
    int fd, on = 1;

    if (peer_address(&to, target->ip, target->port) || peer_address(&from, target->local_ip, 0))
        return -EINVAL;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
        (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int browser_ws_connect(struct browser_ws *ws, struct peer_loop *loop, const struct browser_ws_target *target)
{
    int fd = open_socket(target);

    if (fd < 0)
        return fd;
    ws->loop = loop;
    ws->watch = (struct peer_watch){.fd = fd, .on_ready = ws_ready, .ctx = ws};
    ws->state = WS_CONNECTING;
    queue_upgrade(ws, target);
    return peer_watch_start(loop, &ws->watch, EPOLLOUT);
}
