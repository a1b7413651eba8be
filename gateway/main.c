/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: arguments, signals, the life of the process. SIGHUP reloads, SIGTERM and SIGINT drain; a second one stops at
 * once. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "app.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spare.h"
#include "config.h"
#include "probe/probe.h"

static const char usage[] = "usage: sipway [-c FILE] [--check] [--version] [--help]\n"
                            "       sipway probe [-c FILE] [--call NUMBER] [--json] [TRUNK]\n"
                            "  -c, --config FILE   configuration (default " SIPWAY_CONFDIR "/sipway.yaml)\n"
                            "      --check         only check the configuration\n"
                            "      --keys          list every configuration key with its default\n"
                            "  -V, --version       tell the version\n"
                            "probe: will the trunks work? `sipway probe --help` says more\n";

struct arguments {
    const char *file;
    bool only_checks;
};

static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'}, {"keys", no_argument, NULL, 'l'},
        {"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'},  {NULL, 0, NULL, 0}};
    struct text help;
    int option;

    while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) >= 0) {
        switch (option) {
        case 'c':
            arguments->file = optarg;
            break;
        case 'k':
            arguments->only_checks = true;
            break;
        case 'l':
            text_init(&help, 1 << 20);
            conf_write_help(&help);
            fputs(help.data ? help.data : "", stdout);
            text_free(&help);
            exit(0);
        case 'V':
            puts("sipway " PACKAGE_VERSION);
            exit(0);
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            return -EINVAL;
        }
    }
    return 0;
}

static struct conf *load(const char *file)
{
    struct conf *conf = NULL;
    struct text errors;

    text_init(&errors, 64 * 1024);
    if (conf_load(&conf, file, &errors))
        fprintf(stderr, "%s", errors.data ? errors.data : "the configuration cannot be read\n");
    text_free(&errors);
    return conf;
}

static void reload(struct app *app, const char *file)
{
    struct conf *conf = load(file);

    if (!conf) {
        log_error("reload: refused, the configuration is unchanged");
        return;
    }
    app_reload(app, conf);
    conf_unref(conf);
    log_info("reload: done");
}

/* Waits for a signal, at most this long. @return its number, 0: none came */
static int wait_signal(const sigset_t *signals, unsigned ms)
{
    struct timespec timeout = {ms / 1000, (ms % 1000) * 1000000L};
    int number = sigtimedwait(signals, NULL, &timeout);

    return number > 0 ? number : 0;
}

/* No new calls; the running ones go on up to the limit, then a BYE. */
static void drain(struct app *app, const sigset_t *signals, unsigned limit_s)
{
    uint64_t end_ms = clock_now_ms() + limit_s * 1000ull;

    app_drain(app);
    if (app_call_count(app))
        log_info("stop: %lu call(s) go on for at most %u s; another SIGTERM ends them now", app_call_count(app),
                 limit_s);
    while (app_call_count(app) && clock_now_ms() < end_ms) {
        int number = wait_signal(signals, 50);

        if (number == SIGTERM || number == SIGINT)
            break;
    }
    for (unsigned i = 0; i < 40 && app_farewell_count(app); i++)
        wait_signal(signals, 50); /* the registrars' answers, the subscribers' last NOTIFYs */
    if (!app_call_count(app))
        return;
    app_end_calls(app, "the gateway is being stopped");
    for (unsigned i = 0; i < 40 && app_call_count(app); i++)
        wait_signal(signals, 50);
    wait_signal(signals, 200); /* the answers to our BYEs */
}

static int run(const char *file, struct conf *conf, const sigset_t *signals)
{
    struct app *app;
    struct text why;

    text_init(&why, 4096);
    if (app_new(&app, conf, &why)) {
        fprintf(stderr, "sipway: %s\n", why.data ? why.data : "cannot start");
        text_free(&why);
        return 1;
    }
    text_free(&why);
    if (app_start(app)) {
        fprintf(stderr, "sipway: the workers cannot be started\n");
        return 1;
    }
    log_info("sipway " PACKAGE_VERSION " is up (configuration=%s)", file);
    for (;;) {
        int number = wait_signal(signals, 3600 * 1000);

        if (number == SIGHUP)
            reload(app, file);
        else if (number)
            break;
    }
    drain(app, signals, app_drain_s(app));
    app_stop(app);
    mem_unref(app);
    log_info("sipway has stopped");
    return 0;
}

/* Each call needs descriptors on the trunk's side: take what the system gives. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max > 1048576 ? 1048576 : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void *take_block(size_t size_bytes, const char *file, int line)
{
    return spare_malloc(size_bytes);
}

static void *take_other_block(void *block, size_t size_bytes, const char *file, int line)
{
    return spare_realloc(block, size_bytes);
}

static void give_block(void *block, const char *file, int line)
{
    spare_free(block);
}

/* What a DTLS handshake takes for a moment (three buffers of 16 kB and up) is mapped and given back whole. In the heap
 * its place would be cut up by what the call keeps: 90 kB for each call instead of 45. */
static void tune_memory(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 16 * 1024);
#endif
    CRYPTO_set_mem_functions(take_block, take_other_block, give_block);
}

static int probe(int argc, char **argv)
{
    int status;

    signal(SIGPIPE, SIG_IGN);
    srtp_init();
    status = probe_main(argc, argv, SIPWAY_CONFDIR "/sipway.yaml");
    srtp_shutdown();
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.file = SIPWAY_CONFDIR "/sipway.yaml"};
    struct conf *conf;
    sigset_t signals;
    int status;

    if (argc > 1 && !strcmp(argv[1], "probe"))
        return probe(argc - 1, argv + 1);
    if (parse_arguments(&arguments, argc, argv))
        return 2;
    tune_memory();
    conf = load(arguments.file);
    if (!conf)
        return 1;
    if (arguments.only_checks) {
        conf_unref(conf);
        puts("the configuration is good");
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    raise_descriptor_limit();
    log_set((enum log_level)conf->log.level, (enum log_format)conf->log.format);
    srtp_init();
    status = run(arguments.file, conf, &signals);
    srtp_shutdown();
    conf_unref(conf);
    return status;
}
