/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_pass.c: one request outside of dialogs, carried to the PBX or to a device, and its answer carried back. RFC 3261
 * 8, 22, RFC 3263 4.3. Knows neither who may send what, nor what the answer means. */
#include "call/pbx_pass.h"

#include <errno.h>

#include "base/mem.h"
#include "base/stats.h"
#include "sip/client_tx.h"

#define PASS_MAX         4096 /* of one worker */
#define PASS_UDP_MAX     512  /* of these over UDP, where the source may be forged */
#define PASS_SOURCE_MAX  256  /* of one address */
#define PASS_FLOW_MAX    8    /* of users over one connection: an address may be everybody's */
#define PASS_HELD_MAX    4096 /* refusals that wait, which are none of these */
#define HEAD_BYTES       128  /* what an answer has beside those lines and what it repeats of the request */
#define PASS_PATIENCE_T1 24   /* so many T1: the sender waits 64 */

struct pbx_pass {
    struct list link;
    struct pbx *pbx;
    struct server_tx *tx;
    struct directory *directory; /* holds the trunk */
    const struct trunk *trunk;
    struct outside_copy own;
    char *headers;
    struct locate *locate;
    struct locate_tries tries;
    struct client_tx *out;
    struct timer patience, hold;
    struct peer_slot *slot;
    bool is_udp, is_counted;
    pbx_answer_fn *on_answer;
    void *arg;

    /* a held answer */
    struct list held_link;
    size_t whose;
    unsigned status;
    char reason[64];
    const char *why;
    char *answer_headers;
};

/* Its place is free for others. Idempotent. */
static void leave(struct pbx_pass *pass)
{
    if (pass->is_counted) {
        stats_add(STAT_PBX_REQUESTS, -1);
        pass->pbx->pass_count--;
        pass->pbx->udp_pass_count -= pass->is_udp;
    }
    pass->is_counted = false;
    pass->slot = peer_slot_leave(pass->slot);
}

static void pass_destroy(void *self)
{
    struct pbx_pass *pass = self;

    timer_stop(&pass->patience);
    timer_stop(&pass->hold);
    list_remove(&pass->link);
    if (list_is_linked(&pass->held_link))
        pass->pbx->held_count--;
    list_remove(&pass->held_link);
    leave(pass);
    mem_unref(pass->locate);
    client_tx_detach(pass->out);
    mem_unref(pass->out);
    outside_copy_free(&pass->own);
    if (pass->headers)
        mem_wipe(pass->headers, strlen(pass->headers));
    mem_unref(pass->headers);
    mem_unref(pass->answer_headers);
    mem_unref(pass->directory);
    mem_unref(pass->tx);
    mem_unref(pass->arg);
}

void pbx_pass_end_all(struct pbx *pbx)
{
    struct list *link, *tmp;

    list_each (link, tmp, &pbx->passes)
        mem_unref(container_of(link, struct pbx_pass, link));
}

bool pbx_pass_is_full(const struct pbx *pbx, const struct sip_flow *flow)
{
    return pbx->pass_count >= PASS_MAX || (flow->transport == SIP_UDP && pbx->udp_pass_count >= PASS_UDP_MAX);
}

bool pbx_pass_is_held(const struct pbx *pbx, const struct sip_flow *flow, size_t whose)
{
    struct list *link, *tmp;

    list_each (link, tmp, &pbx->held) {
        const struct pbx_pass *pass = container_of(link, struct pbx_pass, held_link);

        if (pass->whose == whose && sip_flow_same(server_tx_flow(pass->tx), flow))
            return true;
    }
    return false;
}

/* ---- what is passed ---- */

void pbx_write_lines(struct text *out, const struct sip_msg *msg, enum sip_header_id id)
{
    const struct sip_header *header;
    unsigned i = 0;

    while ((header = sip_msg_next(msg, id, &i)))
        sip_write_header(out, sip_header_name(id), header->value);
}

