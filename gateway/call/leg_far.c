/* SPDX-License-Identifier: Apache-2.0 */
/* leg_far.c: one of two legs that join calls of two workers. Each word is a mail to the other one; a mail for a leg
 * that is gone is dropped. Knows nothing of SIP; who may take whose place is said in replace.c.
 *
 *   asking leg --ASK--> a leg is made there and takes the place --ANSWER (at once, or with the call's)--> both talk
 *     CHANGE --> CHANGED (200 or refusal; 491 is tried again, sooner by the asking one)      END: from either side */
#include "call/leg_far.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mailbox.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/call_private.h"

#define RETRY_MAX 4

enum far_word { FAR_ASK, FAR_PROGRESS, FAR_ANSWER, FAR_CHANGE, FAR_CHANGED, FAR_INFO, FAR_END };

struct leg_far {
    struct leg leg;       /* first */
    struct map_node node; /* calls->far_legs, by id */
    struct calls *calls;  /* the leg's worker; its call may change */
    char id[SIP_TAG_MAX]; /* of both */
    unsigned worker;      /* of the other one */
    bool is_asking;       /* it was first */
    bool is_changing;     /* our CHANGE has no outcome yet */
    bool is_asked;        /* theirs has no answer yet */
    bool is_twin_gone;
    char *change; /* our CHANGE, to be said again */
    unsigned retry_count;
    struct timer retry_timer;
};

struct far_mail {
    struct mail mail;
    enum far_word word;
    char id[SIP_TAG_MAX];
    unsigned status, worker; /* worker: who sent it */
    char *why, *sdp, *type;
    struct replace_wish *wish; /* ASK */
    char peer[ROUTE_NUMBER_MAX];
};

static struct leg_far *far_of(struct leg *leg)
{
    return container_of(leg, struct leg_far, leg);
}

/* ---- mail ---- */

static void far_mail_destroy(void *self)
{
    struct far_mail *mail = self;

    mem_unref(mail->why);
    mem_unref(mail->sdp);
    mem_unref(mail->type);
    mem_unref(mail->wish);
}

static void on_mail(struct worker *worker, struct mail *mail);

static struct far_mail *mail_new(const struct leg_far *far, enum far_word word)
{
    struct far_mail *mail = mem_new(sizeof(*mail), far_mail_destroy);

    if (!mail)
        return NULL;
    mail->mail.receive = on_mail;
    mail->word = word;
    mail->worker = far->calls->worker;
    memcpy(mail->id, far->id, sizeof(mail->id));
    return mail;
}

static char *copy(struct span text)
{
    return text.n ? mem_text(text.p, text.n) : NULL;
}

/* @param mail_taken NULL: there was no memory for it */
static int post(unsigned to, struct far_mail *mail_taken)
{
    struct worker *worker = worker_get(to);

    if (!mail_taken)
        return -ENOMEM;
    if (worker)
        return mailbox_post(worker, &mail_taken->mail);
    mem_unref(mail_taken);
    return -ENOENT;
}

/* ---- what the call wants ---- */

static int say(struct leg *leg, enum far_word word, unsigned status, const char *why, struct span sdp)
{
    struct leg_far *far = far_of(leg);
    struct far_mail *mail = far->is_twin_gone ? NULL : mail_new(far, word);

    if (!mail)
        return far->is_twin_gone ? -EPROTO : -ENOMEM;
    mail->status = status;
    mail->why = copy(span_of(why));
    mail->sdp = copy(sdp);
    return post(far->worker, mail);
}

static void progress(struct leg *leg, unsigned status, struct span sdp)
{
    say(leg, FAR_PROGRESS, status, "", SPAN_NULL); /* no early media: who waits there has a description of his own */
}

static int answer(struct leg *leg, struct span sdp)
{
    leg->is_answered = true;
    leg->status = 200;
    return say(leg, FAR_ANSWER, 200, "", sdp);
}

static void end(struct leg *leg, unsigned status, unsigned cause, const char *why)
{
    struct leg_far *far = far_of(leg);

    if (leg->is_over)
        return;
    leg->is_over = true;
    timer_stop(&far->retry_timer);
    say(leg, FAR_END, leg->is_answered ? 0 : status ? status : 487, why, SPAN_NULL);
    map_remove(&far->node);
    if (leg->media)
        leg_media_stop(leg->media);
}

static int send_change(struct leg_far *far)
{
    int err = say(&far->leg, FAR_CHANGE, 0, "", span_of(far->change));

    far->is_changing = !err;
    return err;
}

