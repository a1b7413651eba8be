/* SPDX-License-Identifier: Apache-2.0 */
/* Where a SIP URI leads: RFC 3263 section 4 with a resolver that the test plays itself, order and weight of RFC 2782.
 */
#include "sip_rig.h"

#include <stdio.h>

#include "../oom.h"
#include "base/rand.h"

#include "sip/locate.c" /* its order of SRV records */

/* ---- the resolver: takes net/dns.c's place ---- */

static struct {
    struct {
        const char *name;
        struct dns_naptr records[8];
        unsigned count;
    } naptr[2];
    struct {
        const char *name;
        struct dns_srv records[DNS_RECORD_MAX];
        unsigned count;
    } srv[4];
    struct {
        const char *name, *hosts[4];
    } addrs[24];
    unsigned naptr_count, srv_count, addr_count, asked_count;
    char asked[2000];
    int err;      /* of what is not there; 0: -ENOENT */
    bool is_late; /* deliver() brings the answer */
    struct dns_query *query;
} zone;

struct dns_query {
    struct span name;
    char text[300];
    uint16_t port;
    dns_fn *on_addrs;
    dns_srv_fn *on_srvs;
    dns_naptr_fn *on_naptrs;
    void *arg;
};

static void forget_query(void *self)
{
    if (zone.query == self)
        zone.query = NULL;
}

static int missing(void)
{
    return zone.err ? zone.err : -ENOENT;
}

static void answer_naptr(const struct dns_query *query)
{
    for (unsigned i = 0; i < zone.naptr_count; i++)
        if (span_eq(query->name, span_of(zone.naptr[i].name))) {
            query->on_naptrs(0, zone.naptr[i].records, zone.naptr[i].count, query->arg);
            return;
        }
    query->on_naptrs(missing(), NULL, 0, query->arg);
}

static void answer_srv(const struct dns_query *query)
{
    for (unsigned i = 0; i < zone.srv_count; i++)
        if (span_eq(query->name, span_of(zone.srv[i].name))) {
            query->on_srvs(0, zone.srv[i].records, zone.srv[i].count, query->arg);
            return;
        }
    query->on_srvs(missing(), NULL, 0, query->arg);
}

static void answer_addrs(const struct dns_query *query)
{
    struct addr addrs[4];
    unsigned count = 0;

    for (unsigned i = 0; i < zone.addr_count; i++)
        if (span_eq(query->name, span_of(zone.addrs[i].name)))
            for (; count < 4 && zone.addrs[i].hosts[count]; count++)
                addr_parse(&addrs[count], span_of(zone.addrs[i].hosts[count]), query->port);
    query->on_addrs(count ? 0 : missing(), addrs, count, query->arg);
}

static void answer(const struct dns_query *query)
{
    struct dns_query copy = *query;

    copy.name = span_of(copy.text);
    if (copy.on_naptrs)
        answer_naptr(&copy);
    else if (copy.on_srvs)
        answer_srv(&copy);
    else
        answer_addrs(&copy);
}

static int ask_zone(struct dns_query **queryp, const char *kind, struct span name, struct dns_query query)
{
    size_t used = strlen(zone.asked);

    *queryp = NULL;
    zone.asked_count++;
    snprintf(zone.asked + used, sizeof(zone.asked) - used, "%s %.*s\n", kind, SPAN_ARG(name));
    span_copy(name, query.text, sizeof(query.text));
    if (!zone.is_late) {
        answer(&query);
        return 0;
    }
    *queryp = mem_new(sizeof(query), forget_query);
    if (!*queryp)
        return -ENOMEM;
    **queryp = query;
    zone.query = *queryp;
    return 0;
}

int dns_resolve(struct dns_query **queryp, struct dns *dns, struct span host, uint16_t port, dns_fn *fn, void *arg)
{
    return ask_zone(queryp, "A", host, (struct dns_query){.port = port, .on_addrs = fn, .arg = arg});
}

