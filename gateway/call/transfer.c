/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c: a transfer from the REFER to its end. RFC 3515, 3891, 5589. Two calls: the one that is asked in, and that
 * to the target, in which a leg_wait.c stands for the one who is referred. He comes over when the target answers, or
 * before, when the one who asked hangs up. Rights, routes and limits are those of a call of the one who asked.
 *
 *   talking --REFER--> target rings --answered--> he goes there, NOTIFY 200, this call ends
 *                        |--refused, no answer--> NOTIFY that status, talking as before
 *                        |--who asked hangs up--> he waits there alone, this call ends
 *                        \--he hangs up--> NOTIFY 487, both calls end                        */
#include "call/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/call_private.h"
#include "call/events.h"
#include "call/identity.h"
#include "call/incoming.h"
#include "call/leg_far.h"
#include "call/leg_sip.h"
#include "call/leg_wait.h"
#include "call/replace.h"
#include "call/trunk_limit.h"
#include "sip/refer.h"

#define TRANSFER_MAX 8 /* one after the other, of one party */

struct transfer {
    struct call *call;   /* in which it was asked; NULL: over */
    struct call *target; /* that is to come of it */
    struct leg *referrer, *referred;
    struct refer *refer;
};

static void transfer_destroy(void *self)
{
    struct transfer *transfer = self;

    mem_unref(transfer->refer);
}

/* ---- he goes over ---- */

/* The call that he leaves ends. @param parting who asked, when he is still there: he may say BYE himself */
static void leave_call(struct call *call, struct leg *referred, struct leg *parting, const char *ended_by)
{
    char why[160];

    snprintf(why, sizeof(why), "%s was transferred to another call", referred->peer);
    call_let_go(call, referred);
    call->parting = parting;
    call_end(call, 200, ended_by, why);
    if (parting)
        leg_media_stop(parting->media);
}

/* The place in an account's max_calls that the call had, unless the other one has its own. */
static void carry_account(struct call *from, struct call *to)
{
    if (to->counted_account[0])
        return;
    memcpy(to->counted_account, from->counted_account, sizeof(to->counted_account));
    from->counted_account[0] = '\0';
}

static void go_over(struct transfer *transfer, struct leg *parting)
{
    struct call *call = transfer->call, *target = transfer->target;
    struct leg *stand_in = target->in, *referred = transfer->referred;

    call->transfer = NULL;
    transfer->call = NULL;
    carry_account(call, target);
    leave_call(call, referred, parting, call_side_name(call, transfer->referrer));
    call_join(target, stand_in, referred);
    list_remove(&stand_in->link);
    call_release_leg(stand_in);
    stand_in->ops->destroy(stand_in);
    events_call_changed(target);
    mem_unref(transfer);
}

void transfer_fetch(struct call *call)
{
    struct transfer *transfer = leg_wait_arg(call->in);

    if (!transfer)
        return;
    refer_tell(transfer->refer, 200);
    stats_count(STAT_TRANSFERS_DONE);
    go_over(transfer, transfer->referrer);
}

bool transfer_leave(struct call *call, const struct leg *leg)
{
    struct transfer *transfer = call->transfer;

    if (leg != transfer->referrer)
        return false;
    call_note(call, "%s hung up, %s waits for %s alone", leg->peer, transfer->referred->peer,
              transfer->target->dialled);
    refer_forget(transfer->refer);
    go_over(transfer, NULL);
    return true;
}

/* ---- it comes to nothing ---- */

static void on_progress(unsigned status, void *arg)
{
    struct transfer *transfer = arg;

    if (transfer->call)
        refer_tell(transfer->refer, status);
}

static void on_end(unsigned status, const char *why, void *arg)
{
    struct transfer *transfer = arg;
    struct call *call = transfer->call;

    if (!call)
        return;
    call_note(call, "the transfer of %s to %s failed: %u, %s", transfer->referred->peer, transfer->target->dialled,
              status, why);
    refer_tell(transfer->refer, status < 300 ? 480 : status);
    stats_count(STAT_TRANSFERS_FAILED);
    call->transfer = NULL;
    mem_unref(transfer);
}

static const struct leg_wait_user wait_user = {.on_progress = on_progress, .on_end = on_end};

void transfer_drop(struct call *call)
{
    struct transfer *transfer = call->transfer;

    if (!transfer)
        return;
    call->transfer = NULL;
    transfer->call = NULL;
    refer_tell(transfer->refer, 487);
    call_end(transfer->target, 487, "caller", "who was to be connected has hung up");
    mem_unref(transfer);
}

/* ---- blind ---- */

static void find_rights(struct route_caller *rights, const struct call *target, const struct leg *referrer)
{
    *rights = (struct route_caller){0};
    if (referrer->account[0])
        rights->account = directory_account(target->directory, span_of(referrer->account));
    else if (referrer->trunk)
        rights->trunk = directory_trunk(target->directory, span_of(referrer->trunk->conf->name));
}

