/* SPDX-License-Identifier: Apache-2.0 */
/* transport_udp.c: SIP over UDP: datagrams in and out of this worker's own listening sockets. RFC 3261 18. */
#include <errno.h>

#include "base/stats.h"
#include "sip/stack.h"
#include "sip/transport_private.h"

static void on_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct udp_listener *listener = arg;
    struct sip_transports *transports = listener->transports;
    struct sip_flow flow = {.transport = SIP_UDP,
                            .worker = (uint8_t)transports->worker,
                            .listener = listener->index,
                            .local = *udp_local(udp)};

    for (unsigned i = 0; i < n; i++) {
        flow.remote = pkts[i]->addr;
        sip_receive(transports->stack, &flow, SPAN_NULL, (char *)pkts[i]->data, pkts[i]->len);
    }
}

/* One datagram above a packet buffer's size, whole. */
static void on_large(struct udp *udp, const struct addr *from, char *bytes, size_t n, void *arg)
{
    struct udp_listener *listener = arg;
    struct sip_transports *transports = listener->transports;
    struct sip_flow flow = {.transport = SIP_UDP,
                            .worker = (uint8_t)transports->worker,
                            .listener = listener->index,
                            .remote = *from,
                            .local = *udp_local(udp)};

    sip_receive(transports->stack, &flow, SPAN_NULL, bytes, n);
}

int transport_udp_listen(struct sip_transports *transports, const struct addr *local, unsigned dscp,
                         struct udp_house *house)
{
    struct udp_listener *listener = &transports->udp[transports->udp_count];
    int err;

    if (transports->udp_count == TRANSPORT_LISTENER_MAX)
        return -EBUSY;
    listener->transports = transports;
    listener->index = (uint16_t)transports->udp_count;
    err = udp_new(&listener->udp, house,
                  &(struct udp_options){.local = *local,
                                        .is_shared = true,
                                        .dscp = (uint8_t)dscp,
                                        .receive_bytes = 2 * 1024 * 1024,
                                        .on_batch = on_batch,
                                        .on_large = on_large,
                                        .arg = listener});
    if (!err)
        transports->udp_count++;
    return err;
}
