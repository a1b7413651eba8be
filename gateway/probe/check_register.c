/* SPDX-License-Identifier: Apache-2.0 */
/* check_register.c: would the trunk take our registration? RFC 3261 10.2. First it is only asked what is bound there,
 * as some registrars keep one contact alone: a live registration is left as it is. Where none is, one is made with a
 * contact of our own, for a minute, and taken back.
 *
 *   ASKING --none is bound--> BINDING --200--> UNBINDING --200--> over        */
#include <stdio.h>

#include "base/mem.h"
#include "probe/ask.h"
#include "probe/words.h"
#include "sip/params.h"

#define EXPIRES_S     60
#define EXPIRES_MAX_S 86400 /* of a registrar that wants longer ones */

enum register_phase { ASKING, BINDING, UNBINDING };

struct register_state {
    struct ask *ask;
    enum register_phase phase;
    unsigned expires_s;
    bool has_lengthened;
    double asked_ms;
};

static void register_state_destroy(void *self)
{
    struct register_state *state = self;

    mem_unref(state->ask);
}

static void fail(struct probe *probe, const char *how)
{
    report_add(probe->report, FINDING_FAIL, check_register.name, "%s", how);
    probe_next(probe);
}

static void send_register(struct probe *probe, enum register_phase phase)
{
    struct register_state *state = probe->state;
    char headers[40] = "";

    state->phase = phase;
    if (phase != ASKING)
        snprintf(headers, sizeof(headers), "Expires: %u\r\n", phase == BINDING ? state->expires_s : 0);
    if (ask_send(state->ask, span_of(headers), phase != ASKING))
        fail(probe, "the REGISTER could not be sent");
}

/* ---- what is bound there ---- */

/* @return how many contacts; the first one's URI and whether it names our address */
static unsigned count_bound(const struct probe *probe, const struct sip_msg *response, struct span *first,
                            bool *is_ours_out)
{
    char host[ADDR_TEXT_MAX];
    struct sip_walk walk = {0};
    struct name_addr contact;
    unsigned count = 0;

    addr_host_text(&probe->written, host);
    *is_ours_out = false;
    while (sip_msg_next_addr(response, SIP_H_CONTACT, &walk, &contact) > 0 && count < 100) {
        if (!count++)
            *first = contact.uri_text;
        *is_ours_out |= span_ieq(contact.uri.host, span_of(host));
    }
    return count;
}

static void take_bound(struct probe *probe, const struct sip_msg *response)
{
    struct register_state *state = probe->state;
    struct span first = SPAN_NULL;
    bool is_ours;
    unsigned count = count_bound(probe, response, &first, &is_ours);

    state->asked_ms = ask_took_ms(state->ask);
    if (!count) {
        send_register(probe, BINDING);
        return;
    }
    if (first.n > 120)
        first.n = 120;
    if (is_ours) {
        report_add(probe->report, FINDING_OK, check_register.name,
                   "accepted (%.1f ms); this machine is registered there now (%.*s) and was left so", state->asked_ms,
                   SPAN_ARG(first));
    } else {
        report_add(probe->report, FINDING_WARN, check_register.name,
                   "accepted (%.1f ms), but %u contact(s) of others are registered there (%.*s): nothing was changed",
                   state->asked_ms, count, SPAN_ARG(first));
        report_advise(probe->report, "where a carrier keeps one contact, the gateway and that device would throw each "
                                     "other out: switch the other one off first");
    }
    report_value(probe->report, "bound", count);
    report_value(probe->report, "round_trip_ms", state->asked_ms);
    probe_next(probe);
}

/* ---- a registration for a minute ---- */

static unsigned number_of(const struct sip_msg *response, enum sip_header_id id)
{
    uint32_t number;

    return span_to_u32(span_trim(sip_msg_value(response, id)), EXPIRES_MAX_S, &number) ? 0 : number;
}

static void take_binding(struct probe *probe, const struct sip_msg *response)
{
    struct register_state *state = probe->state;
    struct span first;
    bool is_ours;
    unsigned count = count_bound(probe, response, &first, &is_ours);

    report_add(probe->report, FINDING_OK, check_register.name, "accepted as %s in %.1f ms%s", ask_user_name(probe),
               ask_took_ms(state->ask), ask_was_challenged(state->ask) ? " with our password" : ", without a password");
    report_value(probe->report, "round_trip_ms", ask_took_ms(state->ask));
    report_value(probe->report, "bound", count);
    send_register(probe, UNBINDING);
}

