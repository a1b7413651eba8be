/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_call.c: calls between a PBX and its users. RFC 3261 13, 22. Between the two is the ordinary call with its media;
 * here is what the PBX and the user have to see of each other: Request-URI, names and digest, which must fit each
 * other, so they go through as they were written. Knows no registration but by its binding. */
#include "call/pbx_call.h"

#include <errno.h>

#include "base/mem.h"
#include "call/identity.h"
#include "call/incoming.h"
#include "call/pbx_pass.h"

/* ---- names ---- */

void pbx_write_name(struct text *out, const struct name_addr *addr)
{
    char display[128];

    if (name_addr_display(addr, display, sizeof(display)) > 0)
        name_addr_write_display(out, span_of(display));
    text_addf(out, "<%.*s>", SPAN_ARG(addr->uri_text));
}

void pbx_write_user(struct text *out, const char *aor)
{
    text_add_str(out, "<sip:");
    uri_write_user(out, pbx_user_of(aor));
    text_addf(out, "@%.*s>", SPAN_ARG(pbx_domain_of(aor)));
}

void pbx_write_caller(struct text *out, const struct sip_msg *msg, const char *aor)
{
    struct identity identity;

    identity_of_trunk(&identity, msg);
    if (identity.is_anonymous)
        identity_write_anonymous(out);
    else
        identity_write(out, identity.display, identity.number, pbx_domain_of(aor).p);
}

/* ---- birth ---- */

static void pbx_call_destroy(void *self)
{
    struct pbx_call *it = self;

    mem_unref(it->uri);
    mem_unref(it->from);
    mem_unref(it->to);
    if (it->headers)
        mem_wipe(it->headers, strlen(it->headers));
    mem_unref(it->headers);
    mem_unref(it->next_hop);
    mem_unref(it->challenge);
}

static struct pbx_call *new_call(const struct pbx_binding *binding)
{
    struct pbx_call *it = mem_new(sizeof(*it), pbx_call_destroy);

    if (!it)
        return NULL;
    memcpy(it->aor, binding->aor, sizeof(it->aor));
    memcpy(it->name, binding->name, sizeof(it->name));
    return it;
}

static char *copy(struct span s)
{
    return mem_text(s.p, s.n);
}

static char *take_name(const struct name_addr *addr)
{
    struct text out;

    text_init(&out, 2048);
    pbx_write_name(&out, addr);
    return text_take(&out);
}

static char *take_headers(const struct sip_msg *invite, const struct pbx_binding *binding)
{
    struct text out;
    char *headers;

    text_init(&out, 8192);
    text_add_str(&out, binding->routes);
    pbx_write_credentials(&out, invite);
    headers = text_err(&out) || !out.len ? copy(SPAN_NULL) : text_take(&out);
    text_free(&out);
    return headers;
}

void pbx_call_from_user(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    const struct sip_msg *invite = server_tx_request(tx);
    struct pbx_call *it = new_call(party->binding);

    if (it) {
        it->trunks = (struct conf_strings){.items = (char **)&party->trunk->conf->name, .count = 1};
        it->uri = copy(invite->request_uri);
        it->from = take_name(&invite->from);
        it->to = take_name(&invite->to);
        it->headers = take_headers(invite, party->binding);
        it->next_hop = copy(span_of(party->binding->next_hop));
        it->pbx = pbx;
        it->flow = *server_tx_flow(tx);
        pbx_guess_read(&it->guess, pbx, &it->flow, invite, party);
    }
    if (it && it->uri && it->from && it->to && it->headers && it->next_hop)
        incoming_call(pbx->calls, tx, &(struct route_caller){.pbx = it});
    else
        pbx_reply(tx, 500, NULL);
    mem_unref(it);
}

void pbx_call_to_device(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    struct pbx_call *it = new_call(party->binding);

    if (it) {
        it->is_to_device = true;
        it->device = party->binding->device;
        it->headers = copy(span_of(party->binding->path));
    }
    if (it && it->headers)
        incoming_call(pbx->calls, tx, &(struct route_caller){.trunk = party->trunk, .pbx = it});
    else
        pbx_reply(tx, 500, NULL);
    mem_unref(it);
}

/* ---- the call ---- */

int pbx_call_join(struct call *call, struct pbx_call *it, const struct sip_msg *invite)
{
    call->pbx = mem_ref(it);
    if (it->is_to_device) {
        span_copy(pbx_user_of(it->aor), call->dialled, sizeof(call->dialled));
        return 0;
    }
    span_copy(pbx_user_of(it->aor), call->caller, sizeof(call->caller));
    if (name_addr_display(&invite->from, call->caller_display, sizeof(call->caller_display)) < 0)
        call->caller_display[0] = '\0';
    memcpy(call->in->account, it->aor, sizeof(call->in->account));
    return identity_take_dialled(call->dialled, &invite->uri);
}

void pbx_call_pick(struct route_pick *pick, const struct call *call)
{
    *pick = (struct route_pick){.trunks = call->pbx->is_to_device ? NULL : &call->pbx->trunks};
    memcpy(pick->number, call->dialled, sizeof(pick->number));
}

static void write_to_device(const struct call *call, struct text *uri, struct text *from, struct text *to,
                            struct text *headers)
{
    const struct pbx_call *it = call->pbx;

    text_add_str(uri, it->device.contact);
    pbx_write_user(to, it->aor);
    if (call->is_anonymous)
        identity_write_anonymous(from);
    else
        identity_write(from, call->caller_display, call->caller, pbx_domain_of(it->aor).p);
    text_add_str(headers, it->headers);
}

void pbx_call_write(const struct call *call, struct text *uri, struct text *from, struct text *to, struct text *headers)
{
    const struct pbx_call *it = call->pbx;

    if (it->is_to_device) {
        write_to_device(call, uri, from, to, headers);
    } else {
        text_add_str(uri, it->uri);
        text_add_str(from, it->from);
        text_add_str(to, it->to);
        text_add_str(headers, it->headers);
    }
    text_add_str(headers, "Allow: " SIP_ALLOW "\r\nSupported: timer\r\nUser-Agent: " SIP_AGENT "\r\n");
}

bool pbx_call_open_hop(const struct call *call, const struct trunk *trunk, struct sip_flow *flow)
{
    return pbx_open_hop(call->calls, trunk, span_of(call->pbx->next_hop), flow);
}

void pbx_call_take_refusal(struct pbx_call *it, const struct sip_msg *response)
{
    struct text lines;

    if (it->pbx) /* counted; not held, as the caller's phone waits for its challenge */
        pbx_guess_note_refusal(it->pbx, &it->flow, &it->guess, response);
    if (response->status != 401 && response->status != 407)
        return;
    text_init(&lines, 8192);
    pbx_write_lines(&lines, response, response->status == 401 ? SIP_H_WWW_AUTHENTICATE : SIP_H_PROXY_AUTHENTICATE);
    mem_unref(it->challenge);
    it->challenge = text_take(&lines);
    text_free(&lines);
}

bool pbx_call_is_challenge(const struct call *call, unsigned status)
{
    return call->pbx && call->pbx->challenge && (status == 401 || status == 407) && !call->answered_us;
}
