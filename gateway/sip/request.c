/* SPDX-License-Identifier: Apache-2.0 */
/* request.c: one request within a dialog, its challenge answered (auth_out.c). RFC 3261 12.2.1. Knows no INVITE usage.
 */
#include "sip/request.h"

#include <errno.h>

#include "base/mem.h"
#include "sip/auth_out.h"

struct request {
    struct dialog *dialog;
    enum sip_method method;
    char *headers, *content_type, *body;
    size_t body_bytes;
    struct auth_out *auth;
    uint32_t cseq;
    struct client_tx *tx;
    const struct request_user *user;
    void *arg;
    bool is_self_held, is_cancelled;
};

static void request_destroy(void *self)
{
    struct request *request = self;

    client_tx_detach(request->tx);
    mem_unref(request->tx);
    mem_unref(request->headers);
    mem_unref(request->content_type);
    mem_unref(request->body);
    mem_unref(request->auth);
    mem_unref(request->dialog);
}

/* The request keeps itself alive from the first send until its transaction cannot say anything any more. */
static void let_go(struct request *request)
{
    if (!request->is_self_held)
        return;
    request->is_self_held = false;
    mem_unref(request);
}

static int send_try(struct request *request);

/* @return 0: sent again; else the challenge is the final answer */
static int answer_challenge(struct request *request, const struct sip_msg *response)
{
    int err;

    if (request->is_cancelled)
        return -ECANCELED; /* nobody wants this INVITE any more: sent again, it would ring on */
    err = auth_out_take(request->auth, response);
    if (err)
        return err;
    client_tx_detach(request->tx);
    request->tx = mem_unref(request->tx);
    return send_try(request);
}

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    struct request *request = arg;

    mem_ref(request);
    request->dialog->is_heard = true;
    if (!auth_out_is_challenge(response) || answer_challenge(request, response)) {
        if (request->user)
            request->user->on_response(request, response, request->arg);
        /* A 2xx of INVITE may come again from another fork: stay until the transaction ends. */
        if (response->status >= 200 && (request->method != SIP_INVITE || response->status >= 300))
            let_go(request);
    }
    mem_unref(request);
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    struct request *request = arg;

    mem_ref(request);
    if (request->user)
        request->user->on_fail(request, status, why, request->arg);
    let_go(request);
    mem_unref(request);
}

static const struct client_tx_user tx_user = {.on_response = on_response, .on_fail = on_fail};

static int send_try(struct request *request)
{
    struct client_tx_options options;
    char branch[SIP_BRANCH_MAX];
    struct text out;
    int err;

    text_init(&out, SIP_MSG_MAX);
    dialog_write_request(&out, request->dialog, request->method, 0, branch);
    request->cseq = request->dialog->local_cseq;
    text_add_str(&out, request->headers);
    err = auth_out_write(request->auth, &out, request->method, dialog_request_uri(request->dialog));
    sip_write_body(&out, span_of(request->content_type), span_make(request->body, request->body_bytes));
    if (!err)
        err = text_err(&out);
    options = (struct client_tx_options){.stack = request->dialog->stack,
                                         .flow = request->dialog->flow,
                                         .method = request->method,
                                         .branch = branch,
                                         .request = text_span(&out),
                                         .user = &tx_user,
                                         .arg = request};
    if (!err)
        err = client_tx_new(&request->tx, &options);
    text_free(&out);
    return err;
}

static char *copy(struct span s)
{
    return mem_text(s.p ? s.p : "", s.n);
}

int request_send(struct request **requestp, const struct request_options *options)
{
    struct request *request = mem_new(sizeof(*request), request_destroy);
    int err;

    if (!request)
        return -ENOMEM;
    request->dialog = mem_ref(options->dialog);
    request->method = options->method;
    request->user = options->user;
    request->arg = options->arg;
    request->headers = copy(options->headers);
    request->content_type = copy(options->content_type);
    request->body = copy(options->body);
    request->body_bytes = options->body.n;
    err = request->headers && request->content_type && request->body ? 0 : -ENOMEM;
    if (!err)
        err = auth_out_new(&request->auth, options->username, options->password);
    if (!err)
        err = send_try(request);
    if (err) {
        mem_unref(request);
        return err;
    }
    request->is_self_held = true;
    if (requestp)
        *requestp = mem_ref(request);
    return 0;
}

void request_detach(struct request *request)
{
    if (!request)
        return;
    request->user = NULL;
    if (request->method == SIP_INVITE)
        let_go(request); /* its transaction absorbs what still comes */
}

void request_cancel(struct request *request, struct span reason_header)
{
    if (!request || !request->tx || request->method != SIP_INVITE)
        return;
    request->is_cancelled = true;
    client_tx_cancel(request->tx, reason_header);
}

uint32_t request_cseq(const struct request *request)
{
    return request->cseq;
}

struct span request_authorization(const struct request *request)
{
    return auth_out_line(request->auth);
}
