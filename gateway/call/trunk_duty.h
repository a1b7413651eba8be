/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "call/calls.h"
#include "call/directory.h"
#include "call/trunk_board.h"
#include "sip/transport.h"

/* trunk_duty.h: one worker looks after one trunk: keeps the registration there (trunk_register.c) and asks whether it
 * is up (trunk_health.c). Which worker: a hash of the trunk's name, so that reloads do not move it. */

struct trunk_duties; /* all duties of a worker */
struct trunk_register;
struct trunk_health;

/** They begin 100 ms later, when all workers run. @param calls borrowed */
int trunk_duties_new(struct trunk_duties **dutiesp, struct calls *calls);
/** calls->directory is another one: end what is gone or different, begin what is new; what stayed the same goes on. */
void trunk_duties_reload(struct trunk_duties *duties);
/** A connection is gone. */
void trunk_duties_flow_lost(struct trunk_duties *duties, const struct sip_flow *flow);
/** Take all registrations back. STAT_TRUNKS_REGISTERED falls to 0 when that is done. */
void trunk_duties_drain(struct trunk_duties *duties);

struct trunk_duty {
    struct list link;
    struct calls *calls;
    struct directory *directory; /* referenced: trunk points into it */
    const struct trunk *trunk;
    struct trunk_status status;                  /* as published last */
    bool is_counted_registered, is_counted_down; /* in the gauges */
    bool is_leaving;                             /* only waits for the registrar's last answer */
    struct trunk_register *registration;
    struct trunk_health *health;
    struct timer end_timer;
};
/** The status was changed: publish and count it. */
void trunk_duty_publish(struct trunk_duty *duty);
/** What the locator said: the targets' addresses become the trunk's. @return NULL; or why there are none */
const char *trunk_duty_located(struct trunk_duty *duty, int err, const struct locate_target *targets, unsigned count);
extern const char trunk_no_way[]; /* none of the targets can be sent to */
/** The last REGISTER was answered: a leaving duty is over. It is freed from a timer. */
void trunk_duty_has_left(struct trunk_duty *duty);
