/* SPDX-License-Identifier: Apache-2.0 */
/* server_tx.c: one SIP server transaction, from its request to the end of its timers.
 * RFC 3261 17.2, RFC 6026, RFC 4320. Knows retransmission timers; has never heard of calls or SDP.
 *
 *   TRYING --1xx--> PROCEEDING --2xx (INVITE)--> ACCEPTED --L--> over
 *      \________________|--300-699 (INVITE)--> COMPLETED --ACK--> CONFIRMED --I--> over
 *                       |                          \--H (no ACK)--> over
 *                       \--final (others)--> COMPLETED --J--> over                                  */
#include "sip/server_tx.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"

enum state { TRYING, PROCEEDING, ACCEPTED, COMPLETED, CONFIRMED, OVER };

struct server_tx {
    struct map_node node;
    struct map_node merged_node;
    char *key, *merged_key;
    struct sip_stack *stack;
    struct sip_flow flow;
    enum state state;
    bool is_invite, is_reliable;
    unsigned status;
    char tag[SIP_TAG_MAX];
    char *response; /* last one sent */
    size_t response_bytes;
    unsigned retransmit_ms;
    struct timer retransmit; /* timer G; before the first response: the 100 */
    struct timer end;        /* timers H, I, J, L */
    const struct server_tx_user *user;
    void *arg;
    char *raw;
    char received[ADDR_TEXT_MAX]; /* of the top Via, as the stack noted it */
    struct sip_msg *request;
};

static void server_tx_destroy(void *self)
{
    struct server_tx *tx = self;

    timer_stop(&tx->retransmit);
    timer_stop(&tx->end);
    map_remove(&tx->node);
    map_remove(&tx->merged_node);
    mem_unref(tx->key);
    mem_unref(tx->merged_key);
    mem_unref(tx->response);
    mem_unref(tx->request);
    mem_unref(tx->raw);
    if (tx->stack)
        stats_add(STAT_SIP_TRANSACTIONS, -1);
}

/* RFC 3261 17.2.3: branch, sent-by, and the method (ACK matches its INVITE). A peer of RFC 2543 has no unique branch:
 * then the call, the caller's tag and the CSeq tell one request from another. */
static int write_key(char *buf, size_t size_bytes, const struct sip_msg *msg, enum sip_method method)
{
    struct span name = method == SIP_METHOD_OTHER ? msg->method_text : span_of(sip_method_text(method));
    int n = print_into(buf, size_bytes, "%.*s|%.*s:%u|%.*s", SPAN_ARG(msg->via.branch), SPAN_ARG(msg->via.host),
                       msg->via.port, SPAN_ARG(name));

    if (n < (int)size_bytes && !span_starts(msg->via.branch, SPAN("z9hG4bK")))
        n += print_into(buf + n, size_bytes - (size_t)n, "|%.*s|%.*s|%u", SPAN_ARG(msg->call_id),
                        SPAN_ARG(msg->from_tag), msg->cseq);
    return n < (int)size_bytes ? n : (int)size_bytes - 1;
}

/* A name of ours in the Request-URI stands for one device (call/pbx_table.h): a call forked to two of them is two. */
static int write_merged_key(char *buf, size_t size_bytes, const struct sip_msg *msg)
{
    struct span device = sip_tag_worker(msg->uri.user) >= 0 ? msg->uri.user : SPAN_NULL;
    int n = print_into(buf, size_bytes, "%.*s|%.*s|%u|%.*s", SPAN_ARG(msg->call_id), SPAN_ARG(msg->from_tag), msg->cseq,
                       SPAN_ARG(device));

    return n < (int)size_bytes ? n : (int)size_bytes - 1;
}

static struct span move(struct span s, const char *from, const char *to)
{
    if (s.p)
        s.p = to + (s.p - from);
    return s;
}

