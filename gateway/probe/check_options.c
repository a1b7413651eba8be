/* SPDX-License-Identifier: Apache-2.0 */
/* check_options.c: is the trunk there, and how far away: a few OPTIONS one after the other. RFC 3261 11. Any final
 * answer says that it is there, a refusal as well. */
#include "base/mem.h"
#include "probe/ask.h"
#include "probe/words.h"

#define ASK_COUNT     3
#define ROUND_TRIP_MS 300 /* slower signalling is felt when a call is set up */

struct options_state {
    struct ask *ask;
    unsigned answered;
    unsigned status;
    char reason[80];
    double sum_ms, worst_ms;
};

static void options_state_destroy(void *self)
{
    struct options_state *state = self;

    mem_unref(state->ask);
}

static void report_answer(struct probe *probe, const struct options_state *state)
{
    double ms = state->sum_ms / state->answered;
    bool is_refused = state->status >= 300 && state->status != 404 && state->status != 405 && state->status != 501;
    bool is_down = state->status == 503 || state->status == 500;

    if (is_refused)
        report_add(probe->report, FINDING_WARN, check_options.name,
                   "answered %u %s: it is there, but refuses (%.1f ms)", state->status, state->reason, ms);
    else
        report_add(probe->report, ms > ROUND_TRIP_MS ? FINDING_WARN : FINDING_OK, check_options.name,
                   "answered %u %s, round trip %.1f ms (longest of %u: %.1f ms)", state->status, state->reason, ms,
                   state->answered, state->worst_ms);
    report_value(probe->report, "status", state->status);
    report_value(probe->report, "round_trip_ms", ms);
    if (is_refused)
        report_advise(probe->report, "%s",
                      is_down ? "the carrier takes no calls now: ask it"
                              : words_for_status(SIP_OPTIONS, state->status, probe->trunk->password != NULL));
    else if (ms > ROUND_TRIP_MS)
        report_advise(probe->report, "the way is long: is there a nearer site of the carrier?");
}

static void ask_again(struct probe *probe, struct options_state *state);

static void on_answer(struct ask *ask, const struct sip_msg *response, void *arg)
{
    struct probe *probe = arg;
    struct options_state *state = probe->state;

    state->status = response->status;
    span_copy(span_sub(response->reason, 0, sizeof(state->reason) - 1), state->reason, sizeof(state->reason));
    state->answered++;
    state->sum_ms += ask_took_ms(ask);
    if (ask_took_ms(ask) > state->worst_ms)
        state->worst_ms = ask_took_ms(ask);
    if (state->answered < ASK_COUNT && !ask_was_challenged(ask)) {
        ask_again(probe, state);
        return;
    }
    report_answer(probe, state);
    probe_next(probe);
}

/* The gateway takes a silent trunk for down, unless it is told not to ask. */
static void fail(struct probe *probe, const char *how)
{
    bool is_asked = probe->trunk->options_every_s != 0;
    const struct options_state *state = probe->state;

    if (state && state->answered) {
        report_answer(probe, state);
        report_add(probe->report, FINDING_WARN, check_options.name, "the next one was lost: %s", how);
        report_advise(probe->report, "packets are lost on the way, or the carrier limits how often it answers");
    } else {
        report_add(probe->report, is_asked || probe->is_unreachable ? FINDING_FAIL : FINDING_WARN, check_options.name,
                   "%s", how);
        report_advise(probe->report,
                      "is `uri` right (address, port, transport), and our address on the carrier's list? "
                      "A carrier that never answers OPTIONS wants `options_every: 0`");
    }
    probe_next(probe);
}

static void on_silence(struct ask *ask, unsigned status, const char *why, void *arg)
{
    struct probe *probe = arg;

    if (status == 408) {
        fail(probe, "nothing answers there");
        return;
    }
    probe->is_unreachable = !probe->has_answered;
    fail(probe, probe_target(probe)->transport == SIP_UDP   ? "nothing can be sent there"
                : probe_target(probe)->transport == SIP_TLS ? "no TLS connection can be made, or it was closed"
                                                            : "no connection can be made, or it was closed");
}

static const struct ask_user user = {.on_answer = on_answer, .on_silence = on_silence};

static void ask_again(struct probe *probe, struct options_state *state)
{
    if (ask_send(state->ask, SPAN("Accept: application/sdp\r\n"), true))
        fail(probe, "the question could not be sent");
}

static void start(struct probe *probe)
{
    struct options_state *state = mem_new(sizeof(*state), options_state_destroy);
    struct sip_flow flow;
    const char *why = probe_open(probe, &flow);

    probe->state = state;
    if (why) {
        probe->is_unreachable = true;
        fail(probe, why);
    } else if (!state || ask_new_options(&state->ask, &(struct ask_options){
                                                          .probe = probe, .flow = flow, .user = &user, .arg = probe})) {
        fail(probe, "out of memory");
    } else {
        ask_again(probe, state);
    }
}

static void late(struct probe *probe)
{
    fail(probe, "nothing answers there");
}

const struct probe_check check_options = {
    .name = "OPTIONS", .limit_ms = 4000, .needs_address = true, .start = start, .late = late};
