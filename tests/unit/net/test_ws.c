/* SPDX-License-Identifier: Apache-2.0 */
/* test_ws.c: WebSocket and HTTP as seen by a client that writes every byte by hand. */
#include "net_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "net/ws_house.h"
#include "net_tls.h"

#define MESSAGE_MAX 20000

/* The gateway's side. */

struct app {
    struct ws *ws;
    unsigned opened, closed, messages;
    bool echoes, closes, is_binary;
    size_t n;
    char text[MESSAGE_MAX + 1];
    struct addr remote;
};

static void app_open(struct ws *ws, void *arg)
{
    struct app *app = arg;

    app->opened++;
    app->ws = ws;
    app->remote = *ws_remote(ws);
    ws_set_user(ws, app);
}

static void app_message(struct ws *ws, char *bytes, size_t n, bool is_binary, void *arg)
{
    struct app *app = ws_user(ws);

    assert_ptr_equal(app, arg);
    app->messages++;
    app->is_binary = is_binary;
    app->n = n;
    memcpy(app->text, bytes, n);
    app->text[n] = '\0';
    if (n)
        bytes[0] ^= 0; /* writable */
    if (app->echoes)
        assert_int_equal(ws_send(ws, span_make(bytes, n)), 0);
    if (app->closes)
        ws_close(ws);
}

static void app_close(struct ws *ws, void *arg)
{
    struct app *app = arg;

    assert_ptr_equal(app->ws, ws);
    app->closed++;
    app->ws = NULL;
}

static struct app app, app_json;
static const struct ws_protocol protocols[] = {
    {"sip", app_open, app_message, app_close, MESSAGE_MAX, &app},
    {"janus-protocol", app_open, app_message, app_close, MESSAGE_MAX, &app_json},
    {NULL},
};

static struct http_request *pending;

static void handle(struct http_request *request, void *arg)
{
    struct text text;

    if (arg) { /* answered later */
        pending = request;
        return;
    }
    text_init(&text, 4096);
    text_addf(&text, "%.*s|%.*s|%.*s", SPAN_ARG(http_path(request)), SPAN_ARG(http_query(request)),
              SPAN_ARG(http_body(request)));
    http_reply(request, 200, "text/plain", text_span(&text));
    text_free(&text);
}

static const struct http_handler handlers[] = {
    {false, "GET", "/phone.json", handle, NULL}, {false, "POST", "/post", handle, NULL},
    {false, "GET", "/later", handle, &app},      {true, "GET", "/health", handle, NULL},
    {true, "GET", "/calls", handle, NULL},       {true, "GET", "/calls/", handle, NULL},
};

struct fixture {
    struct net_test *test;
    struct ws_house *house;
    struct conf_listen listens[2];
    char *origins[1];
    struct conf conf;
    char folder[40], page[64], image[64];
    struct net_pair pair;
};

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    fputs(text, file);
    fclose(file);
}

static void make_pages(struct fixture *fixture)
{
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/sipway-html-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->page, sizeof(fixture->page), "%s/index.html", fixture->folder);
    snprintf(fixture->image, sizeof(fixture->image), "%s/phone.js", fixture->folder);
    write_file(fixture->page, "<p>hello</p>");
    write_file(fixture->image, "call()");
}

static struct fixture *setup(void **state, const char *origin, const char *token)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    struct ws_house_options options = {.conf = &fixture->conf, .protocols = protocols, .has_admin = true};
    struct conf *conf = &fixture->conf;
    const char *why;

    fixture->test = *state;
    memset(&app, 0, sizeof(app));
    memset(&app_json, 0, sizeof(app_json));
    make_pages(fixture);
    net_pair_make(&fixture->pair);
    fixture->listens[0] = (struct conf_listen){.scheme = "http", .host = (char *)"127.0.0.1"};
    fixture->listens[1] = (struct conf_listen){.scheme = "https", .host = (char *)"127.0.0.1"};
    conf->refs = 1;
    conf->web.listen = (struct conf_listens){fixture->listens, 2};
    conf->web.certificate = fixture->pair.certificate;
    conf->web.key = fixture->pair.key;
    conf->web.html = fixture->folder;
    conf->web.max_per_address = 20;
    conf->web.idle_s = 30;
    fixture->origins[0] = (char *)origin;
    if (origin)
        conf->web.origins = (struct conf_strings){fixture->origins, 1};
    conf->admin.listen = fixture->listens[0];
    conf->admin.token = (char *)token;
    assert_int_equal(ws_house_new(&fixture->house, &options, &why), 0);
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
        assert_int_equal(http_add(fixture->house, &handlers[i]), 0);
    return fixture;
}

