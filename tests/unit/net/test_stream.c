/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

#include <errno.h>
#include <fcntl.h>

#include "net/stream.h"
#include "net/tls.h"
#include "net_tls.h"

#include "net/stream.c" /* for its timers */

struct end {
    struct stream *stream;
    bool is_open, is_closed, echoes, leaves, keeps;
    int err;
    size_t n;
    char text[256];
};

static void on_open(struct stream *stream, void *arg)
{
    ((struct end *)arg)->is_open = true;
}

static size_t on_bytes(struct stream *stream, char *bytes, size_t n, void *arg)
{
    struct end *end = arg;

    if (end->keeps)
        return 0;
    for (size_t i = 0; i < n && end->n + i < sizeof(end->text) - 1; i++)
        end->text[end->n + i] = bytes[i];
    end->n += n;
    if (end->echoes)
        stream_send(stream, span_make(bytes, n));
    if (end->leaves)
        end->stream = mem_unref(end->stream);
    return n;
}

static void on_close(struct stream *stream, int err, void *arg)
{
    struct end *end = arg;

    end->is_closed = true;
    end->err = err;
    end->stream = mem_unref(end->stream);
}

static const struct stream_user user = {on_open, on_bytes, on_close};

static void take(struct stream *stream_taken, void *arg)
{
    struct end *end = arg;

    if (end->is_closed) { /* the test wants it refused */
        mem_unref(stream_taken);
        return;
    }
    end->stream = stream_taken;
    stream_set_user(stream_taken, &user, end);
}

static struct stream_listener *listen_on_loopback(struct end *end, struct tls *tls, unsigned max_per_address)
{
    struct stream_listen_options options = {
        .tls = tls, .on_accept = take, .arg = end, .max_per_address = max_per_address};
    struct stream_listener *listener;

    *end = (struct end){NULL};
    assert_int_equal(addr_parse(&options.local, SPAN("127.0.0.1"), 0), 0);
    assert_int_equal(stream_listen(&listener, &options), 0);
    return listener;
}

static void dial(struct end *end, const struct addr *to, struct tls *tls, const char *name)
{
    *end = (struct end){NULL};
    assert_int_equal(stream_connect(&end->stream, to, tls, name), 0);
    stream_set_user(end->stream, &user, end);
}