static int modify(struct leg *leg, struct span sdp)
{
    struct leg_far *far = far_of(leg);

    if (!leg->is_answered)
        return -EPROTO;
    if (far->is_changing || far->is_asked)
        return -EBUSY;
    mem_unref(far->change);
    far->change = copy(sdp);
    far->retry_count = 0;
    return far->change ? send_change(far) : -ENOMEM;
}

/* It has been asked, and will say so. */
static void modify_cancel(struct leg *leg)
{
}

static void modify_reply(struct leg *leg, unsigned status, const char *why, struct span sdp)
{
    far_of(leg)->is_asked = false;
    say(leg, FAR_CHANGED, status, why, sdp);
}

static void info(struct leg *leg, struct span content_type, struct span body)
{
    struct leg_far *far = far_of(leg);
    struct far_mail *mail = mail_new(far, FAR_INFO);

    if (!mail)
        return;
    mail->type = copy(content_type);
    mail->sdp = copy(body);
    post(far->worker, mail);
}

static void destroy(struct leg *leg)
{
    mem_unref(far_of(leg));
}

static const struct leg_ops ops = {.name = "far",
                                   .progress = progress,
                                   .answer = answer,
                                   .end = end,
                                   .modify = modify,
                                   .modify_cancel = modify_cancel,
                                   .modify_reply = modify_reply,
                                   .info = info,
                                   .destroy = destroy};

/* ---- birth ---- */

static void leg_far_destroy(void *self)
{
    struct leg_far *far = self;

    end(&far->leg, 500, 0, "the call is gone");
    list_remove(&far->leg.link);
    mem_unref(far->leg.media);
    mem_unref(far->change);
}

static int leg_far_new(struct leg_far **farp, struct call *call, enum leg_side side, const char *id, unsigned worker)
{
    static const struct endpoint_user nobody;
    struct leg_far *far = mem_new(sizeof(*far), leg_far_destroy);
    int err;

    if (!far)
        return -ENOMEM;
    far->leg.ops = &ops;
    far->leg.call = call;
    far->leg.side = side;
    far->calls = call->calls;
    far->worker = worker;
    snprintf(far->id, sizeof(far->id), "%s", id);
    err = leg_media_new(&far->leg.media,
                        &(struct leg_media_options){
                            .house = call->calls->media, .conf = call->conf, .is_inside = true, .user = &nobody});
    if (!err)
        err = map_put(&call->calls->far_legs, &far->node, span_of(far->id));
    if (err) {
        far->is_twin_gone = true; /* it does not know of us */
        mem_unref(far);
        return err;
    }
    *farp = far;
    return 0;
}

static int send_ask(struct leg_far *far, const struct replace_wish *wish)
{
    struct far_mail *mail = mail_new(far, FAR_ASK);
    const char *why = "";
    struct text sdp;
    int err = mail ? 0 : -ENOMEM;

    text_init(&sdp, 65536);
    if (!err)
        err = leg_media_make_offer(far->leg.media, far->leg.call->in->media, &sdp, &why);
    if (!err) {
        mail->sdp = copy(text_span(&sdp));
        mail->wish = mem_new(sizeof(*mail->wish), NULL);
        memcpy(mail->peer, far->leg.call->caller, sizeof(mail->peer));
        err = mail->sdp && mail->wish ? 0 : -ENOMEM;
    }
    text_free(&sdp);
    if (err) {
        mem_unref(mail);
        return err;
    }
    *mail->wish = *wish;
    return post(far->worker, mail);
}

int leg_far_ask(struct leg **legp, struct call *call, unsigned worker, const struct replace_wish *wish)
{
    char id[SIP_TAG_MAX];
    struct leg_far *far;
    int err;

    sip_tag_make(id, call->calls->stack);
    err = leg_far_new(&far, call, LEG_OUT, id, worker);
    if (err)
        return err;
    far->is_asking = true;
    memcpy(far->leg.peer, call->dialled, sizeof(far->leg.peer));
    err = send_ask(far, wish);
    if (err) {
        far->is_twin_gone = true;
        mem_unref(far);
        return err;
    }
    list_append(&call->out_legs, &far->leg.link);
    call->out_count++;
    call_note(call, "worker %u is asked for the place of another", worker);
    *legp = &far->leg;
    return 0;
}

/* ---- what the other one says ---- */

