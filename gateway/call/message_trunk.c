/* SPDX-License-Identifier: Apache-2.0 */
/* message_trunk.c: one MESSAGE to a route's trunks, one after the other until one takes it. RFC 3428. Of a trunk's
 * targets (RFC 3263) it asks the first one: its sender does not wait for more. Knows nothing of who waits for the
 * answer. */
#include "call/message_trunk.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "call/dial_limits.h"
#include "call/number_rules.h"
#include "call/trunk_board.h"
#include "call/trunk_choice.h"
#include "sip/errand.h"

#define TRY_T1                                                                                                         \
    12 /* so many T1 for one trunk: with two of them the sender still gets our answer, not its own time-out */

struct message_trunk {
    struct calls *calls;
    struct directory *directory; /* of the snapshot that the route is in */
    struct message *message;
    const struct conf_route *route;
    uint64_t tried;                                           /* bit per trunk; a route has at most 64 */
    const struct trunk *trunk;                                /* the one that is asked */
    char number[ROUTE_NUMBER_MAX], dialled[ROUTE_NUMBER_MAX]; /* as picked; as this trunk is to see it */
    struct locate *locate;
    struct sip_flow flow; /* where it is asked */
    struct errand *errand;
    struct timer timer; /* patience with one trunk; next one */
    unsigned status;    /* what the last one said; 0: none was asked */
    const char *why;
    message_trunk_fn *done;
    void *arg;
};

static void drop_try(struct message_trunk *it)
{
    timer_stop(&it->timer);
    it->locate = mem_unref(it->locate);
    it->errand = mem_unref(it->errand);
}

static void message_trunk_destroy(void *self)
{
    struct message_trunk *it = self;

    drop_try(it);
    mem_unref(it->message);
    mem_unref(it->directory);
}

static void try_next(void *arg);

static void finish(struct message_trunk *it, unsigned status, const char *why)
{
    message_trunk_fn *done = it->done;

    it->done = NULL;
    if (done)
        done(status, why, it->arg);
}

/* By a timer: the errand that failed is still on the stack. */
static void go_on(struct message_trunk *it, unsigned status, const char *why)
{
    it->status = status;
    it->why = why;
    timer_start(it->calls->stack->wheel, &it->timer, 0, try_next, it);
}

static void on_answer(struct errand *errand, unsigned status, struct span reason, void *arg)
{
    struct message_trunk *it = arg;

    timer_stop(&it->timer);
    if (status == 401 || status == 407)
        go_on(it, 502, "the trunk does not take our credentials"); /* its challenge is nothing for the sender */
    else if (status == 408 || status == 503 || status == 500 || status == 502 || status == 504)
        go_on(it, status == 408 ? 504 : status, "the trunk cannot take messages now");
    else
        finish(it, status, NULL);
}

static void on_patience(void *arg)
{
    struct message_trunk *it = arg;

    if (it->errand)
        locate_note(it->calls->stack, &it->flow, true); /* the next message goes to another target first */
    go_on(it, 504, "the trunk did not answer in time");
}

/* ---- one trunk ---- */

struct message_texts {
    struct text uri, from, to, headers;
};

static int write_texts(struct message_texts *texts, const struct message_trunk *it)
{
    const char *domain = it->calls->conf->domain;

    text_init(&texts->uri, 1024);
    text_init(&texts->from, 1024);
    text_init(&texts->to, 1024);
    text_init(&texts->headers, 16384);
    trunk_write_uri(&texts->uri, it->trunk, it->dialled, true);
    text_add_char(&texts->to, '<');
    trunk_write_uri(&texts->to, it->trunk, it->dialled, false);
    text_add_char(&texts->to, '>');
    message_write_trunk_from(&texts->from, it->message, it->trunk->conf, domain);
    message_write_trunk_headers(&texts->headers, it->message, it->trunk->conf, domain);
    text_add_str(&texts->headers, it->message->headers);
    if (text_err(&texts->uri) || text_err(&texts->from) || text_err(&texts->to))
        return -ENOMEM;
    return text_err(&texts->headers);
}

