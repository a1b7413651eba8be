/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_register.c: a REGISTER carried to the PBX. RFC 3261 10, 22, RFC 3327 (Path), RFC 3608 (Service-Route). The PBX
 * gets a Contact of ours that is the device's alone; Call-ID and CSeq are made from the sender's, so that nothing is
 * kept before the PBX has said 200. */
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/call.h"
#include "call/pbx_call.h"
#include "call/pbx_guess.h"
#include "call/pbx_pass.h"
#include "call/pbx_watch.h"
#include "sip/params.h"
#include "sip/register_in.h"

#define EXPIRES_DEFAULT_S 3600
#define EXPIRES_MAX_S     86400
#define PATH_MAX_BYTES    1024

/* One REGISTER while the PBX thinks about it. */
struct login {
    struct pbx *pbx;
    struct directory *directory; /* holds the trunk */
    const struct trunk *trunk;
    char aor[SIP_ACCOUNT_MAX], account[SIP_ACCOUNT_MAX];
    char name[PBX_NAME_MAX];
    struct binding device;
    struct pbx_guess guess; /* with which credentials it comes */
    unsigned wanted_s;
    bool is_query, removes_all;
};

static void login_destroy(void *self)
{
    struct login *login = self;

    mem_unref(login->directory);
}

/* ---- the guard's look ---- */

bool pbx_register_admit(struct pbx *pbx, const struct sip_incoming *incoming, const struct pbx_party *party,
                        struct sip_verdict *verdict)
{
    const struct sip_msg *msg = incoming->msg;

    if (!span_ieq(msg->uri.host, span_of(party->trunk->conf->registrar)) || msg->uri.user.n ||
        !uri_same(&msg->from.uri, &msg->to.uri)) {
        pbx_guess_refuse(verdict, 403, "a user may register only himself, at his own registrar");
    } else if (pbx_pass_is_full(pbx, incoming->flow)) {
        verdict->is_silent = incoming->flow->transport == SIP_UDP; /* it asks again by itself */
        text_add_str(&verdict->headers, "Retry-After: 10\r\n");
        pbx_guess_refuse(verdict, 503, "too many requests are on their way to the PBX");
    }
    return !verdict->status;
}

/* ---- what the REGISTER asks for ---- */

static const char *read_contact(struct login *login, const struct sip_msg *msg, const struct register_in *reg)
{
    const struct register_contact *contact = &reg->contacts[0];

    if (reg->contact_count > 1)
        return "one device at a time, please";
    if (!reg->contact_count)
        return NULL;
    if (span_copy(contact->uri, login->device.contact, sizeof(login->device.contact)) < 0)
        return "the contact is too long";
    span_copy(span_sub(contact->instance, 0, BINDING_INSTANCE_MAX - 1), login->device.instance,
              sizeof(login->device.instance));
    login->device.reg_id = contact->reg_id;
    login->device.cseq = msg->cseq;
    login->wanted_s = contact->expires_s;
    return NULL;
}

static const char *read_register(struct login *login, const struct sip_msg *msg)
{
    struct register_limits limits = {.max_s = sip_msg_header(msg, SIP_H_EXPIRES) ? EXPIRES_MAX_S : EXPIRES_DEFAULT_S};
    struct register_in reg;
    const char *why = NULL;
    unsigned status;

    if (register_in_parse(&reg, msg, &limits, &status, &why))
        return why;
    login->is_query = reg.is_query;
    login->removes_all = reg.removes_all;
    if (pbx_name_make(login->name, login->pbx->calls, span_of(login->aor), reg.contacts[0].uri,
                      reg.contacts[0].instance, reg.contacts[0].reg_id))
        return "the contact is too long";
    return read_contact(login, msg, &reg);
}

/* ---- the answer ---- */