int dns_find_srv(struct dns_query **queryp, struct dns *dns, struct span name, dns_srv_fn *fn, void *arg)
{
    return ask_zone(queryp, "SRV", name, (struct dns_query){.on_srvs = fn, .arg = arg});
}

int dns_find_naptr(struct dns_query **queryp, struct dns *dns, struct span name, dns_naptr_fn *fn, void *arg)
{
    return ask_zone(queryp, "NAPTR", name, (struct dns_query){.on_naptrs = fn, .arg = arg});
}

/* ---- what is in it ---- */

static void has_naptr(const char *name, uint16_t order, uint16_t preference, const char *service, const char *to)
{
    unsigned at = 0;
    struct dns_naptr *record;

    while (at < zone.naptr_count && strcmp(zone.naptr[at].name, name) != 0)
        at++;
    if (at == zone.naptr_count)
        zone.naptr[zone.naptr_count++].name = name;
    record = &zone.naptr[at].records[zone.naptr[at].count++];
    *record = (struct dns_naptr){.order = order, .preference = preference, .flags = "s"};
    snprintf(record->service, sizeof(record->service), "%s", service);
    snprintf(record->replacement, sizeof(record->replacement), "%s", to);
}

static void has_srv(const char *name, uint16_t priority, uint16_t weight, uint16_t port, const char *to)
{
    unsigned at = 0;
    struct dns_srv *record;

    while (at < zone.srv_count && strcmp(zone.srv[at].name, name) != 0)
        at++;
    if (at == zone.srv_count)
        zone.srv[zone.srv_count++].name = name;
    record = &zone.srv[at].records[zone.srv[at].count++];
    *record = (struct dns_srv){.priority = priority, .weight = weight, .port = port};
    snprintf(record->target, sizeof(record->target), "%s", to);
}

static void has_addrs(const char *name, const char *first, const char *second)
{
    zone.addrs[zone.addr_count].name = name;
    zone.addrs[zone.addr_count].hosts[0] = first;
    zone.addrs[zone.addr_count++].hosts[1] = second;
}

/* ---- what comes of it ---- */

static struct {
    unsigned calls;
    int err;
    unsigned count;
    char text[1000]; /* "UDP 192.0.2.1:5060\n" each */
} found;

static void on_found(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    size_t n = 0;

    found.calls++;
    found.err = err;
    found.count = count;
    found.text[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        struct sip_flow flow = {.transport = (uint8_t)targets[i].transport, .remote = targets[i].addr};
        char buf[SIP_FLOW_TEXT_MAX];

        n += (size_t)snprintf(found.text + n, sizeof(found.text) - n, "%s\n", sip_flow_text(&flow, buf));
    }
}

static struct locate *begin_text(const char *text)
{
    struct locate *locate = NULL;
    struct locate_wish wish;
    struct uri uri;

    memset(&found, 0, sizeof(found));
    zone.asked[0] = '\0';
    zone.asked_count = 0;
    assert_int_equal(uri_parse(&uri, span_of(text)), 0);
    assert_int_equal(locate_read(&wish, &uri), 0);
    assert_int_equal(locate_begin(&locate, rig.stack, NULL, &wish, on_found, NULL), 0);
    return locate;
}

/* The URI leads to these targets, after these questions. */
static void expect(const char *text, const char *targets, const char *asked)
{
    assert_null(begin_text(text));
    assert_int_equal(found.calls, 1);
    assert_string_equal(found.text, targets);
    assert_int_equal(found.err, 0);
    if (asked)
        assert_string_equal(zone.asked, asked);
}

static void expect_err(const char *text, int err)
{
    assert_null(begin_text(text));
    assert_int_equal(found.calls, 1);
    assert_int_equal(found.count, 0);
    assert_int_equal(found.err, err);
}

static int setup(void **state)
{
    memset(&zone, 0, sizeof(zone));
    rig_setup(state);
    rand_set_test(3);
    return 0;
}

static int teardown(void **state)
{
    rand_set_test(0);
    return rig_teardown(state);
}

