/* SPDX-License-Identifier: Apache-2.0 */
/* errand.c: one request outside of dialogs to its final answer. RFC 3261 8.1, 22.2. Knows not what it asks for. */
#include "sip/errand.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "sip/auth_out.h"
#include "sip/client_tx.h"

struct errand {
    struct outside head; /* its spans point into the texts below */
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX];
    char *uri, *from, *to, *contact_user, *headers, *content_type, *body;
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
    mem_unref(errand->uri);
    mem_unref(errand->from);
    mem_unref(errand->to);
    mem_unref(errand->contact_user);
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
    errand->head.cseq++;
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
    outside_write_head(&out, &errand->head, branch);
    text_add_str(&out, errand->headers);
    err = auth_out_write(errand->auth, &out, errand->head.method, errand->head.uri);
    sip_write_body(&out, span_of(errand->content_type), span_make(errand->body, errand->body_bytes));
    if (!err)
        err = text_err(&out);
    if (!err)
        err = client_tx_new(&errand->tx, &(struct client_tx_options){.stack = errand->head.stack,
                                                                     .flow = errand->head.flow,
                                                                     .method = errand->head.method,
                                                                     .branch = branch,
                                                                     .request = text_span(&out),
                                                                     .user = &tx_user,
                                                                     .arg = errand});
    text_free(&out);
    return err;
}

static int copy(char **textp, struct span *viewp, struct span s)
{
    *textp = mem_text(s.p ? s.p : "", s.n);
    if (!*textp)
        return -ENOMEM;
    if (viewp)
        *viewp = span_make(*textp, s.n);
    return 0;
}

static int copy_texts(struct errand *errand, const struct errand_options *options)
{
    struct outside *head = &errand->head;
    int err = copy(&errand->uri, &head->uri, options->head.uri);

    if (!err)
        err = copy(&errand->from, &head->from, options->head.from);
    if (!err)
        err = copy(&errand->to, &head->to, options->head.to);
    if (!err)
        err = copy(&errand->contact_user, &head->contact_user, options->head.contact_user);
    if (!err)
        err = copy(&errand->headers, NULL, options->headers);
    if (!err)
        err = copy(&errand->content_type, NULL, options->content_type);
    if (!err)
        err = copy(&errand->body, NULL, options->body);
    errand->body_bytes = options->body.n;
    return err;
}

static void name(struct errand *errand, const struct outside *head)
{
    outside_make_names(head->stack, errand->call_id, errand->tag);
    if (head->call_id) {
        snprintf(errand->call_id, sizeof(errand->call_id), "%s", head->call_id);
        snprintf(errand->tag, sizeof(errand->tag), "%s", head->tag);
    } else {
        errand->head.cseq = 1;
    }
    errand->head.call_id = errand->call_id;
    errand->head.tag = errand->tag;
}

int errand_send(struct errand **errandp, const struct errand_options *options)
{
    struct errand *errand = mem_new(sizeof(*errand), errand_destroy);
    int err;

    if (!errand)
        return -ENOMEM;
    errand->head = options->head;
    errand->done = options->done;
    errand->arg = options->arg;
    name(errand, &options->head);
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
