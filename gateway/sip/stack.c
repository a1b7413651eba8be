/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c: SIP of one worker: whose message is it? Bytes -> owner -> transaction -> dialog or the user.
 * RFC 3261 8.2, 17, 18; knows no calls. Reads like the way of a message:
 * sip_receive > (other worker: posted) > receive_response | receive_request > gate > transaction > user. */
#include "sip/stack.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "sip/client_tx.h"
#include "sip/dialog.h"
#include "sip/held.h"
#include "sip/keep_alive.h"
#include "sip/server_tx.h"

#define AMPLIFICATION_MAX 2 /* times the size of an unproved request */

static struct sip_stack *stacks[WORKER_MAX];

struct sip_stack *sip_stack_of(unsigned worker)
{
    return worker < WORKER_MAX ? stacks[worker] : NULL;
}

/* ---- crossings: a whole message, or the news of a lost flow, for another worker ---- */

struct message_mail {
    struct mail mail;
    struct sip_flow flow;
    char account[SIP_ACCOUNT_MAX];
    size_t n;
    char bytes[];
};

static void receive_message_mail(struct worker *worker, struct mail *mail)
{
    struct message_mail *message = container_of(mail, struct message_mail, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack)
        sip_receive(stack, &message->flow, span_of(message->account), message->bytes, message->n);
    mem_unref(message);
}

static void post_message(unsigned owner, const struct sip_flow *flow, struct span account, const char *bytes, size_t n)
{
    struct worker *worker = worker_get(owner);
    struct message_mail *message = worker ? mem_new(sizeof(*message) + n, NULL) : NULL;

    if (!message)
        return;
    message->mail.receive = receive_message_mail;
    message->flow = *flow;
    span_copy(account, message->account, sizeof(message->account));
    message->n = n;
    memcpy(message->bytes, bytes, n);
    stats_count(STAT_SIP_STEERED);
    mailbox_post(worker, &message->mail);
}

struct lost_mail {
    struct mail mail;
    struct sip_flow flow;
    char account[SIP_ACCOUNT_MAX];
};

static void tell_flow_lost(struct sip_stack *stack, const struct sip_flow *flow, const char *account)
{
    client_tx_flow_lost(stack, flow);
    stack->user->on_flow_lost(flow, account, stack->user_arg);
}

static void receive_lost_mail(struct worker *worker, struct mail *mail)
{
    struct lost_mail *lost = container_of(mail, struct lost_mail, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack)
        tell_flow_lost(stack, &lost->flow, lost->account);
    mem_unref(lost);
}

void sip_stack_flow_lost(struct sip_stack *stack, const struct sip_flow *flow, const char *account)
{
    for (unsigned i = 0; i < worker_count(); i++) {
        struct worker *worker = worker_get(i);
        struct lost_mail *lost;

        if (i == stack->worker || !worker || !stacks[i])
            continue;
        lost = mem_new(sizeof(*lost), NULL);
        if (!lost)
            continue;
        lost->mail.receive = receive_lost_mail;
        lost->flow = *flow;
        span_copy(span_of(account), lost->account, sizeof(lost->account));
        mailbox_post(worker, &lost->mail);
    }
    tell_flow_lost(stack, flow, account);
}

/* ---- answers without state ---- */

/* The same for a retransmission, so that a peer sees one answer: RFC 3261 8.2.7. */
static void stateless_tag(char tag[static SIP_TAG_MAX], const struct sip_stack *stack, const struct sip_msg *request)
{
    size_t hash = map_hash(request->call_id) ^ (map_hash(request->from_tag) << 1) ^ map_hash(request->via.branch);

    snprintf(tag, SIP_TAG_MAX, "w%u.%zx", stack->worker, hash);
}

static void write_refusal(struct text *out, struct sip_stack *stack, const struct sip_msg *request,
                          const struct sip_verdict *verdict, const char *why)
{
    char tag[SIP_TAG_MAX];

    stateless_tag(tag, stack, request);
    text_reset(out);
    sip_write_response_head(out, request, verdict->status, sip_status_text(verdict->status), span_of(tag));
    if (why)
        sip_write_warning(out, SIP_AGENT, why);
    text_add(out, text_span(&verdict->headers));
    sip_write_body(out, SPAN_NULL, SPAN_NULL);
}