static void finish(struct fixture *fixture)
{
    mem_unref(fixture->house);
    assert_int_equal(fixture->conf.refs, 1);
    assert_int_equal(app.opened, app.closed);
    unlink(fixture->page);
    unlink(fixture->image);
    rmdir(fixture->folder);
    net_pair_remove(&fixture->pair);
    test_free(fixture);
}

/* The client's side. */

struct client {
    int fd;
    SSL *ssl;
    bool is_closed;
    size_t n;
    char in[200000];
};

static struct client *client_new(uint16_t port)
{
    struct client *client = test_calloc(1, sizeof(*client));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&to, sizeof(to)), 0);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    return client;
}

static void client_free(struct client *client)
{
    SSL_free(client->ssl);
    close(client->fd);
    test_free(client);
}

static void client_send(struct client *client, const void *bytes, size_t n)
{
    if (client->ssl)
        assert_int_equal(SSL_write(client->ssl, bytes, (int)n), (int)n);
    else
        assert_int_equal(send(client->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void client_say(struct client *client, const char *text)
{
    client_send(client, text, strlen(text));
}

/* Take what has come. @return is there a whole `n` bytes, or with n 0: is it closed? */
static bool client_has(struct client *client, size_t n)
{
    ssize_t got;

    do {
        got = client->ssl ? SSL_read(client->ssl, client->in + client->n, (int)(sizeof(client->in) - 1 - client->n))
                          : recv(client->fd, client->in + client->n, sizeof(client->in) - 1 - client->n, 0);
        if (got > 0)
            client->n += (size_t)got;
        else if (client->ssl ? SSL_get_error(client->ssl, (int)got) != SSL_ERROR_WANT_READ
                             : got == 0 || errno != EAGAIN)
            client->is_closed = true;
    } while (got > 0);
    client->in[client->n] = '\0';
    return n ? client->n >= n : client->is_closed;
}

static bool client_has_text(struct client *client, const char *text)
{
    client_has(client, 1);
    return strstr(client->in, text) != NULL;
}

static void client_forget(struct client *client)
{
    client->n = 0;
    client->in[0] = '\0';
}

static void shake(struct client *client, const char *protocol, const char *origin)
{
    char text[512];

    snprintf(text, sizeof(text),
             "GET /any/path HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s%s%s%s\r\n",
             protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "", protocol ? "\r\n" : "",
             origin ? "Origin: " : "", origin ? origin : "", origin ? "\r\n" : "");
    client_say(client, text);
}

static struct client *ws_connect(struct fixture *fixture)
{
    struct client *client = client_new(ws_house_port(fixture->house, 0));

    shake(client, "sip", NULL);
    net_wait(fixture->test, client_has_text(client, "\r\n\r\n"));
    assert_non_null(strstr(client->in, "HTTP/1.1 101"));
    assert_non_null(strstr(client->in, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")); /* RFC 6455 1.3 */
    assert_non_null(strstr(client->in, "Sec-WebSocket-Protocol: sip"));
    net_wait(fixture->test, app.opened > app.closed);
    client_forget(client);
    return client;
}

#define FIN 0x80

/* A masked frame, RFC 6455 section 5.2. */
static void send_frame(struct client *client, int head, const void *bytes, size_t n)
{
    static uint8_t frame[100000];
    static const uint8_t mask[4] = {1, 2, 3, 4};
    size_t at = 0;

    frame[at++] = (uint8_t)head;
    if (n < 126) {
        frame[at++] = 0x80 | (uint8_t)n;
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = (uint8_t)(n >> 8);
        frame[at++] = (uint8_t)n;
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < n; i++)
        frame[at++] = ((const uint8_t *)bytes)[i] ^ mask[i % 4];
    client_send(client, frame, at);
}

static void expect_frame(struct fixture *fixture, struct client *client, int head, const char *bytes, size_t n)
{
    size_t head_n = n < 126 ? 2 : 4;

    net_wait(fixture->test, client_has(client, head_n + n));
    assert_int_equal((uint8_t)client->in[0], FIN | head);
    assert_memory_equal(client->in + head_n, bytes, n);
    assert_int_equal(client->n, head_n + n);
    client_forget(client);
}

static void expect_close(struct fixture *fixture, struct client *client, int code)
{
    net_wait(fixture->test, client_has(client, 4));
    assert_int_equal((uint8_t)client->in[0], FIN | 8);
    assert_int_equal((uint8_t)client->in[2] << 8 | (uint8_t)client->in[3], code);
    send_frame(client, FIN | 8, client->in + 2, 2); /* RFC 6455 5.5.1: answered by the same */
    net_wait(fixture->test, !app.ws);
}

/* WebSocket. */

static void test_message_comes_in_and_goes_out_whole(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture);
    static char large[MESSAGE_MAX];

    app.echoes = true;
    assert_true(addr_is_loopback(&app.remote));
    assert_false(ws_is_secure(app.ws));
    send_frame(client, FIN | 1, "REGISTER", 8);
    expect_frame(fixture, client, 1, "REGISTER", 8);
    memset(large, 'x', sizeof(large));
    send_frame(client, FIN | 1, large, sizeof(large));
    expect_frame(fixture, client, 1, large, sizeof(large));
    assert_int_equal(app.messages, 2);
    client_free(client);
    net_wait(fixture->test, app.closed == 1);
    finish(fixture);
}

static void test_fragments_are_joined_around_a_ping(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture);

    send_frame(client, 1, "INV", 3);
    send_frame(client, FIN | 9, "are you there", 13);
    expect_frame(fixture, client, 10, "are you there", 13);
    send_frame(client, 0, "IT", 2);
    assert_int_equal(app.messages, 0);
    send_frame(client, FIN | 0, "E sip:", 6);
    net_wait(fixture->test, app.messages == 1);
    assert_string_equal(app.text, "INVITE sip:");
    send_frame(client, FIN | 2, "\xff\0", 2);
    net_wait(fixture->test, app.messages == 2);
    assert_true(app.is_binary);
    assert_int_equal(app.n, 2);
    send_frame(client, FIN | 1, "", 0);
    send_frame(client, FIN | 1, "z", 1);
    net_wait(fixture->test, app.n == 1);
    assert_string_equal(app.text, "z");
    client_free(client);
    finish(fixture);
}

static void test_subprotocol_decides_who_is_told(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = client_new(ws_house_port(fixture->house, 0));

    shake(client, "unknown, janus-protocol", NULL);
    net_wait(fixture->test, app_json.opened == 1);
    assert_int_equal(app.opened, 0);
    client_free(client);
    net_wait(fixture->test, app_json.closed == 1);
    finish(fixture);
}

static void refused(struct fixture *fixture, uint16_t port, const char *protocol, const char *origin)
{
    struct client *client = client_new(port);

    shake(client, protocol, origin);
    net_wait(fixture->test, client_has(client, 0));
    assert_null(strstr(client->in, " 101 "));
    client_free(client);
}

static void test_wrong_protocol_and_admin_address_are_refused(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);

    refused(fixture, ws_house_port(fixture->house, 0), "chat", NULL);
    refused(fixture, ws_house_port(fixture->house, 0), NULL, NULL);
    refused(fixture, ws_house_port(fixture->house, 0), "http", NULL);
    refused(fixture, ws_house_admin_port(fixture->house), "sip", NULL);
    refused(fixture, ws_house_admin_port(fixture->house), NULL, NULL);
    assert_int_equal(app.opened, 0);
    finish(fixture);
}

static void test_other_origins_are_refused(void **state)
{
    struct fixture *fixture = setup(state, "https://phone.example", NULL);
    struct client *client;

    refused(fixture, ws_house_port(fixture->house, 0), "sip", "https://evil.example");
    refused(fixture, ws_house_port(fixture->house, 0), "sip", "https://phone.example.evil.example");
    refused(fixture, ws_house_port(fixture->house, 0), "sip", NULL);
    assert_int_equal(app.opened, 0);
    assert_int_equal(fixture->test->worker->stats.value[STAT_WEBSOCKET_REFUSED], 3);
    client = client_new(ws_house_port(fixture->house, 0));
    shake(client, "sip", "https://phone.example");
    net_wait(fixture->test, app.opened == 1);
    client_free(client);
    finish(fixture);
}

static void test_too_large_and_not_utf8_are_closed_with_their_codes(void **state)
{
    static char large[MESSAGE_MAX + 1];
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture);

    memset(large, 'x', sizeof(large));
    send_frame(client, FIN | 1, large, sizeof(large));
    expect_close(fixture, client, 1009);
    client_free(client);
    client = ws_connect(fixture);
    for (int i = 0; i < 3; i++)
        send_frame(client, i ? 0 : 1, large, MESSAGE_MAX / 2);
    expect_close(fixture, client, 1009);
    client_free(client);
    client = ws_connect(fixture);
    send_frame(client, FIN | 1, "caf\xe9", 4);
    expect_close(fixture, client, 1007);
    client_free(client);
    net_wait(fixture->test, app.closed == 3);
    assert_int_equal(app.messages, 0);
    finish(fixture);
}

static void test_close_of_ours_sends_what_is_queued_first(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture);

    app.echoes = app.closes = true;
    send_frame(client, FIN | 1, "bye", 3);
    net_wait(fixture->test, client_has(client, 5 + 4));
    assert_memory_equal(client->in,
                        "\x81\x03"
                        "bye\x88",
                        6);
    assert_int_equal((uint8_t)client->in[7] << 8 | (uint8_t)client->in[8], 1000);
    send_frame(client, FIN | 8, "\x03\xe8", 2);
    net_wait(fixture->test, app.closed == 1);
    client_free(client);
    finish(fixture);
}

