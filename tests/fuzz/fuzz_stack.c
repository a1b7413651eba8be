/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_stack.c: any sequence of messages into a stack with calls: whatever comes, in whatever order, nothing is touched
 * after its end and nothing stays behind. The input is messages with a NUL between them; "$TAG" in them becomes the tag
 * that we gave last, so that they can reach a dialog. Between two messages time passes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"
#include "sip/client_tx.h"
#include "sip/invite.h"
#include "sip/register_in.h"
#include "sip/server_tx.h"
#include "sip/stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALL_MAX 16

static struct worker *worker;
static struct conf *conf;
static struct sip_stack *stack;
static struct invite *calls[CALL_MAX];
static unsigned call_count;
static char tag[SIP_TAG_MAX];

/* ---- takes transport.c's place ---- */

const char *sip_transport_text(enum sip_transport transport)
{
    return transport == SIP_UDP ? "UDP" : "TCP";
}

const char *sip_transport_param(enum sip_transport transport)
{
    return transport == SIP_UDP ? "udp" : "tcp";
}

bool sip_transport_is_reliable(enum sip_transport transport)
{
    return transport != SIP_UDP;
}

bool sip_transport_is_web(enum sip_transport transport)
{
    return false;
}

bool sip_flow_same(const struct sip_flow *left, const struct sip_flow *right)
{
    return left->transport == right->transport && addr_eq(&left->remote, &right->remote);
}

const char *sip_flow_text(const struct sip_flow *flow, char buf[static SIP_FLOW_TEXT_MAX])
{
    return addr_text(&flow->remote, buf);
}

int transport_new(struct sip_transports **transportsp, const struct transport_options *options, const char **why_out)
{
    *transportsp = mem_new(1, NULL);
    return *transportsp ? 0 : -ENOMEM;
}

int transport_send(struct sip_transports *transports, const struct sip_flow *flow, struct span bytes)
{
    return bytes.n <= SIP_MSG_MAX ? 0 : -EMSGSIZE;
}

int transport_flow_to(struct sip_flow *flow, struct sip_transports *transports, enum sip_transport transport,
                      const struct addr *to, const struct sip_peer *peer)
{
    *flow = (struct sip_flow){.transport = (uint8_t)transport, .remote = *to};
    return 0;
}

void transport_close(struct sip_transports *transports, const struct sip_flow *flow)
{
}

/* ---- the user ---- */

static void on_call_event(struct invite *invite, const struct sip_msg *msg, void *arg)
{
}

static void on_rejected(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                        void *arg)
{
}

static void on_modify(struct invite *invite, const struct sip_msg *request, void *arg)
{
    invite_modify_reply(invite, &(struct sip_reply){.status = request->cseq & 1 ? 200 : 488});
}

static void on_modified(struct invite *invite, unsigned status, const struct sip_msg *response, void *arg)
{
}

static void on_ended(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why,
                     void *arg)
{
}

static const struct invite_user invite_user = {.on_progress = on_call_event,
                                               .on_answered = on_call_event,
                                               .on_rejected = on_rejected,
                                               .on_confirmed = on_call_event,
                                               .on_cancelled = on_call_event,
                                               .on_modify = on_modify,
                                               .on_modified = on_modified,
                                               .on_ended = on_ended};

static unsigned place(const struct sip_msg *msg, const struct sip_flow *flow, void *arg)
{
    return 0;
}

static void admit(const struct sip_incoming *incoming, struct sip_verdict *verdict, void *arg)
{
}

static void receive_invite(struct server_tx *tx)
{
    struct invite *invite;

    if (call_count == CALL_MAX || invite_in_new(&invite, tx, &invite_user, NULL, SPAN("us"))) {
        server_tx_reply(tx, &(struct sip_reply){.status = 486});
        return;
    }
    calls[call_count++] = invite;
    invite_in_progress(invite, &(struct sip_reply){.status = 180});
    if (server_tx_request(tx)->cseq & 1)
        invite_in_answer(invite, SPAN_NULL, SPAN("application/sdp"), SPAN("v=0\r\n"));
}

static void on_request(struct server_tx *tx, const char *account, void *arg)
{
    const struct register_limits limits = {.min_s = 60, .max_s = 3600};
    const struct sip_msg *msg = server_tx_request(tx);
    static struct register_in reg;
    unsigned status = 200;
    const char *why;

    span_copy(server_tx_tag(tx), tag, sizeof(tag));
    if (msg->method == SIP_INVITE) {
        receive_invite(tx);
        return;
    }
    if (msg->method == SIP_REGISTER && register_in_parse(&reg, msg, &limits, &status, &why) && status < 400)
        abort();
    server_tx_reply(tx, &(struct sip_reply){.status = status});
}

static void on_flow_lost(const struct sip_flow *flow, const char *account, void *arg)
{
}

static void advertise(struct addr *out, const struct addr *local, const struct addr *towards, void *arg)
{
    *out = *local;
}

static const struct sip_user user = {
    .place = place, .admit = admit, .on_request = on_request, .on_flow_lost = on_flow_lost, .advertise = advertise};

/* ---- one input ---- */

static void open_house(void)
{
    struct text errors;

    log_set(LOG_ERROR, LOG_TEXT);
    clock_set_test(1000000000);
    text_init(&errors, 1000);
    if (conf_parse(&conf, "fuzz", SPAN(""), &errors) || worker_new(&worker, 0, 1))
        abort();
    text_free(&errors);
    worker_set_current(worker);
}

static void advance(unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        clock_set_test(clock_now_us() + 1000);
        timer_wheel_run(worker->wheel, clock_now_ms());
    }
}

static void receive(const struct sip_flow *flow, struct span text)
{
    char *bytes = malloc(text.n * SIP_TAG_MAX / 4 + SIP_TAG_MAX + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (span_starts(span_sub(text, i, text.n), SPAN("$TAG"))) {
            memcpy(bytes + n, tag, strlen(tag));
            n += strlen(tag);
            i += 3;
        } else {
            bytes[n++] = text.p[i];
        }
    }
    bytes = realloc(bytes, n ? n : 1); /* so that one byte too far is found */
    sip_receive(stack, flow, SPAN_NULL, bytes, n);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sip_flow flow = {.transport = size & 1 ? SIP_UDP : SIP_TCP};
    struct span rest = span_make(data, size);
    const char *why = "";
    size_t live_count;

    if (!worker)
        open_house();
    live_count = mem_live_count();
    addr_parse(&flow.local, SPAN("203.0.113.10"), 5060);
    addr_parse(&flow.remote, SPAN("192.0.2.10"), 5060);
    if (sip_stack_new(&stack, &(struct stack_options){.user = &user, .conf = conf}, &why))
        abort();
    tag[0] = '\0';
    for (unsigned i = 0; rest.n && i < 32; i++) {
        receive(&flow, span_cut(&rest, '\0'));
        advance(i % 4 ? 0 : 300);
    }
    while (call_count) {
        call_count--;
        invite_end(calls[call_count], &(struct invite_end){.status = 480, .cause = 200, .why = "over"});
        mem_unref(calls[call_count]);
        advance(1);
    }
    mem_unref(stack);
    if (mem_live_count() != live_count)
        abort();
    return 0;
}
