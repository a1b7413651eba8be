/* SPDX-License-Identifier: Apache-2.0 */
/* load.h: what the modes of the load generator share: options, the marks that the bench script waits for, and a pool of
 * scripted browsers in front of one scripted trunk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "browser.h"
#include "peer_loop.h"
#include "peer_rtp.h"
#include "trunk.h"

struct options {
    const char *gateway_ip, *trunk_ip, *domain, *number, *path, *profiles, *pids;
    unsigned ws_port, sip_port, trunk_port, relay_port;
    unsigned users, calls, rate, seconds, round_us, slack_us;
    unsigned expires;  /* of a registration, seconds */
    unsigned incoming; /* 1: the trunk calls the browsers */
    bool is_verbose;
};

/** Which processes' CPU time each mark tells as "cpu_us"; @p pids "12,13". Nothing told before. */
void mark_watch(const char *pids);
/** One line of JSON on stdout: {"mark":NAME, FIELDS}. @param fields printf text of JSON members */
void mark(const char *name, const char *fields, ...) __attribute__((format(printf, 2, 3)));
void mark_plain(const char *name);
/** A line on stderr and exit 1. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** Fires @p on_turn `rate` times a second until `count` turns are done; late turns are made up for. */
struct metronome {
    struct peer_loop *loop;
    struct peer_timer timer;
    uint64_t start_ns;
    unsigned rate, count, done;
    void (*on_turn)(void *ctx, unsigned turn);
    void *ctx;
};
void metronome_start(struct metronome *metronome);

/** Write count, p50 and p99 of a histogram as JSON: "NAME":{"count":..,"p50":..,"p99":..}; @p scale divides. */
const char *histogram_json(char out[static 128], const char *name, const struct peer_histogram *histogram,
                           double scale);

/** The modes. @return process exit status. */
int run_relay(struct peer_loop *loop, const struct options *options);
int run_setup(struct peer_loop *loop, const struct options *options);
int run_register(struct peer_loop *loop, const struct options *options);
int run_phones(struct peer_loop *loop, const struct options *options);
int run_raw(struct peer_loop *loop, const struct options *options);