/* A client that only the kernel's TCP knows. */
static int raw_connect(const struct addr *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, &to->sa, addr_len(to)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void talk(struct net_test *test, struct tls *server_tls, struct tls *client_tls, const char *name)
{
    struct end server, client;
    struct stream_listener *listener = listen_on_loopback(&server, server_tls, 0);

    dial(&client, stream_listener_local(listener), client_tls, name);
    server.echoes = true;
    assert_int_equal(stream_send(client.stream, SPAN("early ")), 0); /* before it is connected */
    net_wait(test, client.is_open && server.is_open);
    assert_int_equal(stream_send(client.stream, SPAN("hello")), 0);
    net_wait(test, client.n == 11);
    assert_string_equal(client.text, "early hello");
    assert_int_equal(stream_is_tls(client.stream), client_tls != NULL);
    assert_true(addr_eq(stream_local(client.stream), stream_remote(server.stream)));
    assert_true(addr_eq(stream_remote(client.stream), stream_local(server.stream)));
    client.stream = mem_unref(client.stream);
    net_wait(test, server.is_closed);
    assert_int_equal(server.err, 0);
    mem_unref(listener);
}

static void test_tcp_carries_bytes_both_ways(void **state)
{
    talk(*state, NULL, NULL, NULL);
}

static void test_tls_carries_bytes_both_ways(void **state)
{
    struct tls *server, *client;
    struct net_pair pair;
    const char *why;

    net_pair_make(&pair);
    assert_int_equal(tls_new(&server, pair.certificate, pair.key, &why), 0);
    assert_int_equal(tls_client_new(&client, pair.certificate, true, &why), 0);
    talk(*state, server, client, "localhost");
    talk(*state, server, client, "127.0.0.1");
    net_pair_write(
        &pair); /* a new certificate: the client, which trusts the old one, must notice after the reload only */
    talk(*state, server, client, "localhost");
    assert_int_equal(tls_reload(server, &why), 0);
    mem_unref(client);
    assert_int_equal(tls_client_new(&client, pair.certificate, true, &why), 0);
    talk(*state, server, client, "localhost");
    mem_unref(client);
    mem_unref(server);
    net_pair_remove(&pair);
}

static void test_certificate_of_another_name_or_issuer_is_refused(void **state)
{
    struct net_test *test = *state;
    struct tls *server_tls, *knows, *knows_not;
    struct end server, client;
    struct stream_listener *listener;
    struct net_pair pair;
    const char *why;

    net_pair_make(&pair);
    assert_int_equal(tls_new(&server_tls, pair.certificate, pair.key, &why), 0);
    assert_int_equal(tls_client_new(&knows, pair.certificate, true, &why), 0);
    assert_int_equal(tls_client_new(&knows_not, NULL, true, &why), 0);
    listener = listen_on_loopback(&server, server_tls, 0);
    dial(&client, stream_listener_local(listener), knows, "other.example");
    net_wait(test, client.is_closed && server.is_closed);
    assert_int_equal(client.err, -EACCES);
    assert_false(client.is_open);
    server = (struct end){NULL};
    dial(&client, stream_listener_local(listener), knows_not, "localhost");
    net_wait(test, client.is_closed && server.is_closed);
    assert_int_equal(client.err, -EACCES);
    mem_unref(listener);
    mem_unref(server_tls);
    mem_unref(knows);
    mem_unref(knows_not);
    net_pair_remove(&pair);
}

static void test_pair_that_does_not_fit_is_told_and_the_old_one_stays(void **state)
{
    struct net_pair first, second;
    struct tls *tls;
    const char *why = NULL;

    net_pair_make(&first);
    net_pair_make(&second);
    assert_int_equal(tls_check_pair(first.certificate, first.key, &why), 0);
    assert_int_equal(tls_check_pair(first.certificate, second.key, &why), -EINVAL);
    assert_non_null(why);
    assert_int_equal(tls_check_pair("/nonexistent", first.key, &why), -EINVAL);
    assert_int_equal(tls_new(&tls, first.certificate, second.key, &why), -EINVAL);
    assert_int_equal(tls_new(&tls, first.certificate, first.key, &why), 0);
    assert_int_equal(truncate(first.certificate, 10), 0);
    why = NULL;
    assert_int_equal(tls_reload(tls, &why), -EINVAL);
    assert_non_null(why);
    assert_non_null(SSL_CTX_get0_certificate(tls_context(tls)));
    net_pair_write(&first);
    for (int i = 0; i < 20; i++)
        assert_int_equal(tls_reload(tls, &why), 0);
    mem_unref(tls);
    net_pair_remove(&first);
    net_pair_remove(&second);
}

static void test_connection_refused_is_told(void **state)
{
    struct net_test *test = *state;
    struct end server, client;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);
    struct addr nobody = *stream_listener_local(listener);

    mem_unref(listener);
    dial(&client, &nobody, NULL, NULL);
    net_wait(test, client.is_closed);
    assert_int_equal(client.err, -ECONNREFUSED);
}

static void test_slow_handshake_is_closed(void **state)
{
    struct net_test *test = *state;
    struct stream_listener *listener;
    struct net_pair pair;
    struct end server;
    struct tls *tls;
    const char *why;
    char byte;
    int fd;

    net_pair_make(&pair);
    assert_int_equal(tls_new(&tls, pair.certificate, pair.key, &why), 0);
    listener = listen_on_loopback(&server, tls, 0);
    fd = raw_connect(stream_listener_local(listener));
    net_wait(test, server.stream);
    assert_in_range(timer_left_ms(&server.stream->opening), OPEN_TIMEOUT_MS - 2000, OPEN_TIMEOUT_MS);
    timer_start(test->worker->wheel, &server.stream->opening, 1, on_opening_timeout, server.stream); /* time flies */
    net_wait(test, server.is_closed);
    assert_int_equal(server.err, -ETIMEDOUT);
    assert_false(server.is_open);
    net_wait(test, recv(fd, &byte, 1, 0) == 0);
    close(fd);
    mem_unref(listener);
    mem_unref(tls);
    net_pair_remove(&pair);
}