/* The source of a datagram may be forged: what it gets must not be worth the trouble. */
static bool would_amplify(const struct sip_flow *flow, const struct sip_msg *request, const struct text *out)
{
    return flow->transport == SIP_UDP && out->len > AMPLIFICATION_MAX * request->raw.n;
}

void sip_reply_stateless(struct sip_stack *stack, const struct sip_msg *request, const struct sip_flow *flow,
                         const struct sip_verdict *verdict)
{
    struct text out;

    stats_count(STAT_SIP_REFUSED);
    if (request->method == SIP_ACK || verdict->is_silent)
        return;
    text_init(&out, SIP_MSG_MAX);
    write_refusal(&out, stack, request, verdict, verdict->why);
    if (would_amplify(flow, request, &out))
        write_refusal(&out, stack, request, verdict, NULL);
    if (!text_err(&out) && !would_amplify(flow, request, &out)) {
        if (verdict->hold.ms)
            held_send(stack, flow, &verdict->hold, text_span(&out));
        else
            transport_send(stack->transports, flow, text_span(&out));
    }
    text_free(&out);
}

static void refuse(struct sip_stack *stack, const struct sip_msg *request, const struct sip_flow *flow, unsigned status,
                   const char *why)
{
    sip_reply_stateless(stack, request, flow, &(struct sip_verdict){.status = status, .why = why});
}

/* ---- what we write about ourselves ---- */

static void write_host_port(struct text *out, struct sip_stack *stack, const struct sip_flow *flow)
{
    char host[ADDR_TEXT_MAX];
    struct addr ours;

    if (sip_transport_is_web((enum sip_transport)flow->transport)) {
        text_add_str(out,
                     stack->conf->domain); /* a browser answers on its WebSocket, whatever stands here (RFC 7118 5) */
        return;
    }
    stack->user->advertise(&ours, &flow->local, &flow->remote, stack->user_arg);
    addr_host_text(&ours, host);
    uri_write_host(out, span_of(host));
    text_addf(out, ":%u", addr_port(&ours));
}

void sip_write_via(struct text *out, struct sip_stack *stack, const struct sip_flow *flow, const char *branch)
{
    text_addf(out, "Via: SIP/2.0/%s ", sip_transport_text((enum sip_transport)flow->transport));
    write_host_port(out, stack, flow);
    text_addf(out, ";branch=%s%s\r\n", branch, flow->transport == SIP_UDP ? ";rport" : "");
}

void sip_write_contact_with(struct text *out, struct sip_stack *stack, const struct sip_flow *flow, struct span user,
                            struct span param)
{
    text_add_str(out, "Contact: <sip:");
    uri_write_user(out, user.n ? user : SPAN("sipway"));
    text_add_char(out, '@');
    write_host_port(out, stack, flow);
    if (flow->transport != SIP_UDP)
        text_addf(out, ";transport=%s", sip_transport_param((enum sip_transport)flow->transport));
    text_add(out, param);
    text_add_str(out, ">\r\n");
}

void sip_write_contact(struct text *out, struct sip_stack *stack, const struct sip_flow *flow, struct span user)
{
    sip_write_contact_with(out, stack, flow, user, SPAN_NULL);
}

/* ---- responses ---- */

static void receive_response(struct sip_stack *stack, const struct sip_flow *flow, struct span account,
                             const struct sip_msg *msg)
{
    int owner = sip_branch_worker(msg->via.branch);
    struct client_tx *tx;

    if (owner >= 0 && owner != (int)stack->worker && (unsigned)owner < worker_count()) {
        post_message((unsigned)owner, flow, account, msg->raw.p, msg->raw.n);
        return;
    }
    tx = msg->via_count == 1 ? client_tx_find(stack, msg) : NULL; /* RFC 3261 8.1.3.3: not for us with two Vias */
    if (tx)
        client_tx_receive(tx, msg);
    else
        stats_count(STAT_SIP_STRAY);
}

/* ---- requests ---- */

static unsigned owner_of(struct sip_stack *stack, const struct sip_flow *flow, const struct sip_msg *msg)
{
    int named = msg->to_tag.n ? sip_tag_worker(msg->to_tag) : -1;
    unsigned owner;

    if (named >= 0)
        return (unsigned)named < worker_count() ? (unsigned)named : stack->worker;
    owner = stack->user->place(msg, flow, stack->user_arg);
    return owner < worker_count() ? owner : stack->worker;
}