#define L(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- which way: RFC 3263 4.1, 4.2 ---- */

static void test_a_numeric_host_is_asked_of_nobody(void **state)
{
    expect("sip:192.0.2.1", "UDP 192.0.2.1:5060\n", "");
    expect("sip:192.0.2.1:5070", "UDP 192.0.2.1:5070\n", "");
    expect("sip:192.0.2.1;transport=tcp", "TCP 192.0.2.1:5060\n", "");
    expect("sip:192.0.2.1;transport=TLS", "TLS 192.0.2.1:5061\n", "");
    expect("sips:192.0.2.1", "TLS 192.0.2.1:5061\n", "");
    expect("sips:[2001:db8::1]:5099;transport=tcp", "TLS [2001:db8::1]:5099\n", "");
}

static void test_with_a_port_only_addresses_are_asked_for(void **state)
{
    has_addrs("carrier.example", "192.0.2.1", "192.0.2.2");
    expect("sip:carrier.example:5070", "UDP 192.0.2.1:5070\nUDP 192.0.2.2:5070\n", "A carrier.example\n");
    expect("sips:carrier.example:5070", "TLS 192.0.2.1:5070\nTLS 192.0.2.2:5070\n", "A carrier.example\n");
}

static void test_with_a_transport_its_srv_is_asked_for_and_no_naptr(void **state)
{
    has_srv("_sip._tcp.carrier.example", 1, 1, 5070, "a.example");
    has_addrs("a.example", "192.0.2.1", NULL);
    expect("sip:carrier.example;transport=tcp", "TCP 192.0.2.1:5070\n", "SRV _sip._tcp.carrier.example\nA a.example\n");
    has_addrs("carrier.example", "192.0.2.9", NULL);
    expect("sip:carrier.example;transport=tls", "TLS 192.0.2.9:5061\n",
           "SRV _sips._tcp.carrier.example\nA carrier.example\n");
}

static void test_naptr_is_followed_by_order_then_preference(void **state)
{
    has_naptr("carrier.example", 20, 1, "SIP+D2U", "_sip._udp.carrier.example");
    has_naptr("carrier.example", 10, 9, "SIP+D2T", "_sip._tcp.carrier.example");
    has_naptr("carrier.example", 10, 2, "SIPS+D2T", "_sips._tcp.carrier.example");
    has_naptr("carrier.example", 1, 1, "SIP+D2S", "_sip._sctp.carrier.example");
    has_srv("_sip._udp.carrier.example", 1, 1, 1, "a.example");
    has_srv("_sip._tcp.carrier.example", 1, 1, 2, "a.example");
    has_srv("_sips._tcp.carrier.example", 1, 1, 3, "a.example");
    has_addrs("a.example", "192.0.2.1", NULL);
    expect("sip:carrier.example", "TLS 192.0.2.1:3\nTCP 192.0.2.1:2\nUDP 192.0.2.1:1\n", NULL);
    expect("sips:carrier.example", "TLS 192.0.2.1:3\n", NULL);
    assert_null(strstr(zone.asked, "sctp"));
}

static void test_without_naptr_each_transport_is_asked_for(void **state)
{
    has_srv("_sip._udp.carrier.example", 1, 1, 5070, "a.example");
    has_srv("_sips._tcp.carrier.example", 1, 1, 5071, "a.example");
    has_addrs("a.example", "192.0.2.1", NULL);
    expect("sip:carrier.example", "UDP 192.0.2.1:5070\nTLS 192.0.2.1:5071\n",
           "NAPTR carrier.example\nSRV _sip._udp.carrier.example\nSRV _sip._tcp.carrier.example\n"
           "SRV _sips._tcp.carrier.example\nA a.example\nA a.example\n");
}

