/* SPDX-License-Identifier: Apache-2.0 */
/* test_dns.c: names are asked of a name server that the test plays itself. */
#include "net_test.h"

#include <errno.h>
#include <unistd.h>

#include <ares.h>

#include "base/clock.h"
#include "net/dns_private.h" /* to point it to the test's server */

struct answer {
    unsigned calls, count;
    int err;
    struct addr first;
};

static void on_done(int err, const struct addr *addrs, unsigned count, void *arg)
{
    struct answer *answer = arg;

    answer->calls++;
    answer->err = err;
    answer->count = count;
    if (count)
        answer->first = addrs[0];
}

static void test_numeric_host_is_answered_at_once(void **state)
{
    struct answer answer = {0};
    struct dns_query *query;
    struct dns *dns;

    assert_int_equal(dns_new(&dns, NULL), 0);
    assert_int_equal(dns_resolve(&query, dns, SPAN("[2001:db8::1]"), 5060, on_done, &answer), 0);
    assert_null(query);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.count, 1);
    assert_int_equal(addr_port(&answer.first), 5060);
    assert_int_equal(dns_resolve(&query, dns, SPAN("192.0.2.1"), 1, on_done, &answer), 0);
    assert_int_equal(answer.calls, 2);
    mem_unref(dns);
}

static void test_localhost_is_found_without_a_server(void **state)
{
    struct net_test *test = *state;
    struct answer answer = {0};
    struct dns_query *query;
    struct dns *dns;

    assert_int_equal(dns_new(&dns, NULL), 0);
    assert_int_equal(dns_resolve(&query, dns, SPAN("localhost"), 5060, on_done, &answer), 0);
    net_wait(test, answer.calls);
    assert_int_equal(answer.err, 0);
    assert_true(addr_is_loopback(&answer.first));
    mem_unref(query);
    mem_unref(dns);
}

static void test_odd_names_are_refused(void **state)
{
    static const char *const names[] = {"", "a b", "a\nb", "caf\xc3\xa9", "a/b", "[x]"};
    char long_name[300];
    struct answer answer = {0};
    struct dns_query *query;
    struct dns *dns;

    assert_int_equal(dns_new(&dns, NULL), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(dns_resolve(&query, dns, span_of(names[i]), 1, on_done, &answer), -EINVAL);
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(dns_resolve(&query, dns, span_make(long_name, sizeof(long_name)), 1, on_done, &answer), -EINVAL);
    assert_int_equal(answer.calls, 0);
    assert_int_equal(dns->names.count, 0);
    mem_unref(dns);
}

/* A name server of one socket: answers A queries with 192.0.2.<n>, others with nothing. */
struct server {
    int fd;
    unsigned queries;
    bool knows_none, is_silent, is_broken;
    uint8_t addresses;
    uint16_t port;
};

static void server_open(struct server *server, struct dns *dns)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(local);
    struct ares_addr_port_node node = {.family = AF_INET, .addr.addr4.s_addr = htonl(INADDR_LOOPBACK)};

    *server = (struct server){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), .addresses = 1};
    assert_int_equal(bind(server->fd, (struct sockaddr *)&local, len), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&local, &len), 0);
    server->port = ntohs(local.sin_port);
    node.udp_port = server->port;
    assert_int_equal(ares_set_servers_ports(dns->channel, &node), ARES_SUCCESS);
}

/* A house that asks this server alone. */
static struct dns *served(struct server *server)
{
    struct dns *dns;

    assert_int_equal(dns_new(&dns, NULL), 0);
    server_open(server, dns);
    return dns;
}

static void end_served(struct dns *dns, struct server *server)
{
    mem_unref(dns);
    close(server->fd);
}

static size_t add_record(uint8_t *out, uint8_t last_byte)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2}; /* name, A, IN, TTL 60 */

    memcpy(out, record, sizeof(record));
    out[sizeof(record)] = last_byte;
    return sizeof(record) + 1;
}

/* Owner, type, IN, time to live and length; the data follow. */
static size_t add_head(uint8_t *out, uint8_t type, uint16_t ttl_s, uint8_t n)
{
    const uint8_t head[] = {0xc0, 12, 0, type, 0, 1, 0, 0, (uint8_t)(ttl_s >> 8), (uint8_t)ttl_s, 0, n};

    memcpy(out, head, sizeof(head));
    return sizeof(head);
}