static void move_uri(struct uri *uri, const char *from, const char *to)
{
    struct span *spans[] = {&uri->text, &uri->user, &uri->password, &uri->host, &uri->params, &uri->headers};

    for (unsigned i = 0; i < sizeof(spans) / sizeof(*spans); i++)
        *spans[i] = move(*spans[i], from, to);
}

static void move_name_addr(struct name_addr *addr, const char *from, const char *to)
{
    addr->display = move(addr->display, from, to);
    addr->uri_text = move(addr->uri_text, from, to);
    addr->params = move(addr->params, from, to);
    move_uri(&addr->uri, from, to);
}

static void move_via(struct via *via, const char *from, const char *to)
{
    struct span *spans[] = {&via->transport, &via->host, &via->branch, &via->received, &via->params};

    for (unsigned i = 0; i < sizeof(spans) / sizeof(*spans); i++)
        *spans[i] = move(*spans[i], from, to);
}

/* A kept copy of a parsed message: bytes copied, every span moved into them, the header array cut to what is used. */
static int keep_request(struct server_tx *tx, const struct sip_msg *msg)
{
    size_t size = offsetof(struct sip_msg, header) + msg->header_count * sizeof(msg->header[0]);
    const char *from = msg->raw.p, *to;
    struct sip_msg *copy;

    tx->raw = mem_text(msg->raw.p, msg->raw.n);
    tx->request = copy = mem_new(size, NULL);
    if (!tx->raw || !copy)
        return -ENOMEM;
    memcpy(copy, msg, size);
    to = tx->raw;
    copy->raw = move(copy->raw, from, to);
    copy->method_text = move(copy->method_text, from, to);
    copy->request_uri = move(copy->request_uri, from, to);
    copy->reason = move(copy->reason, from, to);
    copy->body = move(copy->body, from, to);
    copy->from_tag = move(copy->from_tag, from, to);
    copy->to_tag = move(copy->to_tag, from, to);
    copy->call_id = move(copy->call_id, from, to);
    move_uri(&copy->uri, from, to);
    span_copy(msg->via.received, tx->received, sizeof(tx->received));
    move_via(&copy->via, from, to);
    copy->via.received = span_of(tx->received);
    move_name_addr(&copy->from, from, to);
    move_name_addr(&copy->to, from, to);
    for (unsigned i = 0; i < copy->header_count; i++) {
        copy->header[i].name = move(copy->header[i].name, from, to);
        copy->header[i].value = move(copy->header[i].value, from, to);
    }
    return 0;
}

static void finish(struct server_tx *tx)
{
    const struct server_tx_user *user = tx->user;

    if (tx->state == OVER)
        return;
    tx->state = OVER;
    timer_stop(&tx->retransmit);
    timer_stop(&tx->end);
    map_remove(&tx->node);
    map_remove(&tx->merged_node);
    tx->user = NULL;
    if (user && user->on_end)
        user->on_end(tx, tx->arg);
    mem_unref(tx);
}

static void on_end_timer(void *arg)
{
    finish(arg);
}

static void send_response(struct server_tx *tx)
{
    transport_send(tx->stack->transports, &tx->flow, span_make(tx->response, tx->response_bytes));
}

/* RFC 3261 17.2.1: 100 within 200 ms unless the user answers before. */
static void on_trying_timer(void *arg)
{
    struct server_tx *tx = arg;

    if (tx->state == TRYING)
        server_tx_reply(tx, &(struct sip_reply){.status = 100});
}

/* Timer G: an error answer to INVITE is repeated over UDP until the ACK. */
static void on_retransmit_timer(void *arg)
{
    struct server_tx *tx = arg;

    send_response(tx);
    stats_count(STAT_SIP_RETRANSMITTED);
    tx->retransmit_ms =
        tx->retransmit_ms * 2 < tx->stack->timers.t2_ms ? tx->retransmit_ms * 2 : tx->stack->timers.t2_ms;
    timer_start(tx->stack->wheel, &tx->retransmit, tx->retransmit_ms, on_retransmit_timer, tx);
}

