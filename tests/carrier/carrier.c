/* SPDX-License-Identifier: Apache-2.0 */
/* carrier.c: the house of the simulated carrier, and its first look at new requests: digest if a password is set,
 * limits, OPTIONS. RFC 3261 8.2, 22. What a number does is in numbers.c and call.c. */
#include "carrier.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"
#include "call.h"
#include "sip/digest.h"
#include "sip/server_tx.h"

#define REALM "carrier"

static unsigned on_place(const struct sip_msg *msg, const struct sip_flow *flow, void *arg)
{
    return 0;
}

/* ---- digest: RFC 3261 22.3, RFC 7616 ---- */

static bool is_proved(const struct carrier *carrier, const struct sip_incoming *incoming, bool *is_stalep)
{
    struct span value = sip_msg_value(incoming->msg, SIP_H_PROXY_AUTHORIZATION);
    struct digest_secret secret = {.username = span_of(carrier->options.user),
                                   .realm = SPAN(REALM),
                                   .password = span_of(carrier->options.password)};
    struct digest_response response;
    char key[ADDR_KEY_MAX];
    enum digest_nonce nonce;

    if (value.n == 0 || digest_response_parse(&response, value))
        return false;
    nonce = digest_nonce_check(response.nonce, clock_wall_us() / 1000000, 60, addr_key(&incoming->flow->remote, key));
    *is_stalep = nonce == NONCE_STALE;
    return nonce == NONCE_GOOD && span_eq(response.uri, incoming->msg->request_uri) &&
           digest_verify(&response, &secret, incoming->msg->method_text);
}

static void challenge(struct sip_verdict *verdict, const struct sip_incoming *incoming, bool is_stale)
{
    char nonce[DIGEST_NONCE_TEXT_MAX], key[ADDR_KEY_MAX];

    digest_nonce_make(nonce, clock_wall_us() / 1000000, addr_key(&incoming->flow->remote, key));
    verdict->status = 407;
    text_add(&verdict->headers, SPAN("Proxy-Authenticate: "));
    digest_write_challenge(&verdict->headers, SPAN(REALM), DIGEST_MD5, span_of(nonce), is_stale);
    text_add(&verdict->headers, SPAN("\r\n"));
}

static void on_admit(const struct sip_incoming *incoming, struct sip_verdict *verdict, void *arg)
{
    const struct carrier *carrier = arg;
    bool is_stale = false;

    if (incoming->msg->method == SIP_OPTIONS)
        return;
    if (carrier->options.password && !is_proved(carrier, incoming, &is_stale)) {
        challenge(verdict, incoming, is_stale);
        return;
    }
    if (incoming->msg->method != SIP_INVITE)
        return;
    if (carrier->is_stopping) {
        verdict->status = 503;
        verdict->why = "the carrier is going down";
    } else if (carrier->options.max_calls && carrier->call_count >= carrier->options.max_calls) {
        verdict->status = 503;
        verdict->why = "all channels are taken";
    }
}

static void on_request(struct server_tx *tx, const char *account, void *arg)
{
    struct carrier *carrier = arg;

    switch (server_tx_request(tx)->method) {
    case SIP_INVITE:
        call_take(carrier, tx);
        break;
    case SIP_OPTIONS:
        server_tx_reply(tx, &(struct sip_reply){.status = 200, .headers = SPAN("Allow: " SIP_ALLOW "\r\n")});
        break;
    default:
        server_tx_reply(tx, &(struct sip_reply){.status = 405,
                                                .headers = SPAN("Allow: " SIP_ALLOW "\r\n"),
                                                .why = "the carrier takes calls alone"});
    }
}

static void on_flow_lost(const struct sip_flow *flow, const char *account, void *arg)
{
}

static void on_advertise(struct addr *out, const struct addr *local, const struct addr *towards, void *arg)
{
    *out = *local;
}

static const struct sip_user sip_user = {.place = on_place,
                                         .admit = on_admit,
                                         .on_request = on_request,
                                         .on_flow_lost = on_flow_lost,
                                         .advertise = on_advertise};

/* ---- the house ---- */

static void carrier_destroy(void *self)
{
    struct carrier *carrier = self;

    mem_unref(carrier->stack);
    mem_unref(carrier->ports);
    mem_unref(carrier->udp);
    if (carrier->conf)
        conf_unref(carrier->conf);
}

/* The stack reads its listeners from a configuration. */
static int make_conf(struct carrier *carrier, const char **why_out)
{
    struct text yaml, errors;
    char listen[ADDR_TEXT_MAX];
    int err;

    text_init(&yaml, 1024);
    text_init(&errors, 4096);
    text_addf(&yaml, "domain: carrier.example\nsip: {listen: [\"udp://%s\"]}\n", addr_text(&carrier->listen, listen));
    err = conf_parse(&carrier->conf, "carrier", text_span(&yaml), &errors);
    if (err) {
        fprintf(stderr, "%.*s\n", SPAN_ARG(text_span(&errors)));
        *why_out = "the stack's configuration is refused";
    }
    text_free(&yaml);
    text_free(&errors);
    return err;
}

/* Port 0: ask the kernel for a free one first, so that it can be written into Via and Contact. */
static int choose_listen(struct carrier *carrier)
{
    struct udp *probe;
    int err;

    carrier->listen = carrier->options.listen;
    if (addr_port(&carrier->listen) != 0)
        return 0;
    err = udp_new(&probe, carrier->udp, &(struct udp_options){.local = carrier->listen});
    if (err)
        return err;
    carrier->listen = *udp_local(probe);
    mem_unref(probe);
    return 0;
}

static int build(struct carrier *carrier, const char **why_out)
{
    struct stack_options options = {.worker = carrier->worker->id, .user = &sip_user, .user_arg = carrier};
    int err;

    *why_out = "no UDP socket";
    err = udp_house_new(&carrier->udp, 0);
    if (!err)
        err = choose_listen(carrier);
    if (!err)
        err = make_conf(carrier, why_out);
    if (err)
        return err;
    *why_out = "no RTP ports";
    err = ports_new(
        &carrier->ports,
        &(struct ports_range){.min = carrier->options.rtp_min, .max = carrier->options.rtp_max, .id = 0, .count = 1});
    if (err)
        return err;
    options.conf = carrier->conf;
    options.udp = carrier->udp;
    *why_out = "the SIP address cannot be used";
    return sip_stack_new(&carrier->stack, &options, why_out);
}

int carrier_new(struct carrier **carrierp, struct worker *worker, const struct carrier_options *options,
                const char **why_out)
{
    struct carrier *carrier = mem_new(sizeof(*carrier), carrier_destroy);
    int err;

    if (!carrier)
        return -ENOMEM;
    carrier->options = *options;
    carrier->worker = worker;
    list_init(&carrier->calls);
    addr_host_text(&options->listen, carrier->host);
    err = build(carrier, why_out);
    if (err) {
        mem_unref(carrier);
        return err;
    }
    *carrierp = carrier;
    return 0;
}

void carrier_stop(struct carrier *carrier, void (*on_idle)(struct carrier *carrier))
{
    bool is_idle = carrier->call_count == 0;
    struct list *link, *tmp;

    carrier->is_stopping = true;
    carrier->on_idle = on_idle;
    list_each (link, tmp, &carrier->calls)
        call_end(call_of(link), "the carrier goes down");
    if (is_idle)
        on_idle(carrier);
}
