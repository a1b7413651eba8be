/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c: a question to the trunk and its answer: OPTIONS, REGISTER. RFC 3261 8.1, 17.1.2, 22.2. Knows not what the
 * answer means. */
#include "probe/ask.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "sip/auth_out.h"
#include "sip/client_tx.h"
#include "sip/outside.h"

#define HEADERS_MAX 512

struct ask {
    struct ask_options options;
    char *uri, *from, *to;
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX];
    uint32_t cseq;
    struct auth_out *auth;
    struct client_tx *tx;
    char headers[HEADERS_MAX];
    bool has_contact, was_challenged;
    uint64_t sent_us, answered_us;
};

static void drop_tx(struct ask *ask)
{
    client_tx_detach(ask->tx);
    ask->tx = mem_unref(ask->tx);
}

static void ask_destroy(void *self)
{
    struct ask *ask = self;

    drop_tx(ask);
    mem_unref(ask->auth);
    mem_unref(ask->uri);
    mem_unref(ask->from);
    mem_unref(ask->to);
}

const char *ask_user_name(const struct probe *probe)
{
    return probe->trunk->username ? probe->trunk->username : "sipway";
}

void ask_write_identity(struct text *out, const struct probe *probe, const char *host)
{
    text_add_str(out, "<sip:");
    uri_write_user(out, span_of(ask_user_name(probe)));
    text_add_char(out, '@');
    uri_write_host(out, span_of(host));
    text_add_char(out, '>');
}

static int send_try(struct ask *ask);

/* @return sent again */
static bool answers_challenge(struct ask *ask, const struct sip_msg *response)
{
    if (!auth_out_is_challenge(response))
        return false;
    ask->was_challenged = true;
    if (auth_out_take(ask->auth, response))
        return false;
    drop_tx(ask);
    return send_try(ask) == 0;
}

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    struct ask *ask = arg;

    if (response->status < 200 || ask->options.probe->is_moving)
        return;
    ask->answered_us = clock_now_us();
    if (!ask->options.is_aside)
        probe_note_answer(ask->options.probe, response);
    mem_ref(ask);
    if (!answers_challenge(ask, response)) {
        if (!auth_out_is_challenge(response))
            auth_out_succeed(ask->auth);
        drop_tx(ask);
        ask->options.user->on_answer(ask, response, ask->options.arg);
    }
    mem_unref(ask);
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    struct ask *ask = arg;

    mem_ref(ask);
    drop_tx(ask);
    if (!ask->options.probe->is_moving)
        ask->options.user->on_silence(ask, status, why, ask->options.arg);
    mem_unref(ask);
}

static const struct client_tx_user tx_user = {.on_response = on_response, .on_fail = on_fail};

static int write_request(struct text *out, struct ask *ask, char branch[static SIP_BRANCH_MAX])
{
    int err;

    outside_write_head(out,
                       &(struct outside){.stack = ask->options.probe->house->stack,
                                         .flow = ask->options.flow,
                                         .method = ask->options.method,
                                         .uri = span_of(ask->uri),
                                         .from = span_of(ask->from),
                                         .to = span_of(ask->to),
                                         .contact_user = span_of(ask_user_name(ask->options.probe)),
                                         .has_no_contact = !ask->has_contact,
                                         .call_id = ask->call_id,
                                         .tag = ask->tag,
                                         .cseq = ++ask->cseq},
                       branch);
    text_add_str(out, ask->headers);
    err = auth_out_write(ask->auth, out, ask->options.method, span_of(ask->uri));
    sip_write_body(out, SPAN_NULL, SPAN_NULL);
    return err ? err : text_err(out);
}

static int send_try(struct ask *ask)
{
    char branch[SIP_BRANCH_MAX];
    struct text out;
    int err;

    text_init(&out, SIP_MSG_MAX);
    err = write_request(&out, ask, branch);
    ask->sent_us = clock_now_us();
    if (!err)
        err = client_tx_new(&ask->tx, &(struct client_tx_options){.stack = ask->options.probe->house->stack,
                                                                  .flow = ask->options.flow,
                                                                  .method = ask->options.method,
                                                                  .branch = branch,
                                                                  .request = text_span(&out),
                                                                  .user = &tx_user,
                                                                  .arg = ask});
    text_free(&out);
    return err;
}

int ask_send(struct ask *ask, struct span headers, bool has_contact)
{
    if (span_copy(headers, ask->headers, sizeof(ask->headers)) < 0)
        return -EMSGSIZE;
    ask->has_contact = has_contact;
    drop_tx(ask);
    auth_out_begin(ask->auth);
    return send_try(ask);
}

double ask_took_ms(const struct ask *ask)
{
    return (double)(ask->answered_us - ask->sent_us) / 1000;
}

bool ask_was_challenged(const struct ask *ask)
{
    return ask->was_challenged;
}

static char *copy(struct span s)
{
    return mem_text(s.p ? s.p : "", s.n);
}

int ask_new(struct ask **askp, const struct ask_options *options)
{
    struct ask *ask = mem_new(sizeof(*ask), ask_destroy);
    const struct conf_trunk *trunk = options->probe->trunk;
    int err = -ENOMEM;

    if (!ask)
        return -ENOMEM;
    ask->options = *options;
    ask->cseq = rand_u32() % 10000;
    outside_make_names(options->probe->house->stack, ask->call_id, ask->tag);
    ask->uri = copy(options->uri);
    ask->from = copy(options->from);
    ask->to = copy(options->to);
    if (ask->uri && ask->from && ask->to)
        err = auth_out_new(&ask->auth, trunk->username, trunk->password);
    if (err) {
        mem_unref(ask);
        return err;
    }
    *askp = ask;
    return 0;
}

int ask_new_options(struct ask **askp, struct ask_options *options)
{
    struct probe *probe = options->probe;
    struct text from, to;
    int err;

    text_init(&from, 1024);
    text_init(&to, 1024);
    ask_write_identity(&from, probe, probe->house->conf->domain);
    text_addf(&to, "<%s>", probe->trunk->uri);
    err = text_err(&from) ? text_err(&from) : text_err(&to);
    options->method = SIP_OPTIONS;
    options->uri = span_of(probe->trunk->uri);
    options->from = text_span(&from);
    options->to = text_span(&to);
    if (!err)
        err = ask_new(askp, options);
    text_free(&from);
    text_free(&to);
    return err;
}
