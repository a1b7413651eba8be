/* SPDX-License-Identifier: Apache-2.0 */
/* message_fork.c: one MESSAGE to all devices of an account at once. RFC 3428 6, RFC 3261 16.7.
 * Knows neither who waits for the answer nor what becomes of a message that nobody took. */
#include "call/message_fork.h"

#include <errno.h>

#include "base/mem.h"
#include "sip/errand.h"

struct message_fork {
    struct calls *calls;
    struct errand *errands[BINDING_MAX];
    unsigned asked_count, over_count;
    unsigned best_status; /* of the refusals */
    message_fork_fn *done;
    void *arg;
    struct timer none_timer; /* no device at all: told outside of message_fork_new() */
};

static void message_fork_destroy(void *self)
{
    struct message_fork *fork = self;

    timer_stop(&fork->none_timer);
    for (unsigned i = 0; i < fork->asked_count; i++)
        mem_unref(fork->errands[i]);
}

/* A device that is not there any more (its successor at that address says so), that has trouble of its own or points
 * elsewhere is not one that does not want the message. */
static bool is_refusal(unsigned status)
{
    static const unsigned absent[] = {404, 408, 410, 430, 480, 481, 487};

    for (unsigned i = 0; i < sizeof(absent) / sizeof(*absent); i++)
        if (status == absent[i])
            return false;
    return (status >= 400 && status < 500) || status >= 600;
}

/* A device's question for a password is nothing for the sender. */
static unsigned as_told(unsigned status)
{
    return status == 401 || status == 407 ? 403 : status;
}

static void tell(struct message_fork *fork, enum message_outcome outcome, unsigned status)
{
    message_fork_fn *done = fork->done;

    fork->done = NULL;
    if (done)
        done(outcome, status, fork->arg);
}

static void tell_if_over(struct message_fork *fork)
{
    if (fork->over_count < fork->asked_count)
        return;
    tell(fork, fork->best_status ? MESSAGE_REFUSED : MESSAGE_UNREACHED, fork->best_status ? fork->best_status : 480);
}

static void on_answer(struct errand *errand, unsigned status, struct span reason, void *arg)
{
    struct message_fork *fork = arg;

    mem_ref(fork);
    fork->over_count++;
    if (status < 300)
        tell(fork, MESSAGE_DELIVERED, status);
    else if (is_refusal(status) && (!fork->best_status || status >= 600))
        fork->best_status = as_told(status);
    tell_if_over(fork);
    mem_unref(fork);
}

static void on_none_timer(void *arg)
{
    struct message_fork *fork = arg;

    mem_ref(fork);
    tell_if_over(fork);
    mem_unref(fork);
}

static int ask(struct message_fork *fork, const struct message_fork_options *options, const struct binding *binding)
{
    const struct message *message = options->message;
    struct text to;
    int err;

    text_init(&to, 1024);
    text_add_str(&to, "<sip:");
    uri_write_user(&to, span_of(options->account));
    text_addf(&to, "@%s>", options->calls->conf->domain);
    err = text_err(&to);
    if (!err)
        err = errand_send(&fork->errands[fork->asked_count],
                          &(struct errand_options){.head = {.stack = options->calls->stack,
                                                            .flow = binding->flow,
                                                            .method = SIP_MESSAGE,
                                                            .uri = span_of(binding->contact),
                                                            .from = span_of(message->from),
                                                            .to = text_span(&to),
                                                            .has_no_contact = true,
                                                            .max_forwards = message->max_forwards,
                                                            .call_id = message->call_id,
                                                            .tag = message->tag,
                                                            .cseq = 1},
                                                   .headers = span_of(message->headers),
                                                   .content_type = span_of(message->content_type),
                                                   .body = span_make(message->body, message->body_bytes),
                                                   .done = on_answer,
                                                   .arg = fork});
    text_free(&to);
    if (!err)
        fork->asked_count++;
    return err;
}

int message_fork_new(struct message_fork **forkp, const struct message_fork_options *options)
{
    struct message_fork *fork = mem_new(sizeof(*fork), message_fork_destroy);

    if (!fork)
        return -ENOMEM;
    fork->calls = options->calls;
    fork->done = options->done;
    fork->arg = options->arg;
    for (unsigned i = 0; i < options->bindings->count; i++)
        ask(fork, options, &options->bindings->items[i]); /* one that cannot be asked was not reached */
    if (!fork->asked_count)
        timer_start(options->calls->stack->wheel, &fork->none_timer, 0, on_none_timer, fork);
    *forkp = fork;
    return 0;
}
