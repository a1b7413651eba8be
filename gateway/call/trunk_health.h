/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trunk_health.h: is a trunk up? Asked by OPTIONS every options_every seconds. */

struct trunk_duty;
struct trunk_health;

/** @param duty outlives it; mem_unref() ends it. @return 0; -ENOMEM */
int trunk_health_new(struct trunk_health **healthp, struct trunk_duty *duty);
