/* SPDX-License-Identifier: Apache-2.0 */
/* leg_sip_dial.c: how an outgoing SIP leg begins: its offer, its addresses and names, the flow, the INVITE.
 * Caller ID as From and P-Asserted-Identity (RFC 3325), privacy (RFC 3323). Topology hidden: nothing of the other leg
 * is copied, everything is written anew from parsed values. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "call/call.h"
#include "call/leg_sip_private.h"

static void on_fail_timer(void *arg)
{
    struct leg_sip *sip = arg;

    if (!sip->leg.is_over)
        call_event(&(struct leg_news){
            .leg = &sip->leg, .event = LEG_REFUSED, .status = sip->fail_status, .why = sip->fail_why});
}

void leg_sip_fail_later(struct leg_sip *sip, unsigned status, const char *why)
{
    sip->fail_status = status;
    sip->fail_why = why;
    timer_start(sip->leg.call->calls->stack->wheel, &sip->fail_timer, 0, on_fail_timer, sip);
}

/* ---- names ---- */

static void write_identity(struct text *out, const struct call *call, struct span user)
{
    name_addr_write_display(out, span_of(call->caller_display));
    if (call->caller_display[0])
        text_add_char(out, ' ');
    text_add_str(out, "<sip:");
    uri_write_user(out, user);
    text_addf(out, "@%s>", call->conf->domain);
}