static void tell(struct leg_far *far, enum leg_event event, const struct far_mail *mail)
{
    call_event(&(struct leg_news){.leg = &far->leg,
                                  .event = event,
                                  .status = mail->status,
                                  .why = mail->why ? mail->why : "",
                                  .sdp = span_of(mail->sdp),
                                  .content_type = span_of(mail->type)});
}

static void on_retry_timer(void *arg)
{
    struct leg_far *far = arg;
    char why[] = "no memory is left";

    if (send_change(far)) /* nobody will answer it */
        tell(far, LEG_MODIFIED, &(struct far_mail){.status = 503, .why = why});
}

/* Both changed something at once: who asked first tries first (RFC 3261 14.1 in small). */
static void take_outcome(struct leg_far *far, const struct far_mail *mail)
{
    if (!far->is_changing)
        return;
    if (mail->status == 491 && far->retry_count++ < RETRY_MAX) {
        timer_start(far->calls->stack->wheel, &far->retry_timer, far->is_asking ? 300 : 1000, on_retry_timer, far);
        return;
    }
    far->is_changing = false;
    tell(far, LEG_MODIFIED, mail);
}

static void take_end(struct leg_far *far, struct far_mail *mail)
{
    far->is_twin_gone = true;
    if (far->leg.side == LEG_OUT && !far->leg.is_answered) {
        far->leg.status = mail->status;
        tell(far, LEG_REFUSED, mail);
    } else {
        mail->status = 0;
        tell(far, LEG_HUNG_UP, mail);
    }
}

static void receive(struct leg_far *far, struct far_mail *mail)
{
    switch (mail->word) {
    case FAR_PROGRESS:
        far->leg.has_rung = true;
        tell(far, LEG_PROGRESS, mail);
        break;
    case FAR_ANSWER:
        far->leg.is_answered = true;
        far->leg.status = 200;
        tell(far, LEG_ANSWERED, mail);
        break;
    case FAR_CHANGE:
        far->is_asked = true;
        tell(far, LEG_MODIFY, mail);
        break;
    case FAR_CHANGED:
        take_outcome(far, mail);
        break;
    case FAR_INFO:
        tell(far, LEG_INFO, mail);
        break;
    case FAR_END:
        take_end(far, mail);
        break;
    case FAR_ASK:
        break;
    }
}

/* ---- asked for a place ---- */

static void refuse_ask(struct calls *calls, const struct far_mail *ask, unsigned status, const char *why)
{
    struct leg_far far = {.calls = calls};
    struct far_mail *mail;

    memcpy(far.id, ask->id, sizeof(far.id));
    mail = mail_new(&far, FAR_END);
    if (!mail)
        return; /* it will give up by itself */
    mail->status = status;
    mail->why = copy(span_of(why));
    post(ask->worker, mail);
}

static int take_place(struct calls *calls, const struct far_mail *ask, struct leg *named, const char **why_out)
{
    struct call *call = named->call;
    struct leg_far *far;
    int err = leg_far_new(&far, call, LEG_IN, ask->id, ask->worker);

    if (err)
        return err;
    memcpy(far->leg.peer, ask->peer, sizeof(far->leg.peer));
    call_note(call, "%s, in a call of worker %u, wants the place of %s", ask->peer, ask->worker, named->peer);
    err = leg_media_take_offer(far->leg.media, span_of(ask->sdp), why_out);
    if (!err)
        err = replace_by_offer(named, &far->leg, why_out);
    if (err) {
        far->is_twin_gone = true; /* the refusal says all */
        mem_unref(far);
    }
    return err;
}

static void receive_ask(struct calls *calls, const struct far_mail *ask)
{
    const char *why = "no memory is left";
    struct leg *named = NULL;
    unsigned status = replace_find(&named, calls, ask->wish, &why);

    if (!status && take_place(calls, ask, named, &why))
        status = 488;
    if (status)
        refuse_ask(calls, ask, status, why);
    else
        stats_count(STAT_CALLS_TAKEN_OVER);
}

static void on_mail(struct worker *worker, struct mail *base)
{
    struct far_mail *mail = container_of(base, struct far_mail, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);
    struct calls *calls = stack && stack->user == &calls_sip_user ? stack->user_arg : NULL;
    struct map_node *node = calls ? map_find(&calls->far_legs, span_of(mail->id)) : NULL;

    if (calls && mail->word == FAR_ASK)
        receive_ask(calls, mail);
    else if (node)
        receive(container_of(node, struct leg_far, node), mail);
    mem_unref(mail);
}
