/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c: the smallest plugin there is, to start one's own from. It says that it came and that it went. */
#include <stddef.h>

#include "sipway/plugin.h"

static int create(void **selfp, const struct sipway_host *host)
{
    host->log(host, SIPWAY_LOG_INFO, "here");
    *selfp = (void *)host;
    return 0;
}

static void destroy(void *self)
{
    const struct sipway_host *host = self;

    host->log(host, SIPWAY_LOG_INFO, "gone");
}

const struct sipway_plugin sipway_plugin = {
    .abi_major = SIPWAY_ABI_MAJOR,
    .abi_minor = SIPWAY_ABI_MINOR,
    .name = "echo",
    .create = create,
    .destroy = destroy,
};
