/* SPDX-License-Identifier: Apache-2.0 */
/* call_dial.c: who gets the call: the route's account with all of its devices, or its trunks one after the other.
 * Knows nothing of what the legs say then. */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "call/call_private.h"
#include "call/dial_limits.h"
#include "call/leg_sip.h"
#include "call/pbx_call.h"
#include "call/trunk_board.h"
#include "call/trunk_choice.h"
#include "call/trunk_limit.h"
#include "call/trunk_pace.h"

static const char too_many[] = "the trunk's limit of new calls a second is reached";

static void on_ring_timer(void *arg)
{
    struct call *call = arg;
    char why[80];

    snprintf(why, sizeof(why), "nobody answered within %u s", call->conf->sip.ring_timeout_s);
    call_end(call, 480, "gateway", why);
}

static void start_ring_timer(struct call *call)
{
    timer_start(call->calls->stack->wheel, &call->ring_timer, call->conf->sip.ring_timeout_s * 1000ull, on_ring_timer,
                call);
}

void call_await_answer(struct call *call)
{
    start_ring_timer(call);
    call_set_state(call, CALL_RINGING);
}

bool call_ring(struct call *call, const struct leg_sip_dial *dial)
{
    struct leg *leg;

    if (call->out_count >= CALL_LEG_MAX && dial->binding)
        return false;
    if (leg_sip_new_out(&leg, call, dial)) {
        call_keep_refusal(call, 500, "no memory for another leg");
        return false;
    }
    call->out_count++;
    call_set_state(call, CALL_RINGING);
    return true;
}

static void end_unheard(struct call *call, const char *why)
{
    call_end(call, call->best_status ? call->best_status : 503, "gateway", call->best_why[0] ? call->best_why : why);
}

/* ---- an account ---- */

static void on_bindings(int err, const struct bindings *bindings, void *arg)
{
    struct call *call = arg;
    unsigned ringing = 0;
    char why[160];

    if (call->state == CALL_OVER) {
        /* ended while the store was asked: it has let go of its route */
    } else if (err || !bindings->count) {
        snprintf(why, sizeof(why), err ? "the registrations cannot be read" : "%s is not registered anywhere",
                 call->pick.account->name);
        call_end(call, err ? 503 : 480, "gateway", why);
    } else {
        call_note(call, "ringing %u device(s) of account %s", bindings->count, call->pick.account->name);
        for (unsigned i = 0; i < bindings->count; i++)
            ringing += call_ring(
                call, &(struct leg_sip_dial){.binding = &bindings->items[i], .account = call->pick.account->name});
        if (!ringing)
            end_unheard(call, "no device can be called");
    }
    mem_unref(call);
}

static void dial_account(struct call *call)
{
    location_find(call->calls->store, span_of(call->pick.account->name), on_bindings, mem_ref(call));
}

/* ---- trunks ---- */

void call_leave_trunk(struct call *call)
{
    const struct trunk *trunk;

    call->pace_wait = trunk_pace_leave(call->pace_wait);
    if (!call->is_counted_trunk)
        return;
    call->is_counted_trunk = false;
    trunk = directory_trunk(call->directory, span_of(call->pick.trunks->items[call->trunk_try.at]));
    if (trunk)
        trunk_limit_leave(call->calls->store, trunk->conf);
}

static int choose_trunk(struct call *call)
{
    if (!call->pick.trunks || (call->pbx && call->trunk_try.tried))
        return -1;
    return call->pbx ? 0
                     : trunk_choose(call->pick.route, call->trunk_try.tried, trunk_board_is_down, call->calls->board);
}

static bool ring_trunk(struct call *call)
{
    const char *name = call->pick.trunks->items[call->trunk_try.at];

    call_note(call, "trunk %s is tried", name);
    return call_ring(call, &(struct leg_sip_dial){.trunk = directory_trunk(call->directory, span_of(name))});
}

static void on_turn(int err, void *arg)
{
    struct call *call = arg;

    call->pace_wait = trunk_pace_leave(call->pace_wait);
    if (err)
        call_keep_refusal(call, 503, too_many);
    if ((err || !ring_trunk(call)) && !call_dial_next_trunk(call))
        end_unheard(call, "no trunk can take the call");
}

