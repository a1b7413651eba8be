/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "net/ports.h"
#include "net/udp.h"
#include "sip/stack.h"

/* carrier.h: the simulated carrier: one SIP stack, one range of RTP ports, the calls on them. One worker; everything
 * runs on its loop. */

struct worker;

struct carrier_options {
    struct addr listen;          /* SIP over UDP; port 0: any */
    struct addr gateway;         /* where calls of our own go; may be unset */
    unsigned max_calls;          /* 0: no limit */
    const char *user, *password; /* digest for calls that come in, and for challenges of the gateway; NULL: none */
    uint16_t rtp_min, rtp_max;
};

struct carrier {
    struct carrier_options options;
    struct worker *worker;
    struct conf *conf; /* for the stack alone */
    struct udp_house *udp;
    struct ports *ports;
    struct sip_stack *stack;
    struct addr listen; /* the address in use */
    char host[ADDR_TEXT_MAX];
    struct list calls;
    unsigned call_count;
    bool is_stopping;
    void (*on_idle)(struct carrier *carrier); /* the last call has gone while stopping */
};

/** Build it on this worker, from its own thread or before it runs. @return 0; -errno with a sentence in *why_out */
int carrier_new(struct carrier **carrierp, struct worker *worker, const struct carrier_options *options,
                const char **why_out);

/** No new calls, BYE to the running ones; on_idle is called when none is left (at once, maybe). On the worker. */
void carrier_stop(struct carrier *carrier, void (*on_idle)(struct carrier *carrier));
