/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.c: the only door between workers: a list under a lock that is held for a few moves, and one uv_async.
 * The receiver takes the whole list in one swap. Does not know what the mail says. */
#include "base/mailbox.h"

#include <errno.h>
#include <uv.h>

#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"

#define MAIL_MAX 65536u

struct mailbox {
    struct worker *worker;
    uv_async_t async;
    uv_mutex_t lock;
    struct list waiting; /* under lock, with the two below */
    unsigned count;
    bool is_open;
};

static void take_all(struct mailbox *mailbox, struct list *to)
{
    list_init(to);
    uv_mutex_lock(&mailbox->lock);
    list_splice(to, &mailbox->waiting);
    mailbox->count = 0;
    uv_mutex_unlock(&mailbox->lock);
}

static void receive_all(uv_async_t *async)
{
    struct mailbox *mailbox = async->data;
    struct list mails, *link;

    worker_note_turn(mailbox->worker);
    take_all(mailbox, &mails);
    while ((link = list_first(&mails))) {
        struct mail *mail = container_of(link, struct mail, link);

        list_remove(link);
        mail->receive(mailbox->worker, mail);
    }
}

int mailbox_new(struct mailbox **mailboxp, struct worker *worker)
{
    struct mailbox *mailbox = mem_new(sizeof(*mailbox), NULL);
    int err;

    if (!mailbox)
        return -ENOMEM;
    mailbox->worker = worker;
    mailbox->is_open = true;
    list_init(&mailbox->waiting);
    err = uv_mutex_init(&mailbox->lock);
    if (err) {
        mem_unref(mailbox);
        return err;
    }
    err = uv_async_init(&worker->loop, &mailbox->async, receive_all);
    if (err) {
        uv_mutex_destroy(&mailbox->lock);
        mem_unref(mailbox);
        return err;
    }
    mailbox->async.data = mailbox;
    *mailboxp = mailbox;
    return 0;
}

void mailbox_set_open(struct mailbox *mailbox, bool is_open)
{
    struct list mails, *link;

    uv_mutex_lock(&mailbox->lock);
    mailbox->is_open = is_open;
    uv_mutex_unlock(&mailbox->lock);
    if (is_open)
        return;
    take_all(mailbox, &mails);
    while ((link = list_first(&mails))) {
        list_remove(link);
        mem_unref(container_of(link, struct mail, link));
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct mailbox *mailbox = handle->data;

    uv_mutex_destroy(&mailbox->lock);
    mem_unref(mailbox);
}

void mailbox_close(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    mailbox_set_open(mailbox, false);
    uv_close((uv_handle_t *)&mailbox->async, on_closed);
}

int mailbox_post(struct worker *to, struct mail *mail_taken)
{
    struct mailbox *mailbox = to->mailbox;
    bool is_first, is_taken;

    uv_mutex_lock(&mailbox->lock);
    is_taken = mailbox->is_open && mailbox->count < MAIL_MAX;
    is_first = mailbox->count == 0;
    if (is_taken) {
        list_append(&mailbox->waiting, &mail_taken->link);
        mailbox->count++;
    }
    uv_mutex_unlock(&mailbox->lock);

    if (!is_taken) {
        stats_count(STAT_MAILBOX_FULL);
        mem_unref(mail_taken);
        return -EBUSY;
    }
    stats_count(STAT_MAILBOX_POSTED);
    if (is_first)
        uv_async_send(&mailbox->async);
    return 0;
}

struct call_mail {
    struct mail mail;
    void (*fn)(struct worker *worker, void *arg);
    void *arg;
};

static void receive_call(struct worker *worker, struct mail *mail)
{
    struct call_mail *call = container_of(mail, struct call_mail, mail);

    call->fn(worker, call->arg);
    mem_unref(call);
}

int mailbox_call(struct worker *to, void (*fn)(struct worker *worker, void *arg), void *arg)
{
    struct call_mail *call = mem_new(sizeof(*call), NULL);

    if (!call)
        return -ENOMEM;
    call->mail.receive = receive_call;
    call->fn = fn;
    call->arg = arg;
    return mailbox_post(to, &call->mail);
}
