/* SPDX-License-Identifier: Apache-2.0 */
/* client_tx.c: one SIP client transaction, from first send to final response or timeout.
 * RFC 3261 17.1, RFC 6026 (state Accepted). Knows retransmission timers; has never heard of calls or SDP.
 *
 *   CALLING --1xx--> PROCEEDING --2xx (INVITE)--> ACCEPTED --M--> over
 *      |  \______________/  |--300-699 (INVITE): ACK--> COMPLETED --D--> over
 *      B, F: 408            |--final (others)--> COMPLETED --K--> over                               */
#include "sip/client_tx.h"

#include <errno.h>

#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"

enum state { CALLING, PROCEEDING, ACCEPTED, COMPLETED, OVER };

struct client_tx {
    struct map_node node;
    char key[SIP_BRANCH_MAX + 16];
    struct sip_stack *stack;
    struct sip_flow flow;
    enum state state;
    enum sip_method method;
    bool is_reliable, wants_cancel, is_cancelled, is_lost;
    char *request;
    size_t request_bytes;
    char *reason_header; /* for the CANCEL */
    unsigned retransmit_ms;
    struct timer retransmit; /* timers A, E */
    struct timer end;        /* timers B, F, D, K, M */
    const struct client_tx_user *user;
    void *arg;
};

static void client_tx_destroy(void *self)
{
    struct client_tx *tx = self;

    timer_stop(&tx->retransmit);
    timer_stop(&tx->end);
    map_remove(&tx->node);
    mem_unref(tx->request);
    mem_unref(tx->reason_header);
    if (tx->stack)
        stats_add(STAT_SIP_TRANSACTIONS, -1);
}

static void finish(struct client_tx *tx)
{
    if (tx->state == OVER)
        return;
    tx->state = OVER;
    timer_stop(&tx->retransmit);
    timer_stop(&tx->end);
    map_remove(&tx->node);
    tx->user = NULL;
    mem_unref(tx);
}

static void fail(struct client_tx *tx, unsigned status, const char *why)
{
    const struct client_tx_user *user = tx->user;

    mem_ref(tx);
    finish(tx);
    if (user && user->on_fail)
        user->on_fail(tx, status, why, tx->arg);
    mem_unref(tx);
}

static void on_timeout(void *arg)
{
    struct client_tx *tx = arg;

    if (tx->is_lost && tx->state <= PROCEEDING)
        fail(tx, 503, "the connection to the other side is gone");
    else if (tx->is_cancelled)
        fail(tx, 487, "cancelled, and the other side never gave a final answer");
    else if (tx->state == CALLING)
        fail(tx, 408, "the other side did not answer at all");
    else if (tx->state == PROCEEDING)
        fail(tx, 408, "the other side gave no final answer in time");
    else
        finish(tx);
}

/* By a timer: the user is never called back from within its own call. */
static void lose(struct client_tx *tx)
{
    tx->is_lost = true;
    timer_stop(&tx->retransmit);
    timer_start(tx->stack->wheel, &tx->end, 0, on_timeout, tx);
}

static void send_request(struct client_tx *tx)
{
    int err = transport_send(tx->stack->transports, &tx->flow, span_make(tx->request, tx->request_bytes));

    if (err)
        lose(tx);
}

static void on_retransmit(void *arg)
{
    struct client_tx *tx = arg;
    unsigned cap = tx->method == SIP_INVITE ? 64 * tx->stack->timers.t1_ms : tx->stack->timers.t2_ms;

    send_request(tx);
    stats_count(STAT_SIP_RETRANSMITTED);
    if (tx->state == PROCEEDING ||
        tx->retransmit_ms * 2 > cap) /* RFC 3261 17.1.2.2: after a provisional answer every T2 */
        tx->retransmit_ms = cap;
    else
        tx->retransmit_ms *= 2;
    timer_start(tx->stack->wheel, &tx->retransmit, tx->retransmit_ms, on_retransmit, tx);
}