void pbx_write_credentials(struct text *out, const struct sip_msg *request)
{
    pbx_write_lines(out, request, SIP_H_AUTHORIZATION);
    pbx_write_lines(out, request, SIP_H_PROXY_AUTHORIZATION);
}

void pbx_write_passed(struct text *out, const struct sip_msg *request)
{
    static const enum sip_header_id ids[] = {
        SIP_H_EVENT,
        SIP_H_EXPIRES,
        SIP_H_ACCEPT,
        SIP_H_SUPPORTED,
        SIP_H_SIP_IF_MATCH,
        SIP_H_SUBSCRIPTION_STATE,
        SIP_H_CONTENT_DISPOSITION,
        SIP_H_CONTENT_ENCODING,
        SIP_H_MIME_VERSION,
        SIP_H_SUBJECT,
        SIP_H_DATE,
        SIP_H_IN_REPLY_TO,
        SIP_H_PRIVACY,
    };

    for (unsigned i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        pbx_write_lines(out, request, ids[i]);
}

void pbx_write_answered(struct text *out, const struct sip_msg *response)
{
    static const enum sip_header_id ids[] = {
        SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE, SIP_H_AUTHENTICATION_INFO,
        SIP_H_MIN_EXPIRES,      SIP_H_RETRY_AFTER,        SIP_H_UNSUPPORTED,
        SIP_H_ACCEPT,           SIP_H_ALLOW_EVENTS,       SIP_H_SIP_ETAG,
    };

    for (unsigned i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        pbx_write_lines(out, response, ids[i]);
    if (response->method != SIP_REGISTER)
        pbx_write_lines(out, response, SIP_H_EXPIRES);
}

/* ---- the answer ---- */

static void reply(struct pbx_pass *pass, unsigned status, const char *reason, const char *why, struct span headers)
{
    const struct sip_msg *request = server_tx_request(pass->tx);

    /* The source of a datagram may be forged: what it gets must not be worth the trouble. */
    if (pass->is_udp && status >= 300 && headers.n + HEAD_BYTES > request->raw.n)
        headers = SPAN_NULL;
    server_tx_reply(pass->tx, &(struct sip_reply){.status = status, .reason = reason, .why = why, .headers = headers});
}

static void on_held(void *arg)
{
    struct pbx_pass *pass = arg;

    reply(pass, pass->status, pass->reason[0] ? pass->reason : NULL, pass->why, span_of(pass->answer_headers));
    mem_unref(pass);
}

static void hold(struct pbx_pass *pass, const struct pbx_answer *answer)
{
    leave(pass);
    timer_stop(&pass->patience);
    pass->status = answer->status;
    pass->why = answer->response ? NULL : answer->why;
    pass->answer_headers = text_take(answer->headers);
    pass->whose = answer->whose;
    list_append(&pass->pbx->held, &pass->held_link);
    pass->pbx->held_count++;
    timer_start(pass->pbx->calls->stack->wheel, &pass->hold, answer->hold_ms, on_held, pass);
}

/* The last word: the pass is gone after it, or waits to say it. */
static void finish(struct pbx_pass *pass, unsigned status, const struct sip_msg *response, const char *why)
{
    struct text headers;
    struct pbx_answer answer = {.status = status, .response = response, .why = why, .headers = &headers};

    text_init(&headers, 16384);
    if (response)
        pbx_write_answered(&headers, response);
    if (response && status >= 300 && status < 400) {
        answer.status = 502;
        answer.why = "the other side redirects the request, which is not followed";
    }
    if (pass->on_answer)
        pass->on_answer(&answer, pass->tx, pass->arg);
    if (response && answer.status == status)
        span_copy(span_sub(response->reason, 0, sizeof(pass->reason) - 1), pass->reason, sizeof(pass->reason));
    if (text_err(&headers))
        text_reset(&headers);
    if (answer.hold_ms && pass->pbx->held_count >= PASS_HELD_MAX) {
        stats_count(STAT_SIP_HELD_LIMIT);
        answer = (struct pbx_answer){.status = 503, .why = "too many wrong passwords, ask again later"};
        text_reset(&headers);
        text_add_str(&headers, "Retry-After: 10\r\n");
        pass->reason[0] = '\0';
    }
    if (pass->tx && answer.hold_ms) {
        hold(pass, &answer);
    } else {
        if (pass->tx)
            reply(pass, answer.status, pass->reason[0] ? pass->reason : NULL, answer.why, text_span(&headers));
        mem_unref(pass);
    }
    text_free(&headers);
}

unsigned pbx_no_answer(bool is_to_device, unsigned status, const char **why_out)
{
    if (is_to_device) {
        *why_out = "the device does not answer";
        return 480;
    }
    *why_out = status == 408 ? "the PBX did not answer in time" : "the PBX cannot be reached";
    return status == 408 ? 504 : 503;
}

static void fail(struct pbx_pass *pass, unsigned status)
{
    const char *why;

    status = pbx_no_answer(!pass->trunk, status, &why);
    finish(pass, status, NULL, why);
}

static void on_patience(void *arg)
{
    struct pbx_pass *pass = arg;

    if (pass->trunk && pass->out)
        locate_note(pass->pbx->calls->stack, &pass->own.head.flow, true);
    fail(pass, 408);
}

/* ---- sending ---- */

static bool try_next(struct pbx_pass *pass);

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    struct pbx_pass *pass = arg;

    if (response->status < 200)
        return;
    if (pass->trunk)
        locate_note(pass->pbx->calls->stack, &pass->own.head.flow, false);
    finish(pass, response->status, response, NULL);
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    struct pbx_pass *pass = arg;

    if (pass->trunk)
        locate_note(pass->pbx->calls->stack, &pass->own.head.flow, true);
    if (!pass->trunk || !try_next(pass))
        fail(pass, status);
}

static const struct client_tx_user tx_user = {.on_response = on_response, .on_fail = on_fail};

static void write_request(struct text *out, struct pbx_pass *pass, char branch[static SIP_BRANCH_MAX])
{
    const struct sip_msg *request = pass->tx ? server_tx_request(pass->tx) : NULL;

    outside_write_head(out, &pass->own.head, branch);
    text_add_str(out, pass->headers);
    if (request)
        sip_write_body(out, sip_msg_value(request, SIP_H_CONTENT_TYPE), request->body);
    else
        sip_write_body(out, SPAN_NULL, SPAN_NULL);
}

static int send_over(struct pbx_pass *pass, const struct sip_flow *flow)
{
    char branch[SIP_BRANCH_MAX];
    struct text out;
    int err;

    client_tx_detach(pass->out);
    pass->out = mem_unref(pass->out);
    pass->own.head.flow = *flow;
    text_init(&out, SIP_MSG_MAX);
    write_request(&out, pass, branch);
    err = text_err(&out);
    if (!err)
        err = client_tx_new(&pass->out, &(struct client_tx_options){
                                            .stack = pass->own.head.stack,
                                            .flow = *flow,
                                            .method = pass->own.head.method,
                                            .branch = branch,
                                            .request = text_span(&out),
                                            .wait_ms = locate_tries_has_more(&pass->tries) ? LOCATE_SILENT_MS : 0,
                                            .user = &tx_user,
                                            .arg = pass});
    text_free(&out);
    return err;
}

static bool try_next(struct pbx_pass *pass)
{
    struct sip_flow flow;

    return locate_tries_open(&pass->tries, &flow, pass->pbx->calls->stack, &pass->trunk->peer) &&
           !send_over(pass, &flow);
}

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct pbx_pass *pass = arg;

    locate_tries_begin(&pass->tries, pass->pbx->calls->stack, targets, err ? 0 : count);
    if (!try_next(pass))
        fail(pass, 503);
}

