/* SPDX-License-Identifier: Apache-2.0 */
/* check_dns.c: what the trunk's URI resolves to. RFC 3263 section 4. Sends nothing to the trunk. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/check.h"

struct dns_state {
    struct probe *probe;
    struct locate *locate;
    uint64_t started_us;
};

static void dns_state_destroy(void *self)
{
    struct dns_state *state = self;

    mem_unref(state->locate);
}

static void fail(struct probe *probe, const char *how, const char *advice)
{
    report_add(probe->report, FINDING_FAIL, check_dns.name, "%s %s", probe->host, how);
    report_advise(probe->report, "%s", advice);
    probe_next(probe);
}

static void fail_by(struct probe *probe, int err)
{
    if (err == -EAFNOSUPPORT)
        fail(probe, "leads somewhere, but sip.listen has no address of that transport or family (IPv6?)",
             "add a listener of that kind to sip.listen, or name another transport in `uri`");
    else if (err == -ETIMEDOUT)
        fail(probe, "was asked for, and no DNS server answered",
             "is the DNS of this machine right (resolv.conf, dns.servers)?");
    else
        fail(probe, "is not known to the DNS", "compare the host in `uri` with what the carrier gave");
}

static void write_targets(struct text *out, const struct probe *probe)
{
    char text[PROBE_TARGET_TEXT_MAX];

    for (unsigned i = 0; i < probe->target_count && i < 3; i++)
        text_addf(out, "%s%s", i ? ", then " : "", probe_target_text(&probe->targets[i], text));
    if (probe->target_count > 3)
        text_addf(out, " and %u more", probe->target_count - 3);
}

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct dns_state *state = arg;
    struct probe *probe = state->probe;
    double took_ms = probe_ms_since(state->started_us);
    struct addr numeric;
    char buf[400];
    struct text list;

    if (probe->is_moving)
        return;
    if (err || !count) {
        fail_by(probe, err);
        return;
    }
    probe->target_count = count;
    memcpy(probe->targets, targets, count * sizeof(*targets));
    text_init_fixed(&list, buf, sizeof(buf));
    write_targets(&list, probe);
    if (!addr_parse(&numeric, span_of(probe->host), 0)) {
        report_add(probe->report, FINDING_OK, check_dns.name, "%s is a numeric address: nothing to look up", buf);
    } else {
        report_add(probe->report, FINDING_OK, check_dns.name, "%s is %s, found in %.0f ms", probe->host, buf, took_ms);
        report_value(probe->report, "took_ms", took_ms);
    }
    report_value(probe->report, "targets", count);
    probe_next(probe);
}

static void start(struct probe *probe)
{
    struct dns_state *state = mem_new(sizeof(*state), dns_state_destroy);

    probe->state = state;
    if (!state) {
        fail_by(probe, -ENOMEM);
        return;
    }
    state->probe = probe;
    state->started_us = clock_now_us();
    if (locate_begin(&state->locate, probe->house->stack, probe->house->dns, &probe->wish, on_located, state))
        fail_by(probe, -ENOMEM);
}

static void late(struct probe *probe)
{
    fail_by(probe, -ETIMEDOUT);
}

const struct probe_check check_dns = {.name = "DNS", .limit_ms = 4500, .start = start, .late = late};
