/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* host.h: what a plugin of Sipway is given. A plugin calls the gateway by this table only: it needs no symbol of the
 * program. plugin.h tells which version added what. */

enum sipway_log_level { SIPWAY_LOG_ERROR, SIPWAY_LOG_WARN, SIPWAY_LOG_INFO, SIPWAY_LOG_DEBUG };

struct sipway_host {
    /** One line of the gateway's log, with the plugin's name in front. Any thread.
     *  @param text borrowed; bytes that are not printable are escaped, long texts are cut */
    void (*log)(const struct sipway_host *host, enum sipway_log_level level, const char *text);
};

#ifdef __cplusplus
}
#endif
