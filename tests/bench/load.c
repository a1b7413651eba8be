/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: the load generator's command line. Each mode prints JSON lines ("marks"); bench.mjs reads the gateway's CPU
 * time and memory at the marks, so that what the generator itself costs is in no figure. */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct mode {
    const char *name;
    int (*run)(struct peer_loop *loop, const struct options *options);
} modes[] = {
    {"relay", run_relay}, {"setup", run_setup}, {"register", run_register}, {"phones", run_phones}, {"raw", run_raw}};

static const struct text_option {
    const char *name;
    size_t offset;
} texts[] = {
    {"gateway-ip", offsetof(struct options, gateway_ip)},
    {"trunk-ip", offsetof(struct options, trunk_ip)},
    {"domain", offsetof(struct options, domain)},
    {"number", offsetof(struct options, number)},
    {"path", offsetof(struct options, path)},
    {"srtp", offsetof(struct options, profiles)},
    {"pids", offsetof(struct options, pids)},
};

static const struct text_option numbers[] = {
    {"ws-port", offsetof(struct options, ws_port)},       {"sip-port", offsetof(struct options, sip_port)},
    {"trunk-port", offsetof(struct options, trunk_port)}, {"relay-port", offsetof(struct options, relay_port)},
    {"incoming", offsetof(struct options, incoming)},     {"users", offsetof(struct options, users)},
    {"calls", offsetof(struct options, calls)},           {"rate", offsetof(struct options, rate)},
    {"seconds", offsetof(struct options, seconds)},       {"round-us", offsetof(struct options, round_us)},
    {"slack-us", offsetof(struct options, slack_us)},     {"expires", offsetof(struct options, expires)},
};

void die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "bench_load: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(1);
}

const char *histogram_json(char out[static 128], const char *name, const struct peer_histogram *histogram, double scale)
{
    snprintf(out, 128, "\"%s\":{\"count\":%llu,\"p50\":%.3f,\"p99\":%.3f}", name, (unsigned long long)histogram->count,
             peer_histogram_at(histogram, 500) / scale, peer_histogram_at(histogram, 990) / scale);
    return out;
}

static void metronome_due(void *ctx)
{
    struct metronome *m = ctx;
    uint64_t now_ns = peer_loop_now_ns(m->loop);

    while (m->done < m->count && m->start_ns + m->done * 1000000000ull / m->rate <= now_ns) {
        unsigned turn = m->done++;

        m->on_turn(m->ctx, turn);
    }
    if (m->done < m->count)
        peer_timer_start(m->loop, &m->timer, m->start_ns + m->done * 1000000000ull / m->rate);
}

void metronome_start(struct metronome *m)
{
    m->start_ns = peer_loop_now_ns(m->loop);
    m->timer.on_due = metronome_due;
    m->timer.ctx = m;
    peer_timer_start(m->loop, &m->timer, m->start_ns);
}

static bool set_option(struct options *options, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!strcmp(name, texts[i].name)) {
            *(const char **)((char *)options + texts[i].offset) = value;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (!strcmp(name, numbers[i].name)) {
            *(unsigned *)((char *)options + numbers[i].offset) = (unsigned)strtoul(value, NULL, 10);
            return true;
        }
    }
    return false;
}

/* Thousands of browsers are thousands of sockets. */
static void raise_limit(void)
{
    struct rlimit limit = {65536, 65536};

    if (setrlimit(RLIMIT_NOFILE, &limit) && !getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static const struct mode *read_arguments(struct options *options, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose"))
            options->is_verbose = true;
        else if (strncmp(argv[i], "--", 2) != 0 || i + 1 >= argc || !set_option(options, argv[i] + 2, argv[i + 1]))
            die("unknown option or no value: %s", argv[i]);
        else
            i++;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (!strcmp(argv[1], modes[i].name))
            return &modes[i];
    }
    die("usage: bench_load relay|setup|register|phones|raw --OPTION VALUE ...");
}

int main(int argc, char **argv)
{
    struct options options = {
        .gateway_ip = "127.0.0.1",
        .trunk_ip = "127.0.0.2",
        .domain = "bench.test",
        .number = "15550100",
        .path = "/",
        .users = 100,
        .calls = 100,
        .rate = 50,
        .seconds = 5,
        .expires = 60,
        .round_us = 1000,
        .slack_us = 100,
    };
    const struct mode *mode = read_arguments(&options, argc, argv);
    struct peer_loop *loop;
    int status;

    raise_limit();
    mark_watch(options.pids);
    if (peer_loop_new(&loop))
        die("no event loop");
    status = mode->run(loop, &options);
    peer_loop_free(loop);
    return status;
}
