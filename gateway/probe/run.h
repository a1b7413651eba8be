/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "probe/check.h"

/* run.h: the checks of one trunk in their order, each within its time, all within the trunk's. */

#define PROBE_TRUNK_MS 15000

struct probe_options {
    struct probe_house *house;
    const struct conf_trunk *trunk;
    struct report *report;
    void (*on_done)(struct probe *probe, void *arg); /* from a timer; it may let the probe go */
    void *arg;
};
/** It begins by itself, from a timer. Leave with mem_unref(). @return 0; -ENOMEM; -EINVAL: the URI cannot be read */
int probe_new(struct probe **probep, const struct probe_options *options);
