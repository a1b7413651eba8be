/* SPDX-License-Identifier: Apache-2.0 */
/* leg_sip_names.c: what stands in the INVITE of an outgoing leg: target, names, headers. Caller ID as the trunk wants
 * it (RFC 3325, RFC 3323). Topology is hidden: everything is written anew from parsed values, and of the other leg's
 * headers only those cross that the trunk's configuration names. */
#include "call/call.h"
#include "call/diversion.h"
#include "call/leg_sip_private.h"

/* Who sent the call on: told by trunks only, and to trunks only. */
static void write_diversion(struct text *out, const struct leg_sip *sip, const struct sip_msg *request)
{
    const struct call *call = sip->leg.call;

    if (call->in->trunk)
        diversion_write(out, request,
                        &(struct diversion_options){.policy = sip->leg.trunk->conf->diversion,
                                                    .in = &call->in->trunk->conf->callers_in,
                                                    .out = &sip->leg.trunk->conf->callers_out,
                                                    .domain = call->conf->domain,
                                                    .target = sip->number});
}

static void write_own(struct text *out, const struct leg_sip *sip, const struct sip_msg *request)
{
    const struct call *call = sip->leg.call;
    enum conf_prack prack = sip->leg.trunk ? sip->leg.trunk->conf->prack : CONF_PRACK_AUTO;

    /* An anonymous caller's number goes to trunks only, marked as private (RFC 3325 7). */
    identity_write_headers(out,
                           sip->leg.trunk             ? sip->leg.trunk->conf->identity
                           : sip->caller.is_anonymous ? 0
                                                      : CONF_PAI,
                           &sip->caller, call->conf->domain);
    if (sip->leg.trunk && request)
        write_diversion(out, sip, request);
    if (call->referrer[0] && !sip->leg.trunk) { /* RFC 3892; to trunks it would tell who is behind us */
        text_add_str(out, "Referred-By: <sip:");
        uri_write_user(out, span_of(call->referrer));
        text_addf(out, "@%s>\r\n", call->conf->domain);
    }
    text_addf(out, "Allow: " SIP_ALLOW "\r\nSupported: " SIP_SUPPORTED "%s\r\n",
              prack == CONF_PRACK_OFF ? "" : ", 100rel");
    if (prack == CONF_PRACK_REQUIRE)
        text_add_str(out, "Require: 100rel\r\n");
    text_add_str(out, "User-Agent: " SIP_AGENT "\r\n");
}

void leg_sip_write_headers(struct text *out, const struct leg_sip *sip)
{
    const struct invite *invite = leg_sip_invite(sip->leg.call->in);
    const struct sip_msg *request = invite ? invite_in_request(invite) : NULL;
    struct text own;

    if (!sip->leg.trunk) {
        write_own(out, sip, request);
    } else {
        text_init(&own, 16384);
        write_own(&own, sip, request);
        trunk_headers_write(out, text_span(&own), sip->leg.trunk->conf);
        if (text_err(&own))
            out->err = text_err(&own);
        text_free(&own);
    }
    if (request)
        leg_sip_pass_headers(out, &sip->leg, sip->leg.call->in, request);
}

void leg_sip_pass_headers(struct text *out, const struct leg *to, const struct leg *from, const struct sip_msg *msg)
{
    const struct trunk *trunk = to->trunk ? to->trunk : from->trunk;

    if (trunk)
        trunk_headers_pass(out, &trunk->conf->headers_pass, msg);
}

/* Where its 3xx named an address of the accept list. */
static void write_redirected_uri(struct text *out, const struct leg_sip *sip)
{
    char host[ADDR_TEXT_MAX];

    text_add_str(out, "sip:");
    uri_write_user(out, span_of(sip->number));
    text_add_char(out, '@');
    uri_write_host(out, span_of(addr_host_text(&sip->target.addr, host)));
    text_addf(out, ":%u", addr_port(&sip->target.addr));
    if (sip->target.transport != SIP_UDP)
        text_addf(out, ";transport=%s", sip_transport_param(sip->target.transport));
}

void leg_sip_write_uri(struct text *out, const struct leg_sip *sip, bool is_target)
{
    if (is_target && sip->has_target && addr_is_set(&sip->target.addr))
        write_redirected_uri(out, sip);
    else
        trunk_write_uri(out, sip->leg.trunk, sip->number, is_target);
}
