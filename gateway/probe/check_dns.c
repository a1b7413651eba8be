/* SPDX-License-Identifier: Apache-2.0 */
/* check_dns.c: what the trunk's URI resolves to. RFC 3263 section 4.2. Sends nothing to the trunk. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/check.h"

struct dns_state {
    struct probe *probe;
    struct dns_query *query;
    uint64_t started_us;
    bool is_numeric;
};

static void dns_state_destroy(void *self)
{
    struct dns_state *state = self;

    mem_unref(state->query);
}

static void fail(struct probe *probe, const char *how)
{
    report_add(probe->report, FINDING_FAIL, check_dns.name, "%s %s", probe->host, how);
    report_advise(probe->report,
                  "compare the host in `uri` with what the carrier gave, and ask this machine's DNS for it");
    probe_next(probe);
}

static void write_addresses(struct text *out, const struct probe *probe)
{
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < probe->addr_count && i < 3; i++)
        text_addf(out, "%s%s", i ? ", " : "", addr_text(&probe->addrs[i], text));
    if (probe->addr_count > 3)
        text_addf(out, " and %u more", probe->addr_count - 3);
}

static void on_resolved(int err, const struct addr *addrs, unsigned count, void *arg)
{
    struct dns_state *state = arg;
    struct probe *probe = state->probe;
    double took_ms = probe_ms_since(state->started_us);
    char buf[256];
    struct text list;

    if (err || !count) {
        fail(probe, err == -ETIMEDOUT ? "was asked for, and no DNS server answered" : "is not known to the DNS");
        return;
    }
    probe->addr_count = count < PROBE_ADDR_MAX ? count : PROBE_ADDR_MAX;
    for (unsigned i = 0; i < probe->addr_count; i++)
        probe->addrs[i] = addrs[i];
    text_init_fixed(&list, buf, sizeof(buf));
    write_addresses(&list, probe);
    if (state->is_numeric) {
        report_add(probe->report, FINDING_OK, check_dns.name, "%s is a numeric address: nothing to look up", buf);
    } else {
        report_add(probe->report, FINDING_OK, check_dns.name, "%s is %s (%.0f ms)", probe->host, buf, took_ms);
        report_value(probe->report, "took_ms", took_ms);
    }
    report_value(probe->report, "addresses", probe->addr_count);
    probe_next(probe);
}

static void start(struct probe *probe)
{
    struct dns_state *state = mem_new(sizeof(*state), dns_state_destroy);
    struct addr numeric;

    probe->state = state;
    if (!state) {
        fail(probe, "was not looked up: out of memory");
        return;
    }
    state->probe = probe;
    state->started_us = clock_now_us();
    state->is_numeric = !addr_parse(&numeric, span_of(probe->host), 0);
    if (dns_resolve(&state->query, probe->house->dns, span_of(probe->host), probe->port, on_resolved, state))
        fail(probe, "cannot be looked up");
}

static void late(struct probe *probe)
{
    fail(probe, "was asked for, and no DNS server answered in time");
}

const struct probe_check check_dns = {.name = "DNS", .limit_ms = 4500, .start = start, .late = late};
