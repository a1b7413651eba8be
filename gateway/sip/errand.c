/* SPDX-License-Identifier: Apache-2.0 */
/* errand.c: one request outside of dialogs to its final answer. RFC 3261 8.1, 22.2. Knows not what it asks for. */
#include "sip/errand.h"

#include <errno.h>

#include "base/mem.h"
#include "sip/auth_out.h"
#include "sip/client_tx.h"

struct errand {
    struct outside_copy own;
    char *headers, *content_type, *body;
    size_t body_bytes;
    struct auth_out *auth;
    struct client_tx *tx;
    errand_fn *done;
    void *arg;
};

static void errand_destroy(void *self)
{
    struct errand *errand = self;

    client_tx_detach(errand->tx);
    mem_unref(errand->tx);
    mem_unref(errand->auth);
    outside_copy_free(&errand->own);
    mem_unref(errand->headers);
    mem_unref(errand->content_type);
    mem_unref(errand->body);
}

static void finish(struct errand *errand, unsigned status, struct span reason)
{
    errand_fn *done = errand->done;

    errand->done = NULL;
    if (done)
        done(errand, status, reason, errand->arg);
}

static int send_try(struct errand *errand);

/* @return 0: sent again; else the challenge is the final answer */
static int answer_challenge(struct errand *errand, const struct sip_msg *response)
{
    int err = auth_out_take(errand->auth, response);

    if (err)
        return err;
    client_tx_detach(errand->tx);
    errand->tx = mem_unref(errand->tx);
    errand->own.head.cseq++;
    return send_try(errand);
}

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    struct errand *errand = arg;

    if (response->status < 200)
        return;
    mem_ref(errand);
    if (!auth_out_is_challenge(response) || answer_challenge(errand, response))
        finish(errand, response->status, response->reason);
    mem_unref(errand);
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    struct errand *errand = arg;

    mem_ref(errand);
    finish(errand, status, span_of(why));
    mem_unref(errand);
}

static const struct client_tx_user tx_user = {.on_response = on_response, .on_fail = on_fail};

static int send_try(struct errand *errand)
{
    char branch[SIP_BRANCH_MAX];
    struct text out;
    int err;

    text_init(&out, SIP_MSG_MAX);
    outside_write_head(&out, &errand->own.head, branch);
    text_add_str(&out, errand->headers);
    err = auth_out_write(errand->auth, &out, errand->own.head.method, errand->own.head.uri);
    sip_write_body(&out, span_of(errand->content_type), span_make(errand->body, errand->body_bytes));
    if (!err)
        err = text_err(&out);
    if (!err)
        err = client_tx_new(&errand->tx, &(struct client_tx_options){.stack = errand->own.head.stack,
                                                                     .flow = errand->own.head.flow,
                                                                     .method = errand->own.head.method,
                                                                     .branch = branch,
                                                                     .request = text_span(&out),
                                                                     .user = &tx_user,
                                                                     .arg = errand});
    text_free(&out);
    return err;
}

static int copy_texts(struct errand *errand, const struct errand_options *options)
{
    errand->headers = mem_text(options->headers.p, options->headers.n);
    errand->content_type = mem_text(options->content_type.p, options->content_type.n);
    errand->body = mem_text(options->body.p, options->body.n);
    errand->body_bytes = options->body.n;
    return errand->headers && errand->content_type && errand->body ? 0 : -ENOMEM;
}

int errand_send(struct errand **errandp, const struct errand_options *options)
{
    struct errand *errand = mem_new(sizeof(*errand), errand_destroy);
    int err;

    if (!errand)
        return -ENOMEM;
    errand->done = options->done;
    errand->arg = options->arg;
    err = outside_copy(&errand->own, &options->head);
    if (!err)
        err = copy_texts(errand, options);
    if (!err)
        err = auth_out_new(&errand->auth, options->username, options->password);
    if (!err)
        err = send_try(errand);
    if (err) {
        mem_unref(errand);
        return err;
    }
    *errandp = errand;
    return 0;
}
