/* SPDX-License-Identifier: Apache-2.0 */
/* registrar.c: the registrar: a REGISTER changes the bindings of its account. RFC 3261 10.3, RFC 5626 6.
 * The account has proved itself before (guard.c). Knows no calls, but tells them who came back. */
#include "call/registrar.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/call.h"
#include "call/home.h"
#include "call/location.h"
#include "sip/keep_alive.h"
#include "sip/params.h"
#include "sip/register_in.h"

/* One REGISTER while the store works on it. */
struct registration {
    struct calls *calls;
    struct server_tx *tx;
    char account[SIP_ACCOUNT_MAX];
    struct register_in reg;
    struct bindings former;            /* as they were before */
    struct sip_flow left[BINDING_MAX]; /* of bindings that are elsewhere now */
    unsigned left_count;
    unsigned status; /* of a refusal by edit() */
    const char *why;
};

static void registration_destroy(void *self)
{
    struct registration *registration = self;

    mem_unref(registration->tx);
}

static void reply(struct server_tx *tx, unsigned status, const char *why, struct span headers)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why, .headers = headers});
}

static bool is_same_uri(const struct binding *binding, struct span contact)
{
    struct uri left, right;

    return !uri_parse(&left, span_of(binding->contact)) && !uri_parse(&right, contact) && uri_same(&left, &right);
}

/* Instance and reg-id name a binding (RFC 5626 6). A phone that tells its instance and no reg-id has one binding here:
 * it comes back after a restart with another port, and two phones behind two NATs may have the same private address. */
static bool is_same_contact(const struct binding *binding, const struct register_contact *contact)
{
    char instance[BINDING_INSTANCE_MAX];

    if (!contact->instance.n || !binding->instance[0])
        return is_same_uri(binding, contact->uri);
    span_copy(span_sub(contact->instance, 0, sizeof(instance) - 1), instance, sizeof(instance));
    return binding->reg_id == contact->reg_id && !strcmp(binding->instance, instance);
}

/* Of this very REGISTER? Several contacts of one phone in one message are several bindings. */
static bool is_of(const struct binding *binding, const struct sip_msg *msg)
{
    return binding->cseq == msg->cseq &&
           span_eq(span_of(binding->call_id), span_sub(msg->call_id, 0, sizeof(binding->call_id) - 1));
}

static struct binding *find_binding(struct bindings *bindings, const struct register_contact *contact,
                                    const struct sip_msg *msg)
{
    for (unsigned i = 0; i < bindings->count; i++) {
        struct binding *binding = &bindings->items[i];

        if (is_of(binding, msg) && !contact->reg_id ? is_same_uri(binding, contact->uri)
                                                    : is_same_contact(binding, contact))
            return binding;
    }
    return NULL;
}

static void remove_binding(struct bindings *bindings, const struct binding *binding)
{
    unsigned at = (unsigned)(binding - bindings->items);

    for (unsigned i = at + 1; i < bindings->count; i++)
        bindings->items[i - 1] = bindings->items[i];
    bindings->count--;
}

static int refuse(struct registration *registration, unsigned status, const char *why)
{
    registration->status = status;
    registration->why = why;
    return -EPROTO;
}

static int add_binding(struct registration *registration, struct bindings *bindings, struct binding *binding,
                       const struct register_contact *contact)
{
    const struct sip_msg *msg = server_tx_request(registration->tx);
    unsigned limit = registration->calls->conf->sip.max_bindings;

    if (!binding) {
        if (bindings->count >= limit || bindings->count >= BINDING_MAX)
            return refuse(registration, 403, "too many contacts are registered for this account");
        binding = &bindings->items[bindings->count++];
    } else if (!sip_flow_same(&binding->flow, server_tx_flow(registration->tx))) {
        registration->left[registration->left_count++] = binding->flow;
    }
    *binding = (struct binding){.reg_id = contact->reg_id,
                                .cseq = msg->cseq,
                                .q_milli = (uint16_t)contact->q_milli,
                                .registered_wall_ms = clock_wall_us() / 1000,
                                .expires_wall_ms = clock_wall_us() / 1000 + contact->expires_s * 1000ull,
                                .flow = *server_tx_flow(registration->tx)};
    if (span_copy(contact->uri, binding->contact, sizeof(binding->contact)) < 0)
        return refuse(registration, 400, "the contact is too long");
    span_copy(span_sub(contact->instance, 0, BINDING_INSTANCE_MAX - 1), binding->instance, sizeof(binding->instance));
    span_copy(span_sub(msg->call_id, 0, sizeof(binding->call_id) - 1), binding->call_id, sizeof(binding->call_id));
    return 0;
}

