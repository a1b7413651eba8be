/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/text.h"

/* loader.h: the plugins that the configuration names, from file to running object. Main thread only: before the workers
 * start and after they ended. Plugins cannot carry calls yet: see include/sipway/plugin.h. */

struct plugins;

/** Load and create every plugin under `plugins:`, in that order.
 *  @param pluginsp out: end it with mem_unref(), which destroys the plugins in reverse
 *  @param folder   where NAME.so lie; NULL: the installed ones (libdir/sipway)
 *  @param err_out  one sentence when a plugin cannot be had
 *  @return 0; -ENOENT no such file; -EPROTO not a plugin, or of another ABI; -ENOMEM; what its create() returned */
int plugin_load_all(struct plugins **pluginsp, const struct conf *conf, const char *folder, struct text *err_out);
