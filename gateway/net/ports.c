/* SPDX-License-Identifier: Apache-2.0 */
/* ports.c: RTP/RTCP port pairs: an even port and the next (RFC 3550 section 11) out of this worker's share of the
 * range. A queue of free pairs in random order at first (ports cannot be guessed), given back to its end (late packets
 * of an ended call do not meet the next one). Knows nothing of calls. */
#include "net/ports.h"

#include <errno.h>

#include "base/mem.h"
#include "base/rand.h"

#define TRIES_MAX 128 /* pairs tried when other programs sit on ours */

struct ports {
    unsigned first, count; /* free pairs: a ring */
    unsigned size;
    uint16_t *ring; /* the even port */
};

static void ports_destroy(void *self)
{
    struct ports *ports = self;

    mem_unref(ports->ring);
}

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
    unsigned tries = ports->count < TRIES_MAX ? ports->count : TRIES_MAX;

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
    uint16_t port = 0;

    if (pair[0])
        port = addr_port(udp_local(pair[0]));
    else if (pair[1])
        port = addr_port(udp_local(pair[1])) - 1;
    pair[0] = mem_unref(pair[0]);
    pair[1] = mem_unref(pair[1]);
    if (port)
        give_back(ports, port);
}

unsigned ports_free_count(const struct ports *ports)
{
    return ports->count;
}
