/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trunk_register.h: the registration of one trunk with `register: true`. */

struct trunk_duty;
struct trunk_register;

/** @param duty outlives it. @return 0; -ENOMEM */
int trunk_register_new(struct trunk_register **regp, struct trunk_duty *duty);
/** Take it back; trunk_duty_has_left() is called when that is done. */
void trunk_register_end(struct trunk_register *reg);