static int link_keys(struct server_tx *tx, const struct sip_msg *request)
{
    char buf[1024];
    int n = write_key(buf, sizeof(buf), request, request->method), err;

    tx->key = mem_text(buf, (size_t)n);
    if (!tx->key)
        return -ENOMEM;
    err = map_put(&tx->stack->server_txs, &tx->node, span_make(tx->key, (size_t)n));
    if (err || !tx->is_invite || request->to_tag.n)
        return err;
    n = write_merged_key(buf, sizeof(buf), request);
    tx->merged_key = mem_text(buf, (size_t)n);
    if (!tx->merged_key)
        return -ENOMEM;
    return map_put(&tx->stack->merged, &tx->merged_node, span_make(tx->merged_key, (size_t)n));
}

int server_tx_new(struct server_tx **txp, struct sip_stack *stack, const struct sip_msg *request,
                  const struct sip_flow *flow)
{
    struct server_tx *tx;
    int err;

    if (stack->server_txs.count + stack->client_txs.count >= stack->tx_limit) {
        stats_count(STAT_SIP_LIMIT);
        return -EBUSY;
    }
    tx = mem_new(sizeof(*tx), server_tx_destroy);
    if (!tx)
        return -ENOMEM;
    tx->stack = stack;
    stats_add(STAT_SIP_TRANSACTIONS, 1);
    tx->flow = *flow;
    tx->is_invite = request->method == SIP_INVITE;
    tx->is_reliable = sip_transport_is_reliable((enum sip_transport)flow->transport);
    sip_tag_make(tx->tag, stack);
    err = keep_request(tx, request);
    if (!err)
        err = link_keys(tx, request);
    if (err) {
        mem_unref(tx);
        return err;
    }
    if (tx->is_invite)
        timer_start(stack->wheel, &tx->retransmit, 200, on_trying_timer, tx);
    *txp = tx;
    return 0;
}

void server_tx_set_user(struct server_tx *tx, const struct server_tx_user *user, void *arg)
{
    tx->user = user;
    tx->arg = arg;
}

const struct sip_msg *server_tx_request(const struct server_tx *tx)
{
    return tx->request;
}

const struct sip_flow *server_tx_flow(const struct server_tx *tx)
{
    return &tx->flow;
}

struct sip_stack *server_tx_stack(const struct server_tx *tx)
{
    return tx->stack;
}

struct span server_tx_tag(const struct server_tx *tx)
{
    return span_of(tx->tag);
}

unsigned server_tx_status(const struct server_tx *tx)
{
    return tx->status;
}

void server_tx_resend(struct server_tx *tx)
{
    if (!tx->response)
        return;
    send_response(tx);
    stats_count(STAT_SIP_RETRANSMITTED);
}

static void enter_final_invite(struct server_tx *tx, unsigned status)
{
    unsigned long_ms = 64 * tx->stack->timers.t1_ms;

    timer_stop(&tx->retransmit);
    if (status < 300) {
        tx->state = ACCEPTED;
        timer_start(tx->stack->wheel, &tx->end, long_ms, on_end_timer, tx); /* timer L */
        return;
    }
    tx->state = COMPLETED;
    timer_start(tx->stack->wheel, &tx->end, long_ms, on_end_timer, tx); /* timer H */
    if (!tx->is_reliable) {
        tx->retransmit_ms = tx->stack->timers.t1_ms;
        timer_start(tx->stack->wheel, &tx->retransmit, tx->retransmit_ms, on_retransmit_timer, tx);
    }
}

static void enter_final_other(struct server_tx *tx)
{
    tx->state = COMPLETED;
    timer_start(tx->stack->wheel, &tx->end, tx->is_reliable ? 0 : 64 * tx->stack->timers.t1_ms, on_end_timer,
                tx); /* J */
}

