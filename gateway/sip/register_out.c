/* SPDX-License-Identifier: Apache-2.0 */
/* register_out.c: keeps one registration at a registrar. RFC 3261 10.2, challenges by auth_out.c. Has never heard of
 * trunks.
 *
 *   TRYING --200--> REGISTERED --refused, no answer--> FAILED --pause, 200--> REGISTERED
 *   any --register_out_end()--> (Expires: 0 is sent) --final answer or none--> ENDED        */
#include "sip/register_out.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "sip/auth_out.h"
#include "sip/client_tx.h"
#include "sip/outside.h"
#include "sip/params.h"

#define WISH_S        3600   /* asked for, unless the registrar wants longer ones */
#define WISH_MAX_S    604800 /* a Min-Expires above a week is nonsense */
#define PAUSE_MS      10000  /* after the first failure; doubles with each one */
#define PAUSE_AUTH_MS 60000  /* after refused credentials: registrars lock out who tries often */
#define PAUSE_MAX_MS  600000

struct register_out {
    struct sip_stack *stack;
    const struct register_out_user *user;
    void *arg;
    char *registrar_uri, *aor, *contact_user, *contact_param;
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX]; /* the same for all its life: RFC 3261 10.2 */
    uint32_t cseq;
    struct auth_out *auth;
    struct client_tx *tx;
    struct sip_flow flow; /* of the last try */
    struct timer timer;   /* the next try */
    enum register_out_state state;
    bool has_sent, is_ending;
    bool has_lengthened;    /* this try: a 423 was answered */
    unsigned wait_ms;       /* this try */
    unsigned wish_s;        /* only ever grows */
    unsigned failure_count; /* in a row */
};

static const char *const state_names[] = {
#define X(name, text) text,
    REGISTER_OUT_STATES(X)
#undef X
};

const char *register_out_state_name(enum register_out_state state)
{
    return state_names[state];
}

static void drop_tx(struct register_out *reg)
{
    client_tx_detach(reg->tx);
    reg->tx = mem_unref(reg->tx);
}

static void register_out_destroy(void *self)
{
    struct register_out *reg = self;

    timer_stop(&reg->timer);
    drop_tx(reg);
    mem_unref(reg->auth);
    mem_unref(reg->registrar_uri);
    mem_unref(reg->aor);
    mem_unref(reg->contact_user);
    mem_unref(reg->contact_param);
}

/* ---- outcomes ---- */

static void on_timer(void *arg)
{
    struct register_out *reg = arg;

    reg->user->on_due(reg, reg->arg);
}

static void tell(struct register_out *reg, const struct register_out_news *news)
{
    drop_tx(reg);
    reg->state = news->state;
    reg->user->on_outcome(reg, news, reg->arg);
}

static void end(struct register_out *reg)
{
    timer_stop(&reg->timer);
    tell(reg, &(struct register_out_news){.state = REGISTER_OUT_ENDED, .why = ""});
}

/* Doubled with each failure, of which half is left to chance: many gateways must not come back at the same moment. */
static unsigned pause_ms(const struct register_out *reg, unsigned first_ms)
{
    unsigned long ms = first_ms;

    for (unsigned i = 1; i < reg->failure_count && ms < PAUSE_MAX_MS; i++)
        ms *= 2;
    if (ms > PAUSE_MAX_MS)
        ms = PAUSE_MAX_MS;
    return (unsigned)(ms / 2 + rand_u32() % (ms / 2));
}

static void fail(struct register_out *reg, const char *why, unsigned first_ms, unsigned least_ms)
{
    unsigned ms;

    if (reg->is_ending) {
        end(reg);
        return;
    }
    reg->failure_count++;
    ms = pause_ms(reg, first_ms);
    if (ms < least_ms)
        ms = least_ms;
    timer_start(reg->stack->wheel, &reg->timer, ms, on_timer, reg);
    tell(reg, &(struct register_out_news){.state = REGISTER_OUT_FAILED, .why = why, .retry_ms = ms});
}

static bool has_other(struct register_out *reg)
{
    return !reg->is_ending && reg->user->on_silent && reg->user->on_silent(reg, reg->arg);
}

void register_out_fail(struct register_out *reg, const char *why)
{
    fail(reg, why, PAUSE_MS, 0);
}

static unsigned header_number(const struct sip_msg *msg, enum sip_header_id id, unsigned fallback)
{
    struct span value = sip_msg_value(msg, id);
    ptrdiff_t end_at = span_find(value, ';'); /* Retry-After: 120;duration=3600 */
    uint32_t number;

    if (end_at >= 0)
        value = span_sub(value, 0, (size_t)end_at);
    end_at = span_find(value, '(');
    if (end_at >= 0)
        value = span_sub(value, 0, (size_t)end_at);
    return span_to_u32(span_trim(value), UINT32_MAX, &number) ? fallback : number;
}

