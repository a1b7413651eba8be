/* SPDX-License-Identifier: Apache-2.0 */
/* ports.c: RTP/RTCP port pairs: an even port and the next (RFC 3550 section 11) out of this worker's share of the
 * range. A queue of free pairs in random order at first (ports cannot be guessed), given back to its end (late packets
 * of an ended call do not meet the next one). When many calls come and go, some pairs rest with their sockets open, in
 * a queue again: opening and closing four sockets was an eighth of a call's signalling. Knows nothing of calls. */
#include "net/ports.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

#define TRIES_MAX  128 /* pairs tried when other programs sit on ours */
#define REST_MAX   512 /* open pairs at rest: what 2,000 closings a second leave behind in REST_MS, and some */
#define REST_MIN   32  /* none is used again before so many others have come behind it ... */
#define REST_MS    200 /* ... nor so soon: packets under way to the ended call find nobody */
#define BUSY_COUNT 32  /* pairs closed in a second: begin */
#define STALE_MS                                                                                                       \
    5000 /* closed when another call comes after that: at a quiet time every call has a port from the range */

struct resting {
    struct udp *pair[2];
    uint64_t since_ms;
};

struct ports {
    unsigned first, count; /* free pairs: a ring */
    unsigned size;
    uint16_t *ring;                /* the even port */
    struct resting rest[REST_MAX]; /* a ring, too: the longest at rest first */
    unsigned rest_first, rest_count;
    uint64_t second_ms; /* since when closings are counted */
    unsigned closed_count;
};

static uint16_t take(struct ports *ports)
{
    uint16_t port = ports->ring[ports->first];

    ports->first = (ports->first + 1) % ports->size;
    ports->count--;
    return port;
}

static void give_back(struct ports *ports, uint16_t port)
{
    if (ports->count < ports->size)
        ports->ring[(ports->first + ports->count++) % ports->size] = port;
}

/* ---- pairs at rest ---- */

static uint16_t port_of(struct udp *const pair[static 2])
{
    if (pair[0])
        return addr_port(udp_local(pair[0]));
    return pair[1] ? addr_port(udp_local(pair[1])) - 1 : 0;
}

static void close_pair(struct ports *ports, struct udp *pair[static 2])
{
    uint16_t port = port_of(pair);

    pair[0] = mem_unref(pair[0]);
    pair[1] = mem_unref(pair[1]);
    if (port)
        give_back(ports, port);
}

static struct resting take_resting(struct ports *ports)
{
    struct resting taken = ports->rest[ports->rest_first];

    ports->rest_first = (ports->rest_first + 1) % REST_MAX;
    ports->rest_count--;
    return taken;
}

static void close_stale(struct ports *ports, uint64_t now_ms)
{
    while (ports->rest_count && now_ms - ports->rest[ports->rest_first].since_ms > STALE_MS) {
        struct resting stale = take_resting(ports);

        close_pair(ports, stale.pair);
    }
}

/* Do calls end at such a rate that it pays? */
static bool is_busy(struct ports *ports, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - ports->second_ms;

    if (passed_ms >= 1000) {
        ports->closed_count = passed_ms < 2000 ? ports->closed_count / 2 : 0; /* what was a moment ago still counts */
        ports->second_ms = now_ms;
    }
    return ++ports->closed_count > BUSY_COUNT;
}

/* @return false: they are to be closed */
static bool lay_to_rest(struct ports *ports, struct udp *pair[static 2])
{
    uint64_t now_ms = clock_now_ms();

    close_stale(ports, now_ms);
    if (!pair[0] || !pair[1] || !is_busy(ports, now_ms) || ports->rest_count == REST_MAX)
        return false;
    ports->rest[(ports->rest_first + ports->rest_count++) % REST_MAX] = (struct resting){{pair[0], pair[1]}, now_ms};
    for (unsigned i = 0; i < 2; i++) {
        udp_rest(pair[i]);
        pair[i] = NULL;
    }
    return true;
}

