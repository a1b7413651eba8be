/* SPDX-License-Identifier: Apache-2.0 */
/* check_nat.c: does the trunk see us at the address that we write, and does it write one that we can reach? RFC 3581
 * (received, rport), RFC 1918. Sends nothing: it reads what the answers to the other checks said. */
#include "probe/check.h"

static const char name[] = "NAT";

static void report_ours(struct probe *probe, const struct addr *peer)
{
    char written[ADDR_TEXT_MAX], seen[ADDR_TEXT_MAX], there[ADDR_TEXT_MAX];
    bool is_host_other = probe->has_seen_host && !addr_same_host(&probe->written, &probe->seen);
    bool is_port_other = probe->has_seen_port && addr_port(&probe->written) != addr_port(&probe->seen);

    addr_host_text(&probe->written, written);
    addr_host_text(&probe->seen, seen);
    addr_host_text(peer, there);
    if (is_host_other) {
        report_add(probe->report, FINDING_WARN, name, "we write %s, the trunk sees us at %s:%u: an address translator",
                   written, seen, addr_port(&probe->seen));
        report_advise(probe->report,
                      "set media.advertise {\"%s\": %s} and forward sip.listen and media.rtp.ports there", there, seen);
    } else if (addr_is_private(&probe->written) && !addr_is_private(peer)) {
        report_add(probe->report, FINDING_WARN, name, "we write the private address %s to a public one", written);
        report_advise(probe->report, "set media.advertise {\"%s\": OUR PUBLIC ADDRESS}", there);
    } else if (is_port_other && probe_target(probe)->transport == SIP_UDP) {
        report_add(probe->report, FINDING_WARN, name, "our port %u becomes %u on the way: an address translator",
                   addr_port(&probe->written), addr_port(&probe->seen));
        report_advise(probe->report,
                      "forward the port of sip.listen unchanged, or calls from the trunk will not arrive");
    } else {
        report_add(probe->report, FINDING_OK, name, "we write %s%s", written,
                   probe->has_seen_host   ? ", and the trunk sees us there"
                   : probe->has_seen_port ? ", and the trunk saw no reason to correct it"
                                          : "; the trunk does not tell where it sees us");
    }
}

/* Theirs in Contact, where BYE and re-INVITE go. In SDP: check_call.c. */
static void report_theirs(struct probe *probe, const struct addr *peer)
{
    struct addr contact;
    char from[ADDR_TEXT_MAX];

    if (addr_parse(&contact, span_of(probe->contact_host), 0) || !probe_is_strange(&contact, peer))
        return;
    report_add(probe->report, FINDING_WARN, name, "the trunk's Contact names the private address %s, but it is at %s",
               probe->contact_host, addr_host_text(peer, from));
    report_advise(probe->report, "BYE and re-INVITE go to its Contact: ask the carrier to write its public address");
}

static void start(struct probe *probe)
{
    report_ours(probe, &probe_target(probe)->addr);
    report_theirs(probe, &probe_target(probe)->addr);
    probe_next(probe);
}

static bool applies(const struct probe *probe)
{
    return probe->has_via;
}

const struct probe_check check_nat = {
    .name = name, .limit_ms = 1000, .needs_address = true, .applies = applies, .start = start, .late = probe_next};
