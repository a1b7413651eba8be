/* SPDX-License-Identifier: Apache-2.0 */
/* pbx.c: whose a request is: a PBX user's, or for the Contact by which his PBX knows him; which worker does it, who is
 * let in, and who handles it. Judges no password: that is the PBX's. */
#include "call/pbx.h"

#include <errno.h>

#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/home.h"
#include "call/pbx_call.h"
#include "call/pbx_guess.h"
#include "call/pbx_pass.h"
#include "call/pbx_watch.h"
#include "call/place.h"

void pbx_reply(struct server_tx *tx, unsigned status, const char *why)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status,
                                            .why = why,
                                            .headers = status == 503 ? SPAN("Retry-After: 10\r\n") : SPAN_NULL});
}

/* ---- names ---- */

int pbx_write_aor(char aor[static SIP_ACCOUNT_MAX], const struct trunk *trunk, const struct uri *uri)
{
    char user[SIP_ACCOUNT_MAX];
    int n = uri_decode(uri->user, user, sizeof(user));

    if (n <= 0)
        return n == -ENOSPC ? n : -EBADMSG;
    for (int i = 0; i < n; i++)
        if ((unsigned char)user[i] < ' ' || user[i] == 127)
            return -EBADMSG;
    n = print_into(aor, SIP_ACCOUNT_MAX, "%s@%s", user, trunk->conf->registrar);
    return n < SIP_ACCOUNT_MAX ? 0 : -ENOSPC;
}

static ptrdiff_t find_last_at(struct span aor)
{
    for (size_t i = aor.n; i > 0; i--)
        if (aor.p[i - 1] == '@')
            return (ptrdiff_t)i - 1;
    return -1;
}

struct span pbx_domain_of(const char *aor)
{
    struct span whole = span_of(aor);

    return span_sub(whole, (size_t)(find_last_at(whole) + 1), whole.n);
}

struct span pbx_user_of(const char *aor)
{
    struct span whole = span_of(aor);

    return span_sub(whole, 0, (size_t)find_last_at(whole));
}

bool pbx_is_user(const struct directory *directory, struct span account)
{
    ptrdiff_t at = find_last_at(account);

    return at > 0 && directory_trunk_registrar(directory, span_sub(account, (size_t)at + 1, account.n));
}

/* ---- the worker ---- */

int pbx_place(const struct calls *calls, const struct sip_msg *msg)
{
    const struct trunk *trunk;
    char aor[SIP_ACCOUNT_MAX];

    if (pbx_name_is(msg->uri.user))
        return sip_tag_worker(msg->uri.user);
    trunk = directory_trunk_registrar(calls->directory, msg->from.uri.host);
    if (!trunk || pbx_write_aor(aor, trunk, &msg->from.uri))
        return -1;
    return (int)home_of(span_of(aor));
}

/* ---- whose is it? ---- */

/* To a name that the PBX was given, from where that PBX may send from. */
static bool is_to_device(struct pbx *pbx, const struct sip_msg *msg, const struct sip_flow *flow,
                         struct pbx_party *party)
{
    const struct trunk *trunk;

    if (sip_transport_is_web((enum sip_transport)flow->transport) || !pbx_name_is(msg->uri.user))
        return false;
    party->binding = pbx_table_find(pbx->table, msg->uri.user);
    if (party->binding) {
        trunk = directory_trunk(pbx->calls->directory, span_of(party->binding->trunk));
        party->trunk = trunk && trunk_accepts(trunk, &flow->remote) ? trunk : NULL;
        return party->trunk;
    }
    for (size_t i = 0; (trunk = directory_trunk_at(pbx->calls->directory, i)); i++)
        if (trunk->conf->registrar && trunk_accepts(trunk, &flow->remote)) {
            party->trunk = trunk;
            return true;
        }
    return false;
}

