/* SPDX-License-Identifier: Apache-2.0 */
/* home.c: news about an account to its home. Knows who is interested, not what they do with it. */
#include "call/home.h"

#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"
#include "call/message_box.h"
#include "call/messages.h"
#include "call/place.h"
#include "call/presence.h"

struct home_mail {
    struct mail mail;
    struct home_news news;
};

static void receive(struct calls *calls, const struct home_news *news)
{
    if (!calls->messages || !calls->presence)
        return; /* the house is being built */
    switch (news->kind) {
    case HOME_REGISTERED:
        message_box_on_registered(messages_box(calls->messages), news->account);
        presence_on_registered(calls->presence, news->account);
        break;
    case HOME_CALL:
        presence_on_call(calls->presence, news->account, &news->call);
        break;
    case HOME_SUMMARY:
        presence_on_summary(calls->presence, news->account, news->summary_taken);
        break;
    case HOME_KEPT:
        message_box_on_kept(messages_box(calls->messages), news->account, news->since_ms);
        break;
    }
}

static void home_mail_destroy(void *self)
{
    struct home_mail *mail = self;

    mem_unref(mail->news.summary_taken);
}

static void receive_mail(struct worker *worker, struct mail *mail)
{
    struct home_mail *home = container_of(mail, struct home_mail, mail);
    struct sip_stack *stack = sip_stack_of(worker->id);

    if (stack && stack->user == &calls_sip_user)
        receive(stack->user_arg, &home->news);
    mem_unref(home);
}

unsigned home_of(struct span account)
{
    return place_account(account, worker_count());
}

void home_tell(struct calls *calls, const struct home_news *news)
{
    unsigned home = home_of(span_of(news->account));
    struct worker *worker = worker_get(home);
    struct home_mail *mail;

    if (home == calls->worker) {
        receive(calls, news);
        mem_unref(news->summary_taken);
        return;
    }
    mail = worker ? mem_new(sizeof(*mail), home_mail_destroy) : NULL;
    if (!mail) {
        mem_unref(news->summary_taken);
        return;
    }
    mail->mail.receive = receive_mail;
    mail->news = *news;
    mailbox_post(worker, &mail->mail);
}