int client_tx_new(struct client_tx **txp, const struct client_tx_options *options)
{
    struct sip_stack *stack = options->stack;
    struct client_tx *tx;
    int n, err;

    if (stack->server_txs.count + stack->client_txs.count >= stack->tx_limit) {
        stats_count(STAT_SIP_LIMIT);
        return -EBUSY;
    }
    tx = mem_new(sizeof(*tx), client_tx_destroy);
    if (!tx)
        return -ENOMEM;
    tx->stack = stack;
    stats_add(STAT_SIP_TRANSACTIONS, 1);
    tx->flow = options->flow;
    tx->method = options->method;
    tx->user = options->user;
    tx->arg = options->arg;
    tx->is_reliable = sip_transport_is_reliable((enum sip_transport)options->flow.transport);
    tx->request = mem_text(options->request.p, options->request.n);
    tx->request_bytes = options->request.n;
    n = print_into(tx->key, sizeof(tx->key), "%s|%s", options->branch, sip_method_text(options->method));
    err = tx->request ? map_put(&stack->client_txs, &tx->node, span_make(tx->key, (size_t)n)) : -ENOMEM;
    if (err) {
        mem_unref(tx);
        return err;
    }
    timer_start(stack->wheel, &tx->end, options->wait_ms ? options->wait_ms : 64 * stack->timers.t1_ms, on_timeout,
                tx); /* timers B, F */
    if (!tx->is_reliable) {
        tx->retransmit_ms = stack->timers.t1_ms;
        timer_start(stack->wheel, &tx->retransmit, tx->retransmit_ms, on_retransmit, tx);
    }
    send_request(tx);
    if (txp)
        *txp = mem_ref(tx);
    return 0;
}

void client_tx_detach(struct client_tx *tx)
{
    if (tx)
        tx->user = NULL;
}

bool client_tx_is_over(const struct client_tx *tx)
{
    return tx->state == OVER;
}

/* ---- requests that belong to the INVITE: CANCEL (9.1) and the ACK of an error (17.1.1.3) ---- */

static void write_header_copy(struct text *out, const struct sip_msg *msg, enum sip_header_id id)
{
    const struct sip_header *header;
    unsigned i = 0;

    while ((header = sip_msg_next(msg, id, &i)))
        sip_write_header(out, sip_header_name(id), header->value);
}

/* Same Request-URI, top Via, From, Call-ID, CSeq number and Route as the INVITE; To is the response's for the ACK. */
static void write_companion(struct text *out, const struct sip_msg *invite, const char *method,
                            const struct sip_msg *response)
{
    sip_write_request_line(out, method, invite->request_uri);
    sip_write_header(out, "Via", sip_msg_value(invite, SIP_H_VIA));
    sip_write_header(out, "Max-Forwards", SPAN("70"));
    write_header_copy(out, invite, SIP_H_ROUTE);
    sip_write_header(out, "From", sip_msg_value(invite, SIP_H_FROM));
    sip_write_header(out, "To", sip_msg_value(response ? response : invite, SIP_H_TO));
    sip_write_header(out, "Call-ID", invite->call_id);
    sip_write_headerf(out, "CSeq", "%u %s", invite->cseq, method);
}

/* Parsing our own request again is rare (errors and CANCEL) and saves keeping it parsed. */
static int parse_own(struct sip_msg **msgp, char **rawp, const struct client_tx *tx)
{
    struct sip_msg *msg = mem_new(sizeof(*msg), NULL);
    char *raw = mem_text(tx->request, tx->request_bytes);
    unsigned status;
    const char *why;

    if (!msg || !raw || sip_msg_parse(msg, raw, tx->request_bytes, &status, &why)) {
        mem_unref(msg);
        mem_unref(raw);
        return -ENOMEM;
    }
    *msgp = msg;
    *rawp = raw;
    return 0;
}

static void send_ack(struct client_tx *tx, const struct sip_msg *response)
{
    struct sip_msg *invite;
    struct text out;
    char *raw;

    if (parse_own(&invite, &raw, tx))
        return;
    text_init(&out, SIP_MSG_MAX);
    write_companion(&out, invite, "ACK", response);
    sip_write_body(&out, SPAN_NULL, SPAN_NULL);
    if (!text_err(&out))
        transport_send(tx->stack->transports, &tx->flow, text_span(&out));
    text_free(&out);
    mem_unref(invite);
    mem_unref(raw);
}