static void test_without_any_record_the_host_itself_is_meant(void **state)
{
    has_addrs("carrier.example", "192.0.2.1", NULL);
    expect("sip:carrier.example", "UDP 192.0.2.1:5060\n", NULL);
    expect("sips:carrier.example", "TLS 192.0.2.1:5061\n",
           "NAPTR carrier.example\nSRV _sips._tcp.carrier.example\nA carrier.example\n");
}

static void test_a_dot_as_target_says_that_the_service_is_not_there(void **state)
{
    has_srv("_sip._udp.carrier.example", 0, 0, 0, "");
    has_addrs("carrier.example", "192.0.2.1", NULL);
    expect_err("sip:carrier.example", -ENOENT); /* though the host has an address: RFC 2782 */
}

static void test_families_and_transports_that_we_lack_are_passed_over(void **state)
{
    has_addrs("carrier.example", "2001:db8::1", "192.0.2.1");
    has_addrs("six.example", "2001:db8::1", NULL);
    expect("sip:carrier.example:5060", "UDP 192.0.2.1:5060\n", NULL);
    expect_err("sip:six.example:5060", -EAFNOSUPPORT);
    expect("sip:six.example:5060;transport=tcp", "TCP [2001:db8::1]:5060\n", NULL);
    rig.has_no_streams = true;
    expect_err("sips:192.0.2.1", -EAFNOSUPPORT);
}

static void test_uris_that_lead_nowhere_are_refused(void **state)
{
    static const char *const bad[] = {"sip:h.example;transport=ws", "sips:h.example;transport=udp", "tel:+1202",
                                      "sip:h.example;transport=sctp"};
    struct locate_wish wish;
    struct uri uri;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(uri_parse(&uri, span_of(bad[i])), 0);
        assert_true(locate_read(&wish, &uri) < 0);
    }
    expect_err("sip:nobody.example", -ENOENT);
    zone.err = -ETIMEDOUT;
    expect_err("sip:nobody.example", -ETIMEDOUT);
}

static void test_the_list_is_bounded_and_says_nothing_twice(void **state)
{
    static char names[20][16], hosts[20][16];

    for (uint16_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), "n%u.example", i);
        snprintf(hosts[i], sizeof(hosts[i]), "192.0.2.%u", i / 2 + 1); /* each twice */
        has_srv("_sip._udp.carrier.example", i, 0, 5060, names[i]);
        has_addrs(names[i], hosts[i], NULL);
    }
    assert_null(begin_text("sip:carrier.example;transport=udp"));
    assert_int_equal(found.count, LOCATE_TARGET_MAX / 2);
    assert_int_equal(zone.asked_count, 1 + LOCATE_TARGET_MAX);
}

/* ---- RFC 2782 ---- */

static void test_priorities_come_in_order_whatever_the_weight(void **state)
{
    for (unsigned turn = 0; turn < 50; turn++) {
        struct dns_srv srvs[] = {{.priority = 30, .weight = 65535, .port = 3},
                                 {.priority = 10, .weight = 0, .port = 1},
                                 {.priority = 20, .weight = 100, .port = 2}};

        order_srvs(srvs, 3);
        for (uint16_t i = 0; i < 3; i++)
            assert_int_equal(srvs[i].port, i + 1);
    }
}

static void test_weights_are_chances_of_coming_first(void **state)
{
    unsigned first[4] = {0}, turns = 10000;

    for (unsigned turn = 0; turn < turns; turn++) {
        struct dns_srv srvs[] = {{.priority = 1, .weight = 60, .port = 0},
                                 {.priority = 1, .weight = 30, .port = 1},
                                 {.priority = 1, .weight = 10, .port = 2},
                                 {.priority = 1, .weight = 0, .port = 3}};
        unsigned seen = 0;

        order_srvs(srvs, 4);
        first[srvs[0].port]++;
        for (unsigned i = 0; i < 4; i++)
            seen |= 1u << srvs[i].port;
        assert_int_equal(seen, 15); /* nobody is lost, nobody twice */
    }
    assert_in_range(first[0], 5600, 6300);
    assert_in_range(first[1], 2700, 3200);
    assert_in_range(first[2], 850, 1150);
    assert_in_range(first[3], 20, 200); /* a small chance: 1 in 101 */
}

