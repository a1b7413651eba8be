/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "sipway/host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* plugin.h: what a plugin of Sipway is: a shared object NAME.so in libdir/sipway that exports one constant,
 * `sipway_plugin`. It is loaded at the start when `plugins:` of the configuration names it.
 *
 * ABI 0.1: a plugin is loaded, created, may write log lines, and is destroyed at the end. IT CANNOT CARRY CALLS YET:
 * a call whose route names a plugin is refused. While the major number is 0 anything may change with each version.
 *
 * What each number added:
 *   0.1  name, create, destroy; host: log
 */
#define SIPWAY_ABI_MAJOR 0
#define SIPWAY_ABI_MINOR 1

/** The vtable a plugin fills. A plugin is taken when its major number is the gateway's and its minor not above it. */
struct sipway_plugin {
    uint16_t abi_major; /* SIPWAY_ABI_MAJOR as it was compiled */
    uint16_t abi_minor; /* SIPWAY_ABI_MINOR as it was compiled */
    const char *name;   /* the name of its file, without .so */

    /** Called once, before any worker runs, on the main thread.
     *  @param selfp out: what destroy() gets; may stay NULL
     *  @param host  valid until destroy() has returned
     *  @return 0; a negative errno: the gateway does not start and says so */
    int (*create)(void **selfp, const struct sipway_host *host);

    /** Called once, after all workers have ended, on the main thread; not after a failed create(). */
    void (*destroy)(void *self);
};

/** The one symbol that a plugin exports. */
extern const struct sipway_plugin sipway_plugin;

#ifdef __cplusplus
}
#endif
