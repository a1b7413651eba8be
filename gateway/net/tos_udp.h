/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* tos_udp.h: a UDP socket for measuring: it tells with each packet with which DSCP it came. One packet at a time, not
 * shared, for tools; calls take net/udp.h. */

struct tos_udp; /* leave with mem_unref(): closes at once, no call-back after */

struct tos_packet {
    const uint8_t *bytes;
    size_t n;
    struct addr from;
    int dscp; /* 0..63; -1: the kernel did not say */
    uint64_t arrived_us;
};
typedef void tos_udp_fn(struct tos_udp *udp, const struct tos_packet *packet, void *arg);

#define TOS_UDP_MAX 2048 /* longer packets are dropped */

/** On this thread's worker. @param local port 0: any. @return 0; -EADDRINUSE: taken; -errno */
int tos_udp_new(struct tos_udp **udpp, const struct addr *local, tos_udp_fn *fn, void *arg);
const struct addr *tos_udp_local(const struct tos_udp *udp);
/** Mark what is sent. @return 0; -EACCES: the system did not take it, or takes it and does something else */
int tos_udp_set_dscp(struct tos_udp *udp, unsigned dscp);
/** Send at once. @return 0; -errno, also of an ICMP answer to an earlier packet (-ECONNREFUSED) */
int tos_udp_send(struct tos_udp *udp, const struct addr *to, const void *bytes, size_t n);