/* @return whose it is; false: not a PBX's */
static bool find_party(struct pbx *pbx, const struct sip_msg *msg, const struct sip_flow *flow, struct pbx_party *party)
{
    *party = (struct pbx_party){0};
    if (msg->method != SIP_REGISTER && is_to_device(pbx, msg, flow, party)) {
        party->is_to_device = true;
        return true;
    }
    party->binding = NULL;
    party->trunk = directory_trunk_registrar(pbx->calls->directory, msg->from.uri.host);
    if (!party->trunk)
        return false;
    if (pbx_write_aor(party->aor, party->trunk, &msg->from.uri))
        party->aor[0] = '\0';
    else if (msg->method != SIP_REGISTER)
        party->binding = pbx_table_of(pbx->table, span_of(party->aor), flow);
    if (party->binding || msg->method == SIP_REGISTER || sip_transport_is_web((enum sip_transport)flow->transport))
        return true;
    return !trunk_accepts(party->trunk, &flow->remote); /* else it is the PBX that writes its domain into From */
}

/* ---- the guard's look ---- */

bool pbx_admit(struct pbx *pbx, const struct sip_incoming *incoming, struct sip_verdict *verdict)
{
    struct pbx_party party;

    if (!pbx || !find_party(pbx, incoming->msg, incoming->flow, &party))
        return false;
    if (!party.is_to_device && (!party.aor[0] || (incoming->msg->method != SIP_REGISTER && !party.binding))) {
        verdict->status = 403;
        verdict->why = "neither an account nor a trunk of this gateway";
    } else if (party.is_to_device ||
               (pbx_guess_admit(pbx, incoming, &party, verdict) &&
                (incoming->msg->method != SIP_REGISTER || pbx_register_admit(pbx, incoming, &party, verdict)))) {
        span_copy(incoming->account, verdict->account, sizeof(verdict->account));
    }
    return true;
}

/* ---- requests of users ---- */

static void pass_to_pbx(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    const struct sip_msg *msg = server_tx_request(tx);
    void *carried = pbx_guess_carried(pbx, tx, party);
    struct text from, to, headers;

    if (!carried) {
        pbx_reply(tx, 500, NULL);
        return;
    }
    text_init(&from, 2048);
    text_init(&to, 2048);
    text_init(&headers, 16384);
    pbx_write_name(&from, &msg->from);
    pbx_write_name(&to, &msg->to);
    text_add_str(&headers, party->binding->routes);
    pbx_write_passed(&headers, msg);
    pbx_write_credentials(&headers, msg);
    if (text_err(&from) || text_err(&to) || text_err(&headers)) {
        pbx_reply(tx, 400, "its headers are too long");
        mem_unref(carried);
    } else {
        pbx_pass_send(&(struct pbx_pass_options){.pbx = pbx,
                                                 .tx = tx,
                                                 .on_answer = pbx_guess_on_answer,
                                                 .arg_taken = carried,
                                                 .trunk = party->trunk,
                                                 .next_hop = span_of(party->binding->next_hop),
                                                 .head = {.method = msg->method,
                                                          .uri = msg->request_uri,
                                                          .from = text_span(&from),
                                                          .to = text_span(&to),
                                                          .has_no_contact = true},
                                                 .headers = text_span(&headers)});
    }
    text_free(&from);
    text_free(&to);
    text_free(&headers);
}

static bool receive_from_user(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party, const char *account)
{
    switch (server_tx_request(tx)->method) {
    case SIP_REGISTER:
        pbx_register_receive(pbx, tx, party, account);
        return true;
    case SIP_INVITE:
        pbx_call_from_user(pbx, tx, party);
        return true;
    case SIP_MESSAGE:
    case SIP_PUBLISH:
        pass_to_pbx(pbx, tx, party);
        return true;
    case SIP_SUBSCRIBE:
        pbx_watch_receive(pbx, tx, party);
        return true;
    case SIP_OPTIONS:
        return false; /* answered here, as to anybody who is known */
    default:
        pbx_reply(tx, 405, "this method is not carried to the PBX");
        return true;
    }
}