/* What was granted to our Contact; the PBX may list others of this user. */
static unsigned read_granted(const struct login *login, const struct sip_msg *response)
{
    uint32_t granted = login->wanted_s;
    struct span expires = sip_msg_value(response, SIP_H_EXPIRES), value;
    struct sip_walk walk = {0};
    struct name_addr addr;

    if (expires.n)
        span_to_u32(expires, EXPIRES_MAX_S, &granted);
    while (sip_msg_next_addr(response, SIP_H_CONTACT, &walk, &addr) > 0)
        if (span_eq(addr.uri.user, span_of(login->name)) && params_get(addr.params, SPAN("expires"), &value))
            span_to_u32(value, EXPIRES_MAX_S, &granted);
    return login->wanted_s ? granted : 0;
}

static void write_routes(struct text *out, struct text *first, const struct sip_msg *msg, enum sip_header_id id)
{
    struct sip_walk walk = {0};
    struct name_addr addr;

    while (sip_msg_next_addr(msg, id, &walk, &addr) > 0) {
        sip_write_headerf(out, "Route", "<%.*s>", SPAN_ARG(addr.uri_text));
        if (first && !first->len)
            text_add(first, addr.uri_text);
    }
}

struct account_note {
    struct sip_flow flow;
    char account[SIP_ACCOUNT_MAX];
};

static void set_account(struct worker *worker, void *arg)
{
    struct account_note *note = arg;
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack)
        transport_set_account(stack->transports, &note->flow, span_of(note->account));
    mem_unref(note);
}

/* The connection is the user's now: his calls whose connection was lost may go on over it. One that has proved to be an
 * account's stays that account's. */
static void take_over_flow(const struct login *login)
{
    const struct sip_flow *flow = &login->device.flow;
    struct account_note *note;
    struct worker *worker = worker_get(flow->worker);

    call_account_is_back(login->aor, &login->device);
    if (flow->transport == SIP_UDP || !worker ||
        (login->account[0] && !pbx_is_user(login->directory, span_of(login->account))))
        return;
    note = mem_new(sizeof(*note), NULL);
    if (!note)
        return;
    note->flow = *flow;
    memcpy(note->account, login->aor, sizeof(note->account));
    if (worker == worker_current())
        set_account(worker, note);
    else if (mailbox_call(worker, set_account, note))
        mem_unref(note);
}

static int keep(const struct login *login, struct server_tx *tx, const struct sip_msg *response, unsigned granted_s)
{
    const struct sip_msg *request = server_tx_request(tx);
    struct text path, routes, first, credentials, to;
    struct pbx_binding *binding;
    struct span digest_user = SPAN_NULL;
    int err = -ENOSPC;

    text_init(&path, PATH_MAX_BYTES);
    text_init(&routes, PATH_MAX_BYTES);
    text_init(&first, PATH_MAX_BYTES);
    text_init(&credentials, 4096);
    text_init(&to, 1024);
    write_routes(&path, NULL, request, SIP_H_PATH);
    write_routes(&routes, &first, response, SIP_H_SERVICE_ROUTE);
    if (login->guess.is_there) {
        pbx_write_credentials(&credentials, request);
        pbx_guess_name(&digest_user, request);
    }
    pbx_write_name(&to, &request->to);
    if (!text_err(&path) && !text_err(&routes) && !text_err(&first) && !text_err(&credentials) && !text_err(&to))
        err = pbx_table_put(&binding, login->pbx->table,
                            &(struct pbx_login){.trunk = login->trunk->conf,
                                                .aor = span_of(login->aor),
                                                .name = login->name,
                                                .device = &login->device,
                                                .expires_s = granted_s,
                                                .path = text_span(&path),
                                                .routes = text_span(&routes),
                                                .next_hop = text_span(&first),
                                                .credentials = text_span(&credentials),
                                                .registrar = request->request_uri,
                                                .to = text_span(&to),
                                                .digest_user = digest_user});
    text_free(&path);
    text_free(&routes);
    text_free(&first);
    text_free(&credentials);
    text_free(&to);
    return err;
}

