/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/transport.h"

/* keep_alive.h: what keeps the way to a peer open. RFC 5626 3.5, 4.4, 8. On connections a double CRLF is answered by a
 * single one. Over UDP only flows that somebody is registered on are answered, a double CRLF the same way and a STUN
 * binding request by its address: whoever forges a source makes us send nothing. Those behind a NAT get a double CRLF
 * of ours every sip.nat_ping, one after the other and never many at once. */

struct sip_stack;
struct keep_alive; /* one per worker */

int keep_alive_new(struct keep_alive **keepp, struct sip_stack *stack);

/** Somebody has registered on this UDP flow of this worker, for life_ms.
 *  @param is_new he was not registered on it before; is_nat: ping it */
void keep_alive_put(struct sip_stack *stack, const struct sip_flow *flow, uint64_t life_ms, bool is_new, bool is_nat);
/** He is not any more. Any worker's flow. */
void keep_alive_drop(struct sip_stack *stack, const struct sip_flow *flow);

/** Is it a keep-alive? Then it has been answered as above, and is no message. Any transport. */
bool keep_alive_receive(struct sip_stack *stack, const struct sip_flow *flow, const char *bytes, size_t n);
