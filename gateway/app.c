/* SPDX-License-Identifier: Apache-2.0 */
/* app.c: builds one worker's house in order and tears it down in reverse; the only file that sees every floor.
 * conf > store, record, identity, tls > for each worker: udp > dns > media > calls > sip stack > web > rest. */
#include "app.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/rest.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"
#include "call/calls.h"
#include "call/guesses.h"
#include "media/media.h"
#include "net/dns.h"
#include "net/tls_clients.h"
#include "net/ws.h"
#include "plugin/loader.h"
#include "store/export.h"
#include "store/kept.h"
#include "store/record.h"
#include "store/store.h"

#define STORE_KEY_LIMIT 1000000

/* One worker's floors. */
struct house {
    struct app *app;
    struct worker *worker;
    struct udp_house *udp;
    struct dns *dns;
    struct media_house *media;
    struct calls *calls;
    struct sip_stack *stack;
    struct ws_protocol protocols[2];
    struct ws_house *ws;
    struct timer store_timer;
};

struct app {
    struct conf *conf;
    struct store *store;
    struct guesses *guesses;
    struct record *record;
    struct export *export; /* of call records; NULL: none */
    struct kept *kept;
    struct dtls_identity *identity;
    struct tls *server_tls, *client_tls;
    struct tls_clients *tls_clients;
    struct plugins *plugins;
    struct house houses[WORKER_MAX];
    unsigned worker_count;
    bool is_draining;
};

struct calls *house_calls(const struct worker *worker)
{
    return ((const struct house *)worker->house)->calls;
}

struct conf *house_conf(const struct worker *worker)
{
    return house_calls(worker)->conf;
}

bool app_is_draining(const struct app *app)
{
    return __atomic_load_n(&app->is_draining, __ATOMIC_RELAXED);
}

/* ---- one worker ---- */

static void tear_down_house(struct house *house)
{
    if (!house->worker)
        return;
    worker_set_current(house->worker);
    timer_stop(&house->store_timer);
    mem_unref(house->ws);    /* turns the loop and tells of each socket it closes: everything else still stands */
    mem_unref(house->calls); /* ends the legs: they need the stack and the media below them */
    mem_unref(house->stack);
    mem_unref(house->media);
    mem_unref(house->dns);
    mem_unref(house->udp);
    worker_set_current(NULL);
    mem_unref(house->worker);
}

static void on_store_timer(void *arg)
{
    struct house *house = arg;

    store_run(house->app->store);
    worker_timer(&house->store_timer, 1000, on_store_timer, house);
}

static int build_house(struct house *house, unsigned id, const char **why)
{
    struct app *app = house->app;
    struct conf *conf = app->conf;
    int err = worker_new(&house->worker, id, app->worker_count);

    if (err)
        return err;
    house->worker->house = house;
    worker_set_current(house->worker);
    err = udp_house_new(&house->udp, conf->media.gather_us);
    if (!err)
        err = dns_new(&house->dns, &conf->dns.servers);
    if (!err)
        err = media_house_new(&house->media, conf, house->udp, app->identity, why);
    if (!err)
        err = calls_new(&house->calls, &(struct calls_options){.worker = id,
                                                               .conf = conf,
                                                               .media = house->media,
                                                               .store = app->store,
                                                               .record = app->record,
                                                               .kept = app->kept,
                                                               .dns = house->dns,
                                                               .guesses = app->guesses});
    if (!err)
        err = sip_stack_new(&house->stack,
                            &(struct stack_options){.worker = id,
                                                    .user = &calls_sip_user,
                                                    .user_arg = house->calls,
                                                    .conf = conf,
                                                    .udp = house->udp,
                                                    .server_tls = app->server_tls,
                                                    .client_tls = app->client_tls,
                                                    .tls_clients = app->tls_clients},
                            why);
    if (err)
        return err;
    err = calls_set_stack(house->calls, house->stack);
    if (err)
        return err;
    transport_ws_protocol(house->stack->transports, &house->protocols[0]);
    err = ws_house_new(
        &house->ws, &(struct ws_house_options){.conf = conf, .protocols = house->protocols, .has_admin = id == 0}, why);
    if (!err)
        err = rest_add(house->ws, app, id == 0);
    if (!err && id == 0)
        worker_timer(&house->store_timer, 1000, on_store_timer, house);
    worker_set_current(NULL);
    return err;
}