/* A place at the trunk, and its turn there. @return NULL, or why not */
static const char *enter_trunk(struct call *call, const struct trunk *trunk, bool *has_to_wait)
{
    const char *limit = trunk ? trunk_limit_enter(call->calls->store, trunk->conf) : "no such trunk";
    int err;

    if (limit)
        return limit;
    call->is_counted_trunk = true;
    err = trunk_pace_enter(&call->pace_wait, call->calls->pace, trunk->conf, on_turn, call);
    *has_to_wait = err == -EINPROGRESS;
    if (!err || *has_to_wait)
        return NULL;
    call_leave_trunk(call);
    return err == -ENOMEM ? "no memory is left" : too_many;
}

bool call_dial_next_trunk(struct call *call)
{
    bool has_to_wait = false;
    int at;

    call_leave_trunk(call);
    while ((at = choose_trunk(call)) >= 0) {
        const char *name = call->pick.trunks->items[at];
        const char *limit;

        call->trunk_try.tried |= UINT64_C(1) << at;
        call->trunk_try.at = (size_t)at;
        limit = enter_trunk(call, directory_trunk(call->directory, span_of(name)), &has_to_wait);
        if (limit) {
            call_note(call, "trunk %s: %s", name, limit);
            call_keep_refusal(call, 503, limit);
            continue;
        }
        if (has_to_wait)
            call_note(call, "trunk %s: waits for its turn", name);
        if (has_to_wait || ring_trunk(call))
            return true;
        call_leave_trunk(call);
    }
    return false;
}

/* ---- the route ---- */

static const char *take_offer(struct call *call, unsigned *status)
{
    struct invite *invite = leg_sip_invite(call->in);
    const char *why = "";
    int err;

    if (!invite)
        return NULL; /* other kinds of leg bring their media along */
    if (!invite_in_request(invite)->body.n) {
        call->late = call->in;
        *status = 503;
        return leg_media_assume_offer(call->in->media) ? "no memory is left" : NULL;
    }
    err = leg_media_take_offer(call->in->media, invite_in_request(invite)->body, &why);
    *status = err == -EBADMSG ? 400 : err == -EBUSY ? 503 : 488;
    return err ? why : NULL;
}

static void refuse_route(struct call *call, int err)
{
    if (err == -EACCES)
        call_end(call, 403, "gateway", "this account may not call that number");
    else
        call_end(call, 404, "gateway", "no route leads to that number");
}

/* Of two limits, 0 being none. */
static unsigned shorter(unsigned left, unsigned right)
{
    return !right || (left && left < right) ? left : right;
}

void call_limit_duration(struct call *call, const struct conf_account *account)
{
    call->max_duration_s = shorter(call->max_duration_s, account->max_duration_s);
}

/* @return false: nobody gets it, and the call has ended */
static bool find_way(struct call *call, const struct route_caller *caller)
{
    const char *why;
    int err;

    if (call->pbx) {
        pbx_call_pick(&call->pick, call);
        return true;
    }
    err = route_pick(&call->pick, call->directory, caller, span_of(call->dialled));
    if (err) {
        refuse_route(call, err);
        return false;
    }
    call_note(call, "route %s: %s", call->pick.route && call->pick.route->name ? call->pick.route->name : "-",
              call->pick.account ? call->pick.account->name : "trunks");
    why = call->pick.trunks ? dial_limits_enter(call->calls->store, call->conf, caller, &call->pick) : NULL;
    if (why) {
        call_end(call, 403, "gateway", why);
        return false;
    }
    if (caller->account)
        call_limit_duration(call, caller->account);
    return true;
}

void call_dial(struct call *call)
{
    bool is_dialled = true;

    if (call->pick.account)
        dial_account(call);
    else if (call->pbx && call->pbx->is_to_device)
        is_dialled = call_ring(call, &(struct leg_sip_dial){.binding = &call->pbx->device, .account = call->pbx->aor});
    else
        is_dialled = call_dial_next_trunk(call);
    if (!is_dialled)
        end_unheard(call, "no trunk can take the call");
}

void call_route(struct call *call, const struct route_caller *caller)
{
    unsigned status = 0;
    const char *why;

    call->rights = (struct route_caller){.account = caller->account, .trunk = caller->trunk};
    if (!find_way(call, caller))
        return;
    why = take_offer(call, &status);
    if (why) {
        call_end(call, status, "gateway", why);
        return;
    }
    start_ring_timer(call);
    log_info("call %s: %s calls %s (%s)", call->id, call->caller, call->dialled,
             call->pick.account  ? call->pick.account->name
             : call->pick.trunks ? "trunk"
                                 : "device");
    call_dial(call);
}