static void test_slow_reader_is_cut_at_its_limit(void **state)
{
    static char block[100000];
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture);
    int err = 0;

    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 10; i++)
        assert_int_equal(ws_send(app.ws, span_make(block, sizeof(block))), 0);
    assert_int_equal(ws_send(app.ws, SPAN("short")), 0);
    for (int i = 0; i < 100 && !err; i++)
        err = ws_send(app.ws, span_make(block, sizeof(block)));
    assert_int_equal(err, -ENOBUFS);
    assert_int_equal(ws_send(app.ws, SPAN("x")), -ENOTCONN);
    net_wait(fixture->test, app.closed == 1);
    client_free(client);
    finish(fixture);
}

static void test_messages_keep_their_order_past_a_full_socket(void **state)
{
    static char block[50000];
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture);
    int small = 4096, large = 1000000;

    memset(block, 'x', sizeof(block));
    setsockopt(lws_get_socket_fd(app.ws->wsi), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    for (int i = 0; i < 36; i++) { /* the socket is full after some of them */
        size_t n = i % 2 ? 5 : sizeof(block);

        block[0] = (char)('A' + i);
        assert_int_equal(ws_send(app.ws, span_make(block, n)), 0);
        if (i == 6)
            net_turn(fixture->test); /* the first is half on its way */
    }
    assert_false(list_is_empty(&app.ws->queue));
    setsockopt(lws_get_socket_fd(app.ws->wsi), SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
    for (int i = 0; i < 36; i++) {
        size_t n = i % 2 ? 5 : sizeof(block), head_n = n < 126 ? 2 : 4;

        net_wait(fixture->test, client_has(client, head_n + n));
        assert_int_equal(client->in[head_n], 'A' + i);
        client->n -= head_n + n;
        memmove(client->in, client->in + head_n + n, client->n);
    }
    assert_int_equal(client->n, 0);
    client_free(client);
    finish(fixture);
}

static void test_silent_connection_is_pinged_and_then_closed(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client;

    fixture->conf.web.idle_s = 1;
    client = ws_connect(fixture);
    expect_frame(fixture, client, 9, "?", 1); /* ping at 0.5 s */
    send_frame(client, FIN | 10, "?", 1);
    expect_frame(fixture, client, 9, "?", 1);
    assert_int_equal(app.closed, 0);
    net_wait(fixture->test, app.closed == 1); /* no pong this time */
    net_wait(fixture->test, client_has(client, 0));
    client_free(client);
    finish(fixture);
}

static void test_limit_per_address(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *clients[21];

    for (int i = 0; i < 20; i++)
        clients[i] = client_new(ws_house_port(fixture->house, i % 2)); /* both addresses together */
    for (int i = 0; i < 10; i++)
        net_turn(fixture->test);
    clients[20] = client_new(ws_house_port(fixture->house, 0));
    net_wait(fixture->test, client_has(clients[20], 0));
    assert_int_equal(fixture->test->worker->stats.value[STAT_WEBSOCKET_REFUSED], 1);
    client_free(clients[0]); /* gives its place back */
    for (int i = 0; i < 10; i++)
        net_turn(fixture->test);
    client_free(ws_connect(fixture));
    for (int i = 1; i < 21; i++)
        client_free(clients[i]);
    finish(fixture);
}

static void test_house_ends_with_open_connections(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = ws_connect(fixture), *half = client_new(ws_house_port(fixture->house, 0)),
                  *silent = client_new(ws_house_port(fixture->house, 1));

    client_say(half, "GET / HT");
    for (int i = 0; i < 5; i++)
        net_turn(fixture->test);
    finish(fixture); /* on_close is told, nothing leaks */
    client_free(client);
    client_free(half);
    client_free(silent);
}

/* TLS. */

static void tls_handshake(struct fixture *fixture, struct client *client, SSL_CTX *context)
{
    client->ssl = SSL_new(context);
    SSL_set_fd(client->ssl, client->fd);
    SSL_set_connect_state(client->ssl);
    net_wait(fixture->test, SSL_do_handshake(client->ssl) == 1);
}

static void test_secure_websocket_and_certificate_reload(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct client *client;
    X509 *first = NULL, *second = NULL;

    SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    for (int round = 0; round < 2; round++) {
        client = client_new(ws_house_port(fixture->house, 1));
        tls_handshake(fixture, client, context);
        first = round ? first : SSL_get1_peer_certificate(client->ssl);
        second = SSL_get1_peer_certificate(client->ssl);
        assert_int_equal(X509_cmp(first, second) != 0, round);
        X509_free(second);
        shake(client, "sip", NULL);
        net_wait(fixture->test, client_has_text(client, "\r\n\r\n"));
        assert_non_null(strstr(client->in, "HTTP/1.1 101"));
        net_wait(fixture->test, app.ws);
        assert_true(ws_is_secure(app.ws));
        client_forget(client);
        app.echoes = true;
        send_frame(client, FIN | 1, "hello", 5);
        expect_frame(fixture, client, 1, "hello", 5);
        client_free(client);
        net_wait(fixture->test, !app.ws);
        net_pair_write(&fixture->pair);
        assert_int_equal(ws_house_reload(fixture->house), 0);
    }
    X509_free(first);
    SSL_CTX_free(context);
    finish(fixture);
}

/* HTTP. */

/* One request on a connection of its own; the answer is in client->in. */
static struct client *ask(struct fixture *fixture, uint16_t port, const char *request)
{
    struct client *client = client_new(port);

    client_say(client, request);
    net_wait(fixture->test, client_has_text(client, "\r\n\r\n") || client->is_closed);
    return client;
}

static void expect(struct fixture *fixture, bool is_admin, const char *request, const char *status, const char *part)
{
    struct client *client =
        ask(fixture, is_admin ? ws_house_admin_port(fixture->house) : ws_house_port(fixture->house, 0), request);

    if (strncmp(client->in + 9, status, 3))
        fail_msg("wanted %s, got: %s (to: %s)", status, client->in, request);
    net_wait(fixture->test, client_has_text(client, part));
    client_free(client);
}

static void test_pages_come_with_types_and_security_headers(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    char tag[40], request[200];
    struct client *client = ask(fixture, ws_house_port(fixture->house, 0), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    net_wait(fixture->test, client_has_text(client, "<p>hello</p>"));
    assert_non_null(strstr(client->in, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(client->in, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(client->in, "Cache-Control: no-cache\r\n"));
    assert_non_null(strstr(client->in,
                           "Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; media-src "
                           "'self' blob:; img-src 'self' data:\r\n"));
    assert_non_null(strstr(client->in, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(client->in, "Referrer-Policy: no-referrer\r\n"));
    sscanf(strstr(client->in, "ETag: ") + 6, "%39s", tag);
    client_forget(client);
    client_say(client, "GET /phone.js HTTP/1.1\r\nHost: x\r\n\r\n"); /* the same connection goes on */
    net_wait(fixture->test, client_has_text(client, "call()"));
    assert_non_null(strstr(client->in, "Content-Type: text/javascript"));
    client_forget(client);
    client_say(client, "HEAD /phone.js HTTP/1.1\r\nHost: x\r\n\r\n");
    net_wait(fixture->test, client_has_text(client, "\r\n\r\n"));
    assert_null(strstr(client->in, "call()"));
    client_free(client);
    snprintf(request, sizeof(request), "GET /index.html HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n", tag);
    expect(fixture, false, request, "304", tag);
    finish(fixture);
}

static void test_what_is_not_there_is_404_and_cannot_be_climbed_to(void **state)
{
    static const char *const paths[] = {
        "/none",    "/../index.html.bak", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
        "/.hidden", "/index.html/",       "//index.html%00",           "/health",
        "/calls"};
    struct fixture *fixture = setup(state, NULL, NULL);
    char request[200];

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        struct client *client;

        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        client = ask(fixture, ws_house_port(fixture->house, 0), request);
        assert_null(strstr(client->in, "root:"));
        assert_null(strstr(client->in, " 200 "));
        client_free(client);
    }
    expect(fixture, false, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", "404", "Not Found");
    finish(fixture);
}

static void test_handlers_answer_by_address_method_and_path(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);

    expect(fixture, false, "GET /phone.json?a=1&b=2 HTTP/1.1\r\nHost: x\r\n\r\n", "200", "/phone.json|a=1&b=2|");
    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "200", "/post||hello");
    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "200", "/post||");
    expect(fixture, false, "POST /phone.json HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405", "Allow: GET");
    expect(fixture, false, "DELETE /phone.json HTTP/1.1\r\nHost: x\r\n\r\n", "405", "Allow: GET");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\n\r\n", "200", "/calls||");
    expect(fixture, true, "GET /calls/7f3a HTTP/1.1\r\nHost: localhost\r\n\r\n", "200", "/calls/7f3a||");
    expect(fixture, true, "GET /callsx HTTP/1.1\r\nHost: localhost\r\n\r\n", "404", "Not Found");
    expect(fixture, true, "GET /phone.json HTTP/1.1\r\nHost: localhost\r\n\r\n", "404", "Not Found");
    expect(fixture, true, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "404", "Not Found");
    finish(fixture);
}

static void test_framing_that_could_be_smuggled_is_refused(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);

    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\n\r\n", "411", "Connection: close");
    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", "413",
           "Connection: close");
    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400", "Connection: close");
    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400",
           "Connection: close");
    expect(fixture, false, "POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501",
           "Connection: close");
    expect(fixture, false, "GET /phone.json HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "200",
           "Connection: close");
    finish(fixture);
}