bool pbx_open_hop(struct calls *calls, const struct trunk *trunk, struct span uri, struct sip_flow *flow)
{
    enum sip_transport transport = SIP_UDP;
    struct addr addr;

    return trunk_find_hop(trunk, uri, &transport, &addr) &&
           !transport_flow_to(flow, calls->stack->transports, transport, &addr, &trunk->peer);
}

static void begin(struct pbx_pass *pass, const struct pbx_pass_options *options)
{
    struct calls *calls = pass->pbx->calls;
    struct sip_flow flow;

    mem_ref(pass); /* it may fail at once */
    timer_start(calls->stack->wheel, &pass->patience, PASS_PATIENCE_T1 * calls->stack->timers.t1_ms, on_patience, pass);
    if (options->flow || pbx_open_hop(calls, pass->trunk, options->next_hop, &flow)) {
        if (send_over(pass, options->flow ? options->flow : &flow))
            fail(pass, 503);
    } else if (locate_begin(&pass->locate, calls->stack, calls->dns, &pass->trunk->wish, on_located, pass)) {
        fail(pass, 503);
    }
    mem_unref(pass);
}

/* ---- birth ---- */

static int copy_texts(struct pbx_pass *pass, const struct pbx_pass_options *options)
{
    struct outside head = options->head;

    head.stack = options->pbx->calls->stack;
    pass->headers = mem_text(options->headers.p, options->headers.n);
    return outside_copy(&pass->own, &head) || !pass->headers ? -ENOMEM : 0;
}