/* ---- the process ---- */

static void app_destroy(void *self)
{
    struct app *app = self;

    kept_stop(app->kept); /* it answers to workers */
    for (unsigned i = app->worker_count; i-- > 0;)
        tear_down_house(&app->houses[i]);
    mem_unref(app->plugins);
    mem_unref(app->server_tls);
    mem_unref(app->client_tls);
    mem_unref(app->tls_clients);
    mem_unref(app->identity);
    mem_unref(app->kept);
    record_close(app->record);
    export_close(app->export);
    mem_unref(app->guesses);
    mem_unref(app->store);
    conf_unref(app->conf);
}

static void on_records_written(void *arg)
{
    export_wake(arg);
}

static int open_export(struct app *app, struct text *err_out)
{
    const struct conf *conf = app->conf;
    int err;

    if (!conf->cdr.file && !conf->cdr.http)
        return 0;
    err =
        export_open(&app->export,
                    &(struct export_options){
                        .folder = conf->state, .file = conf->cdr.file, .url = conf->cdr.http, .token = conf->cdr.token},
                    err_out);
    if (!err)
        record_on_written(app->record, on_records_written, app->export);
    return err;
}

static int build_shared(struct app *app, struct text *err_out, const char **why)
{
    struct conf *conf = app->conf;
    int err = store_local_new(&app->store, STORE_KEY_LIMIT);

    if (!err)
        err = guesses_new(&app->guesses);
    if (!err)
        err = record_open(&app->record, conf->state, err_out);
    if (!err)
        err = open_export(app, err_out);
    if (!err)
        err = kept_open(&app->kept, conf->state, err_out);
    if (!err)
        err = dtls_identity_new(&app->identity);
    tls_set_modern(conf->sip.is_tls_modern);
    if (!err && conf->sip.certificate && conf->sip.certificate[0])
        err = tls_new(&app->server_tls, conf->sip.certificate, conf->sip.key, why);
    if (!err)
        err = tls_client_new(&app->client_tls, NULL, true, why);
    if (!err)
        err = tls_clients_new(&app->tls_clients, conf, why);
    if (!err)
        err = plugin_load_all(&app->plugins, conf, NULL, err_out);
    return err;
}

static unsigned count_workers(const struct conf *conf)
{
    unsigned count = conf->workers ? conf->workers : uv_available_parallelism();

    return count < 1 ? 1 : count > WORKER_MAX ? WORKER_MAX : count;
}

int app_new(struct app **appp, struct conf *conf, struct text *err_out)
{
    struct app *app = mem_new(sizeof(*app), app_destroy);
    const char *why = "";
    int err;

    if (!app)
        return -ENOMEM;
    app->conf = conf_ref(conf);
    app->worker_count = count_workers(conf);
    err = build_shared(app, err_out, &why);
    for (unsigned i = 0; i < app->worker_count && !err; i++) {
        app->houses[i].app = app;
        err = build_house(&app->houses[i], i, &why);
    }
    if (err) {
        if (!err_out->len)
            text_addf(err_out, "%s (%s)", why && *why ? why : "the gateway cannot start", err_text(err));
        worker_set_current(NULL);
        mem_unref(app);
        return err;
    }
    *appp = app;
    return 0;
}

int app_start(struct app *app)
{
    int err = 0;

    for (unsigned i = 0; i < app->worker_count && !err; i++)
        err = worker_start(app->houses[i].worker);
    return err;
}