static void free_texts(struct message_texts *texts)
{
    text_free(&texts->uri);
    text_free(&texts->from);
    text_free(&texts->to);
    text_free(&texts->headers);
}

static int send_message(struct message_trunk *it, const struct sip_flow *flow)
{
    const struct message *message = it->message;
    struct message_texts texts;
    int err = write_texts(&texts, it);

    if (!err)
        err = errand_send(&it->errand, &(struct errand_options){.head = {.stack = it->calls->stack,
                                                                         .flow = *flow,
                                                                         .method = SIP_MESSAGE,
                                                                         .uri = text_span(&texts.uri),
                                                                         .from = text_span(&texts.from),
                                                                         .to = text_span(&texts.to),
                                                                         .has_no_contact = true,
                                                                         .max_forwards = message->max_forwards},
                                                                .headers = text_span(&texts.headers),
                                                                .content_type = span_of(message->content_type),
                                                                .body = span_make(message->body, message->body_bytes),
                                                                .username = it->trunk->conf->username,
                                                                .password = it->trunk->conf->password,
                                                                .done = on_answer,
                                                                .arg = it});
    free_texts(&texts);
    return err;
}

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct message_trunk *it = arg;
    struct locate_tries tries;

    locate_tries_begin(&tries, it->calls->stack, targets, count);
    if (err && err != -EAFNOSUPPORT)
        go_on(it, 503, "the trunk's name cannot be resolved");
    else if (!locate_tries_open(&tries, &it->flow, it->calls->stack, &it->trunk->peer))
        go_on(it, 503, "no connection to the trunk could be made");
    else if (send_message(it, &it->flow))
        go_on(it, 500, "the message could not be sent");
}

static const struct trunk *pick_trunk(struct message_trunk *it)
{
    int at = trunk_choose(it->route, it->tried, trunk_board_is_down, it->calls->board);

    if (at < 0)
        return NULL;
    it->tried |= UINT64_C(1) << at;
    return directory_trunk(it->directory, span_of(it->route->trunks.items[at]));
}

static void try_next(void *arg)
{
    struct message_trunk *it = arg;

    drop_try(it);
    it->trunk = pick_trunk(it);
    if (!it->trunk) {
        mem_ref(it);
        finish(it, it->status ? it->status : 503, it->why ? it->why : "no trunk can take the message");
        mem_unref(it);
        return;
    }
    memcpy(it->dialled, it->number, sizeof(it->dialled));
    if (number_rules_apply(&it->trunk->conf->numbers_out, it->dialled)) {
        go_on(it, 404, "the trunk's numbers_out leave no number");
        return;
    }
    if (dial_costs_extra(it->calls->conf, it->route, it->dialled)) {
        go_on(it, 403, "the number costs extra: only a route with `premium: true` dials it");
        return;
    }
    timer_start(it->calls->stack->wheel, &it->timer, TRY_T1 * it->calls->stack->timers.t1_ms, on_patience, it);
    if (locate_begin(&it->locate, it->calls->stack, it->calls->dns, &it->trunk->wish, on_located, it))
        go_on(it, 503, "the trunk's name cannot be resolved");
}

int message_trunk_new(struct message_trunk **itp, const struct message_trunk_options *options)
{
    struct message_trunk *it = mem_new(sizeof(*it), message_trunk_destroy);

    if (!it)
        return -ENOMEM;
    it->calls = options->calls;
    it->directory = mem_ref(options->calls->directory);
    it->message = mem_ref((void *)(uintptr_t)options->message);
    it->route = options->route;
    snprintf(it->number, sizeof(it->number), "%s", options->number);
    it->done = options->done;
    it->arg = options->arg;
    timer_start(it->calls->stack->wheel, &it->timer, 0, try_next, it);
    *itp = it;
    return 0;
}
