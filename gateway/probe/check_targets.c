/* SPDX-License-Identifier: Apache-2.0 */
/* check_targets.c: where the trunk's name leads to several targets: do the further ones answer, to which the gateway
 * goes when the first is silent? RFC 3263 section 4.3. All are asked at once. Where the first is dead and another is
 * not, the later checks look at that one. */
#include "base/mem.h"
#include "probe/ask.h"

struct other {
    struct probe *probe;
    struct ask *ask;
    bool is_answered, is_over;
};

struct targets_state {
    struct other others[LOCATE_TARGET_MAX]; /* by target; the first one's is not used */
    unsigned waiting;
};

static void targets_state_destroy(void *self)
{
    struct targets_state *state = self;

    for (unsigned i = 0; i < LOCATE_TARGET_MAX; i++)
        mem_unref(state->others[i].ask);
}

static void take_over(struct probe *probe, unsigned at)
{
    char text[PROBE_TARGET_TEXT_MAX];

    probe->target_at = at;
    probe->is_unreachable = false;
    report_add(probe->report, FINDING_WARN, check_targets.name,
               "the first does not answer, %s does: the rest was looked at there",
               probe_target_text(probe_target(probe), text));
    report_advise(probe->report, "the gateway finds it as well, but each call waits %u s for the first one",
                  LOCATE_SILENT_MS / 1000);
}

static void judge(struct probe *probe)
{
    const struct targets_state *state = probe->state;
    unsigned answered = 0, alive = 0;
    char text[PROBE_TARGET_TEXT_MAX];

    for (unsigned i = 1; i < probe->target_count; i++) {
        if (!state->others[i].is_answered) {
            report_add(probe->report, FINDING_WARN, check_targets.name, "%s does not answer",
                       probe_target_text(&probe->targets[i], text));
            report_advise(probe->report, "nothing to fall back on there: ask the carrier about it");
            continue;
        }
        answered++;
        if (!alive)
            alive = i;
    }
    if (answered) {
        report_add(probe->report, FINDING_OK, check_targets.name,
                   "%u of %u further targets answer: there is something to fall back on", answered,
                   probe->target_count - 1);
        report_value(probe->report, "answered", answered);
    }
    if (alive && !probe->has_answered)
        take_over(probe, alive);
    probe_next(probe);
}

static void end_one(struct other *other, bool is_answered)
{
    struct targets_state *state = other->probe->state;

    if (other->is_over)
        return;
    other->is_over = true;
    other->is_answered = is_answered;
    if (--state->waiting == 0)
        judge(other->probe);
}

static void on_answer(struct ask *ask, const struct sip_msg *response, void *arg)
{
    end_one(arg, true);
}

static void on_silence(struct ask *ask, unsigned status, const char *why, void *arg)
{
    end_one(arg, false);
}

static const struct ask_user user = {.on_answer = on_answer, .on_silence = on_silence};

/* @return is an answer to be waited for? */
static bool ask_one(struct probe *probe, struct other *other, const struct locate_target *target)
{
    struct sip_flow flow;

    other->probe = probe;
    if (transport_flow_to(&flow, probe->house->stack->transports, target->transport, &target->addr,
                          &(struct sip_peer){probe->host, probe->trunk->name}) ||
        ask_new_options(
            &other->ask,
            &(struct ask_options){.probe = probe, .flow = flow, .user = &user, .arg = other, .is_aside = true}) ||
        ask_send(other->ask, SPAN("Accept: application/sdp\r\n"), true)) {
        other->is_over = true;
        return false;
    }
    return true;
}

static void start(struct probe *probe)
{
    struct targets_state *state = mem_new(sizeof(*state), targets_state_destroy);

    probe->state = state;
    if (!state) {
        probe_next(probe);
        return;
    }
    for (unsigned i = 1; i < probe->target_count; i++)
        state->waiting += ask_one(probe, &state->others[i], &probe->targets[i]);
    if (!state->waiting)
        judge(probe);
}

static bool applies(const struct probe *probe)
{
    return probe->target_count > 1;
}

const struct probe_check check_targets = {
    .name = "targets", .limit_ms = 2500, .applies = applies, .start = start, .late = judge};