static void write_accepted(struct text *out, const struct login *login, const struct sip_msg *request,
                           const struct sip_msg *response, unsigned granted_s)
{
    const struct sip_header *uri = sip_msg_other(response, SPAN("P-Associated-URI"));
    char instance[BINDING_INSTANCE_MAX + 64] = "";

    if (login->device.reg_id)
        print_into(instance, sizeof(instance), ";+sip.instance=\"<%s>\";reg-id=%u", login->device.instance,
                   login->device.reg_id);
    if (granted_s)
        sip_write_headerf(out, "Contact", "<%s>;expires=%u%s", login->device.contact, granted_s, instance);
    if (login->device.reg_id && granted_s)
        text_add_str(out, "Require: outbound\r\nSupported: outbound\r\n");
    if (uri)
        sip_write_header(out, "P-Associated-URI", uri->value);
    pbx_write_lines(out, request, SIP_H_PATH);
}

static void take_accepted(struct login *login, struct server_tx *tx, struct pbx_answer *answer)
{
    const struct sip_msg *request = server_tx_request(tx);
    const struct pbx_binding *former = pbx_table_find(login->pbx->table, span_of(login->name));
    bool has_moved = former && !sip_flow_same(&former->device.flow, &login->device.flow);
    unsigned granted_s = read_granted(login, answer->response);

    stats_count(STAT_PBX_REGISTERED);
    if (login->removes_all)
        pbx_table_drop_user(login->pbx->table, span_of(login->aor));
    else if (!granted_s && !login->is_query)
        pbx_binding_drop(pbx_table_find(login->pbx->table, span_of(login->name)));
    else if (!login->is_query && keep(login, tx, answer->response, granted_s)) {
        answer->status = 503;
        answer->why = "too many users are logged in";
        stats_count(STAT_PBX_REFUSED);
        return;
    }
    pbx_guess_note_right(login->pbx, server_tx_flow(tx), &login->guess);
    write_accepted(answer->headers, login, request, answer->response, granted_s);
    if (granted_s && !login->is_query) {
        take_over_flow(login);
        if (has_moved)
            pbx_watch_moved(login->pbx, login->name, &login->device.flow);
    }
    log_debug("pbx: %s logged in at trunk \"%s\" (expires_s=%u)", login->aor, login->trunk->conf->name, granted_s);
}

static void on_answer(struct pbx_answer *answer, struct server_tx *tx, void *arg)
{
    struct login *login = arg;

    if (answer->response && answer->status < 300) {
        take_accepted(login, tx, answer);
        return;
    }
    if (!answer->response) {
        log_peer("pbx: trunk \"%s\" does not answer the REGISTER of %s (status=%u)", login->trunk->conf->name,
                 login->aor, answer->status);
        text_add_str(answer->headers, "Retry-After: 10\r\n");
        stats_count(STAT_PBX_REFUSED);
        return;
    }
    if (answer->status != 401 && answer->status != 407)
        stats_count(STAT_PBX_REFUSED);
    pbx_guess_price(login->pbx, server_tx_flow(tx), &login->guess, answer);
}

/* ---- the way there ---- */

/* The same for the same device and Call-ID: the PBX sees one row of REGISTERs, as the device sends them. */
static void make_names(char call_id[static SIP_CALL_ID_MAX], char tag[static SIP_TAG_MAX], const struct login *login,
                       const struct sip_msg *msg)
{
    char text[1024];
    int n = print_into(text, sizeof(text), "%s|%.*s", login->name, (int)(msg->call_id.n < 900 ? msg->call_id.n : 900),
                       msg->call_id.p);
    uint64_t hash = map_hash(span_make(text, (size_t)n));

    print_into(call_id, SIP_CALL_ID_MAX, "%s.%016" PRIx64, login->name, hash);
    print_into(tag, SIP_TAG_MAX, "w%u.%016" PRIx64, login->pbx->calls->worker, hash * 31 + 7);
}