/* RFC 3261 10.3 steps 6 and 7: a lower CSeq of the same Call-ID is late, and changes nothing. */
static bool is_late(const struct binding *binding, const struct sip_msg *msg)
{
    return span_eq(span_of(binding->call_id), span_sub(msg->call_id, 0, sizeof(binding->call_id) - 1)) &&
           msg->cseq <= binding->cseq;
}

static int remove_all(struct registration *registration, struct bindings *bindings)
{
    for (unsigned i = 0; i < bindings->count; i++)
        if (is_late(&bindings->items[i], server_tx_request(registration->tx)))
            return refuse(registration, 500, "this REGISTER is older than the one before");
    bindings->count = 0;
    return 0;
}

static int edit(struct bindings *bindings, void *arg)
{
    struct registration *registration = arg;
    const struct register_in *reg = &registration->reg;
    const struct sip_msg *msg = server_tx_request(registration->tx);

    registration->former = *bindings;
    registration->left_count = 0;
    if (reg->removes_all)
        return remove_all(registration, bindings);
    for (unsigned i = 0; i < reg->contact_count; i++) {
        const struct register_contact *contact = &reg->contacts[i];
        struct binding *binding = find_binding(bindings, contact, msg);
        int err;

        if (binding && is_late(binding, msg))
            return refuse(registration, 500, "this REGISTER is older than the one before");
        if (!contact->expires_s) {
            if (binding)
                remove_binding(bindings, binding);
            continue;
        }
        err = add_binding(registration, bindings, binding, contact);
        if (err)
            return err;
    }
    return 0;
}

static void write_bindings(struct text *out, const struct bindings *bindings)
{
    uint64_t now_ms = clock_wall_us() / 1000;

    for (unsigned i = 0; i < bindings->count; i++) {
        const struct binding *binding = &bindings->items[i];

        text_addf(out, "Contact: <%s>;expires=%llu", binding->contact,
                  (unsigned long long)((binding->expires_wall_ms - now_ms + 999) / 1000));
        if (binding->instance[0])
            text_addf(out, ";+sip.instance=\"<%s>\";reg-id=%u", binding->instance, binding->reg_id);
        text_add_str(out, "\r\n");
    }
}

static bool is_outbound(const struct register_in *reg)
{
    return reg->contact_count == 1 && reg->contacts[0].reg_id && reg->contacts[0].instance.n;
}

/* RFC 5626 6: who understands it is told that its flow is used, and how often it has to keep a connection alive. */
static void write_outbound(struct text *out, struct registration *registration)
{
    const struct sip_msg *msg = server_tx_request(registration->tx);
    const struct sip_flow *flow = server_tx_flow(registration->tx);
    unsigned timer_s = registration->calls->conf->sip.flow_timer_s;

    if (!is_outbound(&registration->reg))
        return;
    text_add_str(out, "Require: outbound\r\nSupported: outbound\r\n");
    if (!timer_s || !sip_msg_has_token(msg, SIP_H_SUPPORTED, SPAN("outbound")) ||
        (flow->transport != SIP_TCP && flow->transport != SIP_TLS))
        return;
    text_addf(out, "Flow-Timer: %u\r\n", timer_s);
    transport_expect_pings(registration->calls->stack->transports, flow, timer_s * 1500);
}

static const struct binding *find_flow(const struct bindings *bindings, const struct sip_flow *flow)
{
    for (unsigned i = 0; i < bindings->count; i++)
        if (sip_flow_same(&bindings->items[i].flow, flow))
            return &bindings->items[i];
    return NULL;
}

/* Does it not know its own address, as it is seen from here? */
static bool is_behind_nat(const struct binding *binding)
{
    struct addr own;
    struct uri uri;

    if (uri_parse(&uri, span_of(binding->contact)) || addr_parse(&own, uri.host, uri.port ? uri.port : 5060))
        return true;
    return !addr_eq(&own, &binding->flow.remote);
}