static void test_admin_needs_its_token_except_for_health(void **state)
{
    struct fixture *fixture = setup(state, NULL, "s3cret");

    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\n\r\n", "401", "WWW-Authenticate: Bearer");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cre\r\n\r\n", "401",
           "Bearer");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cretx\r\n\r\n", "401",
           "Bearer");
    expect(fixture, true, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", "401", "Bearer");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n\r\n", "200",
           "/calls");
    expect(fixture, true, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "200", "/health");
    expect(fixture, false, "GET /phone.json HTTP/1.1\r\nHost: x\r\n\r\n", "200", "/phone.json");
    finish(fixture);
}

static void test_admin_without_token_is_not_for_foreign_pages(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);

    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: 127.0.0.1:8088\r\n\r\n", "200", "/calls");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: [::1]:8088\r\n\r\n", "200", "/calls");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: LocalHost\r\n\r\n", "200", "/calls");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: rebound.example:8088\r\n\r\n", "403", "Forbidden");
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n", "403",
           "Forbidden");
    finish(fixture);
}

static void test_new_snapshot_counts_from_the_next_request(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct conf changed = fixture->conf;

    changed.refs = 1;
    changed.admin.token = (char *)"s3cret";
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\n\r\n", "200", "/calls");
    ws_house_set_conf(fixture->house, &changed);
    assert_int_equal(fixture->conf.refs, 1);
    expect(fixture, true, "GET /calls HTTP/1.1\r\nHost: localhost\r\n\r\n", "401", "Bearer");
    finish(fixture);
    assert_int_equal(changed.refs, 1);
}