static void name_by(struct call *target, const struct identity *identity)
{
    memcpy(target->caller, identity->number, sizeof(target->caller));
    memcpy(target->caller_display, identity->display, sizeof(target->caller_display));
    target->is_anonymous = identity->is_anonymous;
}

/* Who the target sees: the one who will talk to it. Through a trunk it is the account that sends him there: that one is
 * answerable for the call, and carriers refuse numbers that are not their customer's. */
static void name_caller(struct call *target, const struct transfer *transfer, const struct route_caller *rights)
{
    const struct leg *referred = transfer->referred;
    const struct conf_account *account =
        referred->account[0] ? directory_account(target->directory, span_of(referred->account)) : NULL;
    const struct call *call = transfer->call;
    struct identity identity = {0};
    struct route_pick pick;

    if (rights->account && !route_pick(&pick, target->directory, rights, span_of(target->dialled)) && pick.trunks)
        account = rights->account;
    if (account) {
        identity_of_account(&identity, account);
        name_by(target, &identity);
    } else if (referred == call->in) {
        memcpy(target->caller, call->caller, sizeof(target->caller));
        memcpy(target->caller_display, call->caller_display, sizeof(target->caller_display));
        target->is_anonymous = call->is_anonymous;
    } else {
        memcpy(target->caller, referred->peer, sizeof(target->caller));
    }
}

static int open_target(struct transfer *transfer)
{
    const struct refer_target *wanted = refer_target(transfer->refer);
    struct call *target;
    int err = call_new(&target, transfer->call->calls);

    if (err)
        return err;
    err = identity_take_dialled(target->dialled, &wanted->to.uri);
    if (err && wanted->has_replaces) { /* which says it all */
        snprintf(target->dialled, sizeof(target->dialled), "another call");
        err = 0;
    }
    if (!err)
        err = leg_wait_new(&target->in, target, transfer->referred, &wait_user, transfer);
    if (err) {
        stats_add(STAT_CALLS, -1);
        mem_unref(target);
        return err;
    }
    target->late = target->in; /* no early media: he talks elsewhere */
    target->transfer_count = transfer->call->transfer_count + 1;
    snprintf(target->referrer, sizeof(target->referrer), "%s",
             transfer->referrer->account[0] ? transfer->referrer->account : transfer->referrer->peer);
    transfer->target = target;
    return 0;
}

static int transfer_new(struct transfer **transferp, const struct leg_news *news)
{
    struct transfer *transfer = mem_new(sizeof(*transfer), transfer_destroy);
    int err;

    if (!transfer)
        return -ENOMEM;
    transfer->call = news->leg->call;
    transfer->referrer = news->leg;
    transfer->referred = call_other_leg(transfer->call, news->leg);
    transfer->refer = mem_ref(news->refer);
    err = open_target(transfer);
    if (err)
        mem_unref(transfer);
    else
        *transferp = transfer;
    return err;
}

/* The call to the target is there, the REFER accepted. @return NULL: it was refused */
static struct transfer *begin(struct call *call, const struct leg_news *news)
{
    struct transfer *transfer;
    struct call *target;
    int err = transfer_new(&transfer, news);

    if (err) {
        refer_refuse(news->refer, err == -EBADMSG ? 400 : 503,
                     err == -EBADMSG ? "Refer-To has no usable user part" : "no memory is left");
        return NULL;
    }
    target = transfer->target;
    call->transfer = transfer;
    call_note(call, "%s sends %s to %s: call %s", news->leg->peer, transfer->referred->peer, target->dialled,
              target->id);
    call_note(target, "transfer of %s to %s by %s, who talks to it in call %s", transfer->referred->peer,
              target->dialled, news->leg->peer, call->id);
    log_info("call %s: %s transfers %s to %s (call=%s)", call->id, news->leg->peer, transfer->referred->peer,
             target->dialled, target->id);
    refer_accept(news->refer);
    return transfer;
}

static void refuse(struct call *call, const struct leg_news *news, unsigned status, const char *why)
{
    call_note(call, "%s: REFER refused with %u: %s", news->leg->peer, status, why);
    refer_refuse(news->refer, status, why);
}

/* The call to the target is one of those of the account that asks. Where the call in which it asks has a place among
 * them, that is the place, and goes over with him who is referred. */
static const char *enter_limits(const struct call *call, const struct leg *referrer, char counted[SIP_ACCOUNT_MAX])
{
    const struct conf_account *account =
        referrer->account[0] ? directory_account(call->calls->directory, span_of(referrer->account)) : NULL;

    if (account && !strcmp(call->counted_account, referrer->account))
        account = NULL;
    return incoming_enter_limits(call->calls, account, counted);
}

