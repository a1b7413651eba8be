/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c: `sipway probe`: arguments, trunks one after the other, the report. Knows no checks: that is run.c. */
#include "probe/probe.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"
#include "probe/house.h"
#include "probe/run.h"

#define COLUMNS     100 /* where no terminal says otherwise */
#define COLUMNS_MIN 60
#define LINGER_MS   300 /* for the answers to what was taken back */
#define SIGNAL_MS   100 /* how often it is looked for SIGINT and SIGTERM */

static const char usage[] =
    "usage: sipway probe [-c FILE] [--call NUMBER] [--json] [TRUNK]\n"
    "Tells before going live whether the trunks of a configuration will work: all, or the one that is named.\n"
    "      --call NUMBER   make a test call, best to a number that echoes\n"
    "      --json          the same as one JSON object\n"
    "Exit code: 0 nothing has failed, 1 something has, 2 it could not run.\n";

struct arguments {
    const char *file, *trunk, *number;
    bool is_json, is_help;
};

/* One run over the trunks. */
struct run {
    const struct arguments *arguments;
    struct probe_house *house;
    struct worker *worker;
    struct report **reports; /* one for each trunk to look at */
    const struct conf_trunk **trunks;
    unsigned count, at;
    struct probe *probe;
    struct timer linger, signal;
    int err; /* -EINTR: somebody stopped it */
};

static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"call", required_argument, NULL, 'n'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) >= 0) {
        if (option == 'c')
            arguments->file = optarg;
        else if (option == 'n')
            arguments->number = optarg;
        else if (option == 'j')
            arguments->is_json = true;
        else if (option == 'h')
            arguments->is_help = true;
        else
            return -EINVAL;
    }
    arguments->trunk = optind < argc ? argv[optind] : NULL;
    return argc - optind > 1 ? -EINVAL : 0;
}

/* ---- the trunks, one after the other ---- */

static unsigned columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
        return COLUMNS;
    return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}

static void print(struct text *text)
{
    fputs(text->data ? text->data : "", stdout);
    fflush(stdout);
    text_free(text);
}

static void on_linger(void *arg)
{
    worker_stop(arg);
}

static void on_done(struct probe *probe, void *arg);

static void begin_trunk(struct run *run)
{
    if (!run->err && run->at < run->count)
        run->err = probe_new(&run->probe, &(struct probe_options){.house = run->house,
                                                                  .trunk = run->trunks[run->at],
                                                                  .report = run->reports[run->at],
                                                                  .on_done = on_done,
                                                                  .arg = run});
    if (run->err || run->at == run->count)
        worker_timer(&run->linger, LINGER_MS, on_linger, run->worker);
}

static void on_done(struct probe *probe, void *arg)
{
    struct run *run = arg;
    struct text text;

    if (!run->arguments->is_json) {
        text_init(&text, 1 << 20);
        report_write_screen(&text, run->reports[run->at], columns());
        print(&text);
    }
    run->probe = mem_unref(probe);
    run->at++;
    begin_trunk(run);
}

static int write_end(struct run *run)
{
    struct text text;
    int err = 0;

    text_init(&text, 16 << 20);
    if (run->arguments->is_json)
        err = report_write_json(&text, run->arguments->file, run->reports, run->count);
    else
        report_write_sum(&text, run->reports, run->count);
    print(&text);
    return err;
}

/* ---- stopped by hand: a running call is hung up all the same ---- */

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static void on_signal_time(void *arg)
{
    struct run *run = arg;
    struct timespec now = {0, 0};
    sigset_t signals;

    block_signals(&signals);
    if (sigtimedwait(&signals, NULL, &now) < 0) {
        worker_timer(&run->signal, SIGNAL_MS, on_signal_time, run);
        return;
    }
    run->err = -EINTR;
    run->probe = mem_unref(run->probe);
    worker_timer(&run->linger, LINGER_MS, on_linger, run->worker);
}

/* ---- the whole ---- */

static void free_run(struct run *run)
{
    for (unsigned i = 0; run->reports && i < run->count; i++)
        mem_unref(run->reports[i]);
    mem_unref(run->reports);
    mem_unref(run->trunks);
}

static int choose_trunks(struct run *run, const struct conf *conf)
{
    const char *name = run->arguments->trunk;

    run->reports = mem_new((conf->trunk_count + 1) * sizeof(*run->reports), NULL);
    run->trunks = mem_new((conf->trunk_count + 1) * sizeof(*run->trunks), NULL);
    if (!run->reports || !run->trunks)
        return -ENOMEM;
    for (size_t i = 0; i < conf->trunk_count; i++) {
        if (name && strcmp(conf->trunks[i].name, name) != 0)
            continue;
        run->reports[run->count] = mem_new(sizeof(struct report), NULL);
        if (!run->reports[run->count])
            return -ENOMEM;
        run->trunks[run->count++] = &conf->trunks[i];
    }
    return run->count ? 0 : -ENOENT;
}

static int go_through(struct run *run, struct conf *conf)
{
    const char *why = "";
    int err = probe_house_open(&run->house, &run->worker, conf, &why);

    if (err) {
        fprintf(stderr, "sipway probe: %s (%s)\n", why, err_text(err));
        return err;
    }
    run->house->number = run->arguments->number;
    on_signal_time(run);
    begin_trunk(run);
    worker_run(run->worker);
    worker_set_current(run->worker);
    timer_stop(&run->linger);
    timer_stop(&run->signal);
    mem_unref(run->probe);
    probe_house_close(run->house, run->worker);
    if (run->err == -EINTR)
        fputs("sipway probe: stopped\n", stderr);
    else if (run->err)
        fprintf(stderr, "sipway probe: a trunk cannot be looked at (%s)\n", err_text(run->err));
    return run->err;
}

static int run_all(const struct arguments *arguments, struct conf *conf)
{
    struct run run = {.arguments = arguments};
    int err = choose_trunks(&run, conf), code = 2;

    if (err == -ENOENT)
        fprintf(stderr, "sipway probe: %s has no trunk%s%s\n", arguments->file, arguments->trunk ? " named " : "",
                arguments->trunk ? arguments->trunk : "");
    if (!err && !go_through(&run, conf) && !write_end(&run))
        code = report_exit(run.reports, run.count);
    free_run(&run);
    return code;
}

int probe_main(int argc, char **argv, const char *default_file)
{
    struct arguments arguments = {.file = default_file};
    struct conf *conf;
    struct text errors;
    int code;

    if (parse_arguments(&arguments, argc, argv) || arguments.is_help) {
        fputs(usage, arguments.is_help ? stdout : stderr);
        return arguments.is_help ? 0 : 2;
    }
    text_init(&errors, 64 * 1024);
    if (conf_load(&conf, arguments.file, &errors)) {
        fputs(errors.data ? errors.data : "the configuration cannot be read\n", stderr);
        text_free(&errors);
        return 2;
    }
    text_free(&errors);
    log_set(LOG_ERROR, LOG_TEXT); /* what the peers do wrong is in the report */
    code = run_all(&arguments, conf);
    conf_unref(conf);
    return code;
}