static void test_answer_may_come_later_or_too_late(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = client_new(ws_house_port(fixture->house, 0));

    client_say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    net_wait(fixture->test, pending);
    http_reply(pending, 503, "text/plain", SPAN("busy"));
    pending = NULL;
    net_wait(fixture->test, client_has_text(client, "busy"));
    client_forget(client);
    client_say(client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    net_wait(fixture->test, pending);
    ws_kill(container_of(list_first(&fixture->house->connections), struct ws, link));
    net_wait(fixture->test, list_is_empty(&fixture->house->connections));
    client_free(client);
    http_reply(pending, 200, "text/plain", SPAN("nobody listens"));
    pending = NULL;
    finish(fixture);
}

static void test_half_a_request_is_cut_off(void **state)
{
    struct fixture *fixture = setup(state, NULL, NULL);
    struct client *client = client_new(ws_house_port(fixture->house, 0));
    char flood[6000];

    memset(flood, 'a', sizeof(flood)); /* a header above 4096 bytes */
    client_say(client, "GET / HTTP/1.1\r\nX: ");
    client_send(client, flood, sizeof(flood));
    net_wait(fixture->test, client_has(client, 0));
    client_free(client);
    finish(fixture);
}

static void test_configuration_that_cannot_work_is_told(void **state)
{
    struct conf_listen listen = {.scheme = "https", .host = (char *)"127.0.0.1"};
    struct conf conf = {.refs = 1, .web.listen = {&listen, 1}};
    struct ws_house_options options = {.conf = &conf, .protocols = protocols};
    struct ws_house *house;
    const char *why;

    assert_int_equal(ws_house_new(&house, &options, &why), -EINVAL);
    assert_non_null(strstr(why, "web.certificate"));
    conf.web.certificate = conf.web.key = (char *)"/nonexistent";
    assert_int_equal(ws_house_new(&house, &options, &why), -EINVAL);
    assert_non_null(why);
    conf.web.html = (char *)"/nonexistent";
    assert_int_equal(ws_house_new(&house, &options, &why), -ENOENT);
    assert_non_null(strstr(why, "web.html"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        net_case(test_message_comes_in_and_goes_out_whole),
        net_case(test_fragments_are_joined_around_a_ping),
        net_case(test_subprotocol_decides_who_is_told),
        net_case(test_wrong_protocol_and_admin_address_are_refused),
        net_case(test_other_origins_are_refused),
        net_case(test_too_large_and_not_utf8_are_closed_with_their_codes),
        net_case(test_close_of_ours_sends_what_is_queued_first),
        net_case(test_slow_reader_is_cut_at_its_limit),
        net_case(test_messages_keep_their_order_past_a_full_socket),
        net_case(test_silent_connection_is_pinged_and_then_closed),
        net_case(test_limit_per_address),
        net_case(test_house_ends_with_open_connections),
        net_case(test_secure_websocket_and_certificate_reload),
        net_case(test_pages_come_with_types_and_security_headers),
        net_case(test_what_is_not_there_is_404_and_cannot_be_climbed_to),
        net_case(test_handlers_answer_by_address_method_and_path),
        net_case(test_framing_that_could_be_smuggled_is_refused),
        net_case(test_admin_needs_its_token_except_for_health),
        net_case(test_admin_without_token_is_not_for_foreign_pages),
        net_case(test_new_snapshot_counts_from_the_next_request),
        net_case(test_answer_may_come_later_or_too_late),
        net_case(test_half_a_request_is_cut_off),
        net_case(test_configuration_that_cannot_work_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