static void test_plain_text_at_a_tls_port_is_closed(void **state)
{
    struct net_test *test = *state;
    struct stream_listener *listener;
    struct net_pair pair;
    struct end server;
    struct tls *tls;
    const char *why;
    int fd;

    net_pair_make(&pair);
    assert_int_equal(tls_new(&tls, pair.certificate, pair.key, &why), 0);
    listener = listen_on_loopback(&server, tls, 0);
    fd = raw_connect(stream_listener_local(listener));
    assert_int_equal(send(fd, "OPTIONS sip:x SIP/2.0\r\n\r\n", 25, 0), 25);
    net_wait(test, server.is_closed);
    assert_int_equal(server.err, -EPROTO);
    close(fd);
    mem_unref(listener);
    mem_unref(tls);
    net_pair_remove(&pair);
}

static void test_message_that_never_gets_whole_is_closed(void **state)
{
    struct net_test *test = *state;
    struct end server;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);
    int fd = raw_connect(stream_listener_local(listener));

    net_wait(test, server.is_open);
    server.keeps = true;
    stream_set_progress_timeout(server.stream, 20);
    for (int i = 0; i < 20; i++)
        net_turn(test);
    assert_false(server.is_closed); /* nothing is buffered yet */
    assert_int_equal(send(fd, "INVITE", 6, 0), 6);
    net_wait(test, server.is_closed);
    assert_int_equal(server.err, -ETIMEDOUT);
    close(fd);
    mem_unref(listener);
}

static void test_buffer_full_without_progress_is_closed(void **state)
{
    static char flood[STREAM_IN_MAX];
    struct net_test *test = *state;
    struct end server;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);
    int fd = raw_connect(stream_listener_local(listener));
    size_t sent = 0;

    net_wait(test, server.is_open);
    server.keeps = true;
    while (!server.is_closed) {
        ssize_t n = sent < sizeof(flood) ? send(fd, flood, sizeof(flood) - sent, MSG_NOSIGNAL) : 0;

        sent += n > 0 ? (size_t)n : 0;
        net_turn(test);
    }
    assert_int_equal(server.err, -EMSGSIZE);
    close(fd);
    mem_unref(listener);
}

static void test_queue_has_a_limit_and_its_end_is_told_later(void **state)
{
    static char block[65536];
    struct net_test *test = *state;
    struct end server;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);
    int fd = raw_connect(stream_listener_local(listener)), err = 0;

    net_wait(test, server.is_open);
    for (int i = 0; i < 1000 && !err; i++)
        err = stream_send(server.stream, span_make(block, sizeof(block))); /* nobody reads */
    assert_int_equal(err, -ENOBUFS);
    assert_false(server.is_closed);
    assert_int_equal(stream_send(server.stream, SPAN("x")), -ENOTCONN);
    net_wait(test, server.is_closed);
    assert_int_equal(server.err, -ENOBUFS);
    close(fd);
    mem_unref(listener);
}

static void test_large_answer_passes_a_slow_reader(void **state)
{
    static char block[200000], got[65536];
    struct net_test *test = *state;
    struct end server;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);
    int fd = raw_connect(stream_listener_local(listener));
    size_t total = 0;

    net_wait(test, server.is_open);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)(i * 7);
    for (int i = 0; i < 5; i++)
        assert_int_equal(stream_send(server.stream, span_make(block, sizeof(block))), 0);
    while (total < 5 * sizeof(block)) {
        ssize_t n = recv(fd, got, sizeof(got), 0);

        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(got[i], block[(total + (size_t)i) % sizeof(block)]);
        total += n > 0 ? (size_t)n : 0;
        net_turn(test);
    }
    server.stream = mem_unref(server.stream);
    close(fd);
    mem_unref(listener);
}

