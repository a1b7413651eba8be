/* SPDX-License-Identifier: Apache-2.0 */
/* call.c: a call's birth and its one way to end: legs, ports, limits, one record; then it stays a while to be asked
 * about. Who rings is in call_dial.c, what legs say is in call_steps.c. */
#include "call/call.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/call_private.h"
#include "call/cause_facts.h"
#include "call/events.h"
#include "call/pbx_call.h"
#include "call/transfer.h"
#include "call/trunk_limit.h"

#define PARTING_MS 2000 /* who has transferred a call mostly hangs up by itself */

const char *call_state_name(enum call_state state)
{
    static const char *const names[] = {
#define X(name, text) text,
        CALL_STATES(X)
#undef X
    };

    return names[state];
}

void call_set_state(struct call *call, enum call_state state)
{
    if (call->state == state)
        return;
    call->state = state;
    call_note(call, "state %s", call_state_name(state));
    events_call_changed(call);
    if (state == CALL_TALKING) {
        leg_media_answered(call->in->media);
        leg_media_answered(call->out->media);
    }
}

static void destroy_leg(struct leg *leg)
{
    call_release_leg(leg);
    leg->ops->destroy(leg);
}

static void free_legs(struct call *call)
{
    struct list *link, *tmp;

    list_each (link, tmp, &call->out_legs) {
        struct leg *leg = container_of(link, struct leg, link);

        list_remove(link);
        destroy_leg(leg);
    }
    call->out = call->early = call->modifier = call->late = call->told = call->parting = NULL;
    timer_stop(&call->tell_timer);
    if (call->in)
        destroy_leg(call->in);
    call->in = NULL;
}

static void call_destroy(void *self)
{
    struct call *call = self;

    trunk_pace_leave(call->pace_wait);
    timer_stop(&call->ring_timer);
    timer_stop(&call->in_back_timer);
    timer_stop(&call->out_back_timer);
    timer_stop(&call->linger);
    transfer_drop(call);
    free_legs(call);
    map_remove(&call->node);
    list_remove(&call->link);
    mem_unref(call->redirect);
    mem_unref(call->timeline);
    mem_unref(call->legs_text);
    mem_unref(call->cause_text);
    mem_unref(call->route_text);
    mem_unref(call->pbx);
    mem_unref(call->directory);
    conf_unref(call->conf);
}

int call_new(struct call **callp, struct calls *calls)
{
    struct call *call = mem_new(sizeof(*call), call_destroy);
    int err;

    if (!call)
        return -ENOMEM;
    list_init(&call->out_legs);
    call->calls = calls;
    call->conf = conf_ref(calls->conf);
    call->directory = mem_ref(calls->directory);
    call->began_us = clock_now_us();
    call->began_wall_us = clock_wall_us();
    call->max_forwards = 70;
    call->max_duration_s = calls->conf->sip.max_duration_s;
    call->ended_by = call->cause_id = "";
    sip_tag_make(call->id, calls->stack);
    err = timeline_new(&call->timeline);
    if (!err)
        err = map_put(&calls->by_id, &call->node, span_of(call->id));
    if (err) {
        mem_unref(call);
        return err;
    }
    stats_count(STAT_CALLS_STARTED);
    stats_add(STAT_CALLS, 1);
    *callp = call;
    return 0;
}

struct leg *call_other_leg(struct call *call, const struct leg *leg)
{
    struct leg *out = call->out ? call->out : call->early;

    return leg == call->in ? out : leg == out ? call->in : NULL;
}

/* ---- the end ---- */

static void forget_oldest(struct calls *calls)
{
    struct list *oldest = list_first(&calls->history);

    if (calls->history_count <= CALL_HISTORY_MAX || !oldest)
        return;
    calls->history_count--;
    mem_unref(container_of(oldest, struct call, link));
}

/* What is told of an ended call is text; the snapshot it began with holds passwords that may be changed by now. */
static void let_go_of_snapshot(struct call *call)
{
    call->pick = (struct route_pick){0};
    call->rights = (struct route_caller){0};
    call->directory = mem_unref(call->directory);
    conf_unref(call->conf);
    call->conf = NULL;
}

/* Legs may be in a call-back of theirs when the call ends: they are freed by a timer, after it. */
static void on_linger_timer(void *arg)
{
    struct call *call = arg;
    struct calls *calls = call->calls;

    if (call->parting)
        call->parting->ops->end(call->parting, 0, 200, call->why);
    free_legs(call);
    let_go_of_snapshot(call);
    map_remove(&call->node);
    list_append(&calls->history, &call->link);
    calls->history_count++;
    forget_oldest(calls);
}

static void end_legs(struct call *call, unsigned status, const char *why)
{
    struct list *link, *tmp;

    list_each (link, tmp, &call->out_legs) {
        struct leg *leg = container_of(link, struct leg, link);

        if (leg != call->moving && leg != call->parting)
            leg->ops->end(leg, status, status, why);
    }
    if (call->in && call->in != call->moving && call->in != call->parting)
        call->in->ops->end(call->in, status, status, why);
}

/* A challenge of a PBX: the call is still to come; or a place that was asked for and not given. */
static bool is_no_call(const struct call *call, unsigned status)
{
    return pbx_call_is_challenge(call, status) || (call->is_asking && !call->answered_us);
}

static void count_end(struct call *call)
{
    stats_add(STAT_CALLS, -1);
    if (!call->answered_us && !is_no_call(call, call->end_status))
        stats_count(STAT_CALLS_FAILED);
    log_info("call %s: ended by %s (status=%u seconds=%llu cause=%s): %s", call->id, call->ended_by, call->end_status,
             (unsigned long long)(call->answered_us ? (call->ended_us - call->answered_us) / 1000000 : 0),
             call->cause_id[0] ? call->cause_id : "none", call->cause_id[0] ? call->cause_text : call->why);
}

static void keep_cause(struct call *call)
{
    struct text sentence;

    text_init(&sentence, 1024);
    call->cause_id = call_find_cause(call, &sentence);
    call->cause_text = text_take(&sentence);
    if (!call->cause_text)
        call->cause_id = "";
    if (call->cause_id[0])
        call_note(call, "cause %s: %s", call->cause_id, call->cause_text);
    text_free(&sentence);
}

static void leave_account(struct call *call)
{
    account_limit_leave(call->calls->store, call->counted_account);
    call->counted_account[0] = '\0';
}

void call_end(struct call *call, unsigned status, const char *ended_by, const char *why)
{
    if (call->state == CALL_OVER)
        return;
    snprintf(call->why, sizeof(call->why), "%s", why);
    call->ended_by = ended_by;
    call->end_status = call->answered_us ? 200 : status;
    call->ended_us = clock_now_us();
    call_note(call, "ended by %s: %s", ended_by, why);
    call_set_state(call, CALL_OVER);
    timer_stop(&call->ring_timer);
    timer_stop(&call->in_back_timer);
    timer_stop(&call->out_back_timer);
    timer_stop(&call->tell_timer);
    if (!is_no_call(call, status)) {
        keep_cause(call);
        call_write_cdr(call); /* before the media is gone: it has the figures */
    }
    call_keep_texts(call);
    transfer_drop(call);
    end_legs(call, status ? status : 200, call->why);
    call_leave_trunk(call);
    leave_account(call);
    count_end(call);
    timer_start(call->calls->stack->wheel, &call->linger, call->parting ? PARTING_MS : 0, on_linger_timer, call);
}