void app_stop(struct app *app)
{
    for (unsigned i = 0; i < app->worker_count; i++)
        worker_stop(app->houses[i].worker);
    for (unsigned i = 0; i < app->worker_count; i++)
        worker_join(app->houses[i].worker);
}

/* ---- reload ---- */

static void reload_house(struct worker *worker, void *arg)
{
    struct house *house = worker->house;
    struct conf *conf = arg;

    if (calls_reload(house->calls, conf))
        log_error("reload: worker %u keeps the old configuration: out of memory", worker->id);
    sip_stack_reload(house->stack, conf);
    media_house_reload(house->media, conf);
    ws_house_set_conf(house->ws, conf);
    ws_house_reload(house->ws);
    conf_unref(conf);
}

static bool is_same_text(const char *left, const char *right)
{
    return !strcmp(left ? left : "", right ? right : "");
}

/* Call records go to other places from now on, or to none. */
static void reload_export(struct app *app, const struct conf *before)
{
    const struct conf *conf = app->conf;
    struct text why;

    if (is_same_text(before->cdr.file, conf->cdr.file) && is_same_text(before->cdr.http, conf->cdr.http) &&
        is_same_text(before->cdr.token, conf->cdr.token))
        return;
    record_on_written(app->record, NULL, NULL);
    export_close(app->export);
    app->export = NULL;
    text_init(&why, 1024);
    if (open_export(app, &why))
        log_error("reload: call records are not exported: %.*s", SPAN_ARG(text_span(&why)));
    text_free(&why);
}

static void reload_tls(struct app *app, const struct conf *conf)
{
    const char *why = "";

    tls_set_modern(conf->sip.is_tls_modern);
    if (app->server_tls && tls_reload(app->server_tls, &why))
        log_error("reload: the SIP certificate stays as it was: %s", why);
    if (tls_reload(app->client_tls, &why))
        log_error("reload: the settings of SIP over TLS stay as they were: %s", why);
    tls_clients_reload(app->tls_clients, conf);
}

void app_reload(struct app *app, struct conf *conf)
{
    struct conf *before = app->conf;

    reload_tls(app, conf);
    log_set((enum log_level)conf->log.level, (enum log_format)conf->log.format);
    for (unsigned i = 0; i < app->worker_count; i++)
        if (mailbox_call(app->houses[i].worker, reload_house, conf_ref(conf)))
            conf_unref(conf);
    app->conf = conf_ref(conf);
    reload_export(app, before);
    conf_unref(before);
}

/* ---- drain ---- */

static void drain_house(struct worker *worker, void *arg)
{
    calls_drain(house_calls(worker));
}

void app_drain(struct app *app)
{
    __atomic_store_n(&app->is_draining, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < app->worker_count; i++)
        mailbox_call(app->houses[i].worker, drain_house, NULL);
}

unsigned app_drain_s(const struct app *app)
{
    return app->conf->sip.drain_s;
}

static unsigned long sum_of(const struct app *app, enum stat_id gauge)
{
    unsigned long sum = 0;

    for (unsigned i = 0; i < app->worker_count; i++)
        sum += __atomic_load_n(&app->houses[i].worker->stats.value[gauge], __ATOMIC_RELAXED);
    return sum;
}

unsigned long app_call_count(const struct app *app)
{
    return sum_of(app, STAT_CALLS);
}

unsigned long app_farewell_count(const struct app *app)
{
    return sum_of(app, STAT_TRUNKS_REGISTERED) + sum_of(app, STAT_SUBSCRIPTIONS);
}

static void end_calls(struct worker *worker, void *arg)
{
    calls_end_all(house_calls(worker), arg);
}

void app_end_calls(struct app *app, const char *why)
{
    for (unsigned i = 0; i < app->worker_count; i++)
        mailbox_call(app->houses[i].worker, end_calls, (void *)(uintptr_t)why);
}
