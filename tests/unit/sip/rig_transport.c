/* SPDX-License-Identifier: Apache-2.0 */
/* rig_transport.c: takes transport.c's place in the tests of transactions and dialogs: nothing leaves, everything is
 * kept. The linker finds these before the archive's. */
#include "sip_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sip/transport.h"

static const char *const texts[] = {
    [SIP_UDP] = "UDP", [SIP_TCP] = "TCP", [SIP_TLS] = "TLS", [SIP_WS] = "WS", [SIP_WSS] = "WSS"};
static const char *const params[] = {
    [SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls", [SIP_WS] = "ws", [SIP_WSS] = "ws"};

const char *sip_transport_text(enum sip_transport transport)
{
    return texts[transport];
}

const char *sip_transport_param(enum sip_transport transport)
{
    return params[transport];
}

bool sip_transport_is_reliable(enum sip_transport transport)
{
    return transport != SIP_UDP;
}

bool sip_transport_is_web(enum sip_transport transport)
{
    return transport == SIP_WS || transport == SIP_WSS;
}

bool sip_flow_same(const struct sip_flow *left, const struct sip_flow *right)
{
    return left->transport == right->transport && left->serial == right->serial &&
           addr_eq(&left->remote, &right->remote);
}

const char *sip_flow_text(const struct sip_flow *flow, char buf[static SIP_FLOW_TEXT_MAX])
{
    char remote[ADDR_TEXT_MAX];

    snprintf(buf, SIP_FLOW_TEXT_MAX, "%s %s", texts[flow->transport], addr_text(&flow->remote, remote));
    return buf;
}

int transport_new(struct sip_transports **transportsp, const struct transport_options *options, const char **why_out)
{
    *transportsp = mem_new(1, NULL);
    return *transportsp ? 0 : -ENOMEM;
}

void transport_ws_protocol(struct sip_transports *transports, struct ws_protocol *out)
{
}

bool transport_has_way(const struct sip_transports *transports, enum sip_transport transport, const struct addr *to)
{
    return transport == SIP_UDP ? !addr_is_v6(to) : !rig.has_no_streams;
}

int transport_flow_to(struct sip_flow *flow, struct sip_transports *transports, enum sip_transport transport,
                      const struct addr *to, const struct sip_peer *peer)
{
    *flow = (struct sip_flow){.transport = (uint8_t)transport, .local = rig.udp.local, .remote = *to};
    if (transport != SIP_UDP)
        flow->serial = 1000 + ++rig.opened_count;
    return 0;
}

int transport_send(struct sip_transports *transports, const struct sip_flow *flow, struct span bytes)
{
    struct rig_sent *sent;
    const char *why = "";
    unsigned status;

    if (rig.send_err)
        return rig.send_err;
    assert_true(rig.sent_count < sizeof(rig.sent) / sizeof(rig.sent[0]));
    sent = calloc(1, sizeof(*sent));
    sent->at_ms = rig_now_ms();
    sent->flow = *flow;
    sent->n = bytes.n;
    sent->bytes = calloc(1, bytes.n + 1);
    sent->parsed = calloc(1, bytes.n + 1);
    memcpy(sent->bytes, bytes.p, bytes.n);
    memcpy(sent->parsed, bytes.p, bytes.n);
    if (bytes.n > 4 && *bytes.p > 1 && sip_msg_parse(&sent->msg, sent->parsed, bytes.n, &status, &why)) {
        /* an answer to what was malformed mirrors it */
        if (sscanf(sent->bytes, "SIP/2.0 %u ", &sent->msg.status) != 1 || sent->msg.status < 400)
            fail_msg("the stack sent what nobody can read (%s): %s", why, sent->bytes);
        sent->msg.is_request = false;
    }
    rig.sent[rig.sent_count++] = sent;
    return 0;
}

void transport_set_account(struct sip_transports *transports, const struct sip_flow *flow, struct span account)
{
    span_copy(account, rig.proved, sizeof(rig.proved));
}

void transport_review_accounts(struct sip_transports *transports, bool (*is_still)(struct span account, void *arg),
                               void *arg)
{
    if (rig.proved[0] && !is_still(span_of(rig.proved), arg))
        rig.proved[0] = '\0';
}

void transport_expect_pings(struct sip_transports *transports, const struct sip_flow *flow, unsigned silent_ms)
{
    rig.silent_ms = silent_ms;
}

void transport_close(struct sip_transports *transports, const struct sip_flow *flow)
{
    rig.closed_count++;
}

bool transport_is_up(const struct sip_transports *transports, const struct sip_flow *flow)
{
    return true;
}