static void send_cancel(struct client_tx *tx)
{
    struct client_tx_options options;
    struct sip_msg *invite;
    char branch[SIP_BRANCH_MAX];
    struct text out;
    char *raw;

    tx->is_cancelled = true;
    timer_start(tx->stack->wheel, &tx->end, 64 * tx->stack->timers.t1_ms, on_timeout, tx);
    if (parse_own(&invite, &raw, tx))
        return;
    text_init(&out, SIP_MSG_MAX);
    write_companion(&out, invite, "CANCEL", NULL);
    if (tx->reason_header)
        text_add_str(&out, tx->reason_header);
    sip_write_body(&out, SPAN_NULL, SPAN_NULL);
    span_copy(invite->via.branch, branch, sizeof(branch));
    options = (struct client_tx_options){
        .stack = tx->stack, .flow = tx->flow, .method = SIP_CANCEL, .branch = branch, .request = text_span(&out)};
    if (!text_err(&out))
        client_tx_new(NULL, &options);
    text_free(&out);
    mem_unref(invite);
    mem_unref(raw);
}

void client_tx_cancel(struct client_tx *tx, struct span reason_header)
{
    if (tx->state > PROCEEDING || tx->wants_cancel)
        return;
    tx->wants_cancel = true;
    tx->reason_header = reason_header.n ? mem_text(reason_header.p, reason_header.n) : NULL;
    if (tx->state == PROCEEDING)
        send_cancel(tx);
}

/* ---- responses ---- */

struct client_tx *client_tx_find(struct sip_stack *stack, const struct sip_msg *response)
{
    char key[SIP_BRANCH_MAX + 16];
    int n = print_into(key, sizeof(key), "%.*s|%s", SPAN_ARG(response->via.branch), sip_method_text(response->method));
    struct map_node *node;

    if (n >= (int)sizeof(key))
        return NULL;
    node = map_find(&stack->client_txs, span_make(key, (size_t)n));
    return node ? container_of(node, struct client_tx, node) : NULL;
}

static void tell(struct client_tx *tx, const struct sip_msg *response)
{
    if (tx->user)
        tx->user->on_response(tx, response, tx->arg);
}

static void receive_provisional(struct client_tx *tx, const struct sip_msg *response)
{
    if (tx->state > PROCEEDING)
        return;
    tx->state = PROCEEDING;
    if (tx->method == SIP_INVITE) {
        timer_stop(&tx->retransmit);
        if (!tx->is_cancelled)
            timer_stop(&tx->end); /* how long it may ring is the user's business */
        if (tx->wants_cancel && !tx->is_cancelled)
            send_cancel(tx);
    }
    tell(tx, response);
}

static void receive_invite_final(struct client_tx *tx, const struct sip_msg *response)
{
    struct sip_stack *stack = tx->stack;

    timer_stop(&tx->retransmit);
    if (response->status < 300) {
        if (tx->state == COMPLETED)
            return;
        if (tx->state != ACCEPTED)
            timer_start(stack->wheel, &tx->end, 64 * stack->timers.t1_ms, on_timeout, tx); /* timer M */
        tx->state = ACCEPTED;
        tell(tx, response);
        return;
    }
    if (tx->state == ACCEPTED)
        return;
    send_ack(tx, response);
    if (tx->state == COMPLETED)
        return;
    tx->state = COMPLETED;
    timer_start(stack->wheel, &tx->end, tx->is_reliable ? 0 : 64 * stack->timers.t1_ms, on_timeout, tx); /* timer D */
    tell(tx, response);
}

static void receive_other_final(struct client_tx *tx, const struct sip_msg *response)
{
    if (tx->state == COMPLETED)
        return;
    tx->state = COMPLETED;
    timer_stop(&tx->retransmit);
    timer_start(tx->stack->wheel, &tx->end, tx->is_reliable ? 0 : tx->stack->timers.t4_ms, on_timeout,
                tx); /* timer K */
    tell(tx, response);
}

void client_tx_receive(struct client_tx *tx, const struct sip_msg *response)
{
    mem_ref(tx);
    if (response->status < 200)
        receive_provisional(tx, response);
    else if (tx->method == SIP_INVITE)
        receive_invite_final(tx, response);
    else
        receive_other_final(tx, response);
    mem_unref(tx);
}

void client_tx_flow_lost(struct sip_stack *stack, const struct sip_flow *flow)
{
    struct map_node *node, *next;

    for (node = map_next(&stack->client_txs, NULL); node; node = next) {
        struct client_tx *tx = container_of(node, struct client_tx, node);

        next = map_next(&stack->client_txs, node);
        if (tx->state <= PROCEEDING && sip_flow_same(&tx->flow, flow))
            lose(tx);
    }
}

void client_tx_end_all(struct sip_stack *stack)
{
    struct map_node *node;

    while ((node = map_next(&stack->client_txs, NULL)))
        fail(container_of(node, struct client_tx, node), 503, "the SIP stack goes down");
}