static bool may_wake(const struct ports *ports, uint64_t now_ms)
{
    if (!ports->count)
        return ports->rest_count > 0;
    return ports->rest_count >= REST_MIN && now_ms - ports->rest[ports->rest_first].since_ms >= REST_MS;
}

static bool wake_pair(struct ports *ports, const struct udp_options *rtp, const struct udp_options *rtcp,
                      struct udp *out[static 2])
{
    const struct udp_options *options[2] = {rtp, rtcp};
    struct resting taken;
    uint64_t now_ms = clock_now_ms();

    close_stale(ports, now_ms);
    if (!may_wake(ports, now_ms))
        return false;
    taken = take_resting(ports);
    if (!udp_wake(taken.pair[0], options[0]) && !udp_wake(taken.pair[1], options[1])) {
        out[0] = taken.pair[0];
        out[1] = taken.pair[1];
        return true;
    }
    close_pair(ports, taken.pair);
    return false;
}

static void ports_destroy(void *self)
{
    struct ports *ports = self;

    while (ports->rest_count) {
        struct resting taken = take_resting(ports);

        close_pair(ports, taken.pair);
    }
    mem_unref(ports->ring);
}

/* ---- birth ---- */

static void shuffle(uint16_t *items, unsigned count)
{
    for (unsigned i = count; i > 1; i--) {
        unsigned other = rand_u32() % i;
        uint16_t item = items[i - 1];

        items[i - 1] = items[other];
        items[other] = item;
    }
}

int ports_new(struct ports **portsp, const struct ports_range *range)
{
    unsigned even = (range->min + 1u) & ~1u;
    unsigned pairs = range->max > even ? (range->max - even + 1u) / 2 : 0;
    struct ports *ports;
    unsigned begin, end;

    if (!range->count || range->id >= range->count)
        return -EINVAL;
    begin = pairs * range->id / range->count;
    end = pairs * (range->id + 1) / range->count;
    if (begin == end)
        return -EINVAL; /* fewer pairs than workers */
    ports = mem_new(sizeof(*ports), ports_destroy);
    if (!ports)
        return -ENOMEM;
    ports->ring = mem_new((end - begin) * sizeof(*ports->ring), NULL);
    if (!ports->ring) {
        mem_unref(ports);
        return -ENOMEM;
    }
    ports->size = ports->count = end - begin;
    for (unsigned i = 0; i < ports->size; i++)
        ports->ring[i] = (uint16_t)(even + 2 * (begin + i));
    shuffle(ports->ring, ports->size);
    *portsp = ports;
    return 0;
}

/* ---- opening and closing ---- */

static int open_pair(struct udp *out[static 2], struct udp_house *house, struct udp_options *rtp,
                     struct udp_options *rtcp)
{
    struct udp *first, *second;
    int err;

    err = udp_new(&first, house, rtp);
    if (err)
        return err;
    err = udp_new(&second, house, rtcp);
    if (err) {
        mem_unref(first);
        return err;
    }
    out[0] = first;
    out[1] = second;
    return 0;
}

int ports_open(struct ports *ports, struct udp_house *house, struct udp_options *rtp, struct udp_options *rtcp,
               struct udp *out[static 2])
{
    unsigned tries;

    if (wake_pair(ports, rtp, rtcp, out))
        return 0;
    tries = ports->count < TRIES_MAX ? ports->count : TRIES_MAX;
    while (tries--) {
        uint16_t port = take(ports);
        int err;

        addr_set_port(&rtp->local, port);
        addr_set_port(&rtcp->local, port + 1);
        err = open_pair(out, house, rtp, rtcp);
        if (!err)
            return 0;
        give_back(ports, port);
        if (err != -EADDRINUSE && err != -EACCES)
            return err;
    }
    return -EBUSY;
}

void ports_close(struct ports *ports, struct udp *pair[static 2])
{
    if (!lay_to_rest(ports, pair))
        close_pair(ports, pair);
}

unsigned ports_free_count(const struct ports *ports)
{
    return ports->count + ports->rest_count;
}
