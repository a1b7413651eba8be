/* SPDX-License-Identifier: Apache-2.0 */
/* rest.c: HTTP for operators: /health /ready /metrics /calls /calls/recent /calls/ID /trunks, POST /reload; for the
 * page: /phone.json. Calls live on their workers: a question about them is a letter that visits each and comes back;
 * one that gets lost is answered 503. */
#include "api/rest.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "api/rest_trunks.h"
#include "app.h"
#include "base/conf.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"
#include "call/calls.h"
#include "net/http.h"

#define ANSWER_MAX (16 * 1024 * 1024)
#define ANSWER_MS  3000 /* for all workers together */
#define JSON       "application/json"

static void reply_error(struct http_request *request, unsigned status, const char *why)
{
    struct text out;

    text_init(&out, 1024);
    text_add_str(&out, "{\"error\": ");
    text_add_json(&out, span_of(why));
    text_add_str(&out, "}\n");
    http_reply(request, status, JSON, text_span(&out));
    text_free(&out);
}

/* ---- health ---- */

static void get_health(struct http_request *request, void *arg)
{
    http_reply(request, 200, JSON, SPAN("{\"status\": \"ok\"}\n"));
}

static void get_ready(struct http_request *request, void *arg)
{
    if (app_is_draining(arg))
        reply_error(request, 503, "draining");
    else
        http_reply(request, 200, JSON, SPAN("{\"status\": \"ready\"}\n"));
}

static void get_metrics(struct http_request *request, void *arg)
{
    struct stats *blocks[WORKER_MAX + 1];
    struct stats *sum = mem_new(sizeof(*sum), NULL);
    struct text out;

    for (unsigned i = 0; i < worker_count(); i++)
        blocks[i] = &worker_get(i)->stats;
    blocks[worker_count()] = stats_shared();
    text_init(&out, ANSWER_MAX);
    if (sum) {
        stats_sum(sum, blocks, worker_count() + 1);
        stats_write(&out, sum);
    }
    http_reply(request, sum ? 200 : 500, "text/plain; version=0.0.4", text_span(&out));
    text_free(&out);
    mem_unref(sum);
}

static void post_reload(struct http_request *request, void *arg)
{
    kill(getpid(), SIGHUP); /* the main thread reads the file; what is wrong with it is in the log */
    http_reply(request, 202, JSON, SPAN("{\"status\": \"reloading, see the log\"}\n"));
}

/* ---- calls ---- */

/* A request that waits at home for its letter, which may get lost on the way: a mailbox can be full. */
struct asked {
    struct list link;
    struct http_request *request;
    uint64_t number;
    struct timer timer;
};

/* Of the worker that has the admin address, and touched by no other. */
static struct list asked_all = {&asked_all, &asked_all};
static uint64_t asked_count;

struct tour {
    struct mail mail;
    uint64_t number; /* of the request at home */
    unsigned home;   /* worker that has it */
    unsigned next;   /* worker to visit */
    struct text out;
    char id[64]; /* empty: a list */
    bool is_recent;
    bool has_items; /* a worker has already written some */
    int err;
};

static void asked_destroy(void *self)
{
    struct asked *asked = self;

    timer_stop(&asked->timer);
    list_remove(&asked->link);
}

static void on_no_answer(void *arg)
{
    struct asked *asked = arg;

    reply_error(asked->request, 503, "a worker did not answer in time, ask again");
    mem_unref(asked);
}

static struct asked *await_letter(struct http_request *request)
{
    struct asked *asked = mem_new(sizeof(*asked), asked_destroy);

    if (!asked)
        return NULL;
    asked->request = request;
    asked->number = ++asked_count;
    list_append(&asked_all, &asked->link);
    worker_timer(&asked->timer, ANSWER_MS, on_no_answer, asked);
    return asked;
}

static struct asked *find_asked(uint64_t number)
{
    struct list *link, *tmp;

    list_each (link, tmp, &asked_all)
        if (container_of(link, struct asked, link)->number == number)
            return container_of(link, struct asked, link);
    return NULL;
}

static void tour_destroy(void *self)
{
    struct tour *tour = self;

    text_free(&tour->out);
}

static void finish_tour(struct tour *tour)
{
    struct asked *asked = find_asked(tour->number);

    if (!asked) {
        /* too late: it has been told so */
    } else if (tour->id[0] && tour->err) {
        reply_error(asked->request, 404, "no such call");
    } else {
        text_add_str(&tour->out, tour->id[0] ? "\n" : "\n]\n");
        http_reply(asked->request, text_err(&tour->out) ? 500 : 200, JSON, text_span(&tour->out));
    }
    mem_unref(asked);
    mem_unref(tour);
}

/* One worker's share of the list; only between shares that are not empty stands a comma. */
static void add_list(struct tour *tour, struct worker *worker)
{
    struct text part;

    text_init(&part, ANSWER_MAX);
    calls_write_list(house_calls(worker), tour->is_recent, &part);
    if (part.len && tour->has_items)
        text_add_str(&tour->out, ",\n");
    tour->has_items |= part.len > 0;
    text_add(&tour->out, text_span(&part));
    if (text_err(&part))
        tour->out.err = text_err(&part);
    text_free(&part);
}

