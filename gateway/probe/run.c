/* SPDX-License-Identifier: Apache-2.0 */
/* run.c: one trunk's checks, one after the other; nothing that a dead trunk does keeps them longer than
 * PROBE_TRUNK_MS. Knows the order, not what a check does. */
#include "probe/run.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"
#include "sip/uri.h"

#define LEAST_MS  200 /* with less time left a check is not begun */
#define UNWIND_MS 300 /* of the trunk's time: for taking back */

static const struct probe_check *const order[] = {
    &check_dns,  &check_tls, &check_options,   &check_targets, &check_register,
    &check_call, &check_nat, &check_bandwidth, NULL,
};

static void on_step(void *arg);

static void probe_destroy(void *self)
{
    struct probe *probe = self;

    timer_stop(&probe->limit);
    timer_stop(&probe->step);
    mem_unref(probe->state);
}

void probe_next(struct probe *probe)
{
    if (probe->is_moving)
        return;
    probe->is_moving = true;
    timer_stop(&probe->limit);
    worker_timer(&probe->step, 0, on_step, probe);
}

static void on_limit(void *arg)
{
    struct probe *probe = arg;

    probe->checks[probe->at]->late(probe);
}

/* @return why the check makes no sense; NULL */
static const char *why_not(const struct probe *probe, const struct probe_check *check, uint64_t left_ms)
{
    if (check->needs_address && (!probe->target_count || probe->is_unreachable))
        return "not tried: there is no way to the trunk";
    if (check->limit_ms > LEAST_MS && check->needs_address && left_ms < LEAST_MS)
        return "not tried: the others took all the time";
    return NULL;
}

static void begin(struct probe *probe, const struct probe_check *check)
{
    uint64_t gone_ms = clock_now_ms() - probe->started_ms;
    uint64_t left_ms = gone_ms + UNWIND_MS < PROBE_TRUNK_MS ? PROBE_TRUNK_MS - UNWIND_MS - gone_ms : 0;
    const char *why = why_not(probe, check, left_ms);

    if (check->applies && !check->applies(probe)) {
        probe_next(probe);
        return;
    }
    if (why) {
        report_add(probe->report, FINDING_WARN, check->name, "%s", why);
        probe_next(probe);
        return;
    }
    if (left_ms < LEAST_MS)
        left_ms = LEAST_MS; /* those that ask nobody */
    worker_timer(&probe->limit, check->limit_ms < left_ms ? check->limit_ms : left_ms, on_limit, probe);
    check->start(probe);
}

static void on_step(void *arg)
{
    struct probe *probe = arg;

    probe->state = mem_unref(probe->state);
    if (probe->is_moving)
        probe->at++;
    probe->is_moving = false;
    if (probe->checks[probe->at]) {
        begin(probe, probe->checks[probe->at]);
        return;
    }
    probe->report->took_ms = (unsigned)(clock_now_ms() - probe->started_ms);
    probe->on_done(probe, probe->arg);
}

/* ---- what the checks share ---- */

const char *probe_open(struct probe *probe, struct sip_flow *flow)
{
    if (transport_flow_to(flow, probe->house->stack->transports, probe_target(probe)->transport,
                          &probe_target(probe)->addr, &(struct sip_peer){probe->host, probe->trunk->name}))
        return "no connection can be made: is there a sip.listen of that kind and address family?";
    return NULL;
}

const char *probe_target_text(const struct locate_target *target, char buf[static PROBE_TARGET_TEXT_MAX])
{
    char addr[ADDR_TEXT_MAX];

    snprintf(buf, PROBE_TARGET_TEXT_MAX, "%s (%s)", addr_text(&target->addr, addr),
             sip_transport_text(target->transport));
    return buf;
}

static void note_contact(struct probe *probe, const struct sip_msg *response)
{
    struct sip_walk walk = {0};
    struct name_addr contact;

    if (sip_msg_next_addr(response, SIP_H_CONTACT, &walk, &contact) > 0 && !contact.is_star)
        span_copy(contact.uri.host, probe->contact_host, sizeof(probe->contact_host));
}

void probe_note_answer(struct probe *probe, const struct sip_msg *response)
{
    const struct via *via = &response->via;

    probe->has_answered = true;
    if (!addr_parse(&probe->written, via->host, via->port)) {
        probe->has_via = true;
        probe->has_seen_host = via->received.n > 0 && !addr_parse(&probe->seen, via->received, 0);
        if (!probe->has_seen_host)
            probe->seen = probe->written;
        probe->has_seen_port = via->rport != 0;
        addr_set_port(&probe->seen, via->rport ? via->rport : via->port);
    }
    if (response->method != SIP_REGISTER) /* there it is ours */
        note_contact(probe, response);
}

bool probe_is_strange(const struct addr *claimed, const struct addr *peer)
{
    if (!addr_is_private(claimed) || addr_same_host(claimed, peer))
        return false;
    if (addr_is_loopback(peer))
        return !addr_is_loopback(claimed);
    return !addr_is_private(peer);
}

double probe_ms_since(uint64_t since_us)
{
    return (double)(clock_now_us() - since_us) / 1000;
}

/* ---- birth ---- */

/* As call/directory.c reads it. */
static int read_uri(struct probe *probe)
{
    struct span transport;
    struct uri uri;

    if (uri_parse(&uri, span_of(probe->trunk->uri)) || span_copy(uri.host, probe->host, sizeof(probe->host)) < 0)
        return -EINVAL;
    if (locate_read(&probe->wish, &uri)) /* other transports: as if none was named */
        probe->wish = (struct locate_wish){.port = uri.port, .is_sips = uri.scheme == URI_SIPS};
    probe->wish.host = span_of(probe->host);
    probe->uri_transport = uri.scheme == URI_SIPS ? SIP_TLS : SIP_UDP;
    if (uri_param(&uri, SPAN("transport"), &transport))
        probe->uri_transport = span_ieq(transport, SPAN("tls"))   ? SIP_TLS
                               : span_ieq(transport, SPAN("tcp")) ? SIP_TCP
                                                                  : probe->uri_transport;
    probe->port = uri.port ? uri.port : probe->uri_transport == SIP_TLS ? 5061 : 5060;
    return 0;
}

int probe_new(struct probe **probep, const struct probe_options *options)
{
    struct probe *probe = mem_new(sizeof(*probe), probe_destroy);
    int err;

    if (!probe)
        return -ENOMEM;
    probe->house = options->house;
    probe->trunk = options->trunk;
    probe->report = options->report;
    probe->on_done = options->on_done;
    probe->arg = options->arg;
    probe->checks = order;
    snprintf(probe->report->name, sizeof(probe->report->name), "%s", probe->trunk->name);
    snprintf(probe->report->uri, sizeof(probe->report->uri), "%s", probe->trunk->uri);
    err = read_uri(probe);
    if (err) {
        mem_unref(probe);
        return err;
    }
    probe->started_ms = clock_now_ms();
    worker_timer(&probe->step, 0, on_step, probe);
    *probep = probe;
    return 0;
}
