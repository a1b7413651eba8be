/* SPDX-License-Identifier: Apache-2.0 */
/* media_rig.c: the house, the clock and the loop of the media tests. The peers are media_peer.c's. */
#include "media_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rand.h"

struct rig rig;
unsigned rig_gather_us;
unsigned rig_port_count = 200;
static size_t live_before;

static void on_wake(uv_timer_t *timer)
{
}

uint64_t rig_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void rig_start(const char *media_yaml)
{
    struct text text, errors;
    const char *why = "";
    unsigned port = 20000 + rand_u32() % 20000;

    live_before = mem_live_count();
    text_init(&text, 4096);
    text_init(&errors, 4096);
    text_addf(&text,
              "media:\n  webrtc: \"127.0.0.1:10000\"\n  gather: 0\n  rtp: {address: 127.0.0.1, ports: %u-%u}\n%s", port,
              port + rig_port_count - 1, media_yaml);
    if (conf_parse(&rig.conf, "test.yaml", text_span(&text), &errors))
        fail_msg("%s", errors.data);
    rig.conf->media.webrtc_port = 0; /* any: the tests of others run beside */
    text_free(&text);
    text_free(&errors);
    assert_int_equal(worker_new(&rig.worker, 0, 1), 0);
    worker_set_current(rig.worker);
    stats_bind(&rig.worker->stats);
    assert_int_equal(udp_house_new(&rig.udp, rig_gather_us), 0);
    assert_int_equal(dtls_identity_new(&rig.identity), 0);
    if (media_house_new(&rig.house, rig.conf, rig.udp, rig.identity, &why))
        fail_msg("%s", why);
}

void rig_stop(void)
{
    rig.house = mem_unref(rig.house);
    rig.identity = mem_unref(rig.identity);
    rig.udp = mem_unref(rig.udp);
    conf_unref(rig.conf);
    stats_bind(NULL);
    worker_set_current(NULL);
    clock_set_test(0);
    rig.worker = mem_unref(rig.worker);
    assert_int_equal(mem_live_count(), live_before);
}

/* One turn that ends after 5 ms at the latest. */
void rig_turn(void)
{
    static uv_timer_t wake;

    uv_timer_init(&rig.worker->loop, &wake);
    uv_timer_start(&wake, on_wake, 5, 0);
    uv_run(&rig.worker->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&wake, NULL);
    uv_run(&rig.worker->loop, UV_RUN_NOWAIT);
    timer_wheel_run(rig.worker->wheel, clock_now_ms());
}

static void on_echo(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    *(unsigned *)arg += n;
}

void rig_settle(void)
{
    unsigned count = 0;
    struct udp_options options = {.on_batch = on_echo, .arg = &count};
    struct udp *udp;

    addr_parse(&options.local, SPAN("127.0.0.1"), 0);
    assert_int_equal(udp_new(&udp, rig.udp, &options), 0);
    for (unsigned i = 1; i <= 3; i++) { /* there, back, and what that has caused */
        udp_send(udp, udp_local(udp), "ping ping", 9);
        rig_until(count >= i);
        rig_turn();
    }
    mem_unref(udp);
}

void rig_leap(uint64_t ms)
{
    uint64_t now_us = clock_now_us() + ms * 1000;

    clock_set_test(now_us);
    timer_wheel_run(rig.worker->wheel, now_us / 1000);
}

uint64_t rig_stat(enum stat_id id)
{
    return stats_block()->value[id];
}

static void on_state(struct endpoint *endpoint, enum endpoint_state state, const char *why, void *arg)
{
    struct seen *seen = arg;

    if (seen->state_count < 16)
        seen->states[seen->state_count++] = state;
    snprintf(seen->why, sizeof(seen->why), "%s", why);
}

static void on_event(struct endpoint *endpoint, const char *text, void *arg)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->events);

    snprintf(seen->events + n, sizeof(seen->events) - n, "%s\n", text);
}

const struct endpoint_user seen_user = {on_state, on_event};