/* ---- requests of the PBX ---- */

static void pass_to_device(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    const struct sip_msg *msg = server_tx_request(tx);
    struct pbx_binding *binding = party->binding;
    struct text from, to, headers;

    text_init(&from, 2048);
    text_init(&to, 2048);
    text_init(&headers, 16384);
    pbx_write_caller(&from, msg, binding->aor);
    pbx_write_user(&to, binding->aor);
    text_add_str(&headers, binding->path);
    pbx_write_passed(&headers, msg);
    if (text_err(&from) || text_err(&to) || text_err(&headers))
        pbx_reply(tx, 400, "its headers are too long");
    else
        pbx_pass_send(&(struct pbx_pass_options){.pbx = pbx,
                                                 .tx = tx,
                                                 .flow = &binding->device.flow,
                                                 .head = {.method = msg->method,
                                                          .uri = span_of(binding->device.contact),
                                                          .from = text_span(&from),
                                                          .to = text_span(&to),
                                                          .has_no_contact = msg->method == SIP_MESSAGE},
                                                 .headers = text_span(&headers)});
    text_free(&from);
    text_free(&to);
    text_free(&headers);
}

static void receive_from_pbx(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    if (!party->binding) {
        pbx_reply(tx, 404, "nobody is logged in by that name any more");
        return;
    }
    if (party->binding->is_lost) {
        pbx_reply(tx, 480, "the connection of the user's device is gone");
        return;
    }
    switch (server_tx_request(tx)->method) {
    case SIP_INVITE:
        pbx_call_to_device(pbx, tx, party);
        break;
    case SIP_MESSAGE:
    case SIP_NOTIFY:
        pass_to_device(pbx, tx, party);
        break;
    case SIP_OPTIONS:
        server_tx_reply(tx, &(struct sip_reply){
                                .status = 200, .headers = SPAN("Allow: " SIP_ALLOW "\r\nAccept: application/sdp\r\n")});
        break;
    default:
        pbx_reply(tx, 405, "this method is not carried to devices");
    }
}

bool pbx_receive(struct pbx *pbx, struct server_tx *tx, const char *account)
{
    struct pbx_party party;

    if (!pbx || !find_party(pbx, server_tx_request(tx), server_tx_flow(tx), &party))
        return false;
    if (party.is_to_device)
        receive_from_pbx(pbx, tx, &party);
    else
        return receive_from_user(pbx, tx, &party, account);
    return true;
}

/* ---- birth, news and end ---- */

void pbx_flow_lost(struct pbx *pbx, const struct sip_flow *flow)
{
    pbx_table_lose_flow(pbx->table, flow, pbx_register_end, pbx);
}

static bool is_still(const struct pbx_binding *binding, void *arg)
{
    struct pbx *pbx = arg;
    const struct trunk *trunk = directory_trunk(pbx->calls->directory, span_of(binding->trunk));

    return trunk && trunk->conf->registrar && span_ieq(span_of(trunk->conf->registrar), pbx_domain_of(binding->aor));
}

void pbx_reload(struct pbx *pbx)
{
    pbx_table_review(pbx->table, is_still, pbx);
}

static void pbx_destroy(void *self)
{
    struct pbx *pbx = self;

    pbx_watch_end_all(pbx);
    pbx_pass_end_all(pbx);
    mem_unref(pbx->table);
    mem_unref(pbx->sources);
}

int pbx_new(struct pbx **pbxp, struct calls *calls)
{
    struct pbx *pbx = mem_new(sizeof(*pbx), pbx_destroy);
    int err;

    if (!pbx)
        return -ENOMEM;
    pbx->calls = calls;
    list_init(&pbx->passes);
    list_init(&pbx->held);
    list_init(&pbx->watches);
    err = peer_counts_new(&pbx->sources);
    if (!err)
        err = pbx_table_new(&pbx->table, calls);
    if (err) {
        mem_unref(pbx);
        return err;
    }
    *pbxp = pbx;
    return 0;
}
