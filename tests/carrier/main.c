/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the simulated carrier as a program: arguments, signals, one worker. It is the other end of the quick start's
 * trunk: real SIP and RTP on loopback, in a process of its own. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/worker.h"
#include "carrier.h"
#include "numbers.h"

#define LAST_WORDS_MS 300 /* for the answers to our BYEs */

static void print_help(void)
{
    printf("usage: sipway-carrier [--listen udp://127.0.0.1:5070] [--gateway HOST:PORT] [--calls N] [--rtp MIN-MAX]\n"
           "                      [--user NAME --password TEXT]\n"
           "A simulated carrier for trying out and testing a SIP gateway. Numbers:\n");
    for (unsigned i = 0; number_at(i); i++)
        printf("  %s  %s\n", number_at(i)->digits, number_at(i)->what);
    printf("--gateway: where calls of the carrier go (605 calls back); --calls: most calls at a time;\n"
           "--user, --password: calls to the carrier must prove themselves by digest.\n");
}

/* "127.0.0.1:5070", with "udp://" before it or without. */
static int read_addr(struct addr *addr, const char *text)
{
    struct span rest = span_of(text);
    ptrdiff_t colon = -1;
    uint32_t port;

    if (span_istarts(rest, SPAN("udp://")))
        rest = span_sub(rest, 6, rest.n);
    for (size_t i = 0; i < rest.n; i++)
        colon = rest.p[i] == ':' ? (ptrdiff_t)i : colon;
    if (colon < 0 || span_to_u32(span_sub(rest, (size_t)colon + 1, rest.n), UINT16_MAX, &port))
        return -EINVAL;
    return addr_parse(addr, span_sub(rest, 0, (size_t)colon), (uint16_t)port);
}

static int read_range(struct carrier_options *options, const char *text)
{
    struct span rest = span_of(text), first = span_cut(&rest, '-');
    uint32_t min, max;

    if (span_to_u32(first, UINT16_MAX, &min) || span_to_u32(rest, UINT16_MAX, &max) || min >= max)
        return -EINVAL;
    options->rtp_min = (uint16_t)min;
    options->rtp_max = (uint16_t)max;
    return 0;
}

/* @return 0; 1: help was asked for; -EINVAL */
static int read_arguments(struct carrier_options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'}, {"gateway", required_argument, NULL, 'g'},
        {"calls", required_argument, NULL, 'c'},  {"rtp", required_argument, NULL, 'r'},
        {"user", required_argument, NULL, 'u'},   {"password", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    int letter, err = 0;

    while (!err && (letter = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (letter == 'l')
            err = read_addr(&options->listen, optarg);
        else if (letter == 'g')
            err = read_addr(&options->gateway, optarg);
        else if (letter == 'c')
            err = span_to_u32(span_of(optarg), 100000, &options->max_calls);
        else if (letter == 'r')
            err = read_range(options, optarg);
        else if (letter == 'u')
            options->user = optarg;
        else if (letter == 'p')
            options->password = optarg;
        else
            err = letter == 'h' ? 1 : -EINVAL;
    }
    if (!err && (optind < argc || !options->user != !options->password))
        err = -EINVAL;
    return err;
}

/* ---- the end, on the worker ---- */

static struct carrier *carrier;
static struct timer last_words;

static void leave(void *arg)
{
    worker_stop(arg);
}

static void on_idle(struct carrier *idle)
{
    worker_timer(&last_words, LAST_WORDS_MS, leave, idle->worker);
}

static void stop_on_worker(struct worker *worker, void *arg)
{
    carrier_stop(carrier, on_idle);
}

/* SIGTERM and SIGINT are waited for here, so that no code runs in a handler. */
static void wait_for_signal(const sigset_t *signals)
{
    int signal_number;

    while (sigwait(signals, &signal_number) != 0)
        continue;
}

static int run(const struct carrier_options *options, const sigset_t *signals)
{
    struct worker *worker;
    const char *why = "no event loop";
    char text[ADDR_TEXT_MAX];
    int err = worker_new(&worker, 0, 1);

    if (!err) {
        worker_set_current(worker);
        err = carrier_new(&carrier, worker, options, &why);
        worker_set_current(NULL);
    }
    if (!err)
        err = worker_start(worker);
    if (err) {
        fprintf(stderr, "sipway-carrier: cannot listen on udp://%s: %s (%s)\n", addr_text(&options->listen, text), why,
                err_text(err));
        return EXIT_FAILURE;
    }
    printf("sipway-carrier: listening on udp://%s\n", addr_text(&carrier->listen, text));
    fflush(stdout);
    wait_for_signal(signals);
    mailbox_call(worker, stop_on_worker, NULL);
    worker_join(worker);
    worker_set_current(worker);
    carrier = mem_unref(carrier);
    worker_set_current(NULL);
    mem_unref(worker);
    printf("sipway-carrier: stopped\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct carrier_options options = {.rtp_min = 40000, .rtp_max = 40999, .max_calls = 200};
    sigset_t signals;
    int err;

    read_addr(&options.listen, "127.0.0.1:5070");
    err = read_arguments(&options, argc, argv);
    if (err) {
        print_help();
        return err > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread exists */
    log_set(LOG_WARN, LOG_TEXT);
    return run(&options, &signals);
}
