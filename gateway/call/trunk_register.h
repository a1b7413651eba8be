/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trunk_register.h: the registration of one trunk with `register: true`. */

struct sip_flow;
struct trunk_duty;
struct trunk_register;

/** @param duty outlives it. @return 0; -ENOMEM */
int trunk_register_new(struct trunk_register **regp, struct trunk_duty *duty);
/** A connection is gone. */
void trunk_register_flow_lost(struct trunk_register *reg, const struct sip_flow *flow);
/** Take it back; trunk_duty_has_left() is called when that is done. */
void trunk_register_end(struct trunk_register *reg);