static void visit(struct worker *worker, struct mail *mail)
{
    struct tour *tour = container_of(mail, struct tour, mail);
    unsigned to;

    if (tour->next >= worker_count()) {
        finish_tour(tour);
        return;
    }
    if (tour->id[0]) {
        tour->err = calls_write_one(house_calls(worker), span_of(tour->id), &tour->out);
        tour->next = worker_count();
    } else {
        add_list(tour, worker);
        tour->next++;
    }
    to = tour->next < worker_count() ? tour->next : tour->home;
    mailbox_post(worker_get(to), &tour->mail); /* refused: on_no_answer() says so at home */
}

/* @return 0, else the status to refuse with */
static unsigned begin_tour(struct http_request *request, struct span id, bool is_recent)
{
    struct tour *tour = mem_new(sizeof(*tour), tour_destroy);
    int owner = id.n ? calls_owner(id) : 0;
    struct asked *asked;

    if (!tour || owner < 0 || (unsigned)owner >= worker_count() || span_copy(id, tour->id, sizeof(tour->id)) < 0) {
        unsigned status = tour ? 404 : 500;

        mem_unref(tour);
        return status;
    }
    text_init(&tour->out, ANSWER_MAX);
    tour->is_recent = is_recent;
    tour->mail.receive = visit;
    tour->next = (unsigned)owner;
    tour->home = worker_current()->id;
    if (!id.n)
        text_add_str(&tour->out, "[\n");
    asked = await_letter(request);
    if (!asked) {
        mem_unref(tour);
        return 500;
    }
    tour->number = asked->number;
    if (mailbox_post(worker_get((unsigned)owner), &tour->mail)) {
        mem_unref(asked);
        return 503;
    }
    return 0;
}

static void ask_workers(struct http_request *request, struct span id, bool is_recent)
{
    unsigned status = begin_tour(request, id, is_recent);

    if (status == 404)
        reply_error(request, 404, "no such call");
    else if (status)
        reply_error(request, status, "the workers cannot be asked now");
}

static void get_calls(struct http_request *request, void *arg)
{
    ask_workers(request, SPAN_NULL, false);
}

static void get_call(struct http_request *request, void *arg)
{
    struct span path = http_path(request);
    struct span prefix = SPAN("/calls/");

    if (path.n <= prefix.n)
        ask_workers(request, SPAN_NULL, false);
    else if (span_eq(path, SPAN("/calls/recent")))
        ask_workers(request, SPAN_NULL, true);
    else
        ask_workers(request, span_sub(path, prefix.n, path.n), false);
}

/* ---- the page ---- */

static void write_numbers(struct text *out, const struct conf_strings *numbers)
{
    for (size_t i = 0; i < numbers->count; i++) {
        struct span label = span_of(numbers->items[i]);
        struct span number = span_cut(&label, '=');

        text_add_str(out, i ? ", {\"number\": " : "{\"number\": ");
        text_add_json(out, number);
        text_add_str(out, ", \"label\": ");
        text_add_json(out, label);
        text_add_char(out, '}');
    }
}

/* The demo's account and numbers are told only where the configuration says demo: (the quick start). */
static void get_phone(struct http_request *request, void *arg)
{
    struct conf *conf = house_conf(worker_current());
    const struct conf_account *account =
        conf->demo.is_on && conf->demo.account ? conf_find_account(conf, span_of(conf->demo.account)) : NULL;
    struct text out;

    text_init(&out, 65536);
    text_add_str(&out, "{\"domain\": ");
    text_add_json(&out, span_of(conf->domain));
    if (account && account->password) {
        text_add_str(&out, ", \"account\": {\"name\": ");
        text_add_json(&out, span_of(account->name));
        text_add_str(&out, ", \"password\": ");
        text_add_json(&out, span_of(account->password));
        text_add_char(&out, '}');
    }
    text_add_str(&out, ", \"numbers\": [");
    if (conf->demo.is_on)
        write_numbers(&out, &conf->demo.numbers);
    text_add_str(&out, "]}\n");
    http_reply(request, text_err(&out) ? 500 : 200, JSON, text_span(&out));
    text_free(&out);
}

int rest_add(struct ws_house *ws, struct app *app, bool is_admin)
{
    static const struct http_handler handlers[] = {
        {.is_admin = true, .method = "GET", .path = "/health", .handle = get_health},
        {.is_admin = true, .method = "GET", .path = "/ready", .handle = get_ready},
        {.is_admin = true, .method = "GET", .path = "/metrics", .handle = get_metrics},
        {.is_admin = true, .method = "GET", .path = "/calls", .handle = get_calls},
        {.is_admin = true, .method = "GET", .path = "/calls/", .handle = get_call},
        {.is_admin = true, .method = "GET", .path = "/trunks", .handle = rest_get_trunks},
        {.is_admin = true, .method = "POST", .path = "/reload", .handle = post_reload},
        {.method = "GET", .path = "/phone.json", .handle = get_phone},
    };
    int err = 0;

    for (unsigned i = 0; i < sizeof(handlers) / sizeof(*handlers) && !err; i++) {
        struct http_handler handler = handlers[i];

        handler.arg = app;
        if (!handler.is_admin || is_admin)
            err = http_add(ws, &handler);
    }
    return err;
}