static void receive_cancel(struct sip_stack *stack, const struct sip_flow *flow, const struct sip_msg *msg)
{
    struct server_tx *invite = server_tx_find_invite(stack, msg);
    struct server_tx *tx;

    /* Only from where the INVITE came: a stranger's guess of a branch must not end a call. */
    if (!invite || !addr_same_host(&server_tx_flow(invite)->remote, &flow->remote)) {
        refuse(stack, msg, flow, 481, "no such INVITE to cancel");
        return;
    }
    if (server_tx_new(&tx, stack, msg, flow))
        return;
    mem_ref(invite);
    server_tx_reply(tx, &(struct sip_reply){.status = 200, .to_tag = server_tx_tag(invite)});
    server_tx_receive_cancel(invite, msg);
    mem_unref(invite);
}

static void receive_in_dialog(struct sip_stack *stack, const struct sip_flow *flow, struct span account,
                              const struct sip_msg *msg)
{
    struct dialog *dialog = dialog_find(stack, msg);
    struct server_tx *tx = NULL;

    /* Nothing is touched before the source is known to be the leg's own; to strangers the dialog does not exist. */
    if (!dialog || !dialog->user->allows(dialog, flow, account, dialog->arg)) {
        if (msg->method == SIP_ACK)
            stats_count(STAT_SIP_STRAY);
        else
            refuse(stack, msg, flow, 481, "no such call");
        return;
    }
    mem_ref(dialog);
    if (msg->method == SIP_ACK || !server_tx_new(&tx, stack, msg, flow))
        dialog_receive(dialog, tx, msg);
    else
        refuse(stack, msg, flow, 503, "too many transactions");
    mem_unref(dialog);
}

static void receive_new(struct sip_stack *stack, const struct sip_flow *flow, struct span account,
                        const struct sip_msg *msg)
{
    struct sip_incoming incoming = {.msg = msg, .flow = flow, .account = account};
    struct sip_verdict verdict = {0};
    struct server_tx *tx;

    text_init(&verdict.headers, 4096);
    stack->user->admit(&incoming, &verdict, stack->user_arg);
    if (verdict.status || verdict.is_silent) {
        sip_reply_stateless(stack, msg, flow, &verdict);
    } else if (msg->method == SIP_INVITE && server_tx_is_merged(stack, msg)) {
        refuse(stack, msg, flow, 482, "this request came already by another way");
    } else if (server_tx_new(&tx, stack, msg, flow)) {
        refuse(stack, msg, flow, 503, "too many transactions");
    } else {
        mem_ref(tx);
        stack->user->on_request(tx, verdict.account, stack->user_arg);
        mem_unref(tx);
    }
    text_free(&verdict.headers);
}

static void receive_request(struct sip_stack *stack, const struct sip_flow *flow, struct span account,
                            const struct sip_msg *msg)
{
    unsigned owner = owner_of(stack, flow, msg);
    struct server_tx *tx;

    if (owner != stack->worker) {
        post_message(owner, flow, account, msg->raw.p, msg->raw.n);
        return;
    }
    tx = server_tx_find(stack, msg);
    if (msg->method == SIP_ACK && msg->to_tag.n && !(tx && server_tx_status(tx) >= 300))
        receive_in_dialog(stack, flow, account, msg); /* ACK of a 2xx, whatever its branch (RFC 3261 13.2.2.4) */
    else if (tx)
        server_tx_receive(tx, msg);
    else if (msg->method == SIP_CANCEL)
        receive_cancel(stack, flow, msg);
    else if (msg->to_tag.n)
        receive_in_dialog(stack, flow, account, msg);
    else if (msg->method == SIP_ACK)
        stats_count(STAT_SIP_STRAY);
    else
        receive_new(stack, flow, account, msg);
}

/* RFC 3261 18.2.1, RFC 3581 4: the source goes into the top Via, from where responses take it. The address also where
 * the sender only asked for rport; nothing where it told the truth. */
static void note_source(struct sip_stack *stack, struct sip_msg *msg, const struct sip_flow *flow)
{
    struct span host;

    if (flow->transport != SIP_UDP && flow->transport != SIP_TCP && flow->transport != SIP_TLS)
        return;
    host = span_of(addr_host_text(&flow->remote, stack->received));
    if (msg->via.has_rport)
        msg->via.rport = addr_port(&flow->remote);
    if (msg->via.has_rport || !span_ieq(msg->via.host, host))
        msg->via.received = host;
    else
        msg->via.received = SPAN_NULL; /* what the sender wrote there itself means nothing */
}