static void test_without_weights_the_order_stays(void **state)
{
    struct dns_srv srvs[] = {{.priority = 1, .port = 1}, {.priority = 1, .port = 2}, {.priority = 1, .port = 3}};

    order_srvs(srvs, 3);
    for (uint16_t i = 0; i < 3; i++)
        assert_int_equal(srvs[i].port, i + 1);
    order_srvs(NULL, 0);
}

/* ---- answers that take their time ---- */

static void deliver(void)
{
    struct dns_query *query = zone.query;

    assert_non_null(query);
    zone.query = NULL;
    mem_ref(query);
    answer(query);
    mem_unref(query);
}

static void test_answers_may_come_later(void **state)
{
    struct locate *locate;

    zone.is_late = true;
    has_srv("_sip._udp.carrier.example", 1, 1, 5070, "a.example");
    has_addrs("a.example", "192.0.2.1", NULL);
    locate = begin_text("sip:carrier.example");
    assert_non_null(locate);
    for (unsigned i = 0; i < 5; i++) { /* NAPTR, three SRV, A */
        assert_int_equal(found.calls, 0);
        deliver();
    }
    assert_int_equal(found.calls, 1);
    assert_string_equal(found.text, "UDP 192.0.2.1:5070\n");
    mem_unref(locate);
    rig_advance(20000);
    assert_int_equal(found.calls, 1);
}

static void test_who_leaves_is_not_called_back(void **state)
{
    zone.is_late = true;
    mem_unref(begin_text("sip:carrier.example"));
    assert_null(zone.query);
    rig_advance(20000);
    assert_int_equal(found.calls, 0);
}

static void test_questions_without_answers_end_in_time_with_what_is_known(void **state)
{
    struct locate *locate;

    zone.is_late = true;
    has_srv("_sip._udp.carrier.example", 1, 1, 5070, "a.example");
    has_srv("_sip._udp.carrier.example", 2, 1, 5070, "b.example");
    has_addrs("a.example", "192.0.2.1", NULL);
    locate = begin_text("sip:carrier.example;transport=udp");
    deliver();
    deliver();
    rig_advance(ALL_MS - 1);
    assert_int_equal(found.calls, 0);
    rig_advance(1);
    assert_int_equal(found.calls, 1);
    assert_string_equal(found.text, "UDP 192.0.2.1:5070\n");
    mem_unref(locate);
    locate = begin_text("sip:carrier.example");
    rig_advance(ALL_MS);
    assert_int_equal(found.err, -ETIMEDOUT);
    mem_unref(locate);
}

/* ---- one target after the other ---- */

static void test_tries_go_through_the_list_and_the_good_one_comes_first(void **state)
{
    struct locate_target targets[3] = {{.transport = SIP_UDP}, {.transport = SIP_TCP}, {.transport = SIP_UDP}};
    struct locate_tries tries;
    struct sip_flow flow, good;

    for (uint16_t i = 0; i < 3; i++)
        addr_parse(&targets[i].addr, SPAN("192.0.2.1"), 5061 + i);
    locate_tries_begin(&tries, rig.stack, targets, 3);
    for (uint16_t i = 0; i < 3; i++) {
        assert_true(locate_tries_has_more(&tries));
        assert_true(locate_tries_open(&tries, &flow, rig.stack, &(struct sip_peer){"carrier.example", NULL}));
        assert_int_equal(addr_port(&flow.remote), 5061 + i);
        assert_int_equal(flow.transport, targets[i].transport);
        if (i == 1)
            good = flow;
    }
    assert_false(locate_tries_has_more(&tries));
    assert_false(locate_tries_open(&tries, &flow, rig.stack, &(struct sip_peer){"carrier.example", NULL}));
    locate_tries_begin(&tries, rig.stack, targets, 3);
    locate_tries_prefer(&tries, &good);
    assert_true(locate_tries_open(&tries, &flow, rig.stack, NULL));
    assert_int_equal(addr_port(&flow.remote), 5062);
    assert_true(locate_tries_open(&tries, &flow, rig.stack, NULL));
    assert_int_equal(addr_port(&flow.remote), 5061);
    assert_true(locate_tries_open(&tries, &flow, rig.stack, NULL));
    assert_int_equal(addr_port(&flow.remote), 5063);
}