static void carry(struct login *login, struct server_tx *tx)
{
    const struct sip_msg *msg = server_tx_request(tx);
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX];
    struct text from, to, headers;

    text_init(&from, 1024);
    text_init(&to, 1024);
    text_init(&headers, 8192);
    make_names(call_id, tag, login, msg);
    pbx_write_name(&from, &msg->from);
    pbx_write_name(&to, &msg->to);
    if (login->removes_all)
        text_add_str(&headers, "Contact: *\r\n");
    if (!login->is_query)
        sip_write_headerf(&headers, "Expires", "%u", login->wanted_s);
    if (login->guess.is_there) /* else the PBX asks for others, and its challenge goes where these came from */
        pbx_write_credentials(&headers, msg);
    if (text_err(&from) || text_err(&to) || text_err(&headers)) {
        pbx_reply(tx, 400, "its headers are too long");
        mem_unref(login);
    } else {
        pbx_pass_send(&(struct pbx_pass_options){.pbx = login->pbx,
                                                 .tx = tx,
                                                 .trunk = login->trunk,
                                                 .head = {.method = SIP_REGISTER,
                                                          .uri = msg->request_uri,
                                                          .from = text_span(&from),
                                                          .to = text_span(&to),
                                                          .contact_user = span_of(login->name),
                                                          .has_no_contact = login->removes_all || login->is_query,
                                                          .call_id = call_id,
                                                          .tag = tag,
                                                          .cseq = msg->cseq},
                                                 .headers = text_span(&headers),
                                                 .on_answer = on_answer,
                                                 .arg_taken = login});
    }
    text_free(&from);
    text_free(&to);
    text_free(&headers);
}

static const char *check_room(const struct login *login)
{
    if (login->is_query || login->removes_all || !login->wanted_s)
        return NULL;
    return pbx_table_check(login->pbx->table, &(struct pbx_login){.trunk = login->trunk->conf,
                                                                  .aor = span_of(login->aor),
                                                                  .name = login->name,
                                                                  .device = &login->device});
}

void pbx_register_receive(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party, const char *account)
{
    struct login *login = mem_new(sizeof(*login), login_destroy);
    const char *why;

    if (!login) {
        pbx_reply(tx, 500, NULL);
        return;
    }
    login->pbx = pbx;
    login->directory = mem_ref(pbx->calls->directory);
    login->trunk = party->trunk;
    memcpy(login->aor, party->aor, sizeof(login->aor));
    span_copy(span_of(account), login->account, sizeof(login->account));
    login->device.flow = *server_tx_flow(tx);
    pbx_guess_read(&login->guess, pbx, server_tx_flow(tx), server_tx_request(tx), party);
    why = read_register(login, server_tx_request(tx));
    if (why) {
        pbx_reply(tx, 400, why);
        mem_unref(login);
        return;
    }
    why = check_room(login);
    if (why) {
        stats_count(STAT_PBX_REFUSED);
        pbx_reply(tx, 503, why);
        mem_unref(login);
        return;
    }
    carry(login, tx);
}

/* ---- logged out ---- */

struct logout {
    struct pbx *pbx;
    char name[PBX_NAME_MAX];
};

/* The digest of the last REGISTER fits this one as well: same method, same URI. A PBX that counts nc refuses it, and
 * its registration expires by itself; calls to it are refused here until then. */
static void on_logout(struct pbx_answer *answer, struct server_tx *tx, void *arg)
{
    struct logout *logout = arg;
    struct pbx_binding *binding = pbx_table_find(logout->pbx->table, span_of(logout->name));

    if (answer->response && answer->status < 300 && binding && binding->is_lost)
        pbx_binding_drop(binding);
}

void pbx_register_end(struct pbx_binding *binding, void *arg)
{
    struct pbx *pbx = arg;
    const struct trunk *trunk = directory_trunk(pbx->calls->directory, span_of(binding->trunk));
    struct logout *logout = trunk && binding->credentials[0] ? mem_new(sizeof(*logout), NULL) : NULL;
    struct text headers;

    if (!logout)
        return;
    logout->pbx = pbx;
    memcpy(logout->name, binding->name, sizeof(logout->name));
    text_init(&headers, 8192);
    text_add_str(&headers, "Expires: 0\r\n");
    text_add_str(&headers, binding->credentials);
    pbx_pass_send(&(struct pbx_pass_options){.pbx = pbx,
                                             .trunk = trunk,
                                             .head = {.method = SIP_REGISTER,
                                                      .uri = span_of(binding->registrar),
                                                      .from = span_of(binding->to),
                                                      .to = span_of(binding->to),
                                                      .contact_user = span_of(binding->name)},
                                             .headers = text_span(&headers),
                                             .on_answer = on_logout,
                                             .arg_taken = logout});
    text_free(&headers);
}