static void keep_flows(struct registration *registration, const struct bindings *bindings)
{
    struct sip_stack *stack = registration->calls->stack;
    const struct sip_flow *flow = server_tx_flow(registration->tx);
    const struct binding *binding = find_flow(bindings, flow);

    if (binding)
        keep_alive_put(stack, flow, binding->expires_wall_ms - clock_wall_us() / 1000,
                       !find_flow(&registration->former, flow), is_behind_nat(binding));
    for (unsigned i = 0; i < registration->former.count; i++)
        if (!find_flow(bindings, &registration->former.items[i].flow))
            keep_alive_drop(stack, &registration->former.items[i].flow);
}

/* The connection now belongs to the account; calls of the device go on over it that lost theirs, or that it has left.
 */
static void take_over_flow(struct registration *registration, const struct bindings *bindings)
{
    const struct sip_flow *flow = server_tx_flow(registration->tx);
    const struct binding *binding = find_flow(bindings, flow);

    transport_set_account(registration->calls->stack->transports, flow, span_of(registration->account));
    for (unsigned i = 0; i < bindings->count; i++)
        if (sip_flow_same(&bindings->items[i].flow, flow))
            call_account_is_back(registration->account, &bindings->items[i]);
    for (unsigned i = 0; binding && i < registration->left_count; i++)
        call_account_moved(registration->account, &registration->left[i], binding);
}

static void tell_home(struct registration *registration)
{
    struct home_news news = {.kind = HOME_REGISTERED};

    span_copy(span_of(registration->account), news.account, sizeof(news.account));
    home_tell(registration->calls, &news);
}

static void on_changed(int err, const struct bindings *bindings, void *arg)
{
    struct registration *registration = arg;
    struct text headers;

    if (registration->status) {
        reply(registration->tx, registration->status, registration->why, SPAN_NULL);
    } else if (err) {
        reply(registration->tx, 503, "the registration could not be stored", SPAN_NULL);
    } else {
        stats_count(STAT_REGISTRATIONS);
        text_init(&headers, 8192);
        write_bindings(&headers, bindings);
        write_outbound(&headers, registration);
        keep_flows(registration, bindings);
        take_over_flow(registration, bindings);
        reply(registration->tx, 200, NULL, text_span(&headers));
        text_free(&headers);
        tell_home(registration);
        log_debug("account %s: registered (contacts=%u)", registration->account, bindings->count);
    }
    mem_unref(registration);
}

static void refuse_parsed(struct calls *calls, struct server_tx *tx, unsigned status, const char *why)
{
    char headers[40] = "";

    if (status == 423)
        snprintf(headers, sizeof(headers), "Min-Expires: %u\r\n", calls->conf->sip.min_expires_s);
    reply(tx, status, why, span_of(headers));
}

void registrar_receive(struct calls *calls, struct server_tx *tx, const char *account)
{
    const struct sip_msg *msg = server_tx_request(tx);
    struct registration *registration;
    char to_user[SIP_ACCOUNT_MAX];
    unsigned status;
    const char *why;

    if (uri_decode(msg->to.uri.user, to_user, sizeof(to_user)) < 0 || strcmp(to_user, account)) {
        reply(tx, 403, "an account may register only itself", SPAN_NULL);
        return;
    }
    registration = mem_new(sizeof(*registration), registration_destroy);
    if (!registration) {
        reply(tx, 500, NULL, SPAN_NULL);
        return;
    }
    registration->calls = calls;
    registration->tx = mem_ref(tx);
    span_copy(span_of(account), registration->account, sizeof(registration->account));
    if (register_in_parse(
            &registration->reg, msg,
            &(struct register_limits){.min_s = calls->conf->sip.min_expires_s, .max_s = calls->conf->sip.max_expires_s},
            &status, &why)) {
        refuse_parsed(calls, tx, status, why);
        mem_unref(registration);
        return;
    }
    location_change(&(struct location_change){.store = calls->store,
                                              .account = span_of(registration->account),
                                              .edit = edit,
                                              .done = on_changed,
                                              .arg = registration});
}