static void trace(const char *way, const struct sip_flow *flow, struct span bytes)
{
    char text[SIP_FLOW_TEXT_MAX];
    struct span line = bytes;

    if (!log_wants(LOG_DEBUG))
        return;
    line = span_cut(&line, '\r');
    log_debug("sip: %s %s %.*s", way, sip_flow_text(flow, text), (int)(line.n < 160 ? line.n : 160), line.p);
}

void sip_receive_headless(struct sip_stack *stack, const struct sip_flow *flow, char *bytes, size_t n)
{
    struct sip_msg *msg = &stack->scratch;
    const char *why = "Content-Length is missing or wrong on a stream";
    unsigned status = 400;

    stats_count(STAT_SIP_MALFORMED);
    if ((!sip_msg_parse(msg, bytes, n, &status, &why) && msg->is_request) || status)
        refuse(stack, msg, flow, 400, why);
}

void sip_receive(struct sip_stack *stack, const struct sip_flow *flow, struct span account, char *bytes, size_t n)
{
    struct sip_msg *msg = &stack->scratch;
    const char *why = "";
    unsigned status = 0;

    if (keep_alive_receive(stack, flow, bytes, n))
        return;
    stats_count(STAT_SIP_RECEIVED);
    trace("from", flow, span_make(bytes, n));
    if (sip_msg_parse(msg, bytes, n, &status, &why)) {
        char text[SIP_FLOW_TEXT_MAX];

        stats_count(STAT_SIP_MALFORMED);
        log_peer("sip: malformed message from %s: %s", sip_flow_text(flow, text), why);
        note_source(stack, msg, flow);
        if (status)
            refuse(stack, msg, flow, status, why);
    } else if (msg->is_request) {
        note_source(stack, msg, flow);
        receive_request(stack, flow, account, msg);
    } else {
        receive_response(stack, flow, account, msg);
    }
}

/* ---- birth and end ---- */

static void stack_destroy(void *self)
{
    struct sip_stack *stack = self;

    if (stacks[stack->worker] == stack)
        stacks[stack->worker] = NULL;
    stack->is_ending = true;
    client_tx_end_all(stack);
    server_tx_end_all(stack);
    held_end_all(stack);
    mem_unref(stack->keep);
    mem_unref(stack->transports);
    map_free(&stack->server_txs);
    map_free(&stack->merged);
    map_free(&stack->client_txs);
    map_free(&stack->dialogs);
    conf_unref(stack->conf);
}

int sip_stack_new(struct sip_stack **stackp, const struct stack_options *options, const char **why_out)
{
    struct sip_stack *stack = mem_new(sizeof(*stack), stack_destroy);
    unsigned t1_ms = options->conf->sip.t1_ms;
    int err;

    if (!stack)
        return -ENOMEM;
    stack->worker = options->worker;
    stack->user = options->user;
    stack->user_arg = options->user_arg;
    stack->timers = (struct sip_timers){.t1_ms = t1_ms, .t2_ms = 8 * t1_ms, .t4_ms = 10 * t1_ms};
    stack->wheel = worker_get(options->worker)->wheel;
    stack->conf = conf_ref(options->conf);
    stack->tx_limit = 100000;
    map_init(&stack->server_txs);
    map_init(&stack->merged);
    map_init(&stack->client_txs);
    map_init(&stack->dialogs);
    map_init(&stack->held);
    err = keep_alive_new(&stack->keep, stack);
    if (!err)
        err = transport_new(&stack->transports,
                            &(struct transport_options){.stack = stack,
                                                        .conf = options->conf,
                                                        .udp = options->udp,
                                                        .server_tls = options->server_tls,
                                                        .client_tls = options->client_tls,
                                                        .tls_clients = options->tls_clients},
                            why_out);
    if (err) {
        mem_unref(stack);
        return err;
    }
    stacks[options->worker] = stack;
    *stackp = stack;
    return 0;
}

void sip_stack_reload(struct sip_stack *stack, struct conf *conf)
{
    conf_unref(stack->conf);
    stack->conf = conf_ref(conf);
}