static void fail_refused(struct register_out *reg, const struct sip_msg *response)
{
    unsigned status = response->status;
    bool is_ours = status == 401 || status == 403 || status == 404 || status == 407;
    unsigned after_s = header_number(response, SIP_H_RETRY_AFTER, 0);
    char why[160];

    if (status == 503 && has_other(reg))
        return;
    if (status == 401 || status == 407)
        snprintf(why, sizeof(why), "the registrar refused our credentials (%u)", status);
    else
        snprintf(why, sizeof(why), "the registrar answered %u %.*s", status,
                 (int)(response->reason.n < 80 ? response->reason.n : 80),
                 response->reason.p ? response->reason.p : "");
    fail(reg, why, is_ours ? PAUSE_AUTH_MS : PAUSE_MS, after_s > PAUSE_MAX_MS / 1000 ? PAUSE_MAX_MS : after_s * 1000);
}

/* ---- what was granted: RFC 3261 10.2.4 ---- */

static bool is_our_contact(const struct register_out *reg, const struct uri *uri)
{
    struct text line;
    struct name_addr ours;
    struct span value;
    bool is_same;

    text_init(&line, 1024);
    sip_write_contact(&line, reg->stack, &reg->flow, span_of(reg->contact_user));
    value = text_span(&line);
    span_cut(&value, ':');
    is_same = !name_addr_parse(&ours, span_trim(value)) && uri_same(&ours.uri, uri);
    text_free(&line);
    return is_same;
}

/* The expiry of our own Contact; some registrars rewrite it, so a lone one is ours as well. @return seconds, 0: not
 * bound */
static unsigned granted_s(const struct register_out *reg, const struct sip_msg *response)
{
    unsigned fallback = header_number(response, SIP_H_EXPIRES, reg->wish_s);
    unsigned count = 0, lone_s = fallback;
    struct sip_walk walk = {0};
    struct name_addr contact;

    while (sip_msg_next_addr(response, SIP_H_CONTACT, &walk, &contact) > 0) {
        unsigned expires_s = fallback;
        struct span value;
        uint32_t number;

        if (params_get(contact.params, SPAN("expires"), &value) && !span_to_u32(value, UINT32_MAX, &number))
            expires_s = number;
        if (is_our_contact(reg, &contact.uri))
            return expires_s;
        lone_s = expires_s;
        count++;
    }
    return count == 1 ? lone_s : fallback;
}

static void succeed(struct register_out *reg, const struct sip_msg *response)
{
    unsigned expires_s;
    uint64_t ms;

    auth_out_succeed(reg->auth);
    if (reg->is_ending) {
        end(reg);
        return;
    }
    expires_s = granted_s(reg, response);
    if (!expires_s) {
        fail(reg, "the registrar granted nothing", PAUSE_MS, 0);
        return;
    }
    if (expires_s > WISH_MAX_S)
        expires_s = WISH_MAX_S;
    reg->failure_count = 0;
    /* Between a half and three quarters of it: time is left for a lost answer and for a second try. */
    ms = expires_s * 500ull;
    ms += rand_u32() % (ms / 2);
    timer_start(reg->stack->wheel, &reg->timer, ms, on_timer, reg);
    tell(reg, &(struct register_out_news){.state = REGISTER_OUT_REGISTERED, .why = "", .expires_s = expires_s});
}

/* ---- one try: REGISTER, challenges and 423 answered on the way ---- */

static int send_try(struct register_out *reg);

/* 423: RFC 3261 10.2.8. @return 0: sent again */
static int lengthen(struct register_out *reg, const struct sip_msg *response)
{
    unsigned min_s = header_number(response, SIP_H_MIN_EXPIRES, 0);

    if (reg->is_ending || min_s <= reg->wish_s || min_s > WISH_MAX_S)
        return -EPROTO;
    reg->wish_s = min_s; /* also where this try ends here: the next one asks for it */
    if (reg->has_lengthened)
        return -EPROTO;
    reg->has_lengthened = true;
    drop_tx(reg);
    return send_try(reg);
}

static int repeat(struct register_out *reg, const struct sip_msg *response)
{
    int err = auth_out_take(reg->auth, response);

    if (err)
        return err;
    drop_tx(reg);
    return send_try(reg);
}

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    struct register_out *reg = arg;

    if (response->status < 200)
        return;
    mem_ref(reg);
    if (response->status < 300)
        succeed(reg, response);
    else if (!(auth_out_is_challenge(response) && !repeat(reg, response)) &&
             !(response->status == 423 && !lengthen(reg, response)))
        fail_refused(reg, response);
    mem_unref(reg);
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    struct register_out *reg = arg;

    mem_ref(reg);
    if (!has_other(reg))
        fail(reg, status == 408 ? "the registrar does not answer" : "the registrar cannot be reached", PAUSE_MS, 0);
    mem_unref(reg);
}

