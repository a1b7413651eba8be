/* SPDX-License-Identifier: Apache-2.0 */
/* sip_rig.c: a worker, a stack and a clock for the tests of the SIP floor. Knows no particular test. */
#include "sip_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define BEGIN_US (1700000000ull * 1000000)

struct rig rig;

/* ---- the user's side ---- */

static unsigned place(const struct sip_msg *msg, const struct sip_flow *flow, void *arg)
{
    return 0;
}

static void admit(const struct sip_incoming *incoming, struct sip_verdict *verdict, void *arg)
{
    struct text headers = verdict->headers;

    rig.admit_count++;
    if (rig.admit) {
        rig.admit(incoming, verdict);
        return;
    }
    *verdict = rig.verdict;
    verdict->headers = headers;
}

static void on_request(struct server_tx *tx, const char *account, void *arg)
{
    rig.request_count++;
    mem_unref(rig.tx);
    rig.tx = mem_ref(tx);
    span_copy(span_of(account), rig.account, sizeof(rig.account));
    if (rig.on_request)
        rig.on_request(tx);
}

static void on_flow_lost(const struct sip_flow *flow, const char *account, void *arg)
{
    rig.lost_count++;
}

static void advertise(struct addr *out, const struct addr *local, const struct addr *towards, void *arg)
{
    *out = *local;
}

static const struct sip_user user = {
    .place = place, .admit = admit, .on_request = on_request, .on_flow_lost = on_flow_lost, .advertise = advertise};

/* ---- birth and end ---- */

static struct sip_flow flow_of(enum sip_transport transport, const char *host, uint32_t serial)
{
    struct sip_flow flow = {.transport = (uint8_t)transport, .serial = serial};

    addr_parse(&flow.local, SPAN(RIG_OURS), 5060);
    addr_parse(&flow.remote, span_of(host), 5060);
    return flow;
}

int rig_open(const char *yaml)
{
    const char *why = "";
    struct text errors;

    memset(&rig, 0, sizeof(rig));
    rig.live_count = mem_live_count();
    clock_set_test(BEGIN_US);
    rig.began_ms = clock_now_ms();
    text_init(&errors, 10000);
    if (conf_parse(&rig.conf, "rig.yaml", span_of(yaml), &errors))
        fail_msg("%s", errors.data ? errors.data : "");
    text_free(&errors);
    rig.udp = flow_of(SIP_UDP, RIG_PEER, 0);
    rig.tcp = flow_of(SIP_TCP, RIG_PEER, 1);
    rig.ws = flow_of(SIP_WS, "198.51.100.7", 2);
    rig.stranger = flow_of(SIP_UDP, "198.51.100.66", 0);
    assert_int_equal(worker_new(&rig.worker, 0, 1), 0);
    worker_set_current(rig.worker);
    assert_int_equal(sip_stack_new(&rig.stack, &(struct stack_options){.user = &user, .conf = rig.conf}, &why), 0);
    return 0;
}

int rig_setup(void **state)
{
    return rig_open("domain: sip.example.com\n");
}

int rig_teardown(void **state)
{
    rig.tx = mem_unref(rig.tx);
    mem_unref(rig.stack);
    worker_set_current(NULL);
    mem_unref(rig.worker);
    conf_unref(rig.conf);
    for (unsigned i = 0; i < rig.sent_count; i++) {
        free(rig.sent[i]->bytes);
        free(rig.sent[i]->parsed);
        free(rig.sent[i]);
    }
    clock_set_test(0);
    assert_int_equal(mem_live_count(), rig.live_count);
    return 0;
}

/* ---- time ---- */

uint64_t rig_now_ms(void)
{
    return clock_now_ms() - rig.began_ms;
}

void rig_advance(unsigned ms)
{
    timer_wheel_run(rig.worker->wheel, clock_now_ms()); /* what was started with 0 ms */
    for (unsigned i = 0; i < ms; i++) {
        clock_set_test(clock_now_us() + 1000);
        timer_wheel_run(rig.worker->wheel, clock_now_ms());
    }
}

/* ---- bytes in ---- */

static size_t to_wire(char *wire, size_t size_bytes, const char *text)
{
    const char *body = strstr(text, "\n\n");
    size_t n = 0;

    for (const char *p = text; *p && n + 64 < size_bytes; p++) {
        if (*p == '\n' && p == body && !strstr(text, "Content-Length:"))
            n += (size_t)sprintf(wire + n, "\r\nContent-Length: %zu", strlen(body + 2));
        if (*p == '\n' && (!body || p <= body + 1))
            wire[n++] = '\r';
        wire[n++] = *p;
    }
    return n;
}

void rig_receive(const struct sip_flow *flow, const char *text)
{
    char *wire = malloc(SIP_MSG_MAX);
    struct span account = sip_transport_is_web((enum sip_transport)flow->transport) ? span_of(rig.proved) : SPAN_NULL;

    sip_receive(rig.stack, flow, account, wire, to_wire(wire, SIP_MSG_MAX, text));
    free(wire);
}

void rig_receivef(const struct sip_flow *flow, const char *format, ...)
{
    char *text = malloc(SIP_MSG_MAX);
    va_list args;

    va_start(args, format);
    vsnprintf(text, SIP_MSG_MAX, format, args);
    va_end(args);
    rig_receive(flow, text);
    free(text);
}

void rig_respond(const struct rig_sent *request, unsigned status, const char *to_tag, const char *more)
{
    const struct sip_msg *msg = &request->msg;
    bool has_tag = msg->to_tag.n || !to_tag;

    rig_receivef(
        &request->flow, "SIP/2.0 %u Whatever\nVia: %.*s\nFrom: %.*s\nTo: %.*s%s%s\nCall-ID: %.*s\nCSeq: %u %.*s\n%s%s",
        status, SPAN_ARG(sip_msg_value(msg, SIP_H_VIA)), SPAN_ARG(sip_msg_value(msg, SIP_H_FROM)),
        SPAN_ARG(sip_msg_value(msg, SIP_H_TO)), has_tag ? "" : ";tag=", has_tag ? "" : to_tag, SPAN_ARG(msg->call_id),
        msg->cseq, SPAN_ARG(msg->method_text), more ? more : "", more && strstr(more, "\n\n") ? "" : "\n");
}

/* ---- messages out ---- */

struct rig_sent *rig_next(void)
{
    return rig.next_sent < rig.sent_count ? rig.sent[rig.next_sent++] : NULL;
}

struct rig_sent *rig_expect_status(unsigned status)
{
    struct rig_sent *sent = rig_next();

    if (!sent)
        fail_msg("nothing was sent instead of %u", status);
    if (sent->msg.is_request || sent->msg.status != status)
        fail_msg("instead of %u this was sent: %s", status, sent->bytes);
    return sent;
}

struct rig_sent *rig_expect_request(enum sip_method method)
{
    struct rig_sent *sent = rig_next();

    if (!sent)
        fail_msg("nothing was sent instead of %s", sip_method_text(method));
    if (!sent->msg.is_request || sent->msg.method != method)
        fail_msg("instead of %s this was sent: %s", sip_method_text(method), sent->bytes);
    return sent;
}

void rig_expect_nothing(void)
{
    struct rig_sent *sent = rig_next();

    if (sent)
        fail_msg("nothing was to be sent: %s", sent->bytes);
}

unsigned rig_unseen(void)
{
    return rig.sent_count - rig.next_sent;
}

void rig_forget(void)
{
    rig.next_sent = rig.sent_count;
}