/* Three: a.example 10/60/5061 with 300 s, b.example 10/40/5062 with 30 s, and "." */
static size_t add_srvs(uint8_t *out)
{
    static const uint8_t a[] = {0, 10, 0, 60, 0x13, 0xc5, 1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
    static const uint8_t b[] = {0, 10, 0, 40, 0x13, 0xc6, 1, 'b', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
    static const uint8_t none[] = {0, 20, 0, 0, 0, 0, 0};
    size_t n = add_head(out, 33, 300, sizeof(a));

    memcpy(out + n, a, sizeof(a));
    n += sizeof(a);
    n += add_head(out + n, 33, 30, sizeof(b));
    memcpy(out + n, b, sizeof(b));
    n += sizeof(b);
    n += add_head(out + n, 33, 600, sizeof(none));
    memcpy(out + n, none, sizeof(none));
    return n + sizeof(none);
}

static size_t add_naptr(uint8_t *out)
{
    static const uint8_t data[] = "\0\x32\0\x0a\1s\x07SIP+D2T\0\4_sip\4_tcp\7example"; /* with the root's 0 */
    size_t n = add_head(out, 35, 120, sizeof(data));

    memcpy(out + n, data, sizeof(data));
    return n + sizeof(data);
}

/* Answer what has come. */
static void server_run(struct server *server)
{
    uint8_t msg[1024];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(server->fd, msg, 512, 0, (struct sockaddr *)&from, &len);
    size_t end = 12;
    uint8_t type;

    if (n < 17)
        return;
    server->queries++;
    if (server->is_silent)
        return;
    while (msg[end])
        end += msg[end] + 1u;
    type = msg[end + 2];
    end += 5;
    msg[2] |= 0x80; /* a response */
    msg[3] = server->is_broken ? 0x82 : server->knows_none ? 0x83 : 0x80;
    memset(msg + 6, 0, 6);
    if (!server->knows_none && !server->is_broken)
        msg[7] = type == 1 ? server->addresses : type == 33 ? 3 : type == 35 ? 1 : 0;
    for (uint8_t i = 0; type == 1 && i < msg[7]; i++)
        end += add_record(msg + end, i + 1);
    if (type == 33 && msg[7])
        end += add_srvs(msg + end);
    if (type == 35 && msg[7])
        end += add_naptr(msg + end);
    sendto(server->fd, msg, end, 0, (struct sockaddr *)&from, len);
}

#define serve_until(condition) net_wait(test, (server_run(&server), (condition)))

static void test_answer_is_shared_and_cached(void **state)
{
    struct net_test *test = *state;
    struct answer first = {0}, second = {0}, third = {0};
    struct dns_query *queries[3];
    struct server server;
    struct dns *dns = served(&server);
    unsigned asked;

    server.addresses = 12;
    assert_int_equal(dns_resolve(&queries[0], dns, SPAN("sip.carrier.example."), 5060, on_done, &first), 0);
    assert_int_equal(dns_resolve(&queries[1], dns, SPAN("SIP.Carrier.Example."), 5070, on_done, &second), 0);
    assert_non_null(queries[0]);
    serve_until(first.calls && second.calls);
    assert_int_equal(first.err, 0);
    assert_int_equal(first.count, 8);
    assert_int_equal(addr_port(&first.first), 5060);
    assert_int_equal(addr_port(&second.first), 5070);
    asked = server.queries;
    assert_in_range(asked, 1, 2); /* A and AAAA, once for both */
    assert_int_equal(dns_resolve(&queries[2], dns, SPAN("sip.carrier.example."), 1, on_done, &third), 0);
    assert_null(queries[2]);
    assert_int_equal(third.calls, 1);
    assert_int_equal(third.count, 8);
    assert_int_equal(server.queries, asked);
    for (int i = 0; i < 3; i++)
        mem_unref(queries[i]);
    end_served(dns, &server);
}

static void test_unknown_name_is_told(void **state)
{
    struct net_test *test = *state;
    struct answer answer = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns = served(&server);

    server.knows_none = true;
    assert_int_equal(dns_resolve(&query, dns, SPAN("nobody.example."), 1, on_done, &answer), 0);
    serve_until(answer.calls);
    assert_int_equal(answer.err, -ENOENT);
    assert_int_equal(answer.count, 0);
    mem_unref(query);
    end_served(dns, &server);
}

static void test_silent_server_is_a_timeout(void **state)
{
    struct net_test *test = *state;
    struct answer answer = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns = served(&server);

    server.is_silent = true;
    assert_int_equal(dns_resolve(&query, dns, SPAN("slow.example."), 1, on_done, &answer), 0);
    serve_until(answer.calls);
    assert_int_equal(answer.err, -ETIMEDOUT);
    mem_unref(query);
    end_served(dns, &server);
}

/* RFC 8767 */
static void test_what_was_known_goes_on_while_name_servers_are_away(void **state)
{
    struct net_test *test = *state;
    struct answer known = {0}, stale = {0}, gone = {0}, back = {0};
    struct dns_query *queries[4];
    struct server server;
    struct dns *dns;

    clock_set_test(1000000);
    dns = served(&server);
    assert_int_equal(dns_resolve(&queries[0], dns, SPAN("sip.example."), 1, on_done, &known), 0);
    serve_until(known.calls);
    server.is_broken = true;
    clock_set_test(1000000 + 61 * 1000000ull); /* its time to live was 60 s */
    assert_int_equal(dns_resolve(&queries[1], dns, SPAN("sip.example."), 1, on_done, &stale), 0);
    serve_until(stale.calls);
    assert_int_equal(stale.err, 0);
    assert_true(stale.count == 1 && addr_same_host(&stale.first, &known.first));
    clock_set_test(1000000 + 1200 * 1000000ull);
    assert_int_equal(dns_resolve(&queries[2], dns, SPAN("sip.example."), 1, on_done, &gone), 0);
    serve_until(gone.calls);
    assert_true(gone.err < 0);
    server.is_broken = false;
    clock_set_test(1000000 + 1300 * 1000000ull);
    assert_int_equal(dns_resolve(&queries[3], dns, SPAN("sip.example."), 1, on_done, &back), 0);
    serve_until(back.calls);
    assert_int_equal(back.err, 0);
    clock_set_test(0);
    for (int i = 0; i < 4; i++)
        mem_unref(queries[i]);
    end_served(dns, &server);
}

static void test_left_query_and_ended_house_are_not_called_back(void **state)
{
    struct net_test *test = *state;
    struct answer left = {0}, stays = {0};
    struct dns_query *queries[2];
    struct server server;
    struct dns *dns = served(&server);

    assert_int_equal(dns_resolve(&queries[0], dns, SPAN("a.example."), 1, on_done, &left), 0);
    assert_int_equal(dns_resolve(&queries[1], dns, SPAN("a.example."), 1, on_done, &stays), 0);
    mem_unref(queries[0]);
    serve_until(stays.calls);
    assert_int_equal(left.calls, 0);
    mem_unref(queries[1]);
    assert_int_equal(dns_resolve(&queries[0], dns, SPAN("b.example."), 1, on_done, &left), 0);
    mem_unref(dns);
    assert_int_equal(left.calls, 0);
    mem_unref(queries[0]);
    close(server.fd);
}

static void test_cache_has_a_limit(void **state)
{
    struct net_test *test = *state;
    struct answer answer = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns = served(&server);
    char name[32];

    for (unsigned i = 0; i < DNS_NAMES_MAX + 20; i++) {
        snprintf(name, sizeof(name), "n%u.example.", i);
        assert_int_equal(dns_resolve(&query, dns, span_of(name), 1, on_done, &answer), 0);
        serve_until(answer.calls == i + 1);
        mem_unref(query);
    }
    assert_int_equal(dns->names.count, DNS_NAMES_MAX);
    assert_null(map_find(&dns->names, SPAN("an0.example.")));
    assert_non_null(map_find(&dns->names, SPAN("an20.example.")));
    end_served(dns, &server);
}

struct records {
    unsigned calls, count;
    int err;
    struct dns_srv srvs[3];
    struct dns_naptr naptr;
};

static void on_srvs(int err, const struct dns_srv *srvs, unsigned count, void *arg)
{
    struct records *records = arg;

    records->calls++;
    records->err = err;
    records->count = count;
    for (unsigned i = 0; i < count && i < 3; i++)
        records->srvs[i] = srvs[i];
}

static void on_naptrs(int err, const struct dns_naptr *naptrs, unsigned count, void *arg)
{
    struct records *records = arg;

    records->calls++;
    records->err = err;
    records->count = count;
    if (count)
        records->naptr = naptrs[0];
}

static void test_srv_records_come_as_they_are_and_hold_as_long_as_the_briefest(void **state)
{
    struct net_test *test = *state;
    struct records first = {0}, second = {0}, third = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns = served(&server);

    assert_int_equal(dns_find_srv(&query, dns, SPAN("_sip._udp.example"), on_srvs, &first), 0);
    serve_until(first.calls);
    mem_unref(query);
    assert_int_equal(first.err, 0);
    assert_int_equal(first.count, 3);
    assert_int_equal(first.srvs[0].priority, 10);
    assert_int_equal(first.srvs[1].weight, 40);
    assert_int_equal(first.srvs[1].port, 5062);
    assert_string_equal(first.srvs[1].target, "b.example");
    assert_string_equal(first.srvs[2].target, ""); /* "." */
    clock_set_test(clock_now_us() + 29 * 1000000ull);
    assert_int_equal(dns_find_srv(&query, dns, SPAN("_SIP._udp.example"), on_srvs, &second), 0);
    assert_null(query);
    assert_int_equal(second.count, 3);
    assert_int_equal(server.queries, 1);
    clock_set_test(clock_now_us() + 2 * 1000000ull);
    assert_int_equal(dns_find_srv(&query, dns, SPAN("_sip._udp.example"), on_srvs, &third), 0);
    assert_non_null(query); /* asked again */
    mem_unref(query);
    clock_set_test(0);
    end_served(dns, &server);
}

static void test_naptr_records_come_as_they_are(void **state)
{
    struct net_test *test = *state;
    struct records records = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns = served(&server);

    assert_int_equal(dns_find_naptr(&query, dns, SPAN("example"), on_naptrs, &records), 0);
    serve_until(records.calls);
    mem_unref(query);
    assert_int_equal(records.count, 1);
    assert_int_equal(records.naptr.order, 50);
    assert_int_equal(records.naptr.preference, 10);
    assert_string_equal(records.naptr.flags, "s");
    assert_string_equal(records.naptr.service, "SIP+D2T");
    assert_string_equal(records.naptr.replacement, "_sip._tcp.example");
    end_served(dns, &server);
}

static void test_that_there_is_no_record_is_remembered_too(void **state)
{
    struct net_test *test = *state;
    struct records first = {0}, second = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns = served(&server);

    server.knows_none = true;
    assert_int_equal(dns_find_naptr(&query, dns, SPAN("example"), on_naptrs, &first), 0);
    serve_until(first.calls);
    mem_unref(query);
    assert_int_equal(first.err, -ENOENT);
    assert_int_equal(dns_find_naptr(&query, dns, SPAN("example"), on_naptrs, &second), 0);
    assert_null(query);
    assert_int_equal(second.err, -ENOENT);
    assert_int_equal(server.queries, 1);
    end_served(dns, &server);
}

static void test_servers_of_the_configuration_are_asked(void **state)
{
    struct net_test *test = *state;
    struct answer answer = {0};
    struct dns_query *query;
    struct server server;
    struct dns *dns;
    char text[32];
    char *items[] = {text};
    struct conf_strings servers = {.items = items, .count = 1};

    dns = served(&server);
    mem_unref(dns);
    snprintf(text, sizeof(text), "127.0.0.1:%u", server.port);
    assert_int_equal(dns_new(&dns, &servers), 0);
    assert_int_equal(dns_resolve(&query, dns, SPAN("a.example."), 5060, on_done, &answer), 0);
    serve_until(answer.calls);
    assert_int_equal(answer.count, 1);
    mem_unref(query);
    mem_unref(dns);
    snprintf(text, sizeof(text), "name.example");
    assert_int_equal(dns_new(&dns, &servers), -EINVAL);
    close(server.fd);
}

static void test_without_memory_nothing_leaks(void **state)
{
    struct net_test *test = *state;
    struct dns_query *query = NULL;
    struct server server;
    struct dns *dns = NULL;

    for (int n = 0; !dns; n++) {
        mem_fail_after(n);
        if (dns_new(&dns, NULL))
            dns = NULL;
        mem_fail_after(-1);
    }
    server_open(&server, dns);
    for (int n = 0; n < 8; n++) {
        struct answer answer = {0};
        char name[32];
        int err;

        snprintf(name, sizeof(name), "m%d.example.", n);
        mem_fail_after(n);
        err = dns_resolve(&query, dns, span_of(name), 1, on_done, &answer);
        mem_fail_after(-1);
        assert_true(err == 0 || err == -ENOMEM);
        if (!err)
            serve_until(answer.calls);
        mem_unref(query);
    }
    end_served(dns, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        net_case(test_numeric_host_is_answered_at_once),
        net_case(test_localhost_is_found_without_a_server),
        net_case(test_odd_names_are_refused),
        net_case(test_answer_is_shared_and_cached),
        net_case(test_unknown_name_is_told),
        net_case(test_silent_server_is_a_timeout),
        net_case(test_what_was_known_goes_on_while_name_servers_are_away),
        net_case(test_left_query_and_ended_house_are_not_called_back),
        net_case(test_cache_has_a_limit),
        net_case(test_srv_records_come_as_they_are_and_hold_as_long_as_the_briefest),
        net_case(test_naptr_records_come_as_they_are),
        net_case(test_that_there_is_no_record_is_remembered_too),
        net_case(test_servers_of_the_configuration_are_asked),
        net_case(test_without_memory_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