static const struct client_tx_user tx_user = {.on_response = on_response, .on_fail = on_fail};

static int write_register(struct text *out, struct register_out *reg, char branch[static SIP_BRANCH_MAX])
{
    char aor[512];
    int n = snprintf(aor, sizeof(aor), "<%s>", reg->aor);
    int err;

    if (n >= (int)sizeof(aor))
        return -ENOSPC;
    outside_write_head(out,
                       &(struct outside){.stack = reg->stack,
                                         .flow = reg->flow,
                                         .method = SIP_REGISTER,
                                         .uri = span_of(reg->registrar_uri),
                                         .from = span_of(aor),
                                         .to = span_of(aor),
                                         .contact_user = span_of(reg->contact_user),
                                         .contact_param = span_of(reg->contact_param),
                                         .call_id = reg->call_id,
                                         .tag = reg->tag,
                                         .cseq = ++reg->cseq},
                       branch);
    sip_write_headerf(out, "Expires", "%u", reg->is_ending ? 0 : reg->wish_s);
    err = auth_out_write(reg->auth, out, SIP_REGISTER, span_of(reg->registrar_uri));
    sip_write_body(out, SPAN_NULL, SPAN_NULL);
    return err ? err : text_err(out);
}

static int send_try(struct register_out *reg)
{
    char branch[SIP_BRANCH_MAX];
    struct text out;
    int err;

    text_init(&out, SIP_MSG_MAX);
    err = write_register(&out, reg, branch);
    if (!err)
        err = client_tx_new(&reg->tx, &(struct client_tx_options){.stack = reg->stack,
                                                                  .flow = reg->flow,
                                                                  .method = SIP_REGISTER,
                                                                  .branch = branch,
                                                                  .request = text_span(&out),
                                                                  .wait_ms = reg->wait_ms,
                                                                  .user = &tx_user,
                                                                  .arg = reg});
    text_free(&out);
    return err;
}

static void begin_try(struct register_out *reg)
{
    timer_stop(&reg->timer);
    drop_tx(reg);
    auth_out_begin(reg->auth);
    reg->has_lengthened = false;
    if (send_try(reg))
        fail(reg, "the REGISTER could not be sent", PAUSE_MS, 0);
}

void register_out_send(struct register_out *reg, const struct sip_flow *flow, unsigned wait_ms)
{
    if (reg->is_ending)
        return;
    reg->wait_ms = wait_ms;
    reg->flow = *flow;
    reg->has_sent = true;
    begin_try(reg);
}

/* Not at once: some registrars close each connection after a while, and it must not become a loop. */
void register_out_flow_lost(struct register_out *reg, const struct sip_flow *flow)
{
    unsigned ms = PAUSE_MS / 2 + rand_u32() % (PAUSE_MS / 2);
    bool is_ours = reg->state == REGISTER_OUT_REGISTERED && !reg->is_ending && sip_flow_same(&reg->flow, flow);

    if (is_ours && timer_left_ms(&reg->timer) > ms)
        timer_start(reg->stack->wheel, &reg->timer, ms, on_timer, reg);
}

void register_out_end(struct register_out *reg)
{
    if (reg->is_ending)
        return;
    reg->is_ending = true;
    reg->wait_ms = 0;
    if (reg->has_sent)
        begin_try(reg);
    else
        end(reg);
}

/* ---- birth ---- */

static char *copy(struct span s)
{
    return mem_text(s.p ? s.p : "", s.n);
}

int register_out_new(struct register_out **regp, const struct register_out_options *options)
{
    struct register_out *reg = mem_new(sizeof(*reg), register_out_destroy);
    int err = -ENOMEM;

    if (!reg)
        return -ENOMEM;
    reg->stack = options->stack;
    reg->user = options->user;
    reg->arg = options->arg;
    reg->wish_s = WISH_S;
    reg->cseq = rand_u32() % 10000;
    outside_make_names(reg->stack, reg->call_id, reg->tag);
    reg->registrar_uri = copy(options->registrar_uri);
    reg->aor = copy(options->aor);
    reg->contact_user = copy(options->contact_user);
    reg->contact_param = copy(options->contact_param);
    if (reg->registrar_uri && reg->aor && reg->contact_user && reg->contact_param)
        err = auth_out_new(&reg->auth, options->username, options->password);
    if (err) {
        mem_unref(reg);
        return err;
    }
    timer_start(reg->stack->wheel, &reg->timer, 0, on_timer, reg);
    *regp = reg;
    return 0;
}