static void write_from(struct text *out, const struct leg_sip *sip)
{
    const struct call *call = sip->leg.call;
    const struct conf_trunk *trunk = sip->leg.trunk ? sip->leg.trunk->conf : NULL;

    if (call->is_anonymous || (trunk && trunk->hides_number))
        text_add_str(out, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    else if (trunk && trunk->is_register && trunk->username)
        write_identity(
            out, call,
            span_of(trunk->username)); /* such carriers know one user; the number is in P-Asserted-Identity */
    else
        write_identity(out, call, span_of(call->caller));
}

static void write_headers(struct text *out, const struct leg_sip *sip)
{
    const struct call *call = sip->leg.call;
    const struct conf_trunk *trunk = sip->leg.trunk ? sip->leg.trunk->conf : NULL;
    bool is_private = call->is_anonymous || (trunk && trunk->hides_number);

    /* An anonymous caller's number goes to trunks only, marked as private (RFC 3325 7). */
    if (!is_private || trunk) {
        text_add_str(out, "P-Asserted-Identity: ");
        write_identity(out, call, span_of(call->caller));
        text_add_str(out, "\r\n");
    }
    if (is_private)
        text_add_str(out, "Privacy: id\r\n");
    text_add_str(out, "Allow: " SIP_ALLOW "\r\nSupported: timer\r\nUser-Agent: " SIP_AGENT "\r\n");
}

static void write_trunk_uri(struct text *out, const struct leg_sip *sip, bool is_target)
{
    const struct trunk *trunk = sip->leg.trunk;

    text_add_str(out, "sip:");
    uri_write_user(out, span_of(sip->leg.call->pick.number));
    text_add_char(out, '@');
    uri_write_host(out, span_of(trunk->host));
    if (!is_target)
        return;
    if (trunk->port != (trunk->transport == SIP_TLS ? 5061 : 5060))
        text_addf(out, ":%u", trunk->port);
    if (trunk->transport != SIP_UDP)
        text_addf(out, ";transport=%s", sip_transport_param(trunk->transport));
}

struct invite_texts {
    struct text uri, from, to, headers;
};

static void write_texts(struct invite_texts *texts, const struct leg_sip *sip)
{
    text_init(&texts->uri, 1024);
    text_init(&texts->from, 1024);
    text_init(&texts->to, 1024);
    text_init(&texts->headers, 4096);
    if (sip->leg.trunk) {
        write_trunk_uri(&texts->uri, sip, true);
        text_add_char(&texts->to, '<');
        write_trunk_uri(&texts->to, sip, false);
        text_add_char(&texts->to, '>');
    } else {
        text_add_str(&texts->uri, sip->binding.contact);
        text_addf(&texts->to, "<sip:%s@%s>", sip->leg.account, sip->leg.call->conf->domain);
    }
    write_from(&texts->from, sip);
    write_headers(&texts->headers, sip);
}

static void free_texts(struct invite_texts *texts)
{
    text_free(&texts->uri);
    text_free(&texts->from);
    text_free(&texts->to);
    text_free(&texts->headers);
}

static int texts_err(const struct invite_texts *texts)
{
    int errs[] = {text_err(&texts->uri), text_err(&texts->from), text_err(&texts->to), text_err(&texts->headers)};

    for (unsigned i = 0; i < sizeof(errs) / sizeof(*errs); i++)
        if (errs[i])
            return errs[i];
    return 0;
}

/* ---- the INVITE ---- */

static int make_offer(struct leg_sip *sip, const struct sip_flow *flow, struct text *sdp, const char **why)
{
    int err = leg_sip_open_media(sip, &flow->remote, sip_transport_is_web((enum sip_transport)flow->transport));

    return err ? err : leg_media_make_offer(sip->leg.media, sip->leg.call->in->media, sdp, why);
}

static int send_invite(struct leg_sip *sip, const struct sip_flow *flow, struct span sdp)
{
    const struct conf_trunk *trunk = sip->leg.trunk ? sip->leg.trunk->conf : NULL;
    struct invite_texts texts;
    int err;

    write_texts(&texts, sip);
    err = texts_err(&texts);
    if (!err)
        err = invite_out_new(&sip->invite, &(struct invite_out_options){.stack = sip->leg.call->calls->stack,
                                                                        .user = &leg_sip_invite_user,
                                                                        .arg = sip,
                                                                        .flow = *flow,
                                                                        .request_uri = text_span(&texts.uri),
                                                                        .from = text_span(&texts.from),
                                                                        .to = text_span(&texts.to),
                                                                        .max_forwards = sip->leg.call->max_forwards,
                                                                        .headers = text_span(&texts.headers),
                                                                        .content_type = SPAN("application/sdp"),
                                                                        .body = sdp,
                                                                        .username = trunk ? trunk->username : NULL,
                                                                        .password = trunk ? trunk->password : NULL});
    free_texts(&texts);
    return err;
}

static void begin(struct leg_sip *sip, const struct sip_flow *flow)
{
    const char *why = "the INVITE could not be sent";
    char text[SIP_FLOW_TEXT_MAX];
    struct text sdp;
    int err;

    text_init(&sdp, 65536);
    err = make_offer(sip, flow, &sdp, &why);
    if (!err)
        err = send_invite(sip, flow, text_span(&sdp));
    text_free(&sdp);
    if (err)
        leg_sip_fail_later(sip, err == -ENOENT ? 488 : 503, why);
    else
        call_note(sip->leg.call, "%s: INVITE sent to %s", sip->leg.peer, sip_flow_text(flow, text));
}

/* ---- where to ---- */

static void on_resolved(int err, const struct addr *addrs, unsigned count, void *arg)
{
    struct leg_sip *sip = arg;
    const struct trunk *trunk = sip->leg.trunk;
    struct sip_flow flow;

    if (err || !count) {
        leg_sip_fail_later(sip, 503, "the trunk's name cannot be resolved");
        return;
    }
    err = transport_flow_to(&flow, sip->leg.call->calls->stack->transports, trunk->transport, &addrs[0], trunk->host);
    if (err)
        leg_sip_fail_later(sip, 503, "no connection to the trunk could be made: is there a sip.listen of that kind?");
    else
        begin(sip, &flow);
}

static int begin_trunk(struct leg_sip *sip)
{
    const struct trunk *trunk = sip->leg.trunk;

    snprintf(sip->leg.peer, sizeof(sip->leg.peer), "%s", sip->leg.call->pick.number);
    return dns_resolve(&sip->dns, sip->leg.call->calls->dns, span_of(trunk->host), trunk->port, on_resolved, sip);
}

static void begin_device(struct leg_sip *sip)
{
    snprintf(sip->leg.peer, sizeof(sip->leg.peer), "%s", sip->leg.account);
    if (!transport_is_up(sip->leg.call->calls->stack->transports, &sip->binding.flow))
        leg_sip_fail_later(sip, 480, "the device is not connected");
    else
        begin(sip, &sip->binding.flow);
}

int leg_sip_new_out(struct leg **legp, struct call *call, const struct leg_sip_dial *dial)
{
    struct leg_sip *sip;
    int err = leg_sip_alloc(&sip, call, LEG_OUT);

    if (err)
        return err;
    *legp = &sip->leg;
    list_append(&call->out_legs, &sip->leg.link);
    if (dial->trunk) {
        sip->leg.trunk = dial->trunk;
        if (begin_trunk(sip))
            leg_sip_fail_later(sip, 503, "the trunk's name cannot be resolved");
        return 0;
    }
    sip->binding = *dial->binding;
    sip->has_binding = true;
    span_copy(span_of(dial->account), sip->leg.account, sizeof(sip->leg.account));
    begin_device(sip);
    return 0;
}