static void test_owner_may_leave_within_a_callback(void **state)
{
    struct net_test *test = *state;
    struct end server, client;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);

    dial(&client, stream_listener_local(listener), NULL, NULL);
    net_wait(test, client.is_open && server.is_open);
    server.leaves = true;
    stream_send(client.stream, SPAN("go away"));
    net_wait(test, client.is_closed);
    assert_null(server.stream);
    assert_false(server.is_closed);
    mem_unref(listener);
}

static void test_limit_per_address_and_refusal(void **state)
{
    struct net_test *test = *state;
    struct end server;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 1);
    int first = raw_connect(stream_listener_local(listener)), second, third;
    char byte;

    net_wait(test, server.is_open);
    second = raw_connect(stream_listener_local(listener));
    net_wait(test, recv(second, &byte, 1, 0) == 0);
    assert_int_equal(test->worker->stats.value[STAT_STREAM_REFUSED], 1);
    close(first);
    net_wait(test, server.is_closed);                     /* its place is free again */
    third = raw_connect(stream_listener_local(listener)); /* take() refuses this one */
    net_wait(test, recv(third, &byte, 1, 0) == 0);
    server = (struct end){NULL};
    close(third);
    third = raw_connect(stream_listener_local(listener));
    net_wait(test, server.is_open);
    server.stream = mem_unref(server.stream);
    close(second);
    close(third);
    mem_unref(listener);
}

static void test_without_memory_nothing_leaks(void **state)
{
    struct net_test *test = *state;
    struct end server, client;
    struct stream_listener *listener = listen_on_loopback(&server, NULL, 0);
    struct addr to = *stream_listener_local(listener);
    int err = -ENOMEM;

    mem_unref(listener);
    for (int n = 0; err; n++) {
        struct stream_listen_options options = {.on_accept = take, .arg = &server};

        addr_parse(&options.local, SPAN("127.0.0.1"), 0);
        mem_fail_after(n);
        err = stream_listen(&listener, &options);
        mem_fail_after(-1);
        assert_true(err == 0 || err == -ENOMEM);
    }
    to = *stream_listener_local(listener);
    for (int n = 0; n < 12; n++) { /* a whole conversation with memory running out at each point */
        server = client = (struct end){.echoes = false};
        server.echoes = true;
        mem_fail_after(n);
        if (stream_connect(&client.stream, &to, NULL, NULL) == 0) {
            stream_set_user(client.stream, &user, &client);
            stream_send(client.stream, SPAN("x"));
        }
        for (int i = 0; i < 10; i++)
            net_turn(test);
        mem_fail_after(-1);
        client.stream = mem_unref(client.stream);
        server.stream = mem_unref(server.stream);
        net_turn(test);
    }
    mem_unref(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        net_case(test_tcp_carries_bytes_both_ways),
        net_case(test_tls_carries_bytes_both_ways),
        net_case(test_certificate_of_another_name_or_issuer_is_refused),
        net_case(test_pair_that_does_not_fit_is_told_and_the_old_one_stays),
        net_case(test_connection_refused_is_told),
        net_case(test_slow_handshake_is_closed),
        net_case(test_plain_text_at_a_tls_port_is_closed),
        net_case(test_message_that_never_gets_whole_is_closed),
        net_case(test_buffer_full_without_progress_is_closed),
        net_case(test_queue_has_a_limit_and_its_end_is_told_later),
        net_case(test_large_answer_passes_a_slow_reader),
        net_case(test_owner_may_leave_within_a_callback),
        net_case(test_limit_per_address_and_refusal),
        net_case(test_without_memory_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