static void test_a_target_that_was_silent_stands_last_for_a_minute(void **state)
{
    struct locate_target targets[2] = {{.transport = SIP_UDP}, {.transport = SIP_UDP}};
    struct locate_tries tries;
    struct sip_flow silent;

    addr_parse(&targets[0].addr, SPAN("192.0.2.1"), 5060);
    addr_parse(&targets[1].addr, SPAN("192.0.2.2"), 5060);
    locate_tries_begin(&tries, rig.stack, targets, 2);
    locate_tries_open(&tries, &silent, rig.stack, NULL);
    locate_note(rig.stack, &silent, true);
    locate_tries_begin(&tries, rig.stack, targets, 2);
    assert_true(addr_eq(&tries.targets[0].addr, &targets[1].addr));
    assert_int_equal(tries.count, 2);
    locate_note(rig.stack, &silent, false); /* it has answered */
    locate_tries_begin(&tries, rig.stack, targets, 2);
    assert_true(addr_eq(&tries.targets[0].addr, &targets[0].addr));
    locate_note(rig.stack, &silent, true);
    for (uint16_t i = 1; i < LOCATE_SILENT_MAX + 5; i++) { /* many more: the oldest one is forgotten */
        addr_set_port(&silent.remote, i);
        rig_advance(1);
        locate_note(rig.stack, &silent, true);
    }
    locate_tries_begin(&tries, rig.stack, targets, 2);
    assert_true(addr_eq(&tries.targets[0].addr, &targets[0].addr));
    silent.remote = targets[0].addr;
    locate_note(rig.stack, &silent, true);
    rig_advance(LOCATE_SILENT_KEPT_MS - 1);
    locate_tries_begin(&tries, rig.stack, targets, 2);
    assert_true(addr_eq(&tries.targets[0].addr, &targets[1].addr));
    rig_advance(1);
    locate_tries_begin(&tries, rig.stack, targets, 2);
    assert_true(addr_eq(&tries.targets[0].addr, &targets[0].addr));
}

static int locate_once(void *arg)
{
    struct locate_wish wish = {.host = SPAN("carrier.example")};
    struct locate *locate;
    int err = locate_begin(&locate, rig.stack, NULL, &wish, on_found, NULL);

    mem_unref(err ? NULL : locate);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    zone.is_late = true;
    assert_in_range(oom_run(locate_once, NULL), 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        L(test_a_numeric_host_is_asked_of_nobody),
        L(test_with_a_port_only_addresses_are_asked_for),
        L(test_with_a_transport_its_srv_is_asked_for_and_no_naptr),
        L(test_naptr_is_followed_by_order_then_preference),
        L(test_without_naptr_each_transport_is_asked_for),
        L(test_without_any_record_the_host_itself_is_meant),
        L(test_a_dot_as_target_says_that_the_service_is_not_there),
        L(test_families_and_transports_that_we_lack_are_passed_over),
        L(test_uris_that_lead_nowhere_are_refused),
        L(test_the_list_is_bounded_and_says_nothing_twice),
        L(test_priorities_come_in_order_whatever_the_weight),
        L(test_weights_are_chances_of_coming_first),
        L(test_without_weights_the_order_stays),
        L(test_answers_may_come_later),
        L(test_who_leaves_is_not_called_back),
        L(test_questions_without_answers_end_in_time_with_what_is_known),
        L(test_tries_go_through_the_list_and_the_good_one_comes_first),
        L(test_a_target_that_was_silent_stands_last_for_a_minute),
        L(test_out_of_memory_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
