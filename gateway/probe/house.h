/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "probe/check.h"

/* house.h: the few floors that a readiness check stands on: one worker, its packets, names and SIP, on ports of its
 * own. */

struct worker;

/** Build it on this thread, which then turns the worker's loop. @param conf taken over: its listeners get port 0
 *  @param why_out a sentence on error. @return 0; -errno. Leave with probe_house_close(). */
int probe_house_open(struct probe_house **housep, struct worker **workerp, struct conf *conf, const char **why_out);
/** From outside of the loop. NULL is welcome. */
void probe_house_close(struct probe_house *house, struct worker *worker);