static int write_reply(struct server_tx *tx, const struct sip_reply *reply)
{
    struct text out;
    struct span tag = reply->to_tag.n ? reply->to_tag : span_of(tx->tag);

    text_init(&out, SIP_MSG_MAX);
    sip_write_response_head(&out, tx->request, reply->status,
                            reply->reason ? reply->reason : sip_status_text(reply->status),
                            reply->status > 100 ? tag : SPAN_NULL);
    if (reply->has_contact)
        sip_write_contact(&out, tx->stack, &tx->flow, SPAN_NULL);
    if (reply->why)
        sip_write_warning(&out, SIP_AGENT, reply->why);
    text_add(&out, reply->headers);
    sip_write_body(&out, reply->content_type, reply->body);
    if (text_err(&out)) {
        int err = text_err(&out);

        text_free(&out);
        return err;
    }
    mem_unref(tx->response);
    tx->response_bytes = out.len;
    tx->response = text_take(&out);
    return tx->response ? 0 : -ENOMEM;
}

int server_tx_reply(struct server_tx *tx, const struct sip_reply *reply)
{
    int err;

    if (tx->state != TRYING && tx->state != PROCEEDING)
        return -EPROTO;
    err = write_reply(tx, reply);
    if (err)
        return err;
    tx->status = reply->status;
    send_response(tx);
    if (reply->status < 200) {
        tx->state = PROCEEDING;
        timer_stop(&tx->retransmit);
    } else if (tx->is_invite) {
        enter_final_invite(tx, reply->status);
    } else {
        enter_final_other(tx);
    }
    return 0;
}

struct server_tx *server_tx_find(struct sip_stack *stack, const struct sip_msg *request)
{
    char buf[1024];
    enum sip_method method = request->method == SIP_ACK ? SIP_INVITE : request->method;
    int n = write_key(buf, sizeof(buf), request, method);
    struct map_node *node = map_find(&stack->server_txs, span_make(buf, (size_t)n));

    return node ? container_of(node, struct server_tx, node) : NULL;
}

struct server_tx *server_tx_find_invite(struct sip_stack *stack, const struct sip_msg *cancel)
{
    char buf[1024];
    int n = write_key(buf, sizeof(buf), cancel, SIP_INVITE);
    struct map_node *node = map_find(&stack->server_txs, span_make(buf, (size_t)n));

    return node ? container_of(node, struct server_tx, node) : NULL;
}

bool server_tx_is_merged(struct sip_stack *stack, const struct sip_msg *request)
{
    char buf[1024];
    int n = write_merged_key(buf, sizeof(buf), request);

    return map_find(&stack->merged, span_make(buf, (size_t)n)) != NULL;
}

void server_tx_receive(struct server_tx *tx, const struct sip_msg *request)
{
    if (request->method == SIP_ACK) {
        if (tx->state != COMPLETED)
            return; /* ACCEPTED: the ACK of a 2xx is the dialog's (stack.c asks it first) */
        tx->state = CONFIRMED;
        timer_stop(&tx->retransmit);
        timer_start(tx->stack->wheel, &tx->end, tx->is_reliable ? 0 : tx->stack->timers.t4_ms, on_end_timer,
                    tx); /* I */
        return;
    }
    if ((tx->state == PROCEEDING || tx->state == COMPLETED) && tx->response)
        server_tx_resend(tx);
    /* TRYING, ACCEPTED (RFC 6026 7.1), CONFIRMED: absorbed */
}

void server_tx_receive_cancel(struct server_tx *invite, const struct sip_msg *cancel)
{
    if ((invite->state == TRYING || invite->state == PROCEEDING) && invite->user && invite->user->on_cancel)
        invite->user->on_cancel(invite, cancel, invite->arg);
}

void server_tx_end_all(struct sip_stack *stack)
{
    struct map_node *node;

    while ((node = map_next(&stack->server_txs, NULL)))
        finish(container_of(node, struct server_tx, node));
}