static void begin_blind(struct call *call, const struct leg_news *news)
{
    char counted[SIP_ACCOUNT_MAX];
    const char *why = enter_limits(call, news->leg, counted);
    struct transfer *transfer;
    struct route_caller rights;

    if (why) {
        stats_count(STAT_CALLS_REFUSED);
        stats_count(STAT_TRANSFERS_FAILED);
        refuse(call, news, 503, why);
        return;
    }
    transfer = begin(call, news);
    if (!transfer) {
        account_limit_leave(call->calls->store, counted);
        return;
    }
    memcpy(transfer->target->counted_account, counted, sizeof(counted));
    find_rights(&rights, transfer->target, news->leg);
    name_caller(transfer->target, transfer, &rights);
    call_route(transfer->target, &rights); /* may end it at once, and the transfer with it */
}

/* ---- attended ---- */

static void wish_of(struct replace_wish *wish, const struct leg_news *news)
{
    *wish = (struct replace_wish){.named = refer_target(news->refer)->replaces};
    memcpy(wish->account, news->leg->account, sizeof(wish->account));
    if (!wish->account[0])
        snprintf(wish->trunk, sizeof(wish->trunk), "%s", news->leg->trunk->conf->name);
}

static void connect_calls(struct call *call, const struct leg_news *news, struct leg *named)
{
    struct leg *referred = call_other_leg(call, news->leg);
    struct call *target = named->call;

    call_note(call, "%s connects %s with %s: call %s", news->leg->peer, referred->peer,
              call_other_leg(target, named) ? call_other_leg(target, named)->peer : target->dialled, target->id);
    log_info("call %s: %s connects %s with its other call (call=%s)", call->id, news->leg->peer, referred->peer,
             target->id);
    refer_tell(news->refer, 200);
    stats_count(STAT_TRANSFERS_DONE);
    target->transfer_count += call->transfer_count + 1;
    carry_account(call, target);
    leave_call(call, referred, news->leg, call_side_name(call, news->leg));
    replace_by_leg(named, referred);
}

/* The other call is on another worker: a call is made for him who is referred, and joined to that one. */
static void begin_far(struct call *call, const struct leg_news *news, unsigned worker, const struct replace_wish *wish)
{
    struct transfer *transfer = begin(call, news);
    struct leg *leg;

    if (!transfer)
        return;
    name_caller(transfer->target, transfer, &(struct route_caller){0});
    transfer->target->max_duration_s = call->max_duration_s;
    if (leg_far_ask(&leg, transfer->target, worker, wish))
        call_end(transfer->target, 503, "gateway", "the other call cannot be reached");
    else
        call_await_answer(transfer->target);
}

static void begin_attended(struct call *call, const struct leg_news *news)
{
    struct replace_wish wish;
    struct leg *named = NULL;
    const char *why;
    unsigned status;
    int worker;

    wish_of(&wish, news);
    worker = replaces_worker(&wish.named);
    if (worker >= 0 && (unsigned)worker != call->calls->worker && (unsigned)worker < worker_count()) {
        begin_far(call, news, (unsigned)worker, &wish);
        return;
    }
    status = replace_find(&named, call->calls, &wish, &why);
    if (!status && named->call == call) {
        status = 481;
        why = "Replaces names the call itself";
    }
    refer_accept(news->refer); /* a 481 to the REFER itself would say that its own call is gone */
    if (!status) {
        connect_calls(call, news, named);
        return;
    }
    call_note(call, "%s: its transfer to another call failed: %u, %s", news->leg->peer, status, why);
    stats_count(STAT_TRANSFERS_FAILED);
    refer_tell(news->refer, status);
}

/* ---- who may ask ---- */

static unsigned refusal(const struct call *call, const struct leg_news *news, const char **why_out)
{
    const struct leg *leg = news->leg;

    *why_out = "calls between a PBX and its users cannot be transferred here";
    if (call->pbx)
        return 501;
    *why_out = "this trunk may not transfer calls (key refer)";
    if (!leg->account[0] && !(leg->trunk && leg->trunk->conf->may_refer))
        return 603;
    *why_out = "there is nobody to be transferred";
    if (!call_other_leg((struct call *)call, leg))
        return 481;
    *why_out = "a transfer is under way already";
    if (call->transfer)
        return 491;
    *why_out = "the call was transferred too often";
    if (call->transfer_count >= TRANSFER_MAX)
        return 603;
    *why_out = "the gateway is being stopped and takes no new calls";
    return call->calls->is_draining ? 503 : 0;
}

void transfer_receive(struct call *call, const struct leg_news *news)
{
    const char *why;
    unsigned status = refusal(call, news, &why);

    if (status) {
        refuse(call, news, status, why);
        return;
    }
    stats_count(STAT_TRANSFERS);
    if (refer_target(news->refer)->has_replaces)
        begin_attended(call, news);
    else
        begin_blind(call, news);
}