static bool lengthens(struct probe *probe, const struct sip_msg *response)
{
    struct register_state *state = probe->state;
    unsigned min_s = number_of(response, SIP_H_MIN_EXPIRES);

    if (response->status != 423 || state->has_lengthened || min_s <= state->expires_s)
        return false;
    state->has_lengthened = true;
    state->expires_s = min_s;
    send_register(probe, BINDING);
    return true;
}

static void refuse(struct probe *probe, const struct sip_msg *response)
{
    struct span reason = span_sub(response->reason, 0, 80);

    report_add(probe->report, FINDING_FAIL, check_register.name, "refused: %u %.*s", response->status,
               SPAN_ARG(reason));
    report_advise(probe->report, "%s",
                  words_for_status(SIP_REGISTER, response->status, probe->trunk->password != NULL));
    report_value(probe->report, "status", response->status);
    probe_next(probe);
}

static void report_kept(struct probe *probe, const char *how)
{
    const struct register_state *state = probe->state;

    report_add(probe->report, FINDING_WARN, check_register.name, "the test registration was not taken back: %s", how);
    report_advise(probe->report, "it ends by itself within %u s", state->expires_s);
}

/* A registrar that does not know the question without a Contact is asked with one. */
static bool is_misunderstood(const struct register_state *state, unsigned status)
{
    return state->phase == ASKING && (status == 400 || status == 420 || status == 421 || status == 423);
}

static void on_answer(struct ask *ask, const struct sip_msg *response, void *arg)
{
    struct probe *probe = arg;
    struct register_state *state = probe->state;
    bool is_taken = response->status < 300;

    if (state->phase == UNBINDING) {
        if (!is_taken)
            report_kept(probe, "it was refused");
        probe_next(probe);
    } else if (is_taken && state->phase == ASKING) {
        take_bound(probe, response);
    } else if (is_taken) {
        take_binding(probe, response);
    } else if (is_misunderstood(state, response->status)) {
        send_register(probe, BINDING);
    } else if (!lengthens(probe, response)) {
        refuse(probe, response);
    }
}

static void end_unanswered(struct probe *probe, const char *how)
{
    const struct register_state *state = probe->state;

    if (state && state->phase == UNBINDING) {
        report_kept(probe, "no answer");
        probe_next(probe);
        return;
    }
    report_add(probe->report, FINDING_FAIL, check_register.name, "%s", how);
    report_advise(probe->report,
                  "does the carrier register there? Else set `register: false`, or compare `uri` with what it gave");
    if (state && state->phase == BINDING)
        send_register(probe, UNBINDING); /* its answer may be lost alone; nobody waits for this one */
    probe_next(probe);
}

static void on_silence(struct ask *ask, unsigned status, const char *why, void *arg)
{
    end_unanswered(arg, status == 408 ? "the registrar does not answer" : "the registrar cannot be reached");
}

static const struct ask_user user = {.on_answer = on_answer, .on_silence = on_silence};

/* ---- birth ---- */

static int make_ask(struct ask **askp, struct probe *probe, const struct sip_flow *flow)
{
    struct text uri, aor;
    int err;

    text_init(&uri, 1024);
    text_init(&aor, 1024);
    text_add_str(&uri, "sip:");
    uri_write_host(&uri, span_of(probe->host));
    if (probe->port != (probe->uri_transport == SIP_TLS ? 5061 : 5060))
        text_addf(&uri, ":%u", probe->port);
    ask_write_identity(&aor, probe, probe->host);
    err = text_err(&uri) ? text_err(&uri) : text_err(&aor);
    if (!err)
        err = ask_new(askp, &(struct ask_options){.probe = probe,
                                                  .flow = *flow,
                                                  .method = SIP_REGISTER,
                                                  .uri = text_span(&uri),
                                                  .from = text_span(&aor),
                                                  .to = text_span(&aor),
                                                  .user = &user,
                                                  .arg = probe});
    text_free(&uri);
    text_free(&aor);
    return err;
}

static void start(struct probe *probe)
{
    struct register_state *state = mem_new(sizeof(*state), register_state_destroy);
    struct sip_flow flow;
    const char *why = probe_open(probe, &flow);

    probe->state = state;
    if (!why && (!state || make_ask(&state->ask, probe, &flow)))
        why = "out of memory";
    if (why) {
        fail(probe, why);
        return;
    }
    state->expires_s = EXPIRES_S;
    send_register(probe, ASKING);
}

static void late(struct probe *probe)
{
    end_unanswered(probe, "the registrar does not answer");
}

static bool applies(const struct probe *probe)
{
    return probe->trunk->is_register;
}

const struct probe_check check_register = {
    .name = "registration", .limit_ms = 4000, .needs_address = true, .applies = applies, .start = start, .late = late};