static bool has_flow_many(const struct pbx *pbx, const struct sip_flow *flow)
{
    struct list *link, *tmp;
    unsigned count = 0;

    list_each (link, tmp, &pbx->passes) {
        const struct pbx_pass *pass = container_of(link, struct pbx_pass, link);

        if (pass->tx && pass->trunk && pass->is_counted && sip_flow_same(server_tx_flow(pass->tx), flow) &&
            ++count >= PASS_FLOW_MAX)
            return true;
    }
    return false;
}

/* @return 0; -ENOMEM; -EBUSY: its source has too many on their way */
static int count(struct pbx_pass *pass)
{
    struct pbx *pbx = pass->pbx;
    const struct sip_flow *flow = pass->tx ? server_tx_flow(pass->tx) : NULL;

    if (flow) {
        pass->is_udp = flow->transport == SIP_UDP;
        if (pbx_pass_is_full(pbx, flow) || (pass->trunk && has_flow_many(pbx, flow)))
            return -EBUSY;
        if (peer_counts_enter(&pass->slot, pbx->sources, &flow->remote, PASS_SOURCE_MAX))
            return -EBUSY;
    }
    pass->is_counted = true;
    pbx->pass_count++;
    pbx->udp_pass_count += pass->is_udp;
    stats_add(STAT_PBX_REQUESTS, 1);
    list_append(&pbx->passes, &pass->link);
    return 0;
}

void pbx_pass_send(const struct pbx_pass_options *options)
{
    struct pbx_pass *pass = mem_new(sizeof(*pass), pass_destroy);
    int err = pass ? 0 : -ENOMEM;

    if (pass) {
        pass->pbx = options->pbx;
        pass->tx = mem_ref(options->tx);
        pass->directory = mem_ref(options->pbx->calls->directory);
        pass->trunk = options->trunk;
        pass->on_answer = options->on_answer;
        pass->arg = options->arg_taken;
        err = copy_texts(pass, options);
        if (!err)
            err = count(pass);
    } else {
        mem_unref(options->arg_taken);
    }
    if (!err) {
        begin(pass, options);
        return;
    }
    if (options->tx)
        pbx_reply(options->tx, 503, err == -EBUSY ? "too many requests are on their way" : "no memory");
    mem_unref(pass);
}
